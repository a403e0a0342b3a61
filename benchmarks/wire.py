# SPDX-License-Identifier: Apache-2.0
"""The same over HTTP: one web server process, clients on plain sockets.

Baselines are served by the same server, each in a process of its own.
"""

import contextlib
import itertools
import pathlib
import selectors
import socket
import statistics
import time
from collections.abc import Sequence
from typing import Final

from benchmarks import requests, served
from benchmarks.databases import Place
from benchmarks.requests import Request, Series
from benchmarks.results import Result

# Of the medians, with one client; on SQLite.
_GOALS: Final = {'GET one': 2.3, 'list of 100': 1.4, 'PUT lock': 1.9}
_P99_GOAL: Final = 25  # ms
_CLIENTS: Final = 8
# Requests of the clients together, for one look at their slowest.
_CROWD: Final = 2_000
_CROWDS: Final = 3


class Connection:
    """A connection that is kept; one request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(('127.0.0.1', port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request: Request | None = None
        self._data = b''
        self._began = 0.0

    def send(self, request: Request) -> None:
        """Send a request."""
        data = request.raw()
        self._request, self._data = request, b''
        self._began = time.perf_counter()
        self.socket.sendall(data)

    def receive(self) -> float | None:
        """Take what has come; the seconds that the answer took once it is
        complete.

        Raises AssertionError where the answer has another status.
        """
        data = self.socket.recv(1 << 20)
        assert data, f'no answer to {self._request}'
        self._data += data
        head, found, body = self._data.partition(b'\r\n\r\n')
        if not found or len(body) < _length(head):
            return None
        taken = time.perf_counter() - self._began
        assert self._request is not None
        assert int(head[9:12]) == self._request.status, self._data[:500]
        return taken

    def seconds(self, request: Request) -> float:
        """Send a request, wait for the answer; the seconds that it took."""
        self.send(request)
        while True:
            taken = self.receive()
            if taken is not None:
                return taken

    def close(self) -> None:
        """Close it."""
        self.socket.close()


def _length(head: bytes) -> int:
    for line in head.split(b'\r\n')[1:]:
        name, _, value = line.partition(b':')
        if name.lower() == b'content-length':
            return int(value)
    raise AssertionError(f'an answer of no known length: {head!r}')


def measure(place: Place, config: pathlib.Path, rounds: int,
            ) -> list[Result]:
    """Return the ratios of the medians, and the p99 of many locks."""
    found = []
    with served.running(served.SERVICE, place, config) as port:
        every = requests.series(place)
        for series in every:
            with served.running(series.baseline, place, config) as baseline:
                found.append(_compare(series, place.kind, (port, baseline),
                                      rounds))
        found += _crowds(every[-1], place.kind, port)
    return found


def _compare(series: Series, kind: str, ports: Sequence[int],
             rounds: int) -> Result:
    with contextlib.ExitStack() as stack:
        both = [stack.enter_context(contextlib.closing(Connection(port)))
                for port in ports]
        for connection in both:
            _median(connection, series)  # warms up
        turns = [[_median(connection, series) for connection in both]
                 for _ in range(rounds)]
    mine, baseline = (min(column) * 1e6 for column in zip(*turns, strict=True))
    return Result(f'{series.name} / {series.baseline}, HTTP p50', kind,
                  mine / baseline, '',
                  _GOALS[series.name] if kind == 'sqlite' else None,
                  f'{mine:.0f} / {baseline:.0f} us')


def _median(connection: Connection, series: Series) -> float:
    return statistics.median(
        connection.seconds(request) for request in itertools.islice(
            series.requests, series.turn))


def _crowds(series: Series, kind: str, port: int) -> list[Result]:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(Connection(port)))
                   for _ in range(_CLIENTS)]
        turns = [_crowd(clients, list(itertools.islice(
            series.requests, _CROWD))) for _ in range(_CROWDS)]
    slowest = [statistics.quantiles(taken, n=100)[98] * 1e3
               for taken, _ in turns]
    rates = [rate for _, rate in turns]
    name = f'{series.name}, {_CLIENTS} clients'
    return [
        Result(f'{name}, HTTP p99', kind, statistics.median(slowest), 'ms',
               _P99_GOAL if kind == 'sqlite' else None,
               ', '.join(f'{one:.1f}' for one in slowest)),
        Result(f'{name}, HTTP rate', kind, statistics.median(rates), '/s')]


def _crowd(clients: Sequence[Connection], batch: list[Request],
           ) -> tuple[list[float], float]:
    """Let each client send its next request as soon as it has its answer;
    returns the latencies, and the answers a second."""
    waiting = iter(batch)
    taken: list[float] = []
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send(next(waiting))
        while len(taken) < len(batch):
            for key, _ in selector.select():
                seconds = key.data.receive()
                if seconds is None:
                    continue
                taken.append(seconds)
                following = next(waiting, None)
                if following is not None:
                    key.data.send(following)
        return taken, len(taken) / (time.perf_counter() - began)

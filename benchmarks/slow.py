# SPDX-License-Identifier: Apache-2.0
"""The effect of two thousand slow connections on a client that is not slow.

They are those of another process: a quarter of each says nothing, sends a
head, sends a body byte by byte, and takes no answers.
"""

import contextlib
import itertools
import pathlib
import resource
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Final

from benchmarks import data, requests, served
from benchmarks.databases import Place
from benchmarks.results import Result
from benchmarks.wire import Connection

_CONNECTIONS: Final = 2_000
_P99_GOAL: Final = 25  # ms
_REQUESTS: Final = 150  # for each round
# Seconds between two, so that slow ones are let go and come again meanwhile.
_PAUSE: Final = 0.005
# Seconds in which each slow connection sends one byte.
_BYTE: Final = 2.0

_HEAD: Final = b'PUT /v1/instances HTTP/1.1\r\nHost: x\r\n'
# The bytes that each begins with, and the one that it goes on with.
_KINDS: Final = (
    ('silent', b'', b''),
    ('head', _HEAD + b'X-Slow: ', b'x'),
    ('body', _HEAD + b'Content-Length: 100000\r\n\r\n', b' '),
    ('answers', requests.page().raw(), b''))


def measure(place: Place, config: pathlib.Path, rounds: int) -> list[Result]:
    """p50 and p99 of one client on a kept connection, and on one that is
    new for each request, alone and beside the slow ones."""
    found = []
    shows = list(itertools.islice(map(requests.show, data.uuids(
        place, project=data.PROJECTS[0])), 100))
    with served.running(served.SERVICE, place, config) as port:
        for count in (0, _CONNECTIONS):
            with served.module(__name__, str(port), str(count)):
                for name, again in (('kept', False), ('new', True)):
                    taken = list(_take(port, shows, _REQUESTS * rounds,
                                       again=again))
                    cuts = statistics.quantiles(taken, n=100)
                    found.append(Result(
                        f'GET one, {name} connection, {count} slow, p99',
                        place.kind, cuts[98] * 1e3, 'ms', _P99_GOAL,
                        f'p50 {cuts[49] * 1e3:.2f} ms, most '
                        f'{max(taken) * 1e3:.1f} ms'))
    return found


def _take(port: int, shows: list[requests.Request], count: int, *,
          again: bool) -> Iterator[float]:
    connection = Connection(port)
    for show in itertools.islice(itertools.cycle(shows), count):
        began = time.perf_counter()
        if again:
            connection.close()
            connection = Connection(port)
        connection.seconds(show)
        yield time.perf_counter() - began
        time.sleep(_PAUSE)
    connection.close()


class _Slow:
    """One of them; it comes again when it has been let go."""

    def __init__(self, port: int, first: bytes, next_: bytes) -> None:
        self._port, self._first, self._next = port, first, next_
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(('127.0.0.1', self._port))
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            self._socket.send(self._first)

    def go_on(self) -> None:
        """Send a byte, or see whether the other side is still there."""
        try:
            if self._next:
                self._socket.send(self._next)
            elif not self._socket.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError
        except BlockingIOError:
            return
        except OSError:
            self._socket.close()
            self._connect()


def main() -> None:
    """Be slow until the end of the process."""
    port, count = map(int, sys.argv[1:])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    slow = [_Slow(port, first, next_) for _, (_, first, next_) in zip(
        range(count), itertools.cycle(_KINDS), strict=False)]
    for turn in itertools.count():
        for one in slow:
            one.go_on()
            time.sleep(_BYTE / len(slow))
        if not turn:
            print('slow', flush=True)
        if not slow:
            time.sleep(_BYTE)


if __name__ == '__main__':
    main()

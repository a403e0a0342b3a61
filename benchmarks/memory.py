# SPDX-License-Identifier: Apache-2.0
"""The memory of one worker of each service, after work."""

import contextlib
import itertools
import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

import sqlalchemy as sa

from benchmarks import requests, service
from benchmarks.databases import Place
from benchmarks.figures import Figure
from benchmarks.wire import Connection
from mogan.db import models

_GOAL: Final = 100  # MiB
_DEADLINE: Final = 120.0  # seconds
_ROUNDS: Final = 200


class Size(NamedTuple):
    """MiB."""

    pss: float
    rss: float


def measure(place: Place, directory: pathlib.Path) -> list[Figure]:
    """PSS, where pages that processes share count in parts; the most that
    is seen."""
    port = _free_port()
    config = service.write(directory, place, port)
    with _command('api', config) as api, _command('engine', config) as engine:
        seen: list[list[Size]] = [[], []]
        for _ in _work(place, port):
            for process, sizes in zip((api, engine), seen, strict=True):
                sizes.append(_size(process))
    return [_figure(name, place, sizes) for name, sizes in zip(
        ('API', 'engine'), seen, strict=True)]


@contextlib.contextmanager
def _command(name: str, config: pathlib.Path,
             ) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
            [sys.executable, '-m', f'mogan.cmd.{name}',
             '--config-file', str(config)],
            # As in etc/systemd.
            env=os.environ | {'MALLOC_ARENA_MAX': '2'}) as process:
        try:
            yield process
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server(('127.0.0.1', 0)) as found:
        return int(found.getsockname()[1])


def _connect(port: int) -> Connection:
    until = time.monotonic() + _DEADLINE
    while True:
        try:
            return Connection(port)
        except ConnectionRefusedError:
            assert time.monotonic() < until, 'mogan-api does not answer'
            time.sleep(0.1)


def _work(place: Place, port: int) -> Iterator[None]:
    """Show instances, list them in the largest pages, lock some; stops
    after each."""
    largest = requests.page('limit=1000&all_tenants=true', service.ADMIN)
    for series in requests.series(place):
        with contextlib.closing(_connect(port)) as connection:
            for request in itertools.islice(series.requests, _ROUNDS):
                connection.seconds(
                    largest if series.floor == 'L' else request)
        _settle(place)
        yield


def _settle(place: Place) -> None:
    """Wait until the engine has done all that was asked for."""
    unfinished = sa.select(sa.func.count()).where(
        models.actions.c.next_at.is_not(None))
    until = time.monotonic() + _DEADLINE
    db = place.open()
    while True:
        with db.reader() as connection:
            if not connection.execute(unfinished).scalar_one():
                break
        assert time.monotonic() < until, 'the engine does not settle'
        time.sleep(0.2)
    db.dispose()


def _size(process: subprocess.Popen[bytes]) -> Size:
    # Whichever thread has forked it.
    [worker] = [pid for children in pathlib.Path(
        f'/proc/{process.pid}/task').glob('*/children')
        for pid in children.read_text(encoding='ascii').split()]
    lines = pathlib.Path(f'/proc/{worker}/smaps_rollup').read_text(
        encoding='ascii').splitlines()[1:]
    sizes = {name: int(value.split()[0]) / 1024 for name, value in (
        line.split(':') for line in lines)}
    return Size(sizes['Pss'], sizes['Rss'])


def _figure(name: str, place: Place, sizes: list[Size]) -> Figure:
    largest = max(sizes)
    return Figure(f'{name} worker, PSS', place.kind, largest.pss, 'MiB',
                  _GOAL, f'RSS {largest.rss:.0f} MiB')

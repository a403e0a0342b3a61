# SPDX-License-Identifier: Apache-2.0
"""The memory of one worker of each service, after work."""

import contextlib
import itertools
import pathlib
from collections.abc import Iterator
from typing import Final, NamedTuple

import sqlalchemy as sa

from benchmarks import requests, service
from benchmarks.databases import Place
from benchmarks.results import Result
from benchmarks.wire import Connection
from mogan.db import models
from mogan.tests.support import processes
from mogan.tests.support.client import responds
from mogan.tests.support.processes import Family
from mogan.tests.support.services import Service, command

_GOAL: Final = 100  # MiB
_DEADLINE: Final = 120.0  # seconds
_ROUNDS: Final = 200


class Size(NamedTuple):
    """MiB."""

    pss: float
    rss: float


def measure(place: Place, directory: pathlib.Path) -> list[Result]:
    """PSS, where pages that processes share count in parts; the most that
    is seen."""
    port = processes.free_port()
    config = service.write(directory, place, port)
    family = Family(directory)
    # As in etc/systemd.
    both = [Service(name, command(name, config), family=family,
                    environment={'MALLOC_ARENA_MAX': '2'})
            for name in ('api', 'engine')]
    with contextlib.closing(family):
        for each in both:
            each.start()
        seen: list[list[Size]] = [[], []]
        for _ in _work(place, port):
            for each, sizes in zip(both, seen, strict=True):
                sizes.append(_size(each))
    return [_result(name, place, sizes) for name, sizes in zip(
        ('API', 'engine'), seen, strict=True)]


def _work(place: Place, port: int) -> Iterator[None]:
    """Show instances, list them in the largest pages, lock some; stops
    after each."""
    processes.eventually(lambda: responds(port), _DEADLINE,
                         'mogan-api answers')
    largest = requests.page('limit=1000&all_tenants=true', service.ADMIN)
    for series in requests.series(place):
        with contextlib.closing(Connection(port)) as connection:
            for request in itertools.islice(series.requests, _ROUNDS):
                connection.seconds(
                    largest if series.baseline == 'L' else request)
        _settle(place)
        yield


def _settle(place: Place) -> None:
    """Wait until the engine has done all that was asked for."""
    unfinished = sa.select(sa.func.count()).where(
        models.actions.c.next_at.is_not(None))
    db = place.open()

    def settled() -> bool:
        [(count,)] = db.read(unfinished)
        return not count

    processes.eventually(settled, _DEADLINE, 'the engine settles')
    db.dispose()


def _size(each: Service) -> Size:
    [worker] = each.workers()
    lines = pathlib.Path(f'/proc/{worker}/smaps_rollup').read_text(
        encoding='ascii').splitlines()[1:]
    sizes = {name: int(value.split()[0]) / 1024 for name, value in (
        line.split(':') for line in lines)}
    return Size(sizes['Pss'], sizes['Rss'])


def _result(name: str, place: Place, sizes: list[Size]) -> Result:
    largest = max(sizes)
    return Result(f'{name} worker, PSS', place.kind, largest.pss, 'MiB',
                  _GOAL, f'RSS {largest.rss:.0f} MiB')

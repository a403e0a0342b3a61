# SPDX-License-Identifier: Apache-2.0
"""CPU time of a request beside that of its floor, in one process.

Service and floor take turns request by request, so that both find the
processor's caches as the other left them.  The best of some turns of many
requests counts: what others do on the same machine disturbs some, seldom
all.
"""

import contextlib
import dataclasses
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from benchmarks import fairness, floors, requests, service
from benchmarks.databases import Place
from benchmarks.figures import Figure
from benchmarks.requests import Request, Series

# On SQLite, which does least beside.
_GOALS: Final = {'GET one': 6.0, 'list of 100': 1.4, 'PUT lock': 3.0}


@dataclasses.dataclass(frozen=True)
class Spent:
    """Microseconds."""

    cpu: float
    wall: float

    def __add__(self, other: 'Spent') -> 'Spent':
        return Spent(self.cpu + other.cpu, self.wall + other.wall)


def measure(place: Place, rounds: int) -> list[Figure]:
    """The ratios of the three requests that have floors."""
    application = service.application(place)
    fairness.check(place, application)
    found = []
    for series in requests.series(place):
        floor = floors.FLOORS[series.floor](place)
        found += _compare(series, place.kind, (application, floor), rounds)
    return found


def _compare(series: Series, kind: str, both: Sequence[Any],
             rounds: int) -> list[Figure]:
    _turn(both, series)  # warms up
    turns = [_turn(both, series) for _ in range(rounds)]
    cpu = [min(spent.cpu for spent in column)
           for column in zip(*turns, strict=True)]
    wall = [min(spent.wall for spent in column)
            for column in zip(*turns, strict=True)]
    name = f'{series.name} / {series.floor}'
    goal = _GOALS[series.name] if kind == 'sqlite' else None
    return [
        Figure(f'{name}, CPU', kind, cpu[0] / cpu[1], '', goal,
               f'{cpu[0]:.0f} / {cpu[1]:.0f} us'),
        Figure(f'{name}, wall', kind, wall[0] / wall[1], '', None,
               f'{wall[0]:.0f} / {wall[1]:.0f} us')]


def _turn(both: Sequence[Any], series: Series) -> list[Spent]:
    spent = [Spent(0, 0) for _ in both]
    with uncollected():
        for _ in range(series.turn):
            for number, application in enumerate(both):
                spent[number] += _one(application, next(series.requests))
    return [Spent(one.cpu / series.turn, one.wall / series.turn)
            for one in spent]


def _one(application: Callable[..., Any], request: Request) -> Spent:
    wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
    requests.call(application, request)
    return Spent((time.thread_time_ns() - cpu) / 1e3,
                 (time.perf_counter_ns() - wall) / 1e3)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No collection of garbage in between."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

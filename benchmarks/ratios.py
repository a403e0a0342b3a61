# SPDX-License-Identifier: Apache-2.0
"""CPU time of a request beside that of its floor, in one process.

Service and floor take turns, and of each the best turn counts: what others
do on the same machine disturbs single turns, seldom the best.
"""

import contextlib
import dataclasses
import gc
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from benchmarks import floors, requests, service
from benchmarks.databases import Place
from benchmarks.figures import Figure
from benchmarks.requests import Series

# On SQLite, which does least beside.
_GOALS: Final = {'GET one': 6.0, 'list of 100': 1.4, 'PUT lock': 3.0}


@dataclasses.dataclass(frozen=True)
class Spent:
    """Microseconds for each request of a turn."""

    cpu: float
    wall: float


def measure(place: Place, rounds: int) -> list[Figure]:
    """The ratios of the three requests that have floors."""
    application = service.application(place)
    found = []
    for series in requests.series(place):
        floor = floors.FLOORS[series.floor](place)
        found += _compare(series, place.kind, (application, floor), rounds)
    return found


def _compare(series: Series, kind: str, both: Sequence[Any],
             rounds: int) -> list[Figure]:
    for application in both:
        _turn(application, series)  # warms up
    turns = [[_turn(application, series) for application in both]
             for _ in range(rounds)]
    cpu = [min(spent.cpu for spent in column)
           for column in zip(*turns, strict=True)]
    wall = [statistics.median(spent.wall for spent in column)
            for column in zip(*turns, strict=True)]
    name = f'{series.name} / {series.floor}'
    goal = _GOALS[series.name] if kind == 'sqlite' else None
    return [
        Figure(f'{name}, CPU', kind, cpu[0] / cpu[1], '', goal,
               f'{cpu[0]:.0f} / {cpu[1]:.0f} us'),
        Figure(f'{name}, wall', kind, wall[0] / wall[1], '', None,
               f'{wall[0]:.0f} / {wall[1]:.0f} us')]


def _turn(application: Callable[..., Any], series: Series) -> Spent:
    batch = list(itertools.islice(series.requests, series.turn))
    with uncollected():
        wall, cpu = time.perf_counter(), time.thread_time()
        for request in batch:
            requests.call(application, request)
        cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
    return Spent(cpu / len(batch) * 1e6, wall / len(batch) * 1e6)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No collection of garbage in between."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

# SPDX-License-Identifier: Apache-2.0
"""CPU time of a request beside that of its baseline, in one process.

Service and baseline take turns of many requests.  The best turn of each
counts: what others do on the same machine disturbs some, seldom all.
"""

import contextlib
import dataclasses
import gc
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from unittest import mock

import sqlalchemy as sa

from benchmarks import baselines, fairness, requests, service
from benchmarks.databases import Place
from benchmarks.requests import Request, Series
from benchmarks.results import Result
from mogan.db.core.connections import Connections
from mogan.db.core.statements import CompiledDML, CompiledSelect

# On SQLite, which does least beside.
_GOALS: Final = {'GET one': 6.0, 'list of 100': 1.4, 'PUT lock': 3.0}


def _read(connections: Connections, query: CompiledSelect,
          values: Mapping[str, Any]) -> Sequence[Any]:
    with connections.one() as connection:
        return connection.execute(query.statement, values).all()


def _execute(change: CompiledDML, connection: sa.Connection,
             values: Mapping[str, Any]) -> int:
    return connection.execute(change.statement, values).rowcount


def _allows(rules: Any, *question: Any) -> bool:
    decision: bool = rules._decide(*question)  # noqa: SLF001 - past the cache
    return decision


# What makes requests cheaper, and what is done where one is left out.
TRICKS: Final[dict[str, tuple[str, Callable[..., Any]]]] = {
    'reads': ('mogan.db.core.connections.Connections.read', _read),
    'writes': ('mogan.db.core.statements.CompiledDML.execute', _execute),
    'decisions': ('mogan.policy._Rules.allows', _allows)}


@contextlib.contextmanager
def without(name: str | None) -> Iterator[None]:
    """Measure without one of the tricks: reads or writes by the database
    driver itself, policy decisions that are remembered."""
    if name is None:
        yield
        return
    place, plain = TRICKS[name]
    with mock.patch(place, plain):
        yield


@dataclasses.dataclass(frozen=True)
class Spent:
    """Microseconds."""

    cpu: float
    wall: float

    def __add__(self, other: 'Spent') -> 'Spent':
        return Spent(self.cpu + other.cpu, self.wall + other.wall)


def measure(place: Place, rounds: int) -> list[Result]:
    """Return the ratios of the three requests that have baselines."""
    application = service.application(place)
    fairness.check(place, application)
    found = []
    for series in requests.series(place):
        both = application, baselines.BASELINES[series.baseline](place)
        mine, its = _best(series, both, rounds)
        goal = _GOALS[series.name] if place.kind == 'sqlite' else None
        name = f'{series.name} / {series.baseline}'
        found += [
            _result(f'{name}, CPU', place, mine.cpu, its.cpu, goal),
            _result(f'{name}, wall', place, mine.wall, its.wall)]
        with _silent():
            mine, its = _best(series, both, rounds)
        found.append(_result(f'{name}, CPU, without its line in the log',
                             place, mine.cpu, its.cpu))
    return found


def _result(name: str, place: Place, mine: float, its: float,
            goal: float | None = None) -> Result:
    return Result(name, place.kind, mine / its, '', goal,
                  f'{mine:.0f} / {its:.0f} us')


def _best(series: Series, both: Sequence[Any], rounds: int) -> list[Spent]:
    _turn(both, series)  # warms up
    return least(_turn(both, series) for _ in range(rounds))


def least(turns: Iterable[list[Spent]]) -> list[Spent]:
    """Return the best round of each."""
    return [Spent(min(spent.cpu for spent in column),
                  min(spent.wall for spent in column))
            for column in zip(*turns, strict=True)]


def _turn(both: Sequence[Any], series: Series) -> list[Spent]:
    with uncollected():
        return [mean(application, list(itertools.islice(
            series.requests, series.turn))) for application in both]


def mean(application: Callable[..., Any], batch: list[Request]) -> Spent:
    """Return the mean time of one of these requests."""
    spent = sum((_one(application, request) for request in batch),
                Spent(0, 0))
    return Spent(spent.cpu / len(batch), spent.wall / len(batch))


def _one(application: Callable[..., Any], request: Request) -> Spent:
    wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
    requests.call(application, request)
    return Spent((time.thread_time_ns() - cpu) / 1e3,
                 (time.perf_counter_ns() - wall) / 1e3)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without the line that each request writes into the log."""
    logger = logging.getLogger('mogan')
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No collection of garbage in between."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

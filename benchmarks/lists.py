# SPDX-License-Identifier: Apache-2.0
"""A page of a large table beside the same page of a small one."""

import dataclasses
import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import sqlalchemy as sa

from benchmarks import data, requests, service
from benchmarks.databases import Place
from benchmarks.ratios import uncollected
from benchmarks.requests import Request
from benchmarks.results import Result
from mogan.db import models

_GOAL: Final = 1.10
_PAGE: Final = 100
# Where deep pages of the large table begin, in parts of what is listed; in
# the small one the second page has to do, for it has few more.
_DEPTHS: Final = (0.25, 0.5, 0.75)
_SECOND: Final = 10

I = models.instances  # noqa: E741 - as the service names it


@dataclasses.dataclass(frozen=True)
class List:
    """A list by its arguments; `facts` select the same rows by columns."""

    name: str
    arguments: dict[str, Any]
    facts: dict[str, Any]
    order: str = 'id'
    full: bool = True

    def page(self, marker: str | None = None) -> Request:
        """Return the request for a page of it."""
        arguments = {'limit': _PAGE} | self.arguments
        if marker is not None:
            arguments['marker'] = marker
        admin = 'all_tenants' in arguments or 'node_uuid' in arguments
        return requests.page(
            '&'.join(f'{name}={value}' for name, value in arguments.items()),
            service.ADMIN if admin else service.OWNER)


_FILTERS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ('', {}), ('status=active', {'status': 'active'}),
    (f'status={data.RARE}', {'status': data.RARE}),
    ('flavor', {'flavor_uuid': data.FLAVORS[0]}),
    ('locked=true', {'locked': True}), ('locked=false', {'locked': False}))


def _lists() -> Iterator[List]:
    own = {'project_id': data.PROJECTS[0]}
    for name, facts in _FILTERS:
        arguments = {key: str(value).lower() if value in {True, False}
                     else value for key, value in facts.items()}
        yield List(f'project {name}'.strip(), arguments, facts | own)
        yield List(f'all_tenants {name}'.strip(),
                   {'all_tenants': 'true'} | arguments, facts)
    yield List('all_tenants project_id', {
        'all_tenants': 'true', **own}, own)
    for key in ('name', 'status'):
        yield List(f'project sort_key={key}', {'sort_key': key}, own, key)


@dataclasses.dataclass(frozen=True)
class _Table:
    """A place, and the service over it."""

    place: Place
    application: Callable[..., Any]

    def marker(self, wanted: List, part: float | None) -> str:
        """Return the instance after which a page begins."""
        matching = [I.c[name] == value
                    for name, value in wanted.facts.items()]
        db = self.place.open()
        with db.reader() as connection:
            number = _SECOND
            if part is not None:
                rows = connection.execute(
                    sa.select(sa.func.count()).select_from(I)
                    .where(*matching)).scalar_one()
                number = int(part * (rows - 1 - _PAGE))
            found = connection.execute(
                sa.select(I.c.uuid).where(*matching)
                .order_by(I.c[wanted.order], I.c.id)
                .offset(number).limit(1)).scalar_one()
        db.dispose()
        return str(found)


def measure(large: Place, small: Place, rounds: int) -> list[Result]:
    """Measure a page of each list, beside one of the small table."""
    tables = [_Table(place, service.application(place))
              for place in (large, small)]
    clock = (time.thread_time if large.kind == 'sqlite'
             else time.perf_counter)
    found = []
    for wanted in _lists():
        [(mine, its)] = _best(clock, rounds, [
            [(table, wanted.page()) for table in tables]])
        found.append(_result(f'{wanted.name}, first page', large, mine, its))
        deep = _best(clock, rounds, [
            [(tables[0], wanted.page(tables[0].marker(wanted, part))),
             (tables[1], wanted.page(tables[1].marker(wanted, None)))]
            for part in _DEPTHS])
        mine, its = max(deep, key=lambda both: both[0] / both[1])
        found.append(_result(f'{wanted.name}, deep page', large, mine, its))
    return found


def _best(clock: Callable[[], float], rounds: int,
          pairs: list[list[tuple[_Table, Request]]],
          ) -> list[tuple[float, float]]:
    """Return the best of each request's rounds, which alternate."""
    every = list(itertools.chain(*pairs))
    for table, request in every:
        page = json.loads(requests.call(table.application, request))
        assert len(page['instances']) == _PAGE, request
    best = [float('inf')] * len(every)
    with uncollected():
        for _ in range(rounds):
            for number, (table, request) in enumerate(every):
                began = clock()
                requests.call(table.application, request)
                best[number] = min(best[number], clock() - began)
    return list(zip(best[::2], best[1::2], strict=True))


def _result(name: str, large: Place, mine: float, its: float) -> Result:
    return Result(f'list {name}, {large.rows} / {data.SMALL} rows',
                  large.kind, mine / its, '', _GOAL,
                  f'{mine * 1e6:.0f} / {its * 1e6:.0f} us')

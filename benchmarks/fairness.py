# SPDX-License-Identifier: Apache-2.0
"""Checks that each baseline does the work of the service."""

import itertools
import json
from collections.abc import Callable
from typing import Any, Final

from benchmarks import baselines, requests
from benchmarks.baselines import Driver
from benchmarks.databases import Place

# Values that have to be the same; of the others, only the kind.
_SAME: Final = frozenset({'lock_state', 'verb', 'fence', 'attempts', 'times'})


def check(place: Place, application: Callable[..., Any]) -> None:
    """Raise AssertionError where an answer, or what is left in the
    database, is another one."""
    for series in requests.series(place):
        baseline = baselines.BASELINES[series.baseline](place)
        chosen = list(itertools.islice(series.requests, 2))
        if series.baseline == 'W':
            requests.call(application, chosen[0])
            requests.call(baseline, chosen[1])
            mine, its = (_left(baseline.driver, request.path.split('/')[3])
                         for request in chosen)
        else:
            mine, its = (json.loads(requests.call(one, chosen[0]))
                         for one in (application, baseline))
        assert mine == its, f'{series.name}:\n{mine}\n{its}'


def _left(driver: Driver, uuid: str) -> list[dict[str, Any]]:
    """Return the rows of an instance after a lock."""
    found = []
    for table, key in (('instances', 'uuid'), ('actions', 'instance_uuid')):
        cursor = driver.connection.cursor()
        cursor.execute(driver.statement(
            f'SELECT * FROM {table} WHERE {key} = ?'),  # noqa: S608 - ours
            (uuid,))
        [row] = cursor.fetchall()
        names = [column[0] for column in cursor.description]
        found.append({
            name: value if name in _SAME else type(value).__name__
            for name, value in zip(names, row, strict=True)})
    return found

# SPDX-License-Identifier: Apache-2.0
"""Metrics that are read from the database at each scrape."""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from mogan import exception, states, version
from mogan.db import domains, health, outbox
from mogan.db.core.engine import Database

Family = GaugeMetricFamily


class Rows(Collector):
    """Metrics of the rows, cached for `kept` seconds."""

    def __init__(self, db: Database, kept: float) -> None:
        self._db = db
        self._kept = kept
        self._lock = threading.Lock()
        self._found: list[Family] = []
        self._until = 0.0

    def describe(self) -> Iterable[Family]:
        """Return nothing, so that the database is not queried at the start."""
        return []

    def collect(self) -> Iterable[Family]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = list(self._ask())
                self._until = time.monotonic() + self._kept
            return self._found

    def _ask(self) -> Iterator[Family]:
        answers = Family('mogan_database_answers',
                         'Whether the database is available.')
        try:
            unfinished = health.unfinished(self._db)
            waiting = outbox.backlog(self._db)
            strange = domains.count(self._db)
        except exception.DatabaseUnavailable:
            answers.add_metric([], 0)
            yield answers
            return
        answers.add_metric([], 1)
        yield answers
        yield from _unfinished(unfinished)
        yield _not_understood(strange)
        for name, text, value in (
                ('events', 'Number of pending notifications.',
                 waiting.actions),
                ('seconds', 'Age of the oldest pending notification.',
                 waiting.seconds)):
            family = Family(f'mogan_unsent_notifications_{name}', text)
            family.add_metric([], value)
            yield family


def _unfinished(rows: Iterable[Any]) -> Iterator[Family]:
    count = Family('mogan_unfinished_actions',
                   'Unfinished actions.', labels=['verb'])
    oldest = Family('mogan_oldest_unfinished_action_seconds',
                    'Age of the oldest unfinished action.', labels=['verb'])
    found = {row.verb: row for row in rows}
    # Those of a newer release as well.
    for verb in dict.fromkeys((*map(str, states.Verb), *found)):
        row = found.get(verb)
        count.add_metric([verb], row.actions if row else 0)
        oldest.add_metric([verb], max(
            (row.now - row.since).total_seconds(), 0) if row else 0)
    yield count
    yield oldest


def _not_understood(found: domains.Count) -> Family:
    family = Family('mogan_rows_not_understood', 'Rows with a value that is '
                    'unknown to this release.', labels=['table'])
    for name, value in found._asdict().items():
        family.add_metric([name], value)
    return family


class Build(Collector):
    """The service and its release."""

    def __init__(self, service: str) -> None:
        self._service = service

    def collect(self) -> Iterable[Family]:
        family = Family('mogan_build_info', 'The running release.',
                        labels=['service', 'version'])
        family.add_metric([self._service,
                           version.version_string()], 1)
        return [family]

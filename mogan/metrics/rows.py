# SPDX-License-Identifier: Apache-2.0
"""What is read from the database when somebody asks."""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from mogan import exception, states, version
from mogan.db import health, outbox
from mogan.db.engine import Database

Family = GaugeMetricFamily


class Rows(Collector):
    """Figures of the rows, kept for so many seconds."""

    def __init__(self, db: Database, kept: float) -> None:
        self._db = db
        self._kept = kept
        self._lock = threading.Lock()
        self._found: list[Family] = []
        self._until = 0.0

    def describe(self) -> Iterable[Family]:
        """None, so that the database is not asked at the start."""
        return []

    def collect(self) -> Iterable[Family]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = list(self._ask())
                self._until = time.monotonic() + self._kept
            return self._found

    def _ask(self) -> Iterator[Family]:
        answers = Family('mogan_database_answers',
                         'Whether the database answers.')
        try:
            unfinished = health.unfinished(self._db)
            waiting = outbox.backlog(self._db)
        except exception.DatabaseUnavailable:
            answers.add_metric([], 0)
            yield answers
            return
        answers.add_metric([], 1)
        yield answers
        yield from _unfinished(unfinished)
        for name, text, value in (
                ('events', 'Events of actions', waiting.actions),
                ('seconds', 'How long the oldest event has waited',
                 waiting.seconds)):
            family = Family(f'mogan_unsent_notifications_{name}',
                            f'{text} that others have still to be told of.')
            family.add_metric([], value)
            yield family


def _unfinished(rows: Iterable[Any]) -> Iterator[Family]:
    count = Family('mogan_unfinished_actions',
                   'Accepted requests that are not done.', labels=['verb'])
    oldest = Family('mogan_oldest_unfinished_action_seconds',
                    'The age of the oldest of them.', labels=['verb'])
    found = {row.verb: row for row in rows}
    for verb in states.Verb:
        row = found.get(verb.value)
        count.add_metric([verb.value], row.actions if row else 0)
        oldest.add_metric([verb.value], max(
            (row.now - row.since).total_seconds(), 0) if row else 0)
    yield count
    yield oldest


class Build(Collector):
    """Which service of which release answers."""

    def __init__(self, service: str) -> None:
        self._service = service

    def collect(self) -> Iterable[Family]:
        family = Family('mogan_build_info', 'The release that is running.',
                        labels=['service', 'version'])
        family.add_metric([self._service,
                           version.version_info.version_string()], 1)
        return [family]

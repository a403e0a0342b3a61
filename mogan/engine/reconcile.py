# SPDX-License-Identifier: Apache-2.0
"""Finds the work that nobody does, and hands it to a few threads.

Messages get lost, engines die, drivers go away: the rows say what is to be
done, and every engine looks at them by itself.  Waiting costs neither a
thread nor a claim: where many wait, one query asks the driver about all their
nodes.
"""

import concurrent.futures
import contextlib
import dataclasses
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from oslo_log import log

from mogan import exception, states
from mogan.baremetal import driver
from mogan.db import actions, claims, rounds
from mogan.db.engine import Database
from mogan.engine.survey import Survey
from mogan.engine.task import poll_after
from mogan.engine.worker import Worker

LOG = log.getLogger(__name__)

_BATCH: Final = 1000
_SURVEY: Final = 'survey'
_WATCH: Final = 'watch'
_WATCH_INTERVAL: Final = 60.0
# Named in one warning; mogan-status lists them all.
_NAMED: Final = 10
# Looks that are put off together share one of these times, in seconds.
_DELAYS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclasses.dataclass(frozen=True, slots=True)
class Pace:
    """How often, in seconds, and with how many threads; `late` is the age
    in seconds at which unfinished work is worth a warning.

    `few`: so many nodes are looked at one by one, each under its claim,
    where an end that is seen counts at once.
    """

    sweep: float = 1.0
    repair: float = 60.0
    threads: int = 16
    late: float = 900.0
    few: int = 32


class Reconciler:
    """The engine's own drive; `start` and `stop` it.

    `looked` is called after each look at an instance.
    """

    def __init__(self, db: Database, hardware: driver.Driver, worker: Worker,
                 survey: Survey, pace: Pace,
                 looked: Callable[[], None] | None = None) -> None:
        self._db = db
        self._driver = hardware
        self._worker = worker
        self._survey = survey
        self._pace = pace
        self._looked = looked
        self._pool = concurrent.futures.ThreadPoolExecutor(
            pace.threads, thread_name_prefix='look')
        self._lock = threading.Condition()
        # Instances at work, and whether to look once more afterwards.
        self._busy: dict[str, bool] = {}
        self._wake_at = 0.0
        self._rounds_at = 0.0
        self._surveying = False
        self._stopping = False
        self._announced = False
        self._thread = threading.Thread(
            target=self._drive, name='reconcile', daemon=True)

    def start(self) -> None:
        """Begin to look for work."""
        self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Finish what is under way, begin nothing new; what is left stays
        in the rows.  `timeout` is in seconds."""
        with self._lock:
            self._stopping = True
            self._lock.notify_all()
        self._thread.join(timeout)
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._lock.wait_for(
                lambda: not (self._busy or self._surveying), timeout)

    def hurry(self, uuid: str) -> None:
        """Look at an instance as soon as a thread is free."""
        with self._lock:
            if self._stopping:
                return
            if uuid in self._busy:
                self._busy[uuid] = True
                return
            self._busy[uuid] = False
            self._pool.submit(self._look, uuid).add_done_callback(
                functools.partial(self._drop_cancelled, uuid))

    def _look(self, uuid: str) -> None:
        try:
            while True:
                wait = self._worker.look(uuid)
                if self._looked:
                    self._looked()
                with self._lock:
                    if wait is not None:
                        self._wake_in(wait)
                    if not self._busy[uuid] or self._stopping:
                        break
                    self._busy[uuid] = False
        except exception.DatabaseUnavailable as error:
            LOG.warning('The instance %s has to wait: %s', uuid,
                        error.__cause__)
        except Exception:
            # The engine's one outer guard: a defect in one action must not
            # stop the work on the others.
            LOG.exception('The work on the instance %s broke off', uuid)
        finally:
            self._drop(uuid)

    def _drop(self, uuid: str) -> None:
        with self._lock:
            self._busy.pop(uuid, None)
            self._lock.notify_all()

    def _drop_cancelled(self, uuid: str,
                        future: concurrent.futures.Future[None]) -> None:
        if future.cancelled():
            self._drop(uuid)

    def _wake_in(self, seconds: float) -> None:
        at = claims.boottime() + seconds
        if at < self._wake_at:
            self._wake_at = at
            self._lock.notify_all()

    def _drive(self) -> None:
        while True:
            with self._lock:
                while not self._stopping and (
                        (left := self._wake_at - claims.boottime()) > 0):
                    self._lock.wait(left)
                if self._stopping:
                    return
                self._wake_at = claims.boottime() + self._pace.sweep
            self._round()

    def _round(self) -> None:
        with _guarded('A round of the reconciler'):
            self._announce()
            self._sweep()
            # Those who wait for a node may wake us many times a second.
            now = claims.boottime()
            if now < self._rounds_at:
                return
            self._rounds_at = now + self._pace.sweep
            if not self._surveying and rounds.take(
                    self._db, _SURVEY, self._pace.repair):
                self._surveying = True
                # It takes long where there are many nodes.
                self._pool.submit(self._look_around).add_done_callback(
                    self._end_survey)
            if rounds.take(self._db, _WATCH, _WATCH_INTERVAL):
                self._warn()

    def _look_around(self) -> None:
        with _guarded('A survey of the nodes'):
            for _ in self._survey.pages():
                if self._stopping:
                    return
                rounds.hold(self._db, _SURVEY, self._pace.repair)

    def _end_survey(self, _: object) -> None:
        with self._lock:
            self._surveying = False
            self._lock.notify_all()

    def _announce(self) -> None:
        """Once; the database may come later than the engine."""
        if not self._announced:
            for name in (_SURVEY, _WATCH):
                rounds.announce(self._db, name)
            self._announced = True

    def _warn(self) -> None:
        for action in actions.unfinished(self._db, limit=_NAMED,
                                         older=self._pace.late):
            LOG.warning('The %s of the instance %s is unfinished since %sZ, '
                        'after %s attempts that failed: %s', action.verb,
                        action.instance_uuid, action.created_at.isoformat(),
                        action.attempts, action.error or 'no error')

    def _sweep(self) -> None:
        due = actions.due(self._db, _BATCH)
        if not due:
            return
        waiting = (self._postpone(due) if len(due) > self._pace.few
                   else set())
        for uuid in dict.fromkeys(
                action.instance_uuid for action in due
                if action.uuid not in waiting):
            self.hurry(uuid)

    def _postpone(self, due: Sequence[Any]) -> set[str]:
        """Put off those whose node is still at it.

        A look from before a claim may be old, so it never ends an action.
        """
        asked = {action.node_uuid: action for action in due
                 if action.node_uuid and states.column_of(
                     states.Verb(action.verb)) is states.Column.STATUS}
        if not asked:
            return set()
        try:
            nodes = self._driver.look(list(asked))
        except driver.DriverError as error:
            LOG.warning('The hardware cannot be looked at: %s', error)
            return set()
        delays: dict[float, list[str]] = {}
        for node_uuid, action in asked.items():
            node = nodes.get(node_uuid)
            age = (action.now - action.created_at).total_seconds()
            limit = self._worker.limits.of(states.Verb(action.verb))
            # One that is overdue has to be looked at, to be given up.
            if limit is not None and age > limit:
                continue
            if node and _waits(action, node):
                since = action.started_at or action.created_at
                waited = (action.now - since).total_seconds()
                delays.setdefault(_shared(poll_after(waited)), []).append(
                    action.uuid)
        for seconds, uuids in delays.items():
            actions.postpone(self._db, uuids, seconds)
            with self._lock:
                self._wake_in(seconds)
        return {uuid for uuids in delays.values() for uuid in uuids}


@contextlib.contextmanager
def _guarded(what: str) -> Iterator[None]:
    """Live with what may go wrong until the next time."""
    try:
        yield
    except exception.DatabaseUnavailable as error:
        LOG.warning('The database is away: %s', error.__cause__)
    except driver.DriverError as error:
        LOG.warning('The hardware cannot be looked at: %s', error)
    except Exception:
        LOG.exception('%s broke off', what)


def _waits(action: Any, node: driver.Node) -> bool:
    if node.instance_uuid != action.instance_uuid:
        return False
    # A delete does not wait for the end of what it supersedes.
    if action.verb == states.Verb.DELETE:
        return node.availability is driver.Availability.UNDEPLOYING
    return node.busy


def _shared(seconds: float) -> float:
    return min((delay for delay in _DELAYS if delay >= seconds),
               default=_DELAYS[-1])

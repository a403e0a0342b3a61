# SPDX-License-Identifier: Apache-2.0
"""The reconciler, which finds unfinished work and gives it to threads.

Messages get lost, engines die, drivers go away: the rows say what is to be
done, and every engine polls them by itself.  Waiting costs neither a
thread nor a claim: where many wait, one query asks the driver about all their
nodes.
"""

import concurrent.futures
import contextlib
import dataclasses
import functools
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from oslo_log import log

from mogan import exception, states, timestamps
from mogan.baremetal import driver
from mogan.db import actions, claims, domains, periodic, rows
from mogan.db.core.engine import Database
from mogan.engine.actions import power
from mogan.engine.drift.survey import Survey
from mogan.engine.task import poll_after
from mogan.engine.worker import Worker
from mogan.fault_log import FaultLog

LOG = log.getLogger(__name__)

# Each round would log it again.
_DATABASE: Final = FaultLog('The database is unavailable',
                                'The database is available again')
_BATCH: Final = 1000
_SURVEY: Final = 'survey'
_WATCH: Final = 'watch'
_WATCH_INTERVAL: Final = 60.0
# Named in one warning; mogan-status lists them all.
_NAMED: Final = 10
# Polls that are due within such a time, in seconds, share a round: the latter
# where many nodes are waited for, so that they are polled together.
_FINE: Final = 0.02
_COARSE: Final = 1.0
# Polls that are postponed together share one of these delays, in seconds.
_DELAYS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclasses.dataclass(frozen=True, slots=True)
class Pace:
    """Intervals, in seconds, and the number of threads.

    `overdue`: the age in seconds at which unfinished work is worth a
    warning.  `few`: so many nodes are polled one by one, each under its
    claim, where an end that is seen counts at once.
    """

    sweep: float = 1.0
    repair: float = 60.0
    threads: int = 16
    overdue: float = 900.0
    few: int = 32


class Reconciler:
    """A loop over the unfinished work; `start` and `stop` it.

    `processed` is called after an instance has been processed.
    """

    def __init__(self, db: Database, hardware: driver.Driver, worker: Worker,
                 survey: Survey, pace: Pace,
                 processed: Callable[[], None] | None = None) -> None:
        self._db = db
        self._driver = hardware
        self._worker = worker
        self._survey = survey
        self._quarantine = worker.quarantine
        self._pace = pace
        self._processed = processed
        self._pool = concurrent.futures.ThreadPoolExecutor(
            pace.threads, thread_name_prefix='work')
        self._lock = threading.Condition()
        # Instances at work, and whether to process them once more.
        self._busy: dict[str, bool] = {}
        self._sweep_at = 0.0
        # Times of polls, on the boot clock.
        self._polls: set[float] = set()
        self._surveying = False
        self._stopping = False
        self._registered = False
        self._thread = threading.Thread(
            target=self._drive, name='reconcile', daemon=True)

    def start(self) -> None:
        """Start to look for work."""
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
        """Process an instance as soon as a thread is free."""
        with self._lock:
            if self._stopping:
                return
            if uuid in self._busy:
                self._busy[uuid] = True
                return
            self._busy[uuid] = False
            self._pool.submit(self._process, uuid).add_done_callback(
                functools.partial(self._drop_cancelled, uuid))

    def _process(self, uuid: str) -> None:
        try:
            # A defect in one action must not stop the work on the others.
            with self._quarantine.guard(uuid, 'the work'):
                self._process_until_done(uuid)
        except exception.SchemaUnusable:
            LOG.debug('Instance %s waits for the schema', uuid)
        except exception.DatabaseUnavailable as error:
            LOG.warning('Instance %s has to wait: %s', uuid,
                        error.__cause__)
        except driver.DriverError:
            LOG.exception('Unhandled error while processing instance %s',
                          uuid)
        finally:
            self._drop(uuid)

    def _process_until_done(self, uuid: str) -> None:
        while True:
            wait = self._worker.process(uuid)
            if self._processed:
                self._processed()
            with self._lock:
                if wait is not None:
                    self._wake_in(wait)
                if not self._busy[uuid] or self._stopping:
                    return
                self._busy[uuid] = False

    def _drop(self, uuid: str) -> None:
        with self._lock:
            self._busy.pop(uuid, None)
            self._lock.notify_all()

    def _drop_cancelled(self, uuid: str,
                        future: concurrent.futures.Future[None]) -> None:
        if future.cancelled():
            self._drop(uuid)

    def _wake_in(self, seconds: float) -> None:
        grid = _FINE if len(self._polls) < self._pace.few else _COARSE
        at = claims.boottime() + seconds
        self._polls.add(math.ceil(at / grid) * grid)
        self._lock.notify_all()

    def _next_round(self) -> float:
        return min([self._sweep_at, *self._polls])

    def _drive(self) -> None:
        while True:
            with self._lock:
                while not self._stopping and (
                        (left := self._next_round() - claims.boottime()) > 0):
                    self._lock.wait(left)
                if self._stopping:
                    return
                now = claims.boottime()
                self._polls = {poll for poll in self._polls if poll > now}
                # Those who wait for a node may wake us many times a second.
                seldom = now >= self._sweep_at
                if seldom:
                    self._sweep_at = now + self._pace.sweep
            self._round(seldom)

    def _round(self, seldom: bool) -> None:
        with _guarded('a round of the reconciler'):
            self._register()
            if seldom:
                self._bring_forward()
                for unknown in domains.unknown_work(self._db, _BATCH):
                    self._quarantine.add(unknown)
            self._sweep()
            if not seldom:
                return
            if not self._surveying and periodic.acquire(
                    self._db, _SURVEY, self._pace.repair):
                self._surveying = True
                # It takes long where there are many nodes.
                self._pool.submit(self._run_survey).add_done_callback(
                    self._end_survey)
            if periodic.acquire(self._db, _WATCH, _WATCH_INTERVAL):
                self._warn()

    def _run_survey(self) -> None:
        with _guarded('a survey of the nodes'):
            for _ in self._survey.pages():
                if self._stopping:
                    return
                periodic.extend(self._db, _SURVEY, self._pace.repair)

    def _end_survey(self, _: object) -> None:
        with self._lock:
            self._surveying = False
            self._lock.notify_all()

    def _register(self) -> None:
        """Once; the database may come later than the engine."""
        if not self._registered:
            for name in (_SURVEY, _WATCH):
                periodic.register(self._db, name)
            self._registered = True

    def _warn(self) -> None:
        for action in actions.unfinished(self._db, limit=_NAMED,
                                         older=self._pace.overdue):
            LOG.warning('The %s of instance %s is unfinished since %s, '
                        'after %s attempts that failed: %s', action.verb,
                        action.instance_uuid,
                        timestamps.show(action.created_at), action.attempts,
                        action.error or 'no error')

    def _bring_forward(self) -> None:
        found = actions.bring_forward(self._db)
        if found:
            LOG.warning("The database's clock has gone back: %s unfinished "
                        'actions that were due long after now are due at '
                        'once', found)

    def _sweep(self) -> None:
        due = actions.due(self._db, _BATCH, self._driver.timing.lease)
        if not due:
            return
        waiting = (self._postpone(due) if len(due) > self._pace.few
                   else set())
        for uuid in dict.fromkeys(
                action.instance_uuid for action in due
                if action.uuid not in waiting):
            self.hurry(uuid)

    def _postpone(self, due: Sequence[rows.DueAction]) -> set[str]:
        """Postpone the actions whose node is still busy with them.

        A node read before the claim may be out of date, so that it never
        ends an action.
        """
        asked = {action.node_uuid: action for action in due
                 if action.node_uuid and states.column_of(
                     states.Verb(action.verb)) is states.Column.STATUS}
        if not asked:
            return set()
        try:
            nodes = self._driver.look(list(asked))
        except driver.DriverError as error:
            LOG.warning('Cannot query the bare-metal driver: %s', error)
            return set()
        delays: dict[float, list[str]] = {}
        for node_uuid, action in asked.items():
            node = nodes.get(node_uuid)
            age = (action.now - action.created_at).total_seconds()
            limit = self._worker.limits.of(states.Verb(action.verb))
            # One that is overdue has to be processed, to be given up.
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
    """Log what goes wrong in the block: the next round may succeed."""
    away: BaseException | None = None
    try:
        yield
        _DATABASE.succeeded()
    except exception.SchemaUnusable:
        LOG.debug('Waiting for the schema: %s', what)
    except exception.DatabaseUnavailable as error:
        away = error
    except driver.DriverError as error:
        LOG.warning('Cannot query the bare-metal driver: %s', error)
    except Exception:
        LOG.exception('Unhandled error in %s', what)
    if away is not None:
        _DATABASE.failed(exception.root(away))


def _waits(action: rows.DueAction, node: driver.Node) -> bool:
    if node.instance_uuid != action.instance_uuid:
        return False
    # A delete does not wait for the end of what it supersedes.
    if action.verb == states.Verb.DELETE:
        return node.availability is driver.Availability.UNDEPLOYING
    # Nor does a change of power that has still to be sent.
    return node.busy and (
        action.started_at is not None
        or not power.interrupts(states.Verb(action.verb), node))


def _shared(seconds: float) -> float:
    return min((delay for delay in _DELAYS if delay >= seconds),
               default=_DELAYS[-1])

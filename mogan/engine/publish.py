# SPDX-License-Identifier: Apache-2.0
"""Tells others what has become of the requests.

At least once, and in order for each instance: what was sent is marked
afterwards, so that an engine that dies in between has it sent again, under
the same id.
"""

import socket
import threading
import time
from typing import Any, Final

from oslo_log import log

from mogan import exception
from mogan.db import outbox, rounds
from mogan.db.engine import Database
from mogan.notifications import bus, events

LOG = log.getLogger(__name__)

_ROUND: Final = 'notifications'
_BATCH: Final = 200
# Seconds, like all below: another engine takes over from one that has died.
_LEASE: Final = 15.0
# In which nudges gather.
_GATHERED: Final = 0.05
_FIRST_BACK_OFF: Final = 0.5
_LAST_BACK_OFF: Final = 10.0
# That a stop waits for the broker.
_LAST: Final = 5.0


class Publisher:
    """One engine's turn at the outbox; `start` and `stop` it.

    `interval`: so many seconds pass at most until something is seen that no
    nudge has told of.
    """

    def __init__(self, db: Database, channel: bus.Bus, *,
                 interval: float = 1.0) -> None:
        self._db = db
        self._bus = channel
        self._interval = interval
        self._announced = False
        self._failures = 0
        self._nudged = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='publish',
                                        daemon=True)

    def start(self) -> None:
        """Begin to look for something to tell."""
        self._thread.start()

    def stop(self) -> None:
        """Mark what was sent, if the broker says so in time; the rest stays
        in the rows."""
        self._stopping.set()
        self._nudged.set()
        self._thread.join(_LAST)
        self._bus.close()

    def nudge(self) -> None:
        """Look soon: something may have been recorded."""
        self._nudged.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._nudged.wait(self._interval)
            self._stopping.wait(_GATHERED)
            self._nudged.clear()
            try:
                pause = self._round()
            except exception.DatabaseUnavailable as error:
                LOG.warning('The database is away: %s', error.__cause__)
                pause = self._interval
            except Exception:
                # What is told next may do better.
                LOG.exception('A round of notifications broke off')
                pause = _LAST_BACK_OFF
            self._stopping.wait(pause)

    def _round(self) -> float:
        """Tell what there is, if no other engine does; returns the seconds
        to wait before the next round."""
        if not self._announced:
            rounds.announce(self._db, _ROUND)
            self._announced = True
        if not (outbox.waiting(self._db)
                and rounds.take(self._db, _ROUND, _LEASE)):
            return 0.0
        pause = 0.0
        try:
            while self._tell_page() and not self._stopping.is_set():
                rounds.hold(self._db, _ROUND, _LEASE)
            self._recover()
        except bus.BusError as error:
            pause = self._back_off(error)
        # For the others as well: the broker is the same.
        rounds.hold(self._db, _ROUND, pause)
        return pause

    def _tell_page(self) -> bool:
        """Send what comes first; returns whether there was anything."""
        rows = outbox.page(self._db, _BATCH)
        found = events.in_order(rows, more=len(rows) == _BATCH)
        instances = outbox.instances(
            self._db, {row.instance_uuid for row in rows})
        sent: list[events.Event] = []
        began = time.monotonic()
        try:
            for event in found:
                # A slow broker must not make this outlast the lease.
                if self._stopping.is_set() or (
                        time.monotonic() - began > _LEASE / 3):
                    break
                self._bus.send(event.type, event.payload(
                    instances.get(event.action.instance_uuid)))
                sent.append(event)
        finally:
            self._mark(sent)
        return bool(found)

    def _mark(self, sent: list[events.Event]) -> None:
        ended = {event.number for event in sent
                 if event.phase is not events.Phase.START}
        started = {event.number for event in sent} - ended
        if sent:
            outbox.mark(self._db, started=started, ended=ended)

    def _back_off(self, error: bus.BusError) -> float:
        self._failures += 1
        pause = min(_FIRST_BACK_OFF * 2 ** min(self._failures, 16),
                    _LAST_BACK_OFF)
        LOG.warning('Notifications wait, and are sent again in %s s: %s',
                    pause, error)
        return pause

    def _recover(self) -> None:
        if self._failures:
            LOG.info('Notifications are sent again')
            self._failures = 0


def from_conf(db: Database, conf: Any) -> Publisher | None:
    """A publisher as the configuration has it, or none.

    Raises ValueError where there is no such driver.
    """
    if not bus.telling(conf):
        return None
    host = conf.engine.host or socket.gethostname()
    return Publisher(db, bus.Bus(conf, f'mogan-engine:{host}',
                                 conf.notifications.topics),
                     interval=conf.engine.sweep_interval)

# SPDX-License-Identifier: Apache-2.0
"""Publishing of notifications from the outbox.

At least once, and in order for each instance: what was sent is marked
afterwards, so that an engine that dies in between has it sent again, under
the same id.
"""

import socket
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from oslo_config import cfg
from oslo_log import log

from mogan import exception
from mogan.db import claims, domains, outbox, periodic
from mogan.db.core.engine import Database
from mogan.engine.quarantine import Quarantine
from mogan.fault_log import FaultLog
from mogan.notifications import bus, events

LOG = log.getLogger(__name__)

_TASK: Final = 'notifications'
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
    """A publisher, active in one engine at a time; `start` and `stop` it.

    `interval`: seconds between two checks of the outbox, without a nudge.
    """

    def __init__(self, db: Database, channel: bus.Bus, *,
                 interval: float = 1.0) -> None:
        self._db = db
        self._bus = channel
        self._interval = interval
        self._registered = False
        self._failures = 0
        self._watch = claims.Watch()
        self._fault = FaultLog(
            'Notifications cannot be sent, and wait in the database',
            'Notifications are sent again')
        self._quarantine = Quarantine()
        self._skipped: set[int] = set()
        self._nudged = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='publish',
                                        daemon=True)

    def start(self) -> None:
        """Begin to poll the outbox."""
        self._thread.start()

    def stop(self) -> None:
        """Mark what was sent, if the broker says so in time; the rest stays
        in the rows."""
        self._stopping.set()
        self._nudged.set()
        self._thread.join(_LAST)
        self._bus.close()

    def nudge(self) -> None:
        """Check the outbox soon: something may have been recorded."""
        self._nudged.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._nudged.wait(self._interval)
            self._stopping.wait(_GATHERED)
            self._nudged.clear()
            try:
                pause = self._round()
            except exception.SchemaUnusable:
                pause = self._interval
            except exception.DatabaseUnavailable as error:
                LOG.warning('The database is unavailable: %s',
                            error.__cause__)
                pause = self._interval
            except Exception:
                # The next one may succeed.
                LOG.exception('Unhandled error while publishing '
                              'notifications')
                pause = _LAST_BACK_OFF
            self._stopping.wait(pause)

    def _round(self) -> float:
        """Publish what is pending, if no other engine does; returns the
        seconds to wait before the next round."""
        if not self._registered:
            periodic.register(self._db, _TASK)
            self._registered = True
        if not (outbox.waiting(self._db)
                and periodic.acquire_exclusive(self._db, _TASK, _LEASE,
                                               self._watch)):
            return 0.0
        pause = 0.0
        self._skipped.clear()
        try:
            while self._publish_page() and not self._stopping.is_set():
                periodic.extend(self._db, _TASK, _LEASE)
            self._recover()
        except bus.BusError as error:
            pause = self._back_off(error)
        # For the others as well: the broker is the same.
        periodic.extend(self._db, _TASK, pause)
        return pause

    def _publish_page(self) -> bool:
        """Send what comes first; returns whether there was anything."""
        rows = outbox.page(self._db, _BATCH, without=self._skipped)
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
                payload = self._payload(event, instances)
                if payload is not None:
                    self._bus.send(event.type, payload)
                    sent.append(event)
        finally:
            self._mark(sent)
        return bool(found)

    def _payload(self, event: events.Event,
                 instances: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the events to send; None for one that is set aside for this
        round, so that the others need not wait for it."""
        unknown = domains.unknown_action(event.action)
        if unknown is not None:
            # An engine of a newer release may have the words for it.
            self._quarantine.add(unknown)
        else:
            uuid = event.action.instance_uuid
            with self._quarantine.guard(uuid, 'the notification'):
                return event.payload(instances.get(uuid))
        self._skipped.add(event.number)
        return None

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
        self._fault.failed(error)
        return pause

    def _recover(self) -> None:
        self._failures = 0
        self._fault.succeeded()


def from_conf(db: Database, conf: cfg.ConfigOpts) -> Publisher | None:
    """Make a publisher where notifications are enabled, or none.

    Raises ValueError where there is no such driver.
    """
    if not bus.enabled(conf):
        return None
    host = conf.engine.host or socket.gethostname()
    return Publisher(db, bus.Bus(conf, f'mogan-engine:{host}',
                                 conf.notifications.topics),
                     interval=conf.engine.sweep_interval)

# SPDX-License-Identifier: Apache-2.0
"""An engine: an RPC server and a reconciler over one driver."""

import os
import socket

import oslo_messaging
from oslo_log import log
from oslo_utils import uuidutils

from mogan.baremetal import driver
from mogan.db.core.engine import Database
from mogan.engine.drift.survey import Survey
from mogan.engine.endpoint import EngineEndpoint
from mogan.engine.listener import Listener
from mogan.engine.observer import Observer
from mogan.engine.publisher import Publisher
from mogan.engine.quarantine import Quarantine
from mogan.engine.reconcile import Pace, Reconciler
from mogan.engine.task import Limits
from mogan.engine.worker import Worker

LOG = log.getLogger(__name__)


class EngineService:
    """An engine, to be started and stopped; any number share the work."""

    def __init__(self, db: Database,  # noqa: PLR0913 - all that it is
                 hardware: driver.Driver, transport: oslo_messaging.Transport,
                 topic: str, *, host: str | None = None,
                 limits: Limits | None = None, pace: Pace | None = None,
                 publisher: Publisher | None = None,
                 observer: Observer | None = None,
                 stop_timeout: float = 30) -> None:
        host = host or socket.gethostname()
        # A claim belongs to one life of one process.
        name = f'{host}:{os.getpid()}:{uuidutils.generate_uuid()[:8]}'
        observer = observer or Observer()
        self._driver = hardware
        self._publisher = publisher
        self._stop_timeout = stop_timeout
        quarantine = Quarantine(observer)
        self._reconciler = Reconciler(
            db, hardware, Worker(db, hardware, name, limits or Limits(),
                                 observer, quarantine),
            Survey(db, hardware, name, quarantine=quarantine),
            pace or Pace(),
            processed=publisher.nudge if publisher else None)
        self._listener = Listener(
            transport, topic, host,
            EngineEndpoint(self._reconciler, hardware), observer)
        self.name = name
        # The same as a message, for callers in this process.
        self.hurry = self._reconciler.hurry

    def start(self) -> None:
        """Start to reconcile, and to take messages as soon as there is a
        broker."""
        self._reconciler.start()
        if self._publisher:
            self._publisher.start()
        self._listener.start()
        LOG.info('The engine %s has started', self.name)

    def stop(self) -> None:
        """Finish the work under way, for a limited time, and close."""
        self._listener.stop()
        self._reconciler.stop(self._stop_timeout)
        if self._publisher:
            self._publisher.stop()
        self._driver.close()
        LOG.info('The engine %s has stopped', self.name)

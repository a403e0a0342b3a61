# SPDX-License-Identifier: Apache-2.0
"""One engine: a server of messages and a reconciler over one driver."""

import os
import socket
import threading
from typing import Any, Final

from oslo_log import log
from oslo_utils import uuidutils

from mogan import rpc
from mogan.baremetal import driver
from mogan.db.engine import Database
from mogan.engine.manager import EngineEndpoint
from mogan.engine.observer import Observer
from mogan.engine.publish import Publisher
from mogan.engine.reconcile import Pace, Reconciler
from mogan.engine.survey import Survey
from mogan.engine.task import Limits
from mogan.engine.worker import Worker

LOG = log.getLogger(__name__)

_CONNECT_TIMEOUT: Final = 5.0  # seconds that a start waits for the broker


class EngineService:
    """Starts and stops an engine; any number of them share the work."""

    def __init__(self, db: Database,  # noqa: PLR0913 - all that it is
                 hardware: driver.Driver, transport: Any,
                 topic: str, *, host: str | None = None,
                 limits: Limits | None = None, pace: Pace | None = None,
                 publisher: Publisher | None = None,
                 observer: Observer | None = None,
                 stop_timeout: float = 30) -> None:
        host = host or socket.gethostname()
        # A claim belongs to one life of one process.
        name = f'{host}:{os.getpid()}:{uuidutils.generate_uuid()[:8]}'
        self._driver = hardware
        self._publisher = publisher
        self._stop_timeout = stop_timeout
        self._reconciler = Reconciler(
            db, hardware, Worker(db, hardware, name, limits or Limits(),
                                 observer or Observer()),
            Survey(db, hardware, name), pace or Pace(),
            looked=publisher.nudge if publisher else None)
        self._server = rpc.server(
            transport, topic, host,
            EngineEndpoint(self._reconciler, hardware))
        self._listening = threading.Thread(
            target=self._server.start, daemon=True, name='listen')
        self.name = name
        # What a message makes it do, for those of this process.
        self.hurry = self._reconciler.hurry

    def start(self) -> None:
        """Look for work that was left undone, and take messages as soon as
        there is a broker."""
        self._reconciler.start()
        if self._publisher:
            self._publisher.start()
        # It waits for a broker for as long as there is none.
        self._listening.start()
        self._listening.join(_CONNECT_TIMEOUT)
        LOG.info('The engine %s has started', self.name)

    def stop(self) -> None:
        """Finish the looks under way, for a limited time, and let go."""
        if not self._listening.is_alive():
            self._server.stop()
            self._server.wait()
        self._reconciler.stop(self._stop_timeout)
        if self._publisher:
            self._publisher.stop()
        self._driver.close()
        LOG.info('The engine %s has stopped', self.name)

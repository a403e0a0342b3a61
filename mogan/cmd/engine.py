# SPDX-License-Identifier: Apache-2.0
"""mogan-engine: the service that carries out accepted requests."""

import sys
import threading

import sqlalchemy.exc
import stevedore.exception
from oslo_log import log
from oslo_service import service

from mogan import baremetal, metrics, rpc
from mogan.baremetal.driver import Driver
from mogan.cmd import launch
from mogan.conf import CONF
from mogan.db import schema
from mogan.db.core.engine import Database
from mogan.engine import publisher
from mogan.engine.observer import Observer
from mogan.engine.reconcile import Pace
from mogan.engine.service import EngineService
from mogan.engine.task import Limits
from mogan.notifications import bus

LOG = log.getLogger(__name__)


def build(db: Database, driver: Driver, transport: object,
          stop_timeout: float,
          observer: Observer | None = None) -> EngineService:
    """Return an engine that is configured by [engine]; when it stops, work in
    progress has `stop_timeout` seconds to end."""
    group = CONF.engine
    return EngineService(
        db, driver, transport, group.topic, host=group.host,
        limits=Limits(deploy=group.deploy_timeout,
                      rebuild=group.rebuild_timeout,
                      power=group.power_timeout),
        pace=Pace(sweep=group.sweep_interval, repair=group.repair_interval,
                  threads=group.threads,
                  overdue=group.late_action_age),
        publisher=publisher.from_conf(db, CONF),
        observer=observer, stop_timeout=stop_timeout)


class EngineProcess(service.Service):
    """One worker: everything is opened after the fork."""

    def start(self) -> None:
        port = CONF.metrics.engine_port
        with launch.worker():
            self._db = Database.from_conf(CONF)
            self._db.gate = gate = schema.Gate(self._db)
            gate.watch()
            self._transport = rpc.transport(CONF)
            self._engine = build(self._db,
                                 metrics.watch(port, baremetal.load(CONF)),
                                 self._transport,
                                 CONF.graceful_shutdown_timeout,
                                 metrics.observer(port))
        self._stopped = threading.Event()
        self._engine.start()
        self._end_metrics = metrics.serve(CONF, port, 'engine', self._db)

    def stop(self, graceful: bool = True) -> None:
        self._engine.stop()
        self._end_metrics()
        rpc.close(self._transport)
        self._db.dispose()
        super().stop(graceful)
        self._stopped.set()

    def wait(self) -> None:
        # The thread group is idle: its own wait would end the process.
        self._stopped.wait()


@launch.command
def main() -> int:
    """Validate the configuration before the fork, and launch the workers."""
    launch.prepare()
    try:
        baremetal.load(CONF).close()
    except (ValueError, OSError,
            stevedore.exception.NoMatches) as error:
        return launch.complain(
            f'[engine] driver {CONF.engine.driver}: {error}')
    try:
        bus.check(CONF)
    except ValueError as error:
        return launch.complain(
            '[oslo_messaging_notifications] driver', error)
    try:
        Database.from_conf(CONF).dispose()
    except (ValueError, sqlalchemy.exc.ArgumentError) as error:
        return launch.complain('[database] connection', error)
    launcher = service.ProcessLauncher(CONF, restart_method='mutate')
    with metrics.shared(CONF, CONF.metrics.engine_port):
        launcher.launch_service(EngineProcess(), workers=CONF.engine.workers)
        return launcher.wait() or 0


if __name__ == '__main__':
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""The port that Prometheus scrapes.

The processes of a service share the files that they count in: whichever has
the port serves the metrics of all, and another one takes over when it ends.
"""

import os
import pathlib
import threading
from collections.abc import Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import prometheus_client
from oslo_config import cfg
from oslo_log import log
from oslo_middleware import healthcheck
from prometheus_client import multiprocess

from mogan.db.core.engine import Database
from mogan.fault_log import FaultLog
from mogan.http_server import server
from mogan.metrics import meters, rows

LOG = log.getLogger(__name__)

_AGAIN: Final = 1.0  # seconds between two tries to get the port
_TIMEOUT: Final = 10.0
_CONNECTIONS: Final = 64
_SHARED: Final = 'PROMETHEUS_MULTIPROC_DIR'


def registry(conf: cfg.ConfigOpts, service: str, db: Database,
             ) -> prometheus_client.CollectorRegistry:
    """Return a registry with all metrics of a service."""
    found = prometheus_client.CollectorRegistry()
    if _SHARED in os.environ:
        _Living(found)
    else:
        for meter in meters.ALL:
            found.register(meter)
    found.register(rows.Rows(db, conf.metrics.cache_time))
    found.register(rows.Build(service))
    return found


class _Living(multiprocess.MultiProcessCollector):
    """The metrics of all processes; gauges of a killed process are dropped."""

    def collect(self) -> Iterable[Any]:
        directory = pathlib.Path(os.environ[_SHARED])
        for file in directory.glob('gauge_live*_*.db'):
            pid = int(file.stem.rpartition('_')[2])
            if not pathlib.Path(f'/proc/{pid}').exists():
                multiprocess.mark_process_dead(pid)
        return super().collect()


class Port:
    """A server of the metrics in its own thread, until it is closed."""

    def __init__(self, conf: cfg.ConfigOpts, port: int, service: str,
                 db: Database) -> None:
        self._address = conf.metrics.host, port
        self._metrics = prometheus_client.make_wsgi_app(
            registry(conf, service, db))
        self._health = healthcheck.Healthcheck(_nothing, conf)
        self._closing = threading.Event()
        self._server: server.Server | None = None
        self._fault = FaultLog('Metrics are not served',
                               'Metrics are served again')
        self._thread = threading.Thread(target=self._run, daemon=True,
                                        name='metrics')
        self._thread.start()

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get('PATH_INFO', '')
        application: WSGIApplication = (
            self._metrics if path == '/metrics'
            else self._health if path == '/healthcheck' else _nothing)
        return application(environ, start_response)

    def close(self) -> None:
        """Close the port."""
        self._closing.set()
        if self._server is not None:
            self._server.stop()
        self._thread.join(_TIMEOUT)

    def _run(self) -> None:
        while not self._closing.is_set():
            failure = self._serve()
            if failure:
                self._fault.failed(failure)
            self._closing.wait(_AGAIN)

    def _serve(self) -> BaseException | None:
        """Serve until the port is closed or not available (any more)."""
        try:
            front = server.build(
                *self._address, self, threads=1, timeout=_TIMEOUT,
                grace=1, connections=_CONNECTIONS)
            self._server = front
            if self._closing.is_set():
                front.stop()
            self._fault.succeeded()
            LOG.info('Serving metrics at %s:%s', *self._address)
            front.serve()
        except server.AddressError as error:
            # A process of the same service has it, and answers for all.
            return None if error.in_use else error
        except Exception as error:  # noqa: BLE001 - the service goes on
            return error
        return None


def _nothing(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response('404 Not Found', [('Content-Length', '0')])
    return []

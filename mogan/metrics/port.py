# SPDX-License-Identifier: Apache-2.0
"""The port that Prometheus asks.

Several processes of a service count in files that they share: whichever gets
the port answers for all, and another one takes over where that has ended.
"""

import os
import threading
from typing import Any, Final

import prometheus_client
from oslo_log import log
from oslo_middleware import healthcheck
from prometheus_client import multiprocess

from mogan.api import server
from mogan.db.engine import Database
from mogan.metrics import meters, rows

LOG = log.getLogger(__name__)

_AGAIN: Final = 1.0  # seconds between two tries to get the port
_TIMEOUT: Final = 10.0
_CONNECTIONS: Final = 64


def registry(conf: Any, service: str, db: Database) -> Any:
    """All figures of a service."""
    found = prometheus_client.CollectorRegistry()
    if 'PROMETHEUS_MULTIPROC_DIR' in os.environ:
        multiprocess.MultiProcessCollector(found)
    else:
        for meter in meters.ALL:
            found.register(meter)
    found.register(rows.Rows(db, conf.metrics.cache_time))
    found.register(rows.Build(service))
    return found


class Port:
    """Answers from its own thread, until it is closed."""

    def __init__(self, conf: Any, port: int, service: str,
                 db: Database) -> None:
        self._address = conf.metrics.host, port
        self._metrics = prometheus_client.make_wsgi_app(
            registry(conf, service, db))
        self._health = healthcheck.Healthcheck(_nothing, conf)
        self._closing = threading.Event()
        self._server: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True,
                                        name='metrics')
        self._thread.start()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        application: Any = {'/metrics': self._metrics,
                            '/healthcheck': self._health}.get(
                                environ.get('PATH_INFO', ''), _nothing)
        return application(environ, start_response)

    def close(self) -> None:
        """Let go of the port."""
        self._closing.set()
        if self._server is not None:
            self._server.stop()
        self._thread.join(_TIMEOUT)

    def _run(self) -> None:
        told = False
        while not self._closing.is_set():
            try:
                front = server.build(
                    *self._address, self, threads=1, timeout=_TIMEOUT,
                    grace=1, connections=_CONNECTIONS)
            except server.AddressError as error:
                # Most likely it is a process of the same service.
                LOG.log(log.DEBUG if told else log.INFO,
                        'Another process answers for the figures: %s', error)
                told = True
                self._closing.wait(_AGAIN)
                continue
            self._server = front
            if self._closing.is_set():
                front.stop()
            LOG.info('Figures are at %s:%s', *self._address)
            front.serve()
            return


def _nothing(_: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response('404 Not Found', [('Content-Length', '0')])
    return []

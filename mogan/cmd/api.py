# SPDX-License-Identifier: Apache-2.0
"""mogan-api: the API on a web server of its own."""

import gc
import os
import socket
import sys
import threading
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final
from wsgiref.types import WSGIApplication

import oslo_messaging
import sqlalchemy.exc
from oslo_log import log
from oslo_service import service

from mogan import metrics, policy, rpc
from mogan.api import app
from mogan.api.middleware import audit, auth
from mogan.cmd import launch
from mogan.conf import CONF
from mogan.db import schema
from mogan.db.core.engine import Database
from mogan.engine.client import EngineClient
from mogan.http_server import server
from mogan.notifications import bus

LOG = log.getLogger(__name__)


class Opened:
    """The application with its database and its broker, as the
    configuration has them; made after any fork.

    Raises identity.IdentityError, policy.PolicyFileError.
    """

    def __init__(self) -> None:
        self._db = Database.from_conf(CONF, notifications=bus.enabled(CONF))
        self._db.gate = gate = schema.Gate(self._db)
        gate.watch()
        self._transport = rpc.transport(CONF)
        self._client = EngineClient(self._transport, CONF.engine.topic,
                                    CONF.engine.call_timeout)
        self.application = app.Application(
            app.Services(self._db, self._client, policy.Policy(CONF),
                         app.settings(CONF)), CONF)
        self._end_metrics = metrics.serve(
            CONF, CONF.metrics.api_port, 'api', self._db)

    def close(self) -> None:
        """Close what was opened."""
        self._end_metrics()
        self._client.close()
        rpc.close(self._transport)
        self._db.dispose()
        self.application.close()


class ApiProcess(service.ServiceBase):
    """One worker of mogan-api; `listeners` are those of all."""

    def __init__(self, listener: socket.socket,
                 listeners: Collection[socket.socket]) -> None:
        super().__init__()
        self._listener = listener
        self._listeners = listeners
        self._server: server.Server | None = None
        self._stopping = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        _close(one for one in self._listeners if one is not self._listener)
        with launch.worker():
            self._opened = Opened()
            self._server = _server(self._opened.application, self._listener)
        self._thread = threading.Thread(target=self._server.serve,
                                        name='api')
        # Nothing made so far is ever garbage: let no collection look at it.
        gc.collect()
        gc.freeze()
        self._thread.start()
        if self._stopping.is_set():
            self._server.stop()
        LOG.info('Answering at %s:%s', *self._server.bind_addr[:2])

    def stop(self) -> None:
        """Also while the start has only begun."""
        self._stopping.set()
        if self._server is not None:
            self._server.stop()
        self._stopped.set()

    def wait(self) -> None:
        self._thread.join()
        # The last requests are still being answered.
        if self._stopping.is_set():
            self._stopped.wait()
        self._opened.close()

    def reset(self) -> None:
        """SIGHUP starts new workers in place of this one."""


def _tls() -> tuple[str, str] | None:
    """Certificate and key.  Raises ValueError."""
    certificate, key = CONF.api.tls_cert_file, CONF.api.tls_key_file
    if certificate is None and key is None:
        return None
    if not certificate:
        raise ValueError(
            'it is empty, and passwords would travel without encryption: '
            'name a certificate, or remove tls_cert_file and tls_key_file')
    return certificate, key or certificate


def _check_tls() -> None:
    """Raise ValueError or server.AddressError for files that cannot be
    served with."""
    if files := _tls():
        server.tls_adapter(*files)


def _server(application: WSGIApplication,
            listener: socket.socket) -> server.Server:
    group = CONF.api
    return server.build(
        group.host, group.port, application, threads=group.threads,
        listener=listener, timeout=group.timeout,
        grace=CONF.graceful_shutdown_timeout,
        connections=group.max_connections, tls=_tls())


def _listeners() -> list[socket.socket]:
    """Open a listener for each worker and its successors: meanwhile
    clients wait.  Raises server.AddressError.
    """
    found: list[socket.socket] = []
    port = CONF.api.port
    for _ in range(CONF.api.workers or os.cpu_count() or 1):
        found.append(server.listen(CONF.api.host, port, shared=True))
        port = found[0].getsockname()[1]
    return found


def _close(listeners: Iterable[socket.socket]) -> None:
    for one in listeners:
        one.close()


# By the options that each is about.  Workers share the port; another service
# must not.
_CHECKS: Final[dict[str, Callable[[], Any]]] = {
    '[audit]': lambda: audit.check(CONF),
    '[oslo_policy] policy_file': lambda: policy.Policy(CONF),
    '[DEFAULT] auth_strategy': lambda: auth.check(CONF),
    '[DEFAULT] transport_url': lambda: oslo_messaging.TransportURL.parse(
        CONF),
    '[database] connection': lambda: Database.from_conf(CONF).dispose(),
    '[api] tls_cert_file': _check_tls,
    '[api] host, port': lambda: server.listen(
        CONF.api.host, CONF.api.port).close(),
}


@launch.command
def main() -> int:
    """Check what can be checked before the fork, and launch."""
    launch.prepare()
    launcher = service.ProcessLauncher(CONF, restart_method='mutate')
    for what, check in _CHECKS.items():
        try:
            check()
        except (ValueError, sqlalchemy.exc.ArgumentError,
                oslo_messaging.InvalidTransportURL,
                server.AddressError) as error:
            return launch.complain(what, error)
    listeners = _listeners()
    with metrics.shared(CONF, CONF.metrics.api_port):
        for listener in listeners:
            launcher.launch_service(ApiProcess(listener, listeners))
        launcher._manager.register_hooks(  # noqa: SLF001 - no other way
            on_terminate=lambda: _close(listeners))
        return launcher.wait() or 0


if __name__ == '__main__':
    sys.exit(main())

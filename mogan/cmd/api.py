# SPDX-License-Identifier: Apache-2.0
"""mogan-api: the API on a web server of its own."""

import gc
import os
import sys
import threading
from typing import Any

from oslo_service import service

from mogan import policy, rpc
from mogan.api import app, identity, server
from mogan.cmd import launch
from mogan.conf import CONF
from mogan.db.engine import Database
from mogan.engine.rpcapi import EngineClient


class Opened:
    """The application with its database and its broker, as the
    configuration has them; made after any fork.

    Raises identity.IdentityError, policy.PolicyFileError.
    """

    def __init__(self) -> None:
        self._db = Database.from_conf(CONF)
        self._transport = rpc.transport(CONF)
        client = EngineClient(self._transport, CONF.engine.topic,
                              CONF.engine.call_timeout)
        self.application = app.make_app(
            app.Services(self._db, client, policy.Policy(CONF),
                         app.settings(CONF)), CONF)

    def close(self) -> None:
        """Close what was opened."""
        self._transport.cleanup()
        self._db.dispose()


class ApiProcess(service.ServiceBase):
    """One worker of mogan-api."""

    def start(self) -> None:
        self._opened = Opened()
        self._server = _server(self._opened.application)
        self._thread = threading.Thread(target=self._server.serve,
                                        name='api')
        # Nothing made so far is ever garbage: let no collection look at it.
        gc.collect()
        gc.freeze()
        self._thread.start()

    def stop(self) -> None:
        self._server.stop()

    def wait(self) -> None:
        self._thread.join()
        self._opened.close()

    def reset(self) -> None:
        """SIGHUP starts new workers in place of this one."""


def _server(application: Any, *, reuse_port: bool = True) -> Any:
    group = CONF.api
    tls = None
    if group.tls_cert_file:
        tls = group.tls_cert_file, group.tls_key_file or group.tls_cert_file
    return server.build(
        group.host, group.port, application, threads=group.threads,
        reuse_port=reuse_port, timeout=group.timeout,
        grace=CONF.graceful_shutdown_timeout, tls=tls)


def main() -> int:
    """Check what can be checked before the fork, and launch."""
    launch.prepare()
    launcher = service.ProcessLauncher(CONF, restart_method='mutate')
    try:
        identity.check(CONF)
        policy.Policy(CONF)
        # Workers share the port; another service must not.
        probe = _server(None, reuse_port=False)
    except (identity.IdentityError, policy.PolicyFileError,
            server.AddressError) as error:
        return launch.complain(error)
    probe.stop()
    launcher.launch_service(
        ApiProcess(), workers=CONF.api.workers or os.cpu_count() or 1)
    return launcher.wait() or 0


if __name__ == '__main__':
    sys.exit(main())

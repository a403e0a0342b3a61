# SPDX-License-Identifier: Apache-2.0
"""Metrics for Prometheus.

Without a port for them nothing is counted, and the library is not even
imported: this module decides that, once, at the start.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Final

from oslo_config import cfg
from oslo_log import log

from mogan.db.core.engine import Database
from mogan.engine.observer import Observer

LOG = log.getLogger(__name__)

_SHARED: Final = 'PROMETHEUS_MULTIPROC_DIR'


@contextlib.contextmanager
def shared(conf: cfg.ConfigOpts, port: int) -> Iterator[None]:
    """Let the processes that are forked inside share their metrics.

    Raises OSError where their directory is not writable.
    """
    if port:
        _check(conf.metrics.host, port)
    if not port:
        yield
        return
    if _SHARED in os.environ:
        # Each worker would find out by itself, at each of its starts.
        with tempfile.TemporaryFile(dir=os.environ[_SHARED]):
            pass
        yield
        return
    mine = os.getpid()
    directory = tempfile.mkdtemp(prefix='mogan-metrics-')
    os.environ[_SHARED] = directory
    try:
        yield
    finally:
        del os.environ[_SHARED]
        if os.getpid() == mine:
            shutil.rmtree(directory, ignore_errors=True)


def _check(host: str, port: int) -> None:
    """Log that the port is not available: later on, another service cannot be
    told from a process of this one."""
    from mogan.http_server import server  # noqa: PLC0415 - see above
    try:
        server.listen(host, port).close()
    except server.AddressError as error:
        LOG.warning('Metrics are not served until this is fixed: %s', error)


def observer(port: int) -> Observer | None:
    """Return an observer of the engine's work, if metrics are enabled."""
    if not port:
        return None
    from mogan.metrics import meters  # noqa: PLC0415 - see above
    return meters.EngineObserver()


def watch(port: int, hardware: Any) -> Any:
    """Return the driver, with its calls timed if metrics are enabled."""
    if port:
        from mogan.metrics import meters  # noqa: PLC0415 - see above
        meters.watch(hardware)
    return hardware


def serve(conf: cfg.ConfigOpts, port: int, service: str,
          db: Database) -> Callable[[], None]:
    """Serve the metrics at this port, unless it is 0; returns the function
    that ends it."""
    if not port:
        return lambda: None
    from mogan.metrics.port import Port  # noqa: PLC0415 - see above
    return Port(conf, port, service, db).close

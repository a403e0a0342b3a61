# SPDX-License-Identifier: Apache-2.0
"""Figures for Prometheus.

Where a service has no port for them, nothing is counted, and the library is
not even imported: this module decides that, once, at the start.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Final

from mogan.db.engine import Database
from mogan.engine.observer import Observer

_SHARED: Final = 'PROMETHEUS_MULTIPROC_DIR'


@contextlib.contextmanager
def shared(port: int) -> Iterator[None]:
    """What the processes that are forked inside count together."""
    if not port or _SHARED in os.environ:
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


def observer(port: int) -> Observer | None:
    """Hears what an engine does, if anybody wants to know."""
    if not port:
        return None
    from mogan.metrics import meters  # noqa: PLC0415 - see above
    return meters.EngineObserver()


def watch(port: int, hardware: Any) -> Any:
    """The driver, with its calls counted where anybody wants to know."""
    if port:
        from mogan.metrics import meters  # noqa: PLC0415 - see above
        meters.watch(hardware)
    return hardware


def serve(conf: Any, port: int, service: str,
          db: Database) -> Callable[[], None]:
    """Answer at this port, if there is one; returns what ends it."""
    if not port:
        return lambda: None
    from mogan.metrics.port import Port  # noqa: PLC0415 - see above
    return Port(conf, port, service, db).close

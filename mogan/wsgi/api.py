# SPDX-License-Identifier: Apache-2.0
"""`application`, for any WSGI server.

The configuration is read from /etc/mogan as the commands read it.
Everything is opened with the first request, or by the server calling
`start`, never with the import: the server may fork after it.
"""

import atexit
import threading
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from mogan.cmd import api, launch


class _Application:

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: Callable[..., Iterable[bytes]] | None = None

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        return (self._started or self.start())(environ, start_response)

    def start(self) -> Callable[..., Iterable[bytes]]:
        """Open everything, once."""
        with self._lock:
            if self._started is None:
                # The command line is the server's.
                launch.prepare([])
                opened = api.Opened()
                # What was left to other threads is still done.
                atexit.register(opened.close)
                self._started = opened.application
            return self._started


application = _Application()

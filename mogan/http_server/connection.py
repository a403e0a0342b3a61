# SPDX-License-Identifier: Apache-2.0
"""A client's connection."""

import contextlib
import io
import socket
import ssl
from typing import Any, Final

from cheroot import server

from mogan.http_server import framing, requests

NOT_READY: Final = (BlockingIOError, ssl.SSLWantReadError,
                    ssl.SSLWantWriteError)


class _Answer(list[bytes]):
    """The output of a thread, which never waits for the client."""

    write = list.append


class Connection(server.HTTPConnection):
    """A connection, with one request at a time.

    `extent`, `received`: of the request that comes.  `rest`: of the answer.
    `last`: it is closed after the answer.  `due`: when it is closed if
    nothing happens.
    """

    RequestHandlerClass = requests.Request

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.file = self.socket.fileno()
        self.received = bytearray()
        self.extent = framing.Extent()
        self.rest = memoryview(b'')
        self.due = 0.0
        self.held = self.draining = 0
        self.last = self._closed = False
        self._tls = self.server.ssl_adapter is not None
        self.shaking = self._tls

    def communicate(self) -> bool:
        """Answer one request; the manager waits for the next."""
        end = len(self.received) if self.extent.cut else self.extent.end
        self.rfile = io.BytesIO(self.received[:end])
        del self.received[:end]
        self.wfile = _Answer()
        self.last = not super().communicate()
        self.rest = memoryview(b''.join(self.wfile))
        self.rfile.close()
        self.wfile = None
        with contextlib.suppress(*NOT_READY):
            self.send()
        return True

    def send(self) -> None:
        """Send what the client takes now of the rest.  Raises OSError."""
        while self.rest:
            self.rest = self.rest[self.socket.send(self.rest):]

    def pending(self) -> int:
        """Return the number of decrypted bytes, of which no poll tells."""
        return self.socket.pending() if self._tls else 0

    def shake(self) -> None:
        """Continue the TLS handshake.  Raises OSError."""
        try:
            self.socket.do_handshake()
        except ssl.SSLError as error:
            if error.reason == 'HTTP_REQUEST':
                # It would not understand TLS.
                socket.socket.send(self.socket, requests.error_response(
                    '400 Bad Request', 'This port speaks HTTPS only.'))
                # What is not read resets the connection when it is closed.
                with contextlib.suppress(BlockingIOError):
                    socket.socket.recv(self.socket, framing.LARGEST_HEAD)
            raise
        self.shaking = False
        self.ssl_env = self.server.ssl_adapter.get_environ(self.socket)

    def refuse(self) -> None:
        """Answer 408, where the client reads it."""
        with contextlib.suppress(OSError):
            self.socket.send(requests.error_response('408 Request Timeout'))

    def discard(self) -> None:
        """Close the sending half only: a close with unread data would reset
        the connection, and the client would lose its answer."""
        self.received.clear()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def finish(self) -> None:
        """Send the rest and close, since the server stops."""
        with contextlib.suppress(OSError):
            self.socket.settimeout(self.server.timeout)
            self.socket.sendall(self.rest)
        self.close()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.server.left(self)
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()

# SPDX-License-Identifier: Apache-2.0
"""The web server of mogan-api and mogan-standalone: cheroot, with its own
errors in our format and with limits that it lacks."""

import time
from collections.abc import Callable
from typing import Any, Final

from cheroot import errors, server, wsgi
from cheroot.ssl import builtin
from oslo_context import context
from oslo_log import log

from mogan import exception
from mogan.api import edge, render

LOG = log.getLogger(__name__)

_BACKLOG: Final = 128
_KEPT_ALIVE: Final = 512
_LARGEST_HEADERS: Final = 64 * 1024
# Room for what frames the chunks of a body; the application counts exactly.
_LARGEST_BODY: Final = 2 * edge.LARGEST
# What is read and dropped, and for how many seconds and pauses of how many,
# so that a client that is still sending gets to read its answer.
_DISCARDED: Final = 16 * edge.LARGEST
_DISCARD_SECONDS: Final = 3.0
_DISCARD_PAUSE: Final = 0.5


class AddressError(Exception):
    """The address cannot be listened on."""


class _Chunked(server.ChunkedRFile):
    """A body in chunks; what is wrong with it is the client's fault."""

    def read(self, size: int | None = None) -> bytes:
        try:
            return super().read(size)
        except ValueError:
            raise exception.Invalid(
                place='body', fault='its chunks are malformed') from None
        except (errors.MaxSizeExceeded, OSError) as error:
            # A fault of the connection has a number, cheroot's has not.
            if getattr(error, 'errno', None) is not None or isinstance(
                    error, TimeoutError):
                raise
            raise exception.BodyTooLarge(limit=edge.LARGEST) from None


class _Request(server.HTTPRequest):

    def simple_response(self, status: Any, msg: str = '') -> None:
        """Errors of cheroot's own, for requests that never reach us."""
        code, _, title = str(status).partition(' ')
        body = render.to_json({'error': {
            'code': int(code), 'title': title,
            'message': msg or f'The request failed: {title}.'}})
        head = (f'{self.server.protocol} {status}\r\n'
                f'Content-Type: application/json\r\n'
                f'Content-Length: {len(body)}\r\n'
                f'X-OpenStack-Request-ID: {context.generate_request_id()}'
                f'\r\nConnection: close\r\n\r\n')
        self.close_connection = True
        try:
            self.conn.wfile.write(head.encode('latin-1') + body)
        except OSError as error:
            LOG.debug('An answer was not taken: %s', error)

    def respond(self) -> None:
        if self.chunked_read:
            self.rfile = _Chunked(self.conn.rfile, _LARGEST_BODY)
        else:
            self.rfile = server.KnownLengthRFile(
                self.conn.rfile,
                int(self.inheaders.get(b'Content-Length', 0)))
        self.server.gateway(self).respond()
        self.ensure_headers_sent()
        if self.chunked_write:
            self.conn.wfile.write(b'0\r\n\r\n')
        if self._is_unread():
            self._discard()

    def send_headers(self) -> None:
        # What is left of a body must not pass for the next request.
        if self._is_unread():
            self.close_connection = True
        super().send_headers()

    def _is_unread(self) -> bool:
        if self.chunked_read:
            return not self.rfile.closed
        # Less than none is what the client said, and nothing to go by.
        return self.rfile.remaining != 0

    def _discard(self) -> None:
        """Closing at once would reset the connection, and the client might
        lose its answer."""
        left = _DISCARDED
        if not self.chunked_read:
            left = min(left, self.rfile.remaining)
        until = time.monotonic() + _DISCARD_SECONDS
        try:
            while left > 0 and (now := time.monotonic()) < until:
                self.conn.due = now + _DISCARD_PAUSE
                data = self.conn.rfile.read1(65536)
                if not data:
                    return
                left -= len(data)
        except OSError as error:
            LOG.debug('A client went away: %s', error)


class _Connection(server.HTTPConnection):
    """Closed where a request is not complete in time, however slowly its
    bytes come."""

    RequestHandlerClass = _Request

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.due: float | None = None
        self.rfile.raw.readinto = self._timed(self.rfile.raw.readinto)

    def communicate(self) -> bool:
        self.due = time.monotonic() + self.server.timeout
        return bool(super().communicate())

    def _timed(self, readinto: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def read(buffer: Any) -> Any:
            left = (self.due or 0) - time.monotonic()
            if left <= 0:
                raise TimeoutError('timed out')
            self.socket.settimeout(left)
            try:
                return readinto(buffer)
            finally:
                self.socket.settimeout(self.server.timeout)
        return read


class _Server(wsgi.Server):

    ConnectionClass = _Connection
    max_request_header_size = _LARGEST_HEADERS
    keep_alive_conn_limit = _KEPT_ALIVE
    server_name = 'mogan'
    refusal: OSError | None = None

    def bind(self, *arguments: Any) -> Any:
        """Remember the system's reason, which cheroot buries."""
        try:
            return super().bind(*arguments)
        except OSError as error:
            self.refusal = error
            raise

    def process_conn(self, conn: Any) -> None:
        """No thread waits for a client that has sent nothing yet."""
        if conn.last_used is None and self.ssl_adapter is None:
            # TLS may have read its first bytes already.
            self._connections.put(conn)
        else:
            super().process_conn(conn)

    def error_log(self, msg: str = '', level: int = 20,
                  traceback: bool = False) -> None:
        LOG.log(level, '%s', msg, exc_info=traceback)


def build(host: str, port: int, application: Callable[..., Any], *,
          threads: int = 8, reuse_port: bool = False, timeout: float = 30,
          grace: float = 60, tls: tuple[str, str] | None = None) -> Any:
    """A server that listens already: `serve()` answers until `stop()`,
    which lets requests that have begun take `grace` seconds.

    `timeout`: seconds that a request may take to arrive.  `tls`: the files
    of the certificate and of its key.  Port 0 takes a free one, to be found
    at `bind_addr`.  Raises AddressError.
    """
    front = _Server((host, port), application, numthreads=threads,
                    server_name=_Server.server_name,
                    request_queue_size=_BACKLOG, timeout=timeout,
                    shutdown_timeout=grace, reuse_port=reuse_port)
    if tls is not None:
        try:
            front.ssl_adapter = builtin.BuiltinSSLAdapter(*tls)
        except OSError as error:
            raise AddressError(f'cannot serve TLS with {tls[0]} and '
                               f'{tls[1]}: {error.strerror}') from error
    try:
        front.prepare()
    except OSError as error:
        reason = (front.refusal or error).strerror or str(error)
        raise AddressError(
            f'cannot listen on {host}:{port}: {reason}') from error
    return front

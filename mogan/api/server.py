# SPDX-License-Identifier: Apache-2.0
"""The web server of mogan-api and mogan-standalone: cheroot, with its own
errors in our format and with limits that it lacks."""

import contextlib
import io
import resource
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from cheroot import server, wsgi
from cheroot.ssl import builtin
from oslo_context import context
from oslo_log import log

from mogan import exception
from mogan.api import framing, render, waiting

LOG = log.getLogger(__name__)

_BACKLOG: Final = 1024
_MOST_HEADERS: Final = 100
# Files that are no connections of clients.
_OTHER_FILES: Final = 256


class AddressError(Exception):
    """The address cannot be listened on."""


class _Chunked(server.ChunkedRFile):
    """A body in chunks; what is wrong with it is the client's fault."""

    def __init__(self, file: Any, *, excessive: bool) -> None:
        super().__init__(file, None)
        self._excessive = excessive

    def read(self, size: int | None = None) -> bytes:
        if self._excessive:
            raise exception.BodyTooLarge(limit=framing.LARGEST_BODY)
        try:
            return super().read(size)
        except (ValueError, OverflowError):
            raise exception.Invalid(
                place='body', fault='its chunks are malformed') from None


class _Headers(server.HeaderReader):

    def _allow_header(self, key_name: bytes) -> bool:
        # X_Roles and X-Roles would be one name to the application.
        return b'_' not in key_name

    def __call__(self, rfile: Any, hdict: Any = None) -> Any:
        try:
            found = super().__call__(rfile, hdict)
        except UnboundLocalError:
            # cheroot does not expect the first line to go on from another.
            raise ValueError('Illegal header line.') from None
        # The client has had its word already.
        found.pop(b'Expect', None)
        return found


class _Request(server.HTTPRequest):

    header_reader = _Headers()

    def read_request_line(self) -> bool:
        try:
            return bool(super().read_request_line())
        except ValueError:
            # An address with half of a bracket in it.
            self.simple_response('400 Bad Request', 'Malformed Request-URI')
            return False

    def read_request_headers(self) -> bool:
        if self.conn.extent.malformed:
            self.simple_response('400 Bad Request', 'A header is malformed.')
            return False
        if self.conn.extent.lines > _MOST_HEADERS:
            self.simple_response(
                '431 Request Header Fields Too Large',
                f'There are more than {_MOST_HEADERS} headers.')
            return False
        return bool(super().read_request_headers())

    def simple_response(self, status: Any, msg: str = '') -> None:
        """Errors of cheroot's own, for requests that never reach us."""
        self.close_connection = True
        self.conn.wfile.write(_error(status, msg))

    def respond(self) -> None:
        extent = self.conn.extent
        self.rfile = (
            _Chunked(self.conn.rfile, excessive=extent.excessive)
            if self.chunked_read else server.KnownLengthRFile(
                self.conn.rfile,
                int(self.inheaders.get(b'Content-Length', 0))))
        self.server.gateway(self).respond()
        self.ensure_headers_sent()
        if self.chunked_write:
            self.conn.wfile.write(b'0\r\n\r\n')

    def send_headers(self) -> None:
        # What is left of a body must not pass for the next request.
        if self.conn.extent.cut:
            self.close_connection = True
        super().send_headers()


def _error(status: Any, message: str) -> bytes:
    code, _, title = str(status).partition(' ')
    body = render.to_json({'error': {
        'code': int(code), 'title': title,
        'message': message or f'The request failed: {title}.'}})
    head = (f'HTTP/1.1 {status}\r\n'
            f'Content-Type: application/json\r\n'
            f'Content-Length: {len(body)}\r\n'
            f'X-OpenStack-Request-ID: {context.generate_request_id()}'
            f'\r\nConnection: close\r\n\r\n')
    return head.encode('latin-1') + body


class _Answer(list[bytes]):
    """What a thread writes; it never waits for the client."""

    write = list.append


class _Connection(server.HTTPConnection):
    """Asked for one request at a time; `waiting.Waiting` has it meanwhile.

    `extent`, `received`: of the request that comes.  `rest`: of an answer.
    `last`: it ends with the answer.  `due`: when, if nothing happens.
    """

    RequestHandlerClass = _Request

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
        """Answer a request; what comes next is not a thread's."""
        end = len(self.received) if self.extent.cut else self.extent.end
        self.rfile = io.BytesIO(self.received[:end])
        del self.received[:end]
        self.wfile = _Answer()
        self.last = not super().communicate()
        self.rest = memoryview(b''.join(self.wfile))
        self.rfile.close()
        self.wfile = None
        with contextlib.suppress(*waiting.NOT_YET):
            self.send()
        return True

    def send(self) -> None:
        """Send of the rest what is taken now.  Raises OSError."""
        while self.rest:
            self.rest = self.rest[self.socket.send(self.rest):]

    def pending(self) -> int:
        """The number of bytes that no poll will tell of."""
        return self.socket.pending() if self._tls else 0

    def shake(self) -> None:
        """Go on with the handshake of TLS.  Raises OSError."""
        try:
            self.socket.do_handshake()
        except ssl.SSLError as error:
            if error.reason == 'HTTP_REQUEST':
                # It would not understand TLS.
                socket.socket.send(self.socket, _error(
                    '400 Bad Request', 'This port speaks HTTPS only.'))
                # What is not read resets the connection when it is closed.
                with contextlib.suppress(BlockingIOError):
                    socket.socket.recv(self.socket, framing.LARGEST_HEAD)
            raise
        self.shaking = False
        self.ssl_env = self.server.ssl_adapter.get_environ(self.socket)

    def refuse(self) -> None:
        """Say that it has taken too long, if the client listens."""
        with contextlib.suppress(OSError):
            self.socket.send(_error('408 Request Timeout', ''))

    def discard(self) -> None:
        """Say that there is no more, before all has been read: who closes
        at once resets the connection, and the client loses its answer."""
        self.received.clear()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def finish(self) -> None:
        """Send the rest and close, for the service ends."""
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


class _Server(wsgi.Server):

    max_request_header_size = framing.LARGEST_HEAD
    server_name = 'mogan'
    listener: socket.socket
    most = 0
    _connections: Any   # cheroot's

    def bind(self, *_: Any) -> None:
        """Take the socket that listens already."""
        self.socket = self.listener
        self.bind_addr = self.listener.getsockname()[:2]

    def prepare(self) -> None:
        super().prepare()
        self._connections.close()
        self._connections = waiting.Waiting(self, self.most)

    def connect(self, accepted: socket.socket, address: Any) -> _Connection:
        """A connection of a client that has just come."""
        accepted.setblocking(False)
        if self.ssl_adapter is not None:
            accepted = self.ssl_adapter.context.wrap_socket(
                accepted, server_side=True, do_handshake_on_connect=False)
        connection = _Connection(self, accepted, lambda *_: None)
        connection.remote_addr, connection.remote_port = address[:2]
        return connection

    def put_conn(self, conn: Any) -> None:
        """Also while the server stops: answers are still to be taken."""
        self._connections.put(conn)

    def left(self, connection: _Connection) -> None:
        """Hear that a connection has been closed."""
        self._connections.left(connection)

    def error_log(self, msg: str = '', level: int = 20,
                  traceback: bool = False) -> None:
        LOG.log(level, '%s', msg, exc_info=traceback)


def _most(wanted: int) -> int:
    """How many connections the limit of open files has room for."""
    try:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < wanted + _OTHER_FILES:
            soft = min(wanted + _OTHER_FILES, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    except (OSError, ValueError) as error:
        # A unit of systemd may forbid it.
        LOG.debug('The limit of open files stays as it is: %s', error)
        return wanted
    return max(min(wanted, soft - _OTHER_FILES), _OTHER_FILES)


def listen(host: str, port: int, *,
           shared: bool = False) -> socket.socket:
    """A socket that listens.  Port 0 is any that is free; one that is
    `shared` has a queue for each socket of this user.

    Raises AddressError.
    """
    failed: OSError | None = None
    try:
        for family, _, _, _, address in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM,
                flags=socket.AI_PASSIVE):
            try:
                found = socket.create_server(
                    address, family=family, backlog=_BACKLOG,
                    reuse_port=shared, dualstack_ipv6=address[0] == '::')
            except OSError as error:
                failed = failed or error
                continue
            # What it accepts is like it.
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return found
    except socket.gaierror as error:
        failed = error
    # The address is in it a second time.
    reason = str(failed and failed.strerror).partition(' (while ')[0]
    raise AddressError(
        f'cannot listen on {host}:{port}: {reason}') from failed


def build(host: str,  # noqa: PLR0913 - all that a server is
          port: int, application: Callable[..., Any], *,
          threads: int = 8, listener: socket.socket | None = None,
          timeout: float = 30, grace: float = 60, connections: int = 4096,
          tls: tuple[str, str] | None = None) -> Any:
    """A server that listens already: `serve()` answers until `stop()`,
    which lets requests that have begun take `grace` seconds.

    `timeout`: seconds that a request may take to arrive, and its answer to
    be taken.  `connections`: so many are open at a time.  `tls`: the files
    of the certificate and of its key.  `listener`: from `listen`, which
    otherwise makes it; the address is at `bind_addr`.  Raises AddressError.
    """
    make: Any = _Server     # cheroot's types know whole seconds only
    front = make((host, port), application, numthreads=threads,
                 server_name=_Server.server_name,
                 request_queue_size=_BACKLOG, timeout=timeout,
                 shutdown_timeout=grace)
    front.listener = listener or listen(host, port)
    front.most = _most(connections)
    if tls is not None:
        try:
            # No terminal is asked for the password of a key.
            front.ssl_adapter = builtin.BuiltinSSLAdapter(
                *tls, private_key_password='')
            front.ssl_adapter.context.minimum_version = (
                ssl.TLSVersion.TLSv1_2)
        except OSError as error:
            raise AddressError(f'cannot serve TLS with {tls[0]} and '
                               f'{tls[1]}: {error.strerror}') from error
    front.prepare()
    return front

# SPDX-License-Identifier: Apache-2.0
"""The server: its socket, its threads, and TLS."""

import errno
import resource
import socket
import ssl
from typing import Any, Final
from wsgiref.types import WSGIApplication

from cheroot import wsgi
from cheroot.ssl import builtin
from oslo_log import log

from mogan.http_server import framing, manager
from mogan.http_server.connection import Connection

LOG = log.getLogger(__name__)

_BACKLOG: Final = 1024
# Files that are no connections of clients.
_OTHER_FILES: Final = 256


class AddressError(Exception):
    """The address is not available; `in_use`: another process has it."""

    in_use = False


class Server(wsgi.Server):

    max_request_header_size = framing.LARGEST_HEAD
    server_name = 'mogan'
    listener: socket.socket
    max_connections = 0
    _connections: Any   # cheroot's

    def bind(self, *_: Any) -> None:
        """Use the socket that listens already."""
        self.socket = self.listener
        self.bind_addr = self.listener.getsockname()[:2]

    def prepare(self) -> None:
        super().prepare()
        self._connections.close()
        self._connections = manager.ConnectionManager(
            self, self.max_connections)

    def connect(self, accepted: socket.socket, address: Any) -> Connection:
        """Return the connection of a client that has just been accepted."""
        accepted.setblocking(False)
        if self.ssl_adapter is not None:
            accepted = self.ssl_adapter.context.wrap_socket(
                accepted, server_side=True, do_handshake_on_connect=False)
        connection = Connection(self, accepted, lambda *_: None)
        connection.remote_addr, connection.remote_port = address[:2]
        return connection

    def put_conn(self, conn: Any) -> None:
        """Return a connection to the manager, also while the server stops:
        its answer is still to be sent."""
        self._connections.put(conn)

    def left(self, connection: Connection) -> None:
        """Forget a connection that has been closed."""
        self._connections.left(connection)

    def error_log(self, msg: str = '', level: int = 20,
                  traceback: bool = False) -> None:
        LOG.log(level, '%s', msg, exc_info=traceback)


def _allowed_connections(wanted: int) -> int:
    """Return the number of connections that the limit of open files allows."""
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
    """Return a listening socket.  Port 0 is any that is free; a `shared` one
    has a queue for each socket of this user.

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
    refusal = AddressError(f'cannot listen on {host}:{port}: {reason}')
    refusal.in_use = getattr(failed, 'errno', None) == errno.EADDRINUSE
    raise refusal from failed


def build(host: str,  # noqa: PLR0913 - all that a server is
          port: int, application: WSGIApplication, *,
          threads: int = 8, listener: socket.socket | None = None,
          timeout: float = 30, grace: float = 60, connections: int = 4096,
          tls: tuple[str, str] | None = None) -> Server:
    """Return a server that listens already: `serve()` answers until `stop()`,
    which gives requests that have begun `grace` seconds.

    `timeout`: seconds for a request to arrive, and for its answer to be
    read.  `connections`: the maximum number of open ones.  `tls`: the files
    of the certificate and of its key.  `listener`: a socket from `listen`,
    by default for `host` and `port`; the address is in `bind_addr`.  Raises
    AddressError.
    """
    make: Any = Server     # cheroot's types know whole seconds only
    front: Server = make((host, port), application, numthreads=threads,
                 server_name=Server.server_name,
                 request_queue_size=_BACKLOG, timeout=timeout,
                 shutdown_timeout=grace)
    front.listener = listener or listen(host, port)
    front.max_connections = _allowed_connections(connections)
    if tls is not None:
        front.ssl_adapter = tls_adapter(*tls)
    front.prepare()
    return front


def tls_adapter(certificate: str, key: str) -> builtin.BuiltinSSLAdapter:
    """Return what serves TLS with these files.  Raises AddressError."""
    try:
        # No terminal is asked for the password of a key.
        adapter = builtin.BuiltinSSLAdapter(certificate, key,
                                            private_key_password='')
    except OSError as error:
        raise AddressError(f'cannot serve TLS with {certificate} and {key}: '
                           f'{error.strerror}') from error
    adapter.context.minimum_version = ssl.TLSVersion.TLSv1_2
    return adapter

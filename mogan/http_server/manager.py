# SPDX-License-Identifier: Apache-2.0
"""The connections that wait for their clients, all in one thread.

cheroot's own ConnectionManager hands a connection to a thread with its first
byte, so that a few slow clients take all threads.  Here a thread gets a
request that is complete, and leaves behind what is not taken of its answer at
once.
"""

import contextlib
import errno
import select
import ssl
import threading
import time
from typing import Any, Final

from oslo_log import log

from mogan.http_server import framing
from mogan.http_server.connection import NOT_READY, Connection

LOG = log.getLogger(__name__)

_INTERVAL: Final = 0.5  # seconds between two checks for those that are late
_ACCEPTED: Final = 64  # at a time
_PART: Final = 64 * 1024
# Bytes that all connections together hold of what is not complete, or not
# taken; then those go that hold more than a little.
_MOST_HELD: Final = 64 << 20
_LITTLE: Final = 16 * 1024
# What is read and dropped, and for how many seconds, so that a client that
# is still sending gets to read its answer.
_DISCARDED: Final = 16 << 20
_DISCARD_SECONDS: Final = 3.0
# What is left, when the server stops, to a client that has just connected,
# and to one that has begun to send.
_FIRST_SECONDS: Final = 1.0
_LAST_SECONDS: Final = 5.0

_NO_MORE_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE,
                                   errno.ENOBUFS, errno.ENOMEM})
_IN: Final = select.EPOLLIN | select.EPOLLONESHOT
_OUT: Final = select.EPOLLOUT | select.EPOLLONESHOT


class ConnectionManager:
    """Takes connections, reads requests, sends what is left of answers.

    A connection is either here or with a thread, never both.  Where
    `max_connections` are open, the one goes that has waited for the longest.
    """

    can_add_keepalive_connection = True

    def __init__(self, server: Any, max_connections: int) -> None:
        self._server = server
        self._max_connections = max_connections
        self._listener = server.socket.fileno()
        server.socket.setblocking(False)
        self._poll = select.epoll()
        self._poll.register(self._listener, select.EPOLLIN)
        self._lock = threading.RLock()
        # By their files, the longest waiting first.
        self._waiting: dict[int, Any] = {}
        self._open = 0
        self._held = 0
        self._serving = threading.Lock()
        self._stopping = False
        self._closed = False

    def run(self, _: float) -> None:
        """Serve until `stop`."""
        with self._serving:
            next_check = time.monotonic() + _INTERVAL
            while not self._stopping:
                self._pass()
                if time.monotonic() >= next_check:
                    self._expire()
                    next_check = time.monotonic() + _INTERVAL
            # Who has connected already is not turned away with the rest.
            self._pass(0)

    def stop(self) -> None:
        """End `run`, within half a second."""
        self._stopping = True
        with self._serving, contextlib.suppress(OSError):
            # Another process may have it, too: closed here, it would still
            # be told of.
            self._poll.unregister(self._listener)

    def close(self) -> None:
        """Close all connections, the idle ones first."""
        with self._lock:
            self._closed = True
        self._pass(0)   # what has come already is begun on
        now = time.monotonic()
        for connection in list(self._waiting.values()):
            if connection.rest:
                continue
            if connection.received:
                connection.due = min(connection.due, now + _LAST_SECONDS)
            elif not connection.requests_seen:
                connection.due = min(connection.due, now + _FIRST_SECONDS)
            else:
                self._close(connection)
        until = now + self._server.shutdown_timeout
        while self._waiting and time.monotonic() < until:
            self._pass()
            self._expire()
        for connection in list(self._waiting.values()):
            self._close(connection)
        self._poll.close()

    def put(self, connection: Connection) -> None:
        """Take a connection back from the thread that has answered."""
        with self._lock:
            if self._closed:
                connection.finish()
                return
            connection.due = time.monotonic() + self._server.timeout
            self._waiting[connection.file] = connection
            self._hold(connection, len(connection.rest))
            if connection.rest:
                self._arm(connection, _OUT)
            elif self._has(connection):
                self._follow(connection)

    def left(self, connection: Connection) -> None:
        """Forget a connection that has been closed."""
        with self._lock:
            self._open -= 1
            self._held -= connection.held

    def _pass(self, seconds: float = _INTERVAL) -> None:
        for file, _ in self._poll.poll(seconds):
            if file == self._listener:
                self._accept()
                continue
            connection = self._waiting.get(file)
            if connection is None:
                continue
            try:
                self._step(connection)
            except ssl.SSLWantWriteError:
                self._arm(connection, _OUT)
            except NOT_READY:
                self._arm(connection, _OUT if connection.rest else _IN)
            except OSError as error:
                LOG.debug('A client went away: %s', error)
                self._close(connection)

    def _step(self, connection: Connection) -> None:
        if connection.shaking:
            connection.shake()
            self._receive(connection)
        elif connection.rest:
            connection.send()
            self._hold(connection, len(connection.rest))
            if connection.rest:
                self._arm(connection, _OUT)
            else:
                self._follow(connection)
        elif connection.draining:
            data = connection.socket.recv(_PART)
            connection.draining -= len(data)
            if data and connection.draining > 0:
                self._arm(connection, _IN)
            else:
                self._close(connection)
        else:
            self._receive(connection)

    def _accept(self) -> None:
        for _ in range(_ACCEPTED):
            try:
                socket, address = self._server.socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                # What has not come yet stays where it is.
                if error.errno in _NO_MORE_FILES:
                    LOG.warning('No more connections: %s', error)
                    if not self._evict(0):
                        time.sleep(_INTERVAL / 10)
                return
            with self._lock:
                if self._open >= self._max_connections and not self._evict(0):
                    socket.close()
                    continue
            self._take(socket, address)

    def _take(self, socket: Any, address: Any) -> None:
        try:
            connection = self._server.connect(socket, address)
        except OSError as error:
            LOG.debug('A client went away: %s', error)
            socket.close()
            return
        connection.due = time.monotonic() + self._server.timeout
        with self._lock:
            self._open += 1
            self._waiting[connection.file] = connection
            self._poll.register(connection.file, _IN)

    def _receive(self, connection: Connection) -> None:
        data = connection.socket.recv(_PART)
        if not data:
            # It may have closed its half only.
            if connection.received:
                connection.extent.cut = True
                self._dispatch(connection)
            else:
                self._close(connection)
            return
        if not connection.received:
            connection.due = time.monotonic() + self._server.timeout
        connection.received += data
        while connection.pending():
            connection.received += connection.socket.recv(_PART)
        self._check(connection)

    def _check(self, connection: Connection) -> None:
        """Dispatch the request if it is complete."""
        extent = connection.extent
        if extent.reached(connection.received):
            self._dispatch(connection)
            return
        if extent.expects:
            extent.expects = False
            connection.socket.send(b'HTTP/1.1 100 Continue\r\n\r\n')
        self._hold(connection, len(connection.received))
        if self._has(connection):
            self._arm(connection, _IN)

    def _dispatch(self, connection: Connection) -> None:
        with self._lock:
            del self._waiting[connection.file]
            # What waits for a thread is held, too.
            self._hold(connection, len(connection.received))
        self._server.process_conn(connection)

    def _follow(self, connection: Connection) -> None:
        """Handle what comes after an answer that has been taken."""
        if connection.extent.cut:
            connection.discard()
            connection.draining = _DISCARDED
            connection.due = time.monotonic() + _DISCARD_SECONDS
            self._arm(connection, _IN)
        elif connection.last or self._closed:
            self._close(connection)
        else:
            connection.extent = framing.Extent()
            if connection.received:
                self._check(connection)
            else:
                self._arm(connection, _IN)

    def _has(self, connection: Connection) -> bool:
        """Return True if it waits here; its file may be another's by now."""
        return self._waiting.get(connection.file) is connection

    def _arm(self, connection: Connection, events: int) -> None:
        with self._lock:
            if self._has(connection):
                self._poll.modify(connection.file, events)

    def _hold(self, connection: Connection, size: int) -> None:
        with self._lock:
            self._held += size - connection.held
            connection.held = size
            while self._held > _MOST_HELD and self._evict(_LITTLE):
                pass

    def _evict(self, size: int) -> bool:
        """Close the connection that has waited for the longest, of those
        that hold so many bytes."""
        with self._lock:
            for connection in self._waiting.values():
                if connection.held >= size:
                    self._close(connection)
                    return True
        return False

    def _expire(self) -> None:
        now = time.monotonic()
        with self._lock:
            for connection in list(self._waiting.values()):
                if connection.due < now:
                    if connection.received and not connection.shaking:
                        connection.refuse()
                    self._close(connection)

    def _close(self, connection: Connection) -> None:
        with self._lock:
            if self._has(connection):
                del self._waiting[connection.file]
                connection.close()

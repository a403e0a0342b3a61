# SPDX-License-Identifier: Apache-2.0
"""A network that fails, between a client and a server on this host."""

import contextlib
import enum
import re
import select
import socket
import threading
from typing import Final

_CHUNK: Final = 65_536
# Not that of SET AUTOCOMMIT.
_COMMIT: Final = re.compile(rb'(?<![A-Z])COMMIT')


class CutPoint(enum.Enum):
    """The point at which a connection breaks."""

    BEFORE = 'the server does not hear of the commit'
    AFTER = 'the server has committed, and nobody hears of it'


class Proxy:
    """Hands on what comes to `port`, until it is told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._lock = threading.Lock()
        self._links: set[_Link] = set()
        self._frozen = threading.Event()
        self._listener: socket.socket | None = None
        # How many commits come through between two that do not.
        self._every: int | None = None
        self._passed = 0
        self._points: list[CutPoint | None] = []
        self.cuts = 0
        self.port = 0
        self.up()

    def up(self) -> None:
        """Take connections, at the same port as before."""
        self._listener = socket.create_server(('127.0.0.1', self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,),
                         name='proxy', daemon=True).start()

    def down(self) -> None:
        """Break every connection, and take none."""
        if self._listener is not None:
            # Wakes the thread that waits for a connection.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.drop()

    def drop(self) -> None:
        """Break every connection; new ones are taken."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.close()

    def freeze(self) -> None:
        """Take everything, and hand nothing on."""
        self._frozen.set()

    def thaw(self) -> None:
        """Hand on again, on new connections."""
        self._frozen.clear()
        self.drop()

    def turn(self, host: str, port: int) -> None:
        """Lead new connections to another server; the old ones stay."""
        self._server = (host, port)

    def strand(self) -> None:
        """Hand nothing more on, on the connections that there are."""
        with self._lock:
            for link in self._links:
                link.frozen.set()

    def cut(self, point: CutPoint, *, behind: int = 0) -> None:
        """Break the connection that commits next, at this point; behind so
        many commits that come through."""
        with self._lock:
            self._points += [None] * behind + [point]

    def cut_every(self, number: int | None) -> None:
        """Break each so many-th commit, at either point by turns; none
        for None."""
        with self._lock:
            self._every = number

    def close(self) -> None:
        """End everything."""
        self.down()

    def point(self) -> CutPoint | None:
        """Return the point at which the next commit breaks, or None."""
        with self._lock:
            if self._points:
                point = self._points.pop(0)
                self.cuts += point is not None
                return point
            if self._every is None:
                return None
            self._passed += 1
            if self._passed % self._every:
                return None
            self.cuts += 1
            return list(CutPoint)[self.cuts % 2]

    @property
    def frozen(self) -> bool:
        """Return True while nothing is handed on."""
        return self._frozen.is_set()

    def forget(self, link: '_Link') -> None:
        """Remove a connection that has ended."""
        with self._lock:
            self._links.discard(link)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:
                client.close()
                continue
            link = _Link(self, client, server)
            with self._lock:
                self._links.add(link)
            link.start()


class _Link:
    """One connection."""

    def __init__(self, proxy: Proxy, client: socket.socket,
                 server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._over = False
        self.frozen = threading.Event()
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        threading.Thread(target=self._run, name='proxy-link',
                         daemon=True).start()

    def close(self) -> None:
        """From any thread; the link's own closes its sockets."""
        self._over = True
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while not self._over:
                ready, _, _ = select.select(
                    [self._client, self._server], [], [], 0.2)
                if self._proxy.frozen or self.frozen.is_set():
                    threading.Event().wait(0.02)
                elif not all(self._hand_on(end) for end in ready):
                    break
        self._proxy.forget(self)
        self._client.close()
        self._server.close()

    def _hand_on(self, end: socket.socket) -> bool:
        """Forward data; returns whether the connection is still open."""
        data = end.recv(_CHUNK)
        if not data:
            return False
        if end is self._server:
            self._client.sendall(data)
            return True
        point = self._proxy.point() if _COMMIT.search(data) else None
        if point is CutPoint.BEFORE:
            return False
        self._server.sendall(data)
        if point is CutPoint.AFTER:
            self._server.recv(_CHUNK)
            return False
        return True

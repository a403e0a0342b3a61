# SPDX-License-Identifier: Apache-2.0
"""One connection to Ironic, for the check of a node and the call itself.

A process may be stopped between the two for as long as it likes.  What its
check has found may be over then, and so may its claim.  The call must not
arrive any more: therefore the connection is never opened anew.  Whatever
answers in front of Ironic closes it when nothing has come for its idle
time-out, and a call that comes later finds it closed.

HTTP libraries reopen a connection silently where it was closed, and send
requests again: hence http.client, with auto_open off.
"""

import contextlib
import http.client
import json
import os
import ssl
import time
import urllib.parse
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

import certifi

from mogan.baremetal import driver
from mogan.baremetal.ironic import responses

_BROKEN: Final = (OSError, http.client.HTTPException)
# Bytes that leave with one system call: a record of TLS, and what there is
# room for on an idle connection.
_AT_ONCE: Final = 16384


def boottime() -> float:
    """Return seconds on a clock that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class _HTTPConnection(http.client.HTTPConnection):
    """A connection that holds a request back until it is complete.

    http.client sends the head and the body apart.  A process that is
    stopped in between would have the server's read timeout twice.
    """

    auto_open = 0
    permit: driver.Permit
    _held = b''

    def send(self, data: Any) -> None:
        self._held += data

    def flush(self) -> None:
        """Send what is held.  Raises TooLate."""
        held, self._held = self._held, b''
        if len(held) > _AT_ONCE:
            # A request that is not complete has no effect.
            super().send(held[:-1])
            self.permit.assert_covered()
            held = held[-1:]
        super().send(held)


class _HTTPSConnection(_HTTPConnection, http.client.HTTPSConnection):
    pass


class Connection:
    """One connection, as a context.

    Each request has what is left of `limit` seconds; a change is sent only
    while the permit is covered.

    `verify` and `cert` mean what they mean to requests.
    """

    def __init__(self, base: str,
                 headers: Mapping[str, str], limit: float,
                 permit: driver.Permit, verify: bool | str = True,
                 cert: str | tuple[str, str] | None = None) -> None:
        where = urllib.parse.urlsplit(base)
        self._base = where.path.rstrip('/')
        self._headers = {'Accept': 'application/json',
                         'User-Agent': 'mogan', **headers}
        self._until = boottime() + limit
        self.permit = permit
        host, port = where.hostname or '', where.port
        self._connection = (
            _HTTPSConnection(
                host, port, timeout=limit, context=tls(verify, cert))
            if where.scheme == 'https'
            else _HTTPConnection(host, port, timeout=limit))
        self._connection.permit = permit

    def __enter__(self) -> Self:
        try:
            self._connection.connect()
        except OSError as error:
            raise driver.Unavailable(
                f'Ironic cannot be reached: {error}') from error
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._connection.close()

    @property
    def left(self) -> float:
        """Seconds that are left for all that is asked here."""
        return self._until - boottime()

    def read(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is at a path.  Raises Unavailable, NotOurs, Refused."""
        self._set_timeout()
        try:
            answer = self._ask(
                'GET', f'{path}?{urllib.parse.urlencode(query)}')
        except _BROKEN as error:
            raise driver.Unavailable(
                f'Ironic did not answer: {_text(error)}') from error
        return responses.found(answer, path, query)

    def write(self, method: str, path: str,
              body: Any = None) -> responses.Answer:
        """Make a change, if the caller's claim still covers it.

        Raises TooLate, OutcomeUnknown, and what the answer stands for.
        """
        self._set_timeout()
        # After this the idle time-out alone bounds how late the call can
        # come: the connection has been idle since before.
        self.permit.assert_covered()
        try:
            answer = self._ask(method, path, body)
        except http.client.NotConnected as error:
            raise driver.Unavailable(
                'what answers in front of Ironic closes connections after '
                'each answer: it has to keep them alive') from error
        except _BROKEN as error:
            raise driver.OutcomeUnknown(
                f'no answer to {method} {path}: {_text(error)}') from error
        responses.check_write(answer)
        return answer

    def _ask(self, method: str, path: str,
             body: Any = None) -> responses.Answer:
        headers = dict(self._headers)
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers['Content-Type'] = 'application/json'
        self._connection.request(method, self._base + path, content, headers)
        self._connection.flush()
        with contextlib.closing(self._connection.getresponse()) as response:
            return responses.Answer(
                response.status, response.read(),
                response.headers.get('openstack-request-id'))

    def _set_timeout(self) -> None:
        left = self.left
        if left <= 0:
            raise driver.NodeBusy('the time of the call is over')
        if self._connection.sock is not None:
            self._connection.sock.settimeout(left)


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__


def tls(verify: bool | str,
        cert: str | tuple[str, str] | None) -> ssl.SSLContext:
    """Return the context of TLS.  Raises OSError for a file that is no
    good."""
    if verify is False:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        authorities = (verify if isinstance(verify, str)
                       else certifi.where())
        context = (ssl.create_default_context(capath=authorities)
                   if os.path.isdir(authorities)  # noqa: PTH112
                   else ssl.create_default_context(cafile=authorities))
    if cert:
        context.load_cert_chain(*((cert,) if isinstance(cert, str)
                                  else cert))
    return context

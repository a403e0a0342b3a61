# SPDX-License-Identifier: Apache-2.0
"""Clients of the API: one that calls a WSGI application in its own process,
and one over HTTP."""

import base64
import contextlib
import dataclasses
import http.client
import io
import json
import sys
import urllib.parse
from collections.abc import Callable
from typing import Any

from mogan.tests.support.servers import TIMEOUT

ADDRESS = 'http://mogan.example:6688'


@dataclasses.dataclass(frozen=True)
class Answer:
    """A response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the parsed body."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """Return the message of an error."""
        return self.json['error']['message']


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header for HTTP basic authentication."""
    token = base64.b64encode(f'{user}:{password}'.encode()).decode()
    return {'Authorization': f'Basic {token}'}


class Client:
    """One user of the API; the password is the name."""

    def __init__(self, application: Callable[..., Any],
                 user: str | None) -> None:
        self._application = application
        self._headers = {}
        if user is not None:
            self._headers |= basic(user, user)

    def get(self, path: str, **options: Any) -> Answer:
        return self.request('GET', path, **options)

    def post(self, path: str, body: Any, **options: Any) -> Answer:
        return self.request('POST', path, body, **options)

    def put(self, path: str, body: Any, **options: Any) -> Answer:
        return self.request('PUT', path, body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> Answer:
        return self.request('PATCH', path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.request('DELETE', path, **options)

    def lock(self, uuid: str, reason: str | None = None,
             **options: Any) -> Answer:
        return self._change(uuid, 'lock', {
            'lock': {'reason': reason} if reason else None}, **options)

    def unlock(self, uuid: str, **options: Any) -> Answer:
        return self._change(uuid, 'unlock', {'unlock': None}, **options)

    def power(self, uuid: str, target: str) -> Answer:
        return self._change(uuid, 'power', {'target': target})

    def rebuild(self, uuid: str, image_uuid: str) -> Answer:
        return self._change(uuid, 'provision', {
            'target': 'rebuild', 'image_uuid': image_uuid})

    def _change(self, uuid: str, state: str, body: Any,
                **options: Any) -> Answer:
        return self.put(f'/v1/instances/{uuid}/states/{state}', body,
                        **options)

    def request(self, method: str, path: str, body: Any = None,
                headers: dict[str, str] | None = None) -> Answer:
        """Send a request; bytes are sent as they are, other bodies as
        JSON."""
        data, described = _encode(body)
        # Links of earlier answers are taken as they are.
        return self._send(method, path.removeprefix(ADDRESS), data,
                          self._headers | described | (headers or {}))

    def _send(self, method: str, path: str, data: bytes,
              headers: dict[str, str]) -> Answer:
        return _call(self._application,
                     environ(method, path, data, headers))


class Connection:
    """A connection to a server on 127.0.0.1, opened when it is needed;
    `headers` go with each request."""

    def __init__(self, port: int, headers: dict[str, str] | None = None, *,
                 timeout: float = TIMEOUT) -> None:
        self._http = http.client.HTTPConnection('127.0.0.1', port,
                                                timeout=timeout)
        self._headers = headers or {}

    def request(self, method: str, path: str, body: Any = None,
                headers: dict[str, str] | None = None) -> Answer:
        """Send a request, as `Client.request`, and wait for the answer.

        Raises OSError, HTTPException.
        """
        self.send(method, path, body, headers)
        return self.receive()

    def send(self, method: str, path: str, body: Any = None,
             headers: dict[str, str] | None = None) -> None:
        """Send a request.  Raises OSError, HTTPException."""
        data, described = _encode(body)
        self._http.request(method, path, data or None,
                           self._headers | described | (headers or {}))

    def receive(self) -> Answer:
        """Return the answer to the last one.  Raises OSError,
        HTTPException."""
        response = self._http.getresponse()
        return Answer(response.status, {
            name.lower(): value for name, value in response.getheaders()},
            response.read())

    def connect(self) -> None:
        """Open it.  Raises OSError."""
        self._http.connect()

    def closed(self) -> bool:
        """Return whether no answer can come any more."""
        return self._http.sock is None

    def fileno(self) -> int:
        """Return the open socket's number."""
        return self._http.sock.fileno()

    def close(self) -> None:
        """Close it; another request opens it again."""
        self._http.close()


def ask(port: int, method: str, path: str, body: Any = None,
        headers: dict[str, str] | None = None, *,
        timeout: float = TIMEOUT) -> Answer:
    """Return the answer to a request with a connection of its own.

    Raises OSError, HTTPException.
    """
    with contextlib.closing(Connection(port, timeout=timeout)) as connection:
        return connection.request(method, path, body, headers)


def responds(port: int) -> bool:
    """Return whether an API answers; its launcher listens for a moment before
    there is one."""
    try:
        return ask(port, 'GET', '/healthcheck', timeout=5).status == (
            http.HTTPStatus.OK)
    except (OSError, http.client.HTTPException):
        return False


def _encode(body: Any) -> tuple[bytes, dict[str, str]]:
    """Return the data of a body, and the headers that describe it."""
    if body is None:
        return b'', {}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return data, {'Content-Type': 'application/json'}


def environ(method: str, path: str, data: bytes,
            headers: dict[str, str]) -> dict[str, Any]:
    path, _, query = path.partition('?')
    found = {
        'REQUEST_METHOD': method, 'SCRIPT_NAME': '',
        'PATH_INFO': urllib.parse.unquote_to_bytes(path).decode('latin-1'),
        'QUERY_STRING': query, 'SERVER_PROTOCOL': 'HTTP/1.1',
        'SERVER_NAME': 'mogan.example', 'SERVER_PORT': '6688',
        'HTTP_HOST': 'mogan.example:6688', 'REMOTE_ADDR': '192.0.2.1',
        'CONTENT_LENGTH': str(len(data)), 'wsgi.version': (1, 0),
        'wsgi.url_scheme': 'http', 'wsgi.input': io.BytesIO(data),
        'wsgi.errors': sys.stderr, 'wsgi.multithread': True,
        'wsgi.multiprocess': False, 'wsgi.run_once': False}
    for name, value in headers.items():
        key = name.upper().replace('-', '_')
        if key not in {'CONTENT_TYPE', 'CONTENT_LENGTH'}:
            key = f'HTTP_{key}'
        found[key] = value
    return found


def _call(application: Callable[..., Any],
          environ: dict[str, Any]) -> Answer:
    sent: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]],
                       exc_info: Any = None) -> None:  # noqa: ARG001 - WSGI
        sent[:] = [int(status[:3]),
                   {name.lower(): value for name, value in headers}]

    chunks = application(environ, start_response)
    try:
        body = b''.join(chunks)
    finally:
        if hasattr(chunks, 'close'):
            chunks.close()
    return Answer(sent[0], sent[1], body)

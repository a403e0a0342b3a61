# SPDX-License-Identifier: Apache-2.0
"""A client that calls a WSGI application in its own process."""

import base64
import dataclasses
import io
import json
import sys
import urllib.parse
from collections.abc import Callable
from typing import Any

ADDRESS = 'http://mogan.example:6688'


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The message of an error."""
        return self.json['error']['message']


def basic(user: str, password: str) -> dict[str, str]:
    """The header that a user is known by."""
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

    def request(self, method: str, path: str, body: Any = None,
                headers: dict[str, str] | None = None) -> Answer:
        """Send a request; bytes are sent as they are, other bodies as
        JSON."""
        # Links of earlier answers are taken as they are.
        path = path.removeprefix(ADDRESS)
        every = dict(self._headers)
        data = b''
        if body is not None:
            data = (body if isinstance(body, bytes)
                    else json.dumps(body).encode())
            every['Content-Type'] = 'application/json'
        every |= headers or {}
        return _call(self._application, _environ(method, path, data, every))


def _environ(method: str, path: str, data: bytes,
             headers: dict[str, str]) -> dict[str, Any]:
    path, _, query = path.partition('?')
    environ = {
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
        environ[key] = value
    return environ


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

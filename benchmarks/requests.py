# SPDX-License-Identifier: Apache-2.0
"""The requests that are measured, and a client in the same process."""

import dataclasses
import io
import itertools
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any, Final

from benchmarks import data, service
from benchmarks.databases import Place

# A page of whole instances, as the floor's.
PAGE: Final = '/v1/instances/detail'


@dataclasses.dataclass(frozen=True)
class Request:
    """One request of a user; `status` is that of the right answer."""

    method: str
    path: str
    user: tuple[str, str, str] = service.OWNER
    body: bytes = b''
    status: int = 200

    def headers(self) -> dict[str, str]:
        """What a client sends along."""
        found = {'Host': '127.0.0.1:6688', 'User-Agent': 'benchmarks',
                 'Accept': 'application/json',
                 'Authorization': service.authorization(self.user)}
        if self.body:
            found |= {'Content-Type': 'application/json',
                      'Content-Length': str(len(self.body))}
        return found

    def raw(self) -> bytes:
        """The request as it goes over the wire."""
        lines = [f'{self.method} {self.path} HTTP/1.1',
                 *(f'{name}: {value}'
                   for name, value in self.headers().items())]
        return '\r\n'.join([*lines, '', '']).encode() + self.body


def show(uuid: str) -> Request:
    """GET of one instance, by its owner."""
    return Request('GET', f'/v1/instances/{uuid}')


def page(query: str = 'limit=100',
         user: tuple[str, str, str] = service.OWNER) -> Request:
    """GET of a page of whole instances."""
    return Request('GET', f'{PAGE}?{query}', user)


def lock(uuid: str) -> Request:
    """PUT of a lock, by the administrator."""
    return Request('PUT', f'/v1/instances/{uuid}/states/lock',
                   service.ADMIN, b'{"lock": null}', 202)


@dataclasses.dataclass(frozen=True)
class Series:
    """Requests of one kind, the floor of their answers, and how many are
    sent at a time."""

    name: str
    floor: str
    requests: Iterator[Request]
    turn: int


def series(place: Place) -> list[Series]:
    """The three kinds of requests that have floors."""
    own = data.uuids(place, project=data.PROJECTS[0])
    free = data.uuids(place, lockable=True)
    return [Series('GET one', 'R', itertools.cycle(map(show, own)), 100),
            Series('list of 100', 'L', itertools.repeat(page()), 10),
            # Each is locked only once.
            Series('PUT lock', 'W', map(lock, free), 100)]


def call(application: Callable[..., Any], request: Request) -> bytes:
    """Send a request in the same process, as a server would hand it on.

    Raises AssertionError where the answer has another status.
    """
    sent: list[str] = []

    def start_response(line: str, *_: Any) -> None:
        sent.append(line)

    body = b''.join(application(_environ(request), start_response))
    assert int(sent[0][:3]) == request.status, (sent, body[:500])
    return body


def _environ(request: Request) -> dict[str, Any]:
    path, _, query = request.path.partition('?')
    environ = {
        'REQUEST_METHOD': request.method, 'SCRIPT_NAME': '',
        'PATH_INFO': urllib.parse.unquote(path, 'latin-1'),
        'QUERY_STRING': query, 'REQUEST_URI': request.path,
        'SERVER_PROTOCOL': 'HTTP/1.1', 'SERVER_NAME': '127.0.0.1',
        'SERVER_PORT': '6688', 'SERVER_SOFTWARE': 'benchmarks',
        'REMOTE_ADDR': '127.0.0.1', 'REMOTE_PORT': '40000',
        'wsgi.version': (1, 0), 'wsgi.url_scheme': 'http',
        'wsgi.input': io.BytesIO(request.body), 'wsgi.errors': sys.stderr,
        'wsgi.multithread': True, 'wsgi.multiprocess': False,
        'wsgi.run_once': False}
    for name, value in request.headers().items():
        key = name.upper().replace('-', '_')
        environ[key if key.startswith('CONTENT_') else f'HTTP_{key}'] = value
    return environ

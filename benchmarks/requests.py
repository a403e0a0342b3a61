# SPDX-License-Identifier: Apache-2.0
"""The requests that are measured, and a client in the same process."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Final

from benchmarks import data, service
from benchmarks.databases import Place
from mogan.tests.support.client import environ

# A page of whole instances, as the baseline's.
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
        """Return the headers of a client."""
        found = {'Host': '127.0.0.1:6688', 'User-Agent': 'benchmarks',
                 'Accept': 'application/json',
                 'Authorization': service.authorization(self.user)}
        if self.body:
            found |= {'Content-Type': 'application/json',
                      'Content-Length': str(len(self.body))}
        return found

    def raw(self) -> bytes:
        """Return the request as it is sent."""
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
    """Requests of one kind, the baseline of their answers, and how many are
    sent at a time."""

    name: str
    baseline: str
    requests: Iterator[Request]
    turn: int


def series(place: Place) -> list[Series]:
    """Return the three kinds of requests that have baselines."""
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

    made = environ(request.method, request.path, request.body,
                   request.headers())
    # Some of what is measured answers this host only.
    made['REMOTE_ADDR'] = '127.0.0.1'
    body = b''.join(application(made, start_response))
    assert int(sent[0][:3]) == request.status, (sent, body[:500])
    return body

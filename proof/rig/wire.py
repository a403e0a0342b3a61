# SPDX-License-Identifier: Apache-2.0
"""Requests over HTTP, and what their answers mean."""

import contextlib
import dataclasses
import http.client
import re
import select
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from mogan.tests.support import client
from mogan.tests.support.client import Answer
from proof.rig import history
from proof.rig.history import Operation

ADMIN: Final = 'admin'
OWNER: Final = 'demo'
# Seconds until a request's outcome counts as unknown.
TIMEOUT: Final = 8.0
IMAGES: Final = ('5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10',
                 '0b6f1a52-93a1-4c1c-8a5b-6f5d8f4c2e77')

_STATE: Final = re.compile(
    r'is in the status ([a-z-]+), which does not allow')
_NO_NODE: Final = re.compile(r'in the status ([a-z-]+) has no node')
_BROKEN: Final = (OSError, http.client.HTTPException)


class Unreachable(Exception):
    """Nobody took the request: it was never sent."""


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A request to send."""

    kind: str
    method: str
    path: str
    body: Any = None
    instance: str = ''


NOTHING: Final = Answer(0, {}, b'')


class Connection(client.Connection):
    """One user's connection to one API, opened when it is needed."""

    def __init__(self, port: int, user: str, *, operator: bool) -> None:
        super().__init__(port, client.basic(user, user), timeout=TIMEOUT)
        self.user = user
        self.operator = operator

    def ask(self, request: Request) -> tuple[Operation, Answer]:
        """Send a request and wait.  Raises Unreachable."""
        return self.finish(request, self.begin(request))

    def begin(self, request: Request) -> float:
        """Send it; returns when.  Raises Unreachable."""
        # What can be read before a request is the end of the connection.
        if not self.closed() and select.select([self], [], [], 0)[0]:
            self.close()
        if self.closed():
            try:
                self.connect()
            except OSError as error:
                self.close()
                raise Unreachable from error
        sent = time.monotonic()
        try:
            self.send(request.method, request.path, request.body)
        except _BROKEN:
            # Part of it may have arrived: the outcome is unknown.
            self.close()
        return sent

    def finish(self, request: Request,
               sent: float) -> tuple[Operation, Answer]:
        """Return the answer to what was sent."""
        answer = NOTHING
        if not self.closed():
            try:
                answer = self.receive()
            except _BROKEN:
                self.close()
        answered = time.monotonic()
        meaning = _meaning(request, answer)
        return Operation(
            request.kind, request.instance, sent,
            history.NEVER if meaning == history.UNKNOWN else answered,
            meaning, self.user, self.operator,
            answer.headers.get('x-openstack-request-id')), answer


def administrator(port: int) -> AbstractContextManager[Connection]:
    """Yield an administrator's connection, closed with the block."""
    return contextlib.closing(Connection(port, ADMIN, operator=True))


def together(pairs: Sequence[tuple[Connection, Request]],
             ) -> list[tuple[Operation, Answer]]:
    """Send requests on several connections before any answer is read."""
    sent = []
    for connection, request in pairs:
        try:
            sent.append((connection, request, connection.begin(request)))
        except Unreachable:
            continue
    answers = []
    while sent:
        first = _first([connection for connection, _, _ in sent])
        for one in sent:
            if one[0] is first:
                break
        sent.remove(one)
        answers.append(first.finish(*one[1:]))
    return answers


def _first(connections: Sequence[Connection]) -> Connection:
    """Return the one whose answer has arrived first."""
    for connection in connections:
        if connection.closed():
            return connection
    ready, _, _ = select.select(connections, [], [], TIMEOUT)
    return ready[0] if ready else connections[0]


def _meaning(request: Request, answer: Answer) -> str:
    match answer.status:
        case 0 | 503:
            return history.UNKNOWN
        case 404:
            return history.GONE
        case 409:
            return _conflict(answer)
        case 200 if request.kind == history.READ:
            seen = answer.json
            return f'saw:{seen["status"]}:{seen["lock_state"]}'
    expected = {history.DELETE: 204, history.CREATE: 201}
    if answer.status == expected.get(request.kind, 202):
        return history.DONE
    return (f'{history.ODD} {answer.status} '
            f'{answer.body[:200].decode(errors="replace")}')


def _conflict(answer: Answer) -> str:
    error = answer.json['error']
    if 'lock' in error:
        return history.LOCKED
    for word, pattern in (('state', _STATE), ('no-node', _NO_NODE)):
        found = pattern.search(error['message'])
        if found:
            return f'{word}:{found.group(1)}'
    return f'{history.ODD} 409 {error["message"]}'


def lock(uuid: str, reason: str | None = None) -> Request:
    """Lock an instance."""
    return Request(history.LOCK, 'PUT', f'/v1/instances/{uuid}/states/lock',
                   {'lock': reason and {'reason': reason}}, uuid)


def unlock(uuid: str) -> Request:
    """Unlock it."""
    return Request(history.UNLOCK, 'PUT',
                   f'/v1/instances/{uuid}/states/unlock', {'unlock': None},
                   uuid)


def delete(uuid: str) -> Request:
    """Delete it."""
    return Request(history.DELETE, 'DELETE', f'/v1/instances/{uuid}', None,
                   uuid)


def rebuild(uuid: str, image: str) -> Request:
    """Put an image on it anew."""
    return Request(history.REBUILD, 'PUT',
                   f'/v1/instances/{uuid}/states/provision',
                   {'target': 'rebuild', 'image_uuid': image}, uuid)


def power(uuid: str, target: str) -> Request:
    """Change its power."""
    return Request(f'{history.POWER} {target}', 'PUT',
                   f'/v1/instances/{uuid}/states/power', {'target': target},
                   uuid)


def read(uuid: str) -> Request:
    """Look at it."""
    return Request(history.READ, 'GET', f'/v1/instances/{uuid}/states',
                   None, uuid)


def create(flavor: str, image: str) -> Request:
    """Ask for a new one."""
    return Request(history.CREATE, 'POST', '/v1/instances', {
        'name': 'raced', 'flavor_uuid': flavor, 'image_uuid': image})

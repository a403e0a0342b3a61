# SPDX-License-Identifier: Apache-2.0
"""Requests over HTTP, and what their answers mean."""

import base64
import dataclasses
import http.client
import json
import re
import select
import time
from collections.abc import Sequence
from typing import Any, Final

from proof.rig import history
from proof.rig.history import Operation

# Seconds until a request's outcome counts as unknown.
PATIENCE: Final = 8.0
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
    """What to send."""

    kind: str
    method: str
    path: str
    body: Any = None
    instance: str = ''


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where nothing did."""

    status: int
    headers: dict[str, str]
    text: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.text)


NOTHING: Final = Answer(0, {}, b'')


class Connection:
    """One user's connection to one API, opened when it is needed."""

    def __init__(self, port: int, user: str, *, operator: bool) -> None:
        self.user = user
        self.operator = operator
        token = base64.b64encode(f'{user}:{user}'.encode()).decode()
        self._headers = {'Authorization': f'Basic {token}'}
        self._http = http.client.HTTPConnection('127.0.0.1', port,
                                                timeout=PATIENCE)

    def ask(self, request: Request) -> tuple[Operation, Answer]:
        """Send a request and wait.  Raises Unreachable."""
        sent = self.send(request)
        return self.receive(request, sent)

    def send(self, request: Request) -> float:
        """Send it; returns when.  Raises Unreachable."""
        self._connect()
        headers = dict(self._headers)
        data = None
        if request.body is not None:
            headers['Content-Type'] = 'application/json'
            data = json.dumps(request.body)
        sent = time.monotonic()
        try:
            self._http.request(request.method, request.path, data, headers)
        except _BROKEN:
            # Part of it may have arrived: the outcome is unknown.
            self._http.close()
        return sent

    def _connect(self) -> None:
        # What can be read before a request is the end of the connection.
        if not self.closed() and select.select([self], [], [], 0)[0]:
            self._http.close()
        if self.closed():
            try:
                self._http.connect()
            except OSError as error:
                self._http.close()
                raise Unreachable from error

    def closed(self) -> bool:
        """Whether no answer can come any more."""
        return self._http.sock is None

    def receive(self, request: Request,
                sent: float) -> tuple[Operation, Answer]:
        """The answer to what was sent."""
        answer = NOTHING
        if not self.closed():
            try:
                response = self._http.getresponse()
                answer = Answer(response.status, {
                    name.lower(): value
                    for name, value in response.getheaders()},
                    response.read())
            except _BROKEN:
                self._http.close()
        answered = time.monotonic()
        meaning = _meaning(request, answer)
        return Operation(
            request.kind, request.instance, sent,
            history.NEVER if meaning == history.UNKNOWN else answered,
            meaning, self.user, self.operator,
            answer.headers.get('x-openstack-request-id')), answer

    def fileno(self) -> int:
        """The open socket's number."""
        return self._http.sock.fileno()

    def close(self) -> None:
        """Close it."""
        self._http.close()


def together(pairs: Sequence[tuple[Connection, Request]],
             ) -> list[tuple[Operation, Answer]]:
    """Send requests on several connections before any answer is read."""
    sent = []
    for connection, request in pairs:
        try:
            sent.append((connection, request, connection.send(request)))
        except Unreachable:
            continue
    answers = []
    while sent:
        first = _first([connection for connection, _, _ in sent])
        for one in sent:
            if one[0] is first:
                break
        sent.remove(one)
        answers.append(first.receive(*one[1:]))
    return answers


def _first(connections: Sequence[Connection]) -> Connection:
    """The one whose answer has come first."""
    for connection in connections:
        if connection.closed():
            return connection
    ready, _, _ = select.select(connections, [], [], PATIENCE)
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
            f'{answer.text[:200].decode(errors="replace")}')


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

# SPDX-License-Identifier: Apache-2.0
"""Faults that must never be seen, whatever was sent: in an answer, in the log,
in the database, on the scales."""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, Final

import h11

from proof.fuzz.service import Weight

# Of a request that speaks another HTTP: these say so.
_PROTOCOL: Final = frozenset({501, 505})
_TRACE: Final = re.compile(
    rb'Traceback|File \\?"[^"]*\.py|site-packages|\.py:[0-9]+|sqlalchemy',
    re.IGNORECASE)
_LINE: Final = re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ')
# What a request leaves; a line of another kind is one that it has ended.
_REQUEST: Final = re.compile(
    r' mogan\.api\.middleware\.request_log \[[^]]*\]'
    r' (?!\S+ "\S* \S*" status: \d)')
_BAD_LINE: Final = re.compile(
    r'Traceback|^\S+ \S+ \d+ (ERROR|CRITICAL) |Exception ')
# Of an instance that is not understood, once.
_SET_ASIDE: Final = re.compile(
    r' ERROR mogan\.engine\.quarantine \[-\] The instance (00000000-\S+) is '
    r'set aside: ')
# The health check has a page for browsers.
_HEALTH: Final = b'<TITLE>Healthcheck Status</TITLE>'
_REQUEST_ID: Final = re.compile(
    rb'req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
# What each table owes the others; each must find nothing.
_INVARIANTS: Final[dict[str, str]] = {
    'an instance without an action':
        'SELECT uuid FROM instances WHERE uuid NOT IN'
        ' (SELECT instance_uuid FROM actions)',
    'an action without an instance':
        'SELECT uuid FROM actions WHERE instance_uuid NOT IN'
        ' (SELECT uuid FROM instances)',
    'a status that no action has asked for':
        'SELECT uuid FROM instances WHERE status_action IS NOT NULL'
        ' AND status_action NOT IN (SELECT uuid FROM actions)',
    'a lock that no action has asked for':
        'SELECT uuid FROM instances WHERE lock_action IS NOT NULL'
        ' AND lock_action NOT IN (SELECT uuid FROM actions)',
    'a lock without its time':
        "SELECT uuid FROM instances WHERE lock_state = 'locked'"
        ' AND locked_at IS NULL',
    'an instance with a flavor that is gone':
        'SELECT uuid FROM instances WHERE deleted_at IS NULL AND flavor_uuid'
        ' IS NOT NULL AND flavor_uuid NOT IN (SELECT uuid FROM flavors)',
    'a text that is too long':
        'SELECT uuid FROM instances WHERE length(name) > 255'
        ' OR length(description) > 255 OR length(locked_reason) > 255',
    'JSON that is none':
        'SELECT uuid FROM instances WHERE NOT json_valid(metadata)',
}
# KiB: what caches may still grow by after the service is warm, and what a
# request may leave behind, which the row of an instance is part of.
_ALLOWANCE: Final = 24 * 1024
_PER_CASE: Final = 0.5


def answers(data: bytes) -> tuple[list[tuple[int, Any, bytes]], str | None]:
    """Return the responses that a connection has received, and their errors:
    bytes that are no response, or an incomplete one."""
    found: list[tuple[int, Any, bytes]] = []
    while data:
        if data.startswith(b'HTTP/1.1 100 '):
            data = data.partition(b'\r\n\r\n')[2]
            continue
        head, _, rest = data.partition(b'\r\n\r\n')
        # JSON never begins so: what lies behind is the next answer.
        method = b'HEAD' if not rest or rest.startswith(b'HTTP/1.') else b'GET'
        client = h11.Connection(h11.CLIENT,
                                max_incomplete_event_size=1 << 20)
        client.send(h11.Request(method=method, target=b'/',
                                headers=[(b'Host', b'x')]))
        client.send(h11.EndOfMessage())
        try:
            client.receive_data(data)
            response = client.next_event()
            if not isinstance(response, h11.Response):
                return found, f'half an answer: {data[:300]!r}'
            found.append((response.status_code, response.headers,
                          _body(client)))
        except (h11.RemoteProtocolError, ValueError) as error:
            return found, f'no answer: {error}: {head[:300]!r}'
        data = client.trailing_data[0]
    return found, None


def _body(client: h11.Connection) -> bytes:
    parts = []
    while True:
        event = client.next_event()
        if isinstance(event, h11.EndOfMessage):
            return b''.join(parts)
        if not isinstance(event, h11.Data):
            raise ValueError('the body ends too early')  # noqa: TRY004
        parts.append(bytes(event.data))


def judge(data: bytes, secrets: Iterable[bytes] = ()) -> list[str]:
    """Return what is wrong with an answer."""
    found, fault = answers(data)
    faults = [fault] if fault else []
    for status, headers, body in found:
        faults += [f'{status}: {fault}'
                   for fault in _judge_one(status, dict(headers), body)]
    faults += ['a trace' for _ in _TRACE.finditer(data)]
    faults += ['a secret' for secret in secrets if secret in data]
    return faults


def _judge_one(status: int, headers: dict[bytes, bytes],
               body: bytes) -> Iterator[str]:
    if status >= 500 and status not in _PROTOCOL:  # noqa: PLR2004
        yield f'a fault of the service: {body[:300]!r}'
    if not _REQUEST_ID.fullmatch(headers.get(b'x-openstack-request-id', b'')):
        yield f'no id of the request: {headers}'
    if not body or (status == 200 and _HEALTH in body):  # noqa: PLR2004
        return
    if headers.get(b'content-type') != b'application/json':
        yield f'the type {headers.get(b"content-type")!r}'
    try:
        value = json.loads(body)
    except ValueError:
        yield f'no JSON: {body[:300]!r}'
        return
    if status >= 400 and (  # noqa: PLR2004
            not isinstance(value.get('error'), dict)
            or value['error'].get('code') != status):
        yield f'no error of ours: {body[:300]!r}'


def judge_log(lines: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """Return what must not stand in a log; lines that are no record's come
    from a client that has ended one, or from a trace."""
    secrets = list(secrets)
    lines = [line for line in lines if not _SET_ASIDE.search(line)]
    return [line for line in lines if _BAD_LINE.search(line)
            or not _LINE.match(line) or _REQUEST.search(line)
            or any(secret in line for secret in secrets)]


def set_aside(lines: Iterable[str]) -> list[str]:
    """Return the instances that these log lines report as quarantined."""
    return [found[1] for line in lines
            if (found := _SET_ASIDE.search(line))]


def judge_database(database: sqlite3.Connection) -> list[str]:
    """Return what is half-written."""
    faults = []
    for name, query in _INVARIANTS.items():
        faults += [f'{name}: {row[0]}' for row in database.execute(query)]
    for pragma in ('integrity_check', 'foreign_key_check'):
        faults += [f'{pragma}: {row}' for row in database.execute(
            f'PRAGMA {pragma}') if row != ('ok',)]
    return faults


def judge_weight(before: Weight, after: Weight, cases: int) -> list[str]:
    """Return what a run has left in the process."""
    faults = []
    most = before.memory + _ALLOWANCE + _PER_CASE * cases
    if after.memory > most:
        faults.append(f'memory has grown from {before.memory} to '
                      f'{after.memory} KiB in {cases} requests')
    if after.files > before.files + 8:
        faults.append(f'open files: {before.files}, then {after.files}')
    if after.threads > before.threads + 2:
        faults.append(f'threads: {before.threads}, then {after.threads}')
    if after.children != before.children:
        faults.append(f'processes: {before.children}, then {after.children}')
    return faults

# SPDX-License-Identifier: Apache-2.0
"""A check that the API says of an instance, to each kind of caller, what the
database says."""

import datetime
import http
from typing import Any, Final

from mogan.tests.support.client import Answer
from proof.stateful import requests
from proof.stateful.world import World

Row = dict[str, Any]

_STATES: Final = ('status', 'power_state', 'locked', 'lock_state',
                  'locked_at', 'locked_reason')
_ALL: Final = (*_STATES, 'uuid', 'name', 'description', 'project_id',
               'user_id', 'availability_zone', 'flavor_uuid', 'image_uuid',
               'key_name', 'partitions', 'metadata', 'created_at',
               'updated_at', 'launched_at')
_ADMIN: Final = ('locked_by', 'node_uuid', 'node_protection')
_FIELDS: Final = (*_ALL, *_ADMIN, 'fault', 'networks')
_ACTION: Final = ('uuid', 'instance_uuid', 'arguments', 'outcome', 'error',
                  'attempts', 'times', 'request_id', 'created_at',
                  'updated_at', 'finished_at')


def shown(value: Any) -> Any:
    """Return a value as the API writes it."""
    if isinstance(value, datetime.datetime):
        return f'{value.isoformat("T", "microseconds")}Z'
    return value


def _picked(row: Row, names: tuple[str, ...]) -> Row:
    return {name: shown(row[name]) for name in names}


def instance(row: Row, *, admin: bool) -> Row:
    """Return the expected representation of an instance, without its links."""
    return _picked(row, _ALL + (_ADMIN if admin else ())) | {
        'fault': row['fault'] or row['lock_fault'],
        'networks': row['networks'] or []}


def states(row: Row, *, admin: bool) -> Row:
    """Its states as they should be shown."""
    return _picked(row, _STATES + (('locked_by',) if admin else ()))


def action(row: Row, *, admin: bool) -> Row:
    """Return the expected representation of an entry of its history."""
    return _picked(row, _ACTION + (('user_id',) if admin else ())) | {
        'action': row['verb']}


def check_one(world: World, user: str | None, row: Row) -> None:
    """Check what this user sees of an instance."""
    seen = _show(world, user, row, '')
    if seen is not None:
        _same(instance(row, admin=requests.is_admin(user)),
              _without_links(seen), user)


def check_states(world: World, user: str | None, row: Row) -> None:
    """Check what this user sees of its states."""
    seen = _show(world, user, row, '/states')
    if seen is not None:
        _same(states(row, admin=requests.is_admin(user)), seen, user)


def _show(world: World, user: str | None, row: Row, path: str) -> Any:
    seen = world.clients[user].get(f'/v1/instances/{row["uuid"]}{path}')
    status = requests.deny(user, 'read') or (
        200 if requests.sees(user, row) and not row['deleted_at'] else 404)
    _expect(status, seen, user)
    return seen.json if status == http.HTTPStatus.OK else None


def check_history(world: World, user: str | None, row: Row,
                  rows: list[Row]) -> None:
    """Check what this user sees of an instance's history, also of one that is
    gone."""
    admin = requests.is_admin(user)
    seen = world.clients[user].get(f'/v1/instances/{row["uuid"]}/actions')
    reach = admin or (requests.sees(user, row) and not row['deleted_at'])
    status = requests.deny(user, 'read') or (200 if reach else 404)
    _expect(status, seen, user)
    if status == http.HTTPStatus.OK:
        _same([action(one, admin=admin) for one in reversed(rows)],
              seen.json['actions'], user)


def check_list(world: World, user: str, rows: list[Row], *,
               locked: bool | None) -> None:
    """Check what this user sees of all instances, or of the locked ones or
    the others."""
    admin = requests.is_admin(user)
    query = '?'
    if admin:
        query = f'?all_tenants=true&fields={",".join(_FIELDS)}'
    if locked is not None:
        query += f'&locked={str(locked).lower()}'
    seen = world.clients[user].get(f'/v1/instances/detail{query}')
    _expect(200, seen, user)
    expected = [instance(row, admin=admin) for row in rows
                if requests.sees(user, row) and not row['deleted_at']
                and locked in {None, row['lock_state'] != 'unlocked'}]
    _same(expected, list(map(_without_links, seen.json['instances'])), user)


def _without_links(shown: Row) -> Row:
    return {name: value for name, value in shown.items() if name != 'links'}


def _expect(status: int, answer: Answer, user: str | None) -> None:
    assert status == answer.status, (user, status, answer)


def _same(expected: Any, shown: Any, user: str | None) -> None:
    assert expected == shown, (user, 'the database has', expected,
                               'the API says', shown)

# SPDX-License-Identifier: Apache-2.0
"""Requests of users, and what they make of an instance's row."""

import dataclasses
import datetime
from typing import Any, Final

from mogan.tests.support.deployment import USERS
from proof.spec import HELD, POWER, Kind, State, answer

Row = dict[str, Any]

NEW: Final = 'the new action'
_ACCEPTED: Final = {'delete': 204, 'update': 200}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The answer's status, and the columns of the row that change."""

    status: int
    kind: Kind
    changes: Row = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Request:
    """`word` is lock, unlock, delete, power, rebuild or update; `value`
    the reason, target, image or changed members."""

    word: str
    value: Any = None

    @property
    def verb(self) -> str:
        """Return the name in the history."""
        return POWER[self.value][0] if self.word == 'power' else self.word

    def arguments(self, row: Row) -> Row:
        """Return what the history keeps of it, where the row was so before."""
        match self.word:
            case 'update':
                return {'fields': sorted(self.new(row))}
            case 'rebuild':
                return {'image_uuid': self.value}
            case 'lock' if self.value is not None:
                return {'reason': self.value}
        return {}

    def new(self, row: Row) -> Row:
        """Return the fields that an update changes."""
        return {name: value for name, value in self.value.items()
                if row[name] != value}


def project(user: str) -> str:
    """Return the project of a user."""
    return USERS[user][0]


def is_admin(user: str | None) -> bool:
    """Return whether the user is an administrator."""
    return user == 'admin'


def sees(user: str | None, row: Row) -> bool:
    """Return whether a user with any role sees the instance."""
    return user is not None and (
        is_admin(user) or project(user) == row['project_id'])


def deny(user: str | None, word: str) -> int | None:
    """Return the status for a caller who may not do this with any instance."""
    if user is None:
        return 401
    needed = {'lock': {'admin'}, 'unlock': {'admin'},
              'read': {'admin', 'member', 'reader'}}.get(
                  word, {'admin', 'member'})
    return None if USERS[user][1] in needed else 403


def state_of(row: Row) -> State:
    """Return the state of a row."""
    return State(row['status'], row['lock_state'])


def judge(request: Request, user: str | None, row: Row | None,
          now: datetime.datetime) -> Verdict:
    """Return what the request gets from an instance in this state; from none
    that is there, for None."""
    denied = deny(user, request.word)
    if denied:
        return Verdict(denied, Kind.DENIED)
    if row is None or not sees(user, row):
        return Verdict(404, Kind.DENIED)
    before = state_of(row)
    kind, after = answer(request.word, request.value, before,
                         operating=is_admin(user),
                         on_node=row['node_uuid'] is not None)
    if kind in {Kind.LOCKED, Kind.REFUSED}:
        return Verdict(409, kind)
    status = _ACCEPTED.get(request.word, 202)
    if request.word == 'lock' and before.lock in HELD:
        if request.value in {None, row['locked_reason']}:
            return Verdict(status, kind)
        return Verdict(status, Kind.DONE, {
            'locked_reason': request.value, 'updated_at': now})
    changes = {'updated_at': now}
    if request.word == 'update':
        changes |= request.new(row) | {'revision': row['revision'] + 1}
    if request.word == 'lock':
        changes |= {'locked': True, 'locked_at': now, 'locked_by': user,
                    'locked_reason': request.value}
    if kind is Kind.WORK:
        changes |= {'fence': row['fence'] + 1} | _begun(before, after)
    return Verdict(status, kind, {} if kind is Kind.SAME else changes)


def _begun(before: State, after: State) -> Row:
    """Return the columns of a state whose work begins."""
    if before.lock != after.lock:
        return {'lock_state': after.lock, 'lock_action': NEW,
                'lock_fault': None}
    return {'status': after.status, 'status_action': NEW, 'fault': None}

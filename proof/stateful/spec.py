# SPDX-License-Identifier: Apache-2.0
"""What a request is answered, and what it changes.

Written down once more, apart from the product's own tables: a checker that
asked the product what is right would find nothing wrong.
"""

import dataclasses
import datetime
import enum
from typing import Any, Final

from mogan.tests.functional.deployment import USERS

Row = dict[str, Any]

DESTROYING: Final = frozenset({'building', 'rebuilding', 'deleting'})
POWER: Final = {    # target: verb, status before, status during
    'on': ('power_on', 'stopped', 'powering-on'),
    'off': ('power_off', 'active', 'powering-off'),
    'soft_off': ('soft_power_off', 'active', 'soft-powering-off'),
    'reboot': ('reboot', 'active', 'rebooting'),
    'soft_reboot': ('soft_reboot', 'active', 'soft-rebooting'),
}
# What work may end in, by the status or lock state that it is under way in;
# where there is none, what a look at the node may make of it.
POWERED: Final = frozenset({'active', 'stopped', 'error'})
ENDS: Final = {
    **{status: POWERED - {status} for status in POWERED},
    'building': {'active', 'error'}, 'rebuilding': {'active', 'error'},
    **{during: POWERED for _, _, during in POWER.values()},
    'locking': {'locked'}, 'unlocking': {'unlocked'}}
NEW: Final = 'the new action'


class Kind(enum.Enum):
    """What becomes of a request."""

    DENIED = 'the caller may not, or there is no such instance'
    SAME = 'accepted, with nothing to be done'
    WORK = 'accepted, with work for the engine'
    DONE = 'accepted, and done at once'
    LOCKED = 'refused because of the lock'
    REFUSED = 'refused because of the state'


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
        """The name in the history."""
        return POWER[self.value][0] if self.word == 'power' else self.word

    def arguments(self, row: Row) -> Row:
        """What the history keeps of it, where the row was so before."""
        match self.word:
            case 'update':
                return {'fields': sorted(self.new(row))}
            case 'rebuild':
                return {'image_uuid': self.value}
            case 'lock' if self.value is not None:
                return {'reason': self.value}
        return {}

    def new(self, row: Row) -> Row:
        """The members that an update changes."""
        return {name: value for name, value in self.value.items()
                if row[name] != value}


def project(user: str) -> str:
    """The project of a user."""
    return USERS[user][0]


def is_admin(user: str | None) -> bool:
    """Whether the user is an administrator."""
    return user == 'admin'


def sees(user: str | None, row: Row) -> bool:
    """Whether a user with any role sees the instance."""
    return user is not None and (
        is_admin(user) or project(user) == row['project_id'])


def deny(user: str | None, word: str) -> int | None:
    """The status for a caller who may not do this with any instance."""
    if user is None:
        return 401
    needed = {'lock': {'admin'}, 'unlock': {'admin'},
              'read': {'admin', 'member', 'reader'}}.get(
                  word, {'admin', 'member'})
    return None if USERS[user][1] in needed else 403


def judge(request: Request, user: str | None, row: Row | None,
          now: datetime.datetime) -> Verdict:
    """What the request gets from an instance in this state; from none that
    is there, for None."""
    denied = deny(user, request.word)
    if denied:
        return Verdict(denied, Kind.DENIED)
    if row is None or not sees(user, row):
        return Verdict(404, Kind.DENIED)
    match request.word:
        case 'lock':
            return _lock(request, str(user), row, now)
        case 'unlock':
            return _unlock(row, now)
    return _use(request, row, now, operating=is_admin(user))


def _use(request: Request, row: Row, now: datetime.datetime, *,
         operating: bool) -> Verdict:
    """What the lock is in the way of; `operating`: not of everything."""
    if request.word == 'delete' and row['status'] == 'deleting':
        return Verdict(204, Kind.SAME)
    if row['lock_state'] != 'unlocked' and not (
            operating and request.word in {'power', 'update'}):
        return Verdict(409, Kind.LOCKED)
    if request.word == 'update':
        return Verdict(200, Kind.DONE, request.new(row) | {
            'revision': row['revision'] + 1, 'updated_at': now})
    return _change(request, row, now)


def _lock(request: Request, user: str, row: Row,
          now: datetime.datetime) -> Verdict:
    if row['lock_state'] in {'locking', 'locked'}:
        if request.value in {None, row['locked_reason']}:
            return Verdict(202, Kind.SAME)
        return Verdict(202, Kind.DONE, {
            'locked_reason': request.value, 'updated_at': now})
    if row['status'] in DESTROYING:
        return Verdict(409, Kind.REFUSED)
    return Verdict(202, Kind.WORK, _begun(row, 'lock', 'locking', now) | {
        'locked': True, 'locked_at': now, 'locked_by': user,
        'locked_reason': request.value})


def _unlock(row: Row, now: datetime.datetime) -> Verdict:
    if row['lock_state'] in {'unlocking', 'unlocked'}:
        return Verdict(202, Kind.SAME)
    return Verdict(202, Kind.WORK, _begun(row, 'lock', 'unlocking', now))


def _change(request: Request, row: Row, now: datetime.datetime) -> Verdict:
    """What changes the status, with no lock in the way."""
    match request.word:
        case 'delete':
            return Verdict(204, Kind.WORK,
                           _begun(row, 'status', 'deleting', now))
        case 'rebuild':
            if (row['status'] in {'active', 'stopped', 'error'}
                    and row['node_uuid'] is not None):
                return Verdict(202, Kind.WORK,
                               _begun(row, 'status', 'rebuilding', now))
        case 'power':
            _, before, during = POWER[request.value]
            if row['status'] == before:
                return Verdict(202, Kind.WORK,
                               _begun(row, 'status', during, now))
    return Verdict(409, Kind.REFUSED)


def _begun(row: Row, column: str, state: str,
           now: datetime.datetime) -> Row:
    lock = column == 'lock'
    return {'lock_state' if lock else 'status': state,
            f'{column}_action': NEW,
            'lock_fault' if lock else 'fault': None,
            'fence': row['fence'] + 1, 'updated_at': now}

# SPDX-License-Identifier: Apache-2.0
"""Instances that the code does not understand, row by row."""

import dataclasses
import datetime
import uuid
from typing import Any, Final

# Their name, by which they are told from the clients' own.
NAME: Final = 'strange'
# Before all others in the order of uuids.
_FIRST: Final = '00000000-'
# Long ago: due, and the first in every order of time.
_LONG_AGO: Final = datetime.datetime(2020, 1, 1)  # noqa: DTZ001 - as stored


@dataclasses.dataclass(frozen=True, slots=True)
class Strange:
    """A value that is not understood: `column` has `value`.  `verb` is
    what it waits for, if it waits."""

    column: str
    value: str
    verb: str | None = None

    @property
    def refuses(self) -> bool:
        """Return whether requests for the instance are refused."""
        return self.column != 'verb'


KINDS: Final = (
    Strange('status', 'shelved'),
    Strange('lock_state', 'held'),
    Strange('status', 'hibernating', 'rebuild'),
    Strange('status', 'verifying', 'power_off'),
    Strange('lock_state', 'sealed', 'lock'),
    Strange('verb', 'shelve', 'shelve'))


def name(bits: int) -> str:
    """Return a uuid for one, made of 90 random bits."""
    return str(uuid.UUID(int=bits, version=4))


def is_strange(instance: str | None) -> bool:
    """Return whether it is the uuid of one."""
    return instance is not None and instance.startswith(_FIRST)


def rows(number: str, kind: Strange, *, node: str | None = None,
         owner: str = 'demo') -> dict[str, dict[str, Any]]:
    """Return the rows of a kind by table, the instance's and its action's, as
    in the database."""
    action = str(uuid.uuid4())
    state: dict[str, Any] = {'status': 'active', 'lock_state': 'unlocked'}
    if kind.column in state:
        state[kind.column] = kind.value
    waits = ('lock_action' if kind.column == 'lock_state'
             else 'status_action')
    return {
        'instances': {
            'uuid': number, 'project_id': owner, 'user_id': owner,
            'name': NAME, 'metadata': '{}', 'node_uuid': node,
            'node_protection': 'none', 'fence': 1, 'claim_seq': 0,
            'revision': 1, 'created_at': _LONG_AGO,
            waits: kind.verb and action, **state},
        'actions': {
            'uuid': action, 'instance_uuid': number,
            'verb': kind.verb or 'create', 'arguments': '{}', 'fence': 1,
            'user_id': owner, 'attempts': 0, 'times': 1,
            'outcome': None if kind.verb else 'done',
            'next_at': _LONG_AGO if kind.verb else None,
            'created_at': _LONG_AGO}}

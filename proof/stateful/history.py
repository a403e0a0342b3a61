# SPDX-License-Identifier: Apache-2.0
"""The history that an instance must have, and what it tells of the state."""

import dataclasses
import datetime
from collections.abc import Iterable
from typing import Any, Final

from proof.spec import POWER, POWERED, Kind

Row = dict[str, Any]

_WORKING: Final = {'create': 'building', 'rebuild': 'rebuilding',
                   'delete': 'deleting',
                   **{verb: during for verb, _, during in POWER.values()}}
_DONE: Final = {'create': 'active', 'rebuild': 'active', 'delete': 'gone',
                'power_on': 'active', 'power_off': 'stopped',
                'soft_power_off': 'stopped', 'reboot': 'active',
                'soft_reboot': 'active'}


@dataclasses.dataclass
class Record:
    """One acknowledgement, or all refusals alike, as answered."""

    kind: Kind
    verb: str
    user_id: str
    project_id: str
    request_id: str
    arguments: Row
    created_at: datetime.datetime
    locked_at: datetime.datetime | None = None
    times: int = 1
    outcome: str | None = None

    def alike(self, other: 'Record') -> bool:
        """Return whether the other one is the same refusal."""
        return self.kind is Kind.LOCKED and (
            (self.kind, self.verb, self.user_id, self.locked_at)
            == (other.kind, other.verb, other.user_id, other.locked_at))


def compare(records: list[Record], rows: list[Row]) -> None:
    """Check that there is one row for each record, in the order of the
    answers."""
    assert [record.verb for record in records] == [
        row['verb'] for row in rows], (records, rows)
    number = 0
    for record, row in zip(records, rows, strict=True):
        for name in ('user_id', 'project_id', 'request_id', 'arguments',
                     'times', 'created_at'):
            assert getattr(record, name) == row[name], (name, record, row)
        _compare_outcome(record, row)
        if record.kind is Kind.WORK:
            assert row['fence'] > number, ('fence', number, row)
        assert row['fence'] >= number, ('fence', number, row)
        number = row['fence']


def _compare_outcome(record: Record, row: Row) -> None:
    outcome = row['outcome']
    possible = {Kind.DONE: {'done'}, Kind.LOCKED: {'refused'},
                Kind.WORK: {None, 'done', 'failed', 'superseded'}}
    assert outcome in possible[record.kind], (record, row)
    assert record.outcome in {None, outcome}, ('changed', record, row)
    record.outcome = outcome
    assert (row['finished_at'] is None) == (outcome is None), row
    assert (row['next_at'] is None) == (outcome is not None), row
    failed = outcome in {'failed', 'refused'}
    assert row['error'] or not failed, row


@dataclasses.dataclass
class State:
    """The outcome of a history; what has failed may leave more than one
    status possible."""

    statuses: set[str]
    lock_state: str = 'unlocked'
    locked_at: datetime.datetime | None = None
    locked_by: str | None = None
    locked_reason: str | None = None
    status_action: str | None = None
    lock_action: str | None = None


def replay(rows: Iterable[Row]) -> State:
    """Return the state that the history leads to."""
    state = State(set())
    unfinished: dict[str, Row | None] = {'status': None, 'lock': None}
    for row in rows:
        if row['verb'] == 'update' or row['outcome'] == 'refused':
            continue
        if row['verb'] == 'lock' and state.lock_state in {
                'locking', 'locked'}:
            state.locked_reason = row['arguments']['reason']
            continue
        column = 'lock' if row['verb'] in {'lock', 'unlock'} else 'status'
        before = unfinished[column]
        if before is not None:
            # Only these take another's place.
            assert before['outcome'] == 'superseded', (before, row)
            assert (column == 'lock' or row['verb'] == 'delete'
                    or (row['verb'] in {'power_off', 'reboot'}
                        and before['verb'] in {
                            'soft_power_off', 'soft_reboot'})), (before, row)
        finished = row['outcome'] in {'done', 'failed'}
        unfinished[column] = None if finished else row
        (_lock if column == 'lock' else _change)(state, row)
    for row in unfinished.values():
        assert row is None or row['outcome'] is None, row
    return state


def _lock(state: State, row: Row) -> None:
    done = row['outcome'] == 'done'
    assert row['outcome'] != 'failed', row
    state.lock_action = None if done else row['uuid']
    if row['verb'] == 'lock':
        state.lock_state = 'locked' if done else 'locking'
        state.locked_at = row['created_at']
        state.locked_by = row['user_id']
        state.locked_reason = row['arguments'].get('reason')
        return
    state.lock_state = 'unlocked' if done else 'unlocking'
    if done:
        state.locked_at = state.locked_by = state.locked_reason = None


def _change(state: State, row: Row) -> None:
    verb, outcome = row['verb'], row['outcome']
    finished = outcome in {'done', 'failed'}
    state.status_action = None if finished else row['uuid']
    if outcome == 'done':
        state.statuses = {_DONE[verb]}
    elif outcome == 'failed':
        assert verb != 'delete', row
        # A rebuild that was refused for a protection leaves the node alone.
        state.statuses = {'error'} if verb == 'create' else set(POWERED)
    else:
        state.statuses = {_WORKING[verb]}


def agree(state: State, row: Row) -> None:
    """Check that the history leads to the row, but for a node that was
    lost."""
    status = 'gone' if row['deleted_at'] else row['status']
    lost = status == 'error' and row['fault']['cause'] == 'node'
    assert (state.statuses & {'active', 'stopped'} if lost
            else status in state.statuses), (row, state)
    for name in ('lock_state', 'locked_at', 'locked_by', 'locked_reason',
                 'status_action', 'lock_action'):
        assert getattr(state, name) == row[name], (name, state, row)

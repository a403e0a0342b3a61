# SPDX-License-Identifier: Apache-2.0
"""The API: one conditional UPDATE for each request, by the table of states.

No guard is written down here; all of them come from `mogan.states`.
"""

import functools
from collections.abc import Iterator
from typing import Final

from mogan import states
from mogan.states import Arrow, Column, LockState, Status, Verb
from proof.model.numbers import next_number
from proof.model.rules import Bounds, Rules
from proof.model.state import (
    ABSENT,
    ACKNOWLEDGED,
    BUILDING,
    DELETING,
    ERROR,
    GONE,
    HOLDS,
    LOCK,
    LOCKED,
    LOCKING,
    NO_LOCK,
    RELEASING,
    REPAIR,
    STOLEN,
    UNLOCKED,
    UNLOCKING,
    Move,
    Part,
    Row,
    Worker,
)

NOT_LOCKABLE: Final = frozenset(
    status.value for status in states.EVERY_STATUS - states.LOCKABLE)
_ASKED: Final = (Verb.LOCK, Verb.UNLOCK, Verb.DELETE, Verb.REBUILD)


def asked(bounds: Bounds) -> tuple[Verb, ...]:
    """Return the verbs that callers may request."""
    if bounds.successor:
        return (Verb.LOCK, Verb.DELETE)
    return ((*_ASKED, Verb.REBOOT, Verb.SOFT_REBOOT) if bounds.power
            else _ASKED)


def owner(verb: str) -> Column:
    """Return the column that a verb's action owns."""
    return states.column_of(Verb(verb))


@functools.cache
def accepted(verb: Verb, status: str, lock: str, on_node: bool,
             rules: Rules) -> Arrow | None:
    """Return the arrow whose UPDATE changes a row in this state."""
    for arrow in states.ARROWS[verb]:
        here = lock if arrow.column is Column.LOCK else status
        if (here in {source.value for source in arrow.sources}
                and (Status(status) in arrow.statuses
                     or not rules.lock_needs_lockable)
                and (LockState(lock) in arrow.lock_states
                     or arrow.operable or not _bound_by_lock(verb, rules))
                and (on_node or not arrow.needs_node)):
            if rules.check_constraint and _forbidden(arrow, status, lock):
                return None
            return arrow
    return None


def _bound_by_lock(verb: Verb, rules: Rules) -> bool:
    if verb is Verb.DELETE:
        return rules.delete_needs_unlocked
    return verb is not Verb.REBUILD or rules.rebuild_needs_unlocked


def _forbidden(arrow: Arrow, status: str, lock: str) -> bool:
    """Return whether the row would violate the database's CHECK."""
    after = {Column.STATUS: status, Column.LOCK: lock,
             arrow.column: arrow.target.value}
    return (after[Column.LOCK] != UNLOCKED
            and after[Column.STATUS] in NOT_LOCKABLE)


def create(part: Part, rules: Rules) -> Part:
    """Return the part of an instance that has just been created."""
    fence = 1 if rules.explicit_fence else 0
    return Part(Row(BUILDING, number=1, fence=fence), part.fences)


def follow(part: Part, arrow: Arrow, rules: Rules) -> Part:
    """Write a request: the state, its new action, and nothing else."""
    row = part.row
    number = next_number(part, rules, counts=rules.requests_count)
    if arrow.column is Column.STATUS:
        row = row._replace(status=arrow.target.value, number=number,
                           started=False)
    else:
        row = row._replace(lock=arrow.target.value, lock_number=number)
    row = row._replace(promise=_promise(arrow.verb, row.promise))
    if rules.explicit_fence:
        row = row._replace(fence=number)
    frees = rules.claim == 'action' or (
        arrow.supersedes and not rules.superseding_keeps_claim)
    if frees and rules.claim != 'none':
        row = row._replace(live=False)
    return part._replace(row=row, workers=tuple(
        overtaken(worker, arrow.column, frees=frees)
        for worker in part.workers))


def _promise(verb: Verb, promise: int) -> int:
    if verb is Verb.LOCK:
        return ACKNOWLEDGED
    if verb is Verb.UNLOCK:
        return RELEASING
    return promise


def overtaken(worker: Worker, column: Column, *,
              frees: bool = False) -> Worker:
    """Return the worker of an action that does not own its row any more."""
    if worker.verb != REPAIR and owner(worker.verb) is column:
        worker = worker._replace(named=False)
    if worker.rest and column is Column.STATUS:
        worker = worker._replace(rest=(*worker.rest[:2], False,
                                       worker.rest[3]))
    if frees and worker.claim == HOLDS:
        worker = worker._replace(claim=STOLEN)
    return worker


def moves(part: Part, rules: Rules, bounds: Bounds) -> Iterator[Move]:
    """Yield what the API can do with an instance that exists."""
    row = part.row
    if row.status in (ABSENT, GONE):
        return
    if row.waiting:
        yield from _second_half(part, rules)
    for verb in asked(bounds):
        arrow = accepted(verb, row.status, row.lock, row.on_node, rules)
        if arrow is None or (bounds.successor and arrow.supersedes):
            continue
        yield Move(('request', verb.value, arrow.supersedes),
                   follow(part, arrow, rules))
        if row.waiting:
            continue
        if not rules.one_statement and verb is not Verb.UNLOCK:
            yield Move(('reads', verb.value), part._replace(
                row=row._replace(waiting=verb.value)))
        if not rules.durable_first and verb is Verb.LOCK:
            yield Move(('answers early',), part._replace(
                row=row._replace(waiting=LOCK, promise=ACKNOWLEDGED)))
    if row.status == DELETING and rules.recovery_ends_deletes:
        yield Move(('recovery',), part._replace(
            row=row._replace(status=ERROR, number=0, started=False),
            workers=tuple(overtaken(worker, Column.STATUS)
                          for worker in part.workers)))


def _second_half(part: Part, rules: Rules) -> Iterator[Move]:
    row = part.row._replace(waiting='')
    verb = Verb(part.row.waiting)
    if not rules.durable_first:
        arrow = accepted(verb, row.status, row.lock, row.on_node, rules)
        yield Move(('writes late', verb.value), (
            part._replace(row=row) if arrow is None
            else follow(part._replace(row=row), arrow, rules)))
        yield Move(('api crashes',), part._replace(row=row))
        return
    # What it has read is old; it writes all the same.
    yield Move(('writes', verb.value), follow(
        part._replace(row=row), states.ARROWS[verb][0], rules))


def broken(part: Part) -> str:
    """Return what a row says and must never say, in words."""
    row = part.row
    if row.waiting == LOCK and row.promise == ACKNOWLEDGED:
        return ''
    locked = row.lock != UNLOCKED and row.status != GONE
    if locked and row.status in NOT_LOCKABLE:
        return f'L2, the CHECK: the instance is {row.status} and {row.lock}'
    if row.promise == ACKNOWLEDGED and (
            not locked or row.lock not in (LOCKING, LOCKED)):
        return 'an acknowledged lock is lost without an unlock'
    if row.promise == RELEASING and row.lock != UNLOCKING:
        return 'an accepted unlock is lost'
    if row.promise == NO_LOCK and locked:
        return 'the instance is locked though nobody has locked it'
    return ''


# SPDX-License-Identifier: Apache-2.0
"""Instances: the only module that writes their state columns.

A transition is one conditional UPDATE, the first statement of its
transaction, and its rowcount decides.  Nothing is read, judged in Python
and written then.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from oslo_utils import uuidutils

from mogan import exception, states
from mogan.context import RequestContext
from mogan.db import actions, claims, clock, flavors, inputs, models
from mogan.db.claims import Claim
from mogan.db.connections import Change, Query
from mogan.db.engine import Database, transaction

I = models.instances  # noqa: E741 - the table of this module

Row = Any  # of a query, or of SQLAlchemy

# How often a request meets a row that has just changed under it before the
# caller is asked to try again.
_TRIES: Final = 16

_GET = sa.select(I).where(I.c.uuid == sa.bindparam('key'),
                          I.c.deleted_at.is_(None))
_GET_LIVE = Query(_GET)
_GET_ANY = Query(sa.select(I).where(I.c.uuid == sa.bindparam('key')))


@transaction
def get(db: Database, uuid: str, *, deleted: bool = False) -> Row:
    """One instance.  Raises InstanceNotFound."""
    for row in db.select(_GET_ANY if deleted else _GET_LIVE, key=uuid):
        return row
    raise exception.InstanceNotFound(uuid=uuid)


@transaction
def create(db: Database, context: RequestContext, values: dict[str, Any],
           given: Mapping[str, Any] | None = None, *,
           hidden_flavors: bool = False) -> Row:
    """Record a new instance and the intent to build it.

    `given`: what is handed to its node and not shown.  Raises Invalid where
    it cannot have its flavor; `hidden_flavors`: that may be one that is not
    public.
    """
    uuid = uuidutils.generate_uuid()
    action = actions.describe(context, uuid, states.Verb.CREATE, {})
    with db.writer() as connection:
        insert(connection, action, values)
        inputs.insert(connection, uuid, given or {})
        flavors.hold(connection, values['flavor_uuid'],
                     hidden=hidden_flavors)
        actions.insert(connection, action)
        return connection.execute(_GET, {'key': uuid}).one()


def insert(connection: sa.Connection, action: dict[str, Any],
           values: dict[str, Any]) -> None:
    """Add the row that this action, its first one, is about to build."""
    connection.execute(sa.insert(I).values(values | {
        'uuid': action['instance_uuid'], 'project_id': action['project_id'],
        'user_id': action['user_id'],
        'status': states.Status.BUILDING.value,
        'status_action': action['uuid'],
        'lock_state': states.LockState.UNLOCKED.value,
        'node_protection': 'none', 'fence': 1, 'claim_seq': 0,
        'revision': 0, 'created_at': clock.NOW}))


def begin(db: Database, context: RequestContext, uuid: str,
          verb: states.Verb, arguments: dict[str, Any] | None = None, *,
          operate_locked: bool = False) -> bool:
    """Accept a request, durably, or say why not.

    Returns whether there is work to do: False where the instance is, or is
    getting, as the request wants it.  Raises InstanceNotFound,
    InstanceLocked, InvalidState, NoNode, DatabaseUnavailable.
    """
    action = actions.describe(context, uuid, verb, arguments or {})
    arrow = states.ARROWS[verb][0]
    for _ in range(_TRIES):
        if _follow(db, arrow, action, operate_locked):
            return True
        row = get(db, uuid)
        verdict = states.judge(
            verb, states.Status(row.status),
            states.LockState(row.lock_state),
            has_node=row.node_uuid is not None,
            operate_locked=operate_locked)
        if isinstance(verdict, states.Arrow):
            arrow = verdict
        elif isinstance(verdict, states.Refused):
            raise _refusal(db, context, row, verb, verdict)
        elif (not _wants_other_reason(row, action)
              or _replace_reason(db, action)):
            return False
    raise exception.ServiceUnavailable


@transaction
def _follow(db: Database, arrow: states.Arrow, action: dict[str, Any],
            operate_locked: bool) -> bool:
    values = {'key': action['instance_uuid'], 'action': action['uuid']}
    if arrow.verb is states.Verb.LOCK:
        values |= {'user': action['user_id'],
                   'reason': action['arguments'].get('reason')}
    with db.writer() as connection:
        change = _transition(arrow, operate_locked and arrow.operable)
        if change.make(connection, values) != 1:
            return False
        if arrow.supersedes:
            actions.supersede(connection, action['instance_uuid'],
                              arrow.column)
        actions.insert(connection, action)
        return True


def _allowing(column: sa.Column[str], allowed: frozenset[Any],
              every: frozenset[Any]) -> list[sa.ColumnElement[bool]]:
    if allowed == every:
        return []
    # Written out: a bound list is expanded anew for each execution.
    return [column.in_([sa.literal_column(f"'{value.value}'")
                        for value in sorted(allowed)])]


@functools.cache
def _transition(arrow: states.Arrow, operating: bool) -> Change:
    """The UPDATE that an arrow is; `operating`: the lock does not bind the
    caller."""
    status = arrow.column is states.Column.STATUS
    guards = [I.c.uuid == sa.bindparam('key'), I.c.deleted_at.is_(None)]
    guards += _allowing(I.c[arrow.column], arrow.sources, frozenset())
    guards += _allowing(I.c.status, arrow.statuses, states.EVERY_STATUS)
    if not operating:
        guards += _allowing(I.c.lock_state, arrow.lock_states,
                            states.EVERY_LOCK_STATE)
    if arrow.needs_node:
        guards.append(I.c.node_uuid.is_not(None))
    values: dict[str, Any] = {
        arrow.column.value: arrow.target.value,
        _owner(arrow.column): sa.bindparam('action'),
        'fault' if status else 'lock_fault': None,
        'fence': I.c.fence + 1, 'updated_at': clock.NOW}
    if arrow.verb is states.Verb.LOCK:
        values |= {'locked_at': clock.NOW,
                   'locked_by': sa.bindparam('user'),
                   'locked_reason': sa.bindparam('reason')}
    return Change(sa.update(I).where(*guards).values(values))


def _owner(column: states.Column) -> str:
    """The column that names the action which owns a state column."""
    return ('status_action' if column is states.Column.STATUS
            else 'lock_action')


def _wants_other_reason(row: Row, action: dict[str, Any]) -> bool:
    reason = action['arguments'].get('reason')
    return (action['verb'] == states.Verb.LOCK and reason is not None
            and reason != row.locked_reason)


@transaction
def _replace_reason(db: Database, action: dict[str, Any]) -> bool:
    """Another reason for the same lock; the repair carries it to the node."""
    statement = sa.update(I).where(
        I.c.uuid == action['instance_uuid'], I.c.deleted_at.is_(None),
        *_allowing(I.c.lock_state, states.SATISFIED[states.Verb.LOCK],
                   states.EVERY_LOCK_STATE)).values(
            locked_reason=action['arguments']['reason'],
            updated_at=clock.NOW)
    with db.writer() as connection:
        if connection.execute(statement).rowcount != 1:
            return False
        actions.insert(connection, action, done=True)
        return True


def _refusal(db: Database, context: RequestContext, row: Row,
             verb: states.Verb, verdict: states.Refused,
             ) -> exception.Conflict:
    if verdict.locked:
        error = exception.InstanceLocked(
            row.uuid, since=row.locked_at, reason=row.locked_reason,
            holder=row.locked_by, project_id=row.project_id)
        actions.record_refusal(db, context, row, verb, error.message)
        return error
    words = verb.value.replace('_', ' ')
    if row.node_uuid is None and any(
            arrow.needs_node and row.status in arrow.sources
            for arrow in states.ARROWS[verb]):
        return exception.NoNode(uuid=row.uuid, status=row.status, verb=words)
    return exception.InvalidState(uuid=row.uuid, status=row.status,
                                  verb=words)


def update(db: Database, context: RequestContext, row: Row,
           values: dict[str, Any], *, operate_locked: bool) -> Row | None:
    """Change what describes an instance, where it is still as `row` saw it.

    Returns the new row, or None where another change came in between.
    Raises InstanceNotFound, InstanceLocked.
    """
    action = actions.describe(context, row.uuid, states.Verb.UPDATE,
                              {'fields': sorted(values)})
    if _describe(db, row, values, action, operate_locked):
        return get(db, row.uuid)
    now = get(db, row.uuid)
    if now.lock_state != states.LockState.UNLOCKED and not operate_locked:
        raise _refusal(db, context, now, states.Verb.UPDATE,
                       states.Refused(locked=True))
    return None


@transaction
def _describe(db: Database, row: Row, values: dict[str, Any],
              action: dict[str, Any], operate_locked: bool) -> bool:
    statement = sa.update(I).where(
        I.c.uuid == row.uuid, I.c.deleted_at.is_(None),
        I.c.revision == row.revision)
    if not operate_locked:
        statement = statement.where(
            I.c.lock_state == states.LockState.UNLOCKED.value)
    with db.writer() as connection:
        changed = connection.execute(statement.values(
            values | {'revision': I.c.revision + 1,
                      'updated_at': clock.NOW}))
        if changed.rowcount != 1:
            return False
        actions.insert(connection, action, done=True)
        return True


@transaction
def finish(db: Database, claim: Claim, action: Row, end: states.State | None,
           values: dict[str, Any], *, failure: str | None,
           release: bool) -> bool:
    """Write an action's outcome, where the row still names it and the
    claim is live.

    `end` is the new state (none: the instance is gone), `values` what else
    of the row goes with it; `failure` is the reason why it did not do what
    was asked, `release` lets go of the claim with it.  Returns whether it
    was written.
    """
    verb = states.Verb(action.verb)
    column = states.column_of(verb)
    if end not in states.ENDS[states.UNDER_WAY[verb]]:
        raise ValueError(f'a {verb} cannot end in {end}')
    settled = {_owner(column): None, 'updated_at': clock.NOW} | values
    if release:
        settled |= {'claim_by': None, 'claim_until': None}
    if end is states.GONE:
        settled |= {'deleted_at': clock.NOW, 'node_uuid': None,
                    'adopting': None}
    else:
        settled[column.value] = end.value
    if end is states.LockState.UNLOCKED:
        settled |= {'locked_at': None, 'locked_by': None,
                    'locked_reason': None}
    with db.writer() as connection:
        changed = connection.execute(
            sa.update(I).where(*claims.mine(claim),
                               I.c[_owner(column)] == action.uuid)
            .values(settled))
        if changed.rowcount != 1:
            return False
        actions.finish(connection, action.uuid, failure)
        if end is states.GONE:
            inputs.delete(connection, claim.instance_uuid)
        return True


@transaction
def follow(db: Database, row: Row, status: states.Status,
           values: dict[str, Any]) -> bool:
    """Make an instance what its node is, where no action holds its status
    and no request has been accepted since `row` was read.

    `values` are other columns that go with it.  Returns whether it was
    written.
    """
    if status not in states.FOLLOWS[row.status] | {row.status}:
        raise ValueError(f'no node makes {row.status} {status}')
    with db.writer() as connection:
        return connection.execute(sa.update(I).where(
            I.c.uuid == row.uuid, I.c.deleted_at.is_(None),
            I.c.status == row.status, I.c.status_action.is_(None),
            I.c.fence == row.fence, I.c.node_uuid == row.node_uuid)
            .values({'status': status.value, 'updated_at': clock.NOW}
                    | values)).rowcount == 1


@transaction
def on_nodes(db: Database, *, after: tuple[str, int],
             limit: int) -> Sequence[Row]:
    """Instances on a node, by node and row number behind `after`: what is
    compared with the nodes, with the database's time as `now`."""
    node_uuid, number = after
    query = (
        sa.select(I.c.id, I.c.uuid, I.c.node_uuid, I.c.status,
                  I.c.status_action, I.c.power_state, I.c.fault, I.c.fence,
                  I.c.lock_state, I.c.lock_action, I.c.locked_reason,
                  I.c.node_protection, clock.NOW.label('now'))
        # One that is gone has no node any more.
        .where(I.c.node_uuid >= node_uuid,
               sa.or_(I.c.node_uuid > node_uuid, I.c.id > number))
        .order_by(I.c.node_uuid, I.c.id).limit(limit))
    # Where nearly all are on nodes, MariaDB would sort them.
    for dialect in ('mysql', 'mariadb'):
        query = query.with_hint(
            I, 'FORCE INDEX (ix_instances_node_uuid_id)', dialect)
    with db.reader() as connection:
        return connection.execute(query).all()

# SPDX-License-Identifier: Apache-2.0
"""Instances: the only module that writes their state columns.

A transition is one conditional UPDATE, the first statement of its
transaction, and its rowcount decides.  Nothing is read, judged in Python
and written then; where it has changed nothing, the row that chooses the
answer is read in the same transaction.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import oslo_db.exception
import sqlalchemy as sa
from oslo_utils import uuidutils

from mogan import exception, states
from mogan.context import RequestContext
from mogan.db import (
    actions,
    claims,
    domains,
    flavors,
    models,
    primary,
    rows,
    secrets,
    vifs,
)
from mogan.db.claims import Claim
from mogan.db.core import clock
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried
from mogan.db.core.statements import CompiledDML, CompiledSelect

I = models.instances  # noqa: E741 - the table of this module

# Of a request that changes a state: whether there is work to do, another
# arrow that fits by now, or why it is refused.
Verdict = bool | states.Arrow | exception.Conflict

# How often a request meets a row that has just changed under it before the
# caller is asked to try again.
_TRIES: Final = 16

_GET = sa.select(I).where(I.c.uuid == sa.bindparam('key'),
                          I.c.deleted_at.is_(None))
_GET_LIVE = CompiledSelect(_GET)
_GET_LOCKED = _GET.with_for_update()
_GET_ANY = CompiledSelect(sa.select(I).where(I.c.uuid == sa.bindparam('key')))


@retried
def get(db: Database, uuid: str, *, deleted: bool = False,
        to_change: bool = False) -> rows.Instance:
    """Return one instance. Raises InstanceNotFound.

    `to_change`: where a reader finds none, the primary decides.
    """
    for row in db.read(_GET_ANY if deleted else _GET_LIVE, key=uuid):
        return row
    if to_change:
        with db.writer() as connection:
            return lock_row(connection, uuid)
    raise exception.InstanceNotFound(uuid=uuid)


def lock_row(connection: sa.Connection, uuid: str) -> rows.Instance:
    """Lock the row until the transaction ends, and return it.

    Raises InstanceNotFound.
    """
    row = connection.execute(_GET_LOCKED, {'key': uuid}).one_or_none()
    if row is None:
        raise exception.InstanceNotFound(uuid=uuid)
    return row


def create(db: Database, context: RequestContext, values: dict[str, Any],
           secret_values: Mapping[str, Any] | None = None, *,
           hidden_flavors: bool = False) -> rows.Instance:
    """Record a new instance and the intent to build it.

    `secret_values`: instance secrets and user data; `hidden_flavors`: its
    flavor need not be public.  Raises PortInUse, FlavorNotFound,
    FlavorDisabled.
    """
    ports = [network['port_id'] for network in values.get('networks') or ()
             if 'port_id' in network]
    for _ in range(_TRIES):
        try:
            return _create(db, context, values, secret_values or {},
                           hidden_flavors=hidden_flavors)
        except oslo_db.exception.DBDuplicateEntry as error:
            if not ports:
                raise
            port = vifs.taken(db, ports)
            if port is not None:
                raise exception.PortInUse(port=port) from error
    raise exception.ServiceUnavailable


@retried
def _create(db: Database, context: RequestContext, values: dict[str, Any],
            secret_values: Mapping[str, Any], *,
            hidden_flavors: bool) -> rows.Instance:
    uuid = uuidutils.generate_uuid()
    action = actions.describe(context, uuid, states.Verb.CREATE, {},
                              notify=db.notifications)
    with db.writer() as connection:
        insert(connection, action, values)
        secrets.insert(connection, uuid, secret_values)
        vifs.insert(connection, uuid, values.get('networks') or ())
        flavors.lock_row(connection, values['flavor_uuid'],
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
    InstanceLocked, InvalidState, NoNode, NotUnderstood, DatabaseUnavailable.
    """
    action = actions.describe(context, uuid, verb, arguments or {},
                              notify=db.notifications)
    arrow = states.ARROWS[verb][0]
    for _ in range(_TRIES):
        verdict = _follow(db, arrow, action, operate_locked)
        if isinstance(verdict, bool):
            return verdict
        if isinstance(verdict, exception.Conflict):
            raise verdict
        arrow = verdict
    raise exception.ServiceUnavailable


@retried
def _follow(db: Database, arrow: states.Arrow, action: dict[str, Any],
            operate_locked: bool) -> Verdict:
    values = {'key': action['instance_uuid'], 'action': action['uuid']}
    if arrow.verb is states.Verb.LOCK:
        values |= {'user': action['user_id'],
                   'reason': action['arguments'].get('reason')}
    with db.writer() as connection:
        change = _transition(arrow, operate_locked and arrow.operable)
        if change.execute(connection, values) != 1:
            return _judge(connection, action, operate_locked)
        if arrow.supersedes:
            actions.supersede(connection, action['instance_uuid'],
                              arrow.column)
        actions.insert(connection, action)
        return True


def _judge(connection: sa.Connection, action: dict[str, Any],
           operate_locked: bool) -> Verdict:
    """Return the decision on a request whose arrow has changed no row, as read
    from the server that was to write it.

    Raises InstanceNotFound, NotUnderstood.
    """
    row = lock_row(connection, action['instance_uuid'])
    domains.check(row)
    verdict = states.judge(
        states.Verb(action['verb']), states.Status(row.status),
        states.LockState(row.lock_state),
        has_node=row.node_uuid is not None, operate_locked=operate_locked)
    if isinstance(verdict, states.Arrow):
        return verdict
    if isinstance(verdict, states.Refused):
        return _refuse(connection, row, action, verdict)
    if _wants_other_reason(row, action):
        _replace_reason(connection, action)
    else:
        primary.confirm(connection, row.uuid)
    return False


def _allowing(column: sa.Column[str], allowed: frozenset[Any],
              every: frozenset[Any]) -> list[sa.ColumnElement[bool]]:
    if allowed == every:
        return []
    # Written out: a bound list is expanded again for each execution.
    return [column.in_([sa.literal_column(f"'{value.value}'")
                        for value in sorted(allowed)])]


@functools.cache
def _transition(arrow: states.Arrow, operating: bool) -> CompiledDML:
    """Return the UPDATE of an arrow; `operating`: the lock does not bind the
    caller."""
    status = arrow.column is states.Column.STATUS
    guards = [I.c.uuid == sa.bindparam('key'), I.c.deleted_at.is_(None)]
    guards += _allowing(I.c[arrow.column], arrow.sources, frozenset())
    guards += _allowing(I.c.status, arrow.statuses, states.EVERY_STATUS)
    guards.append(domains.KNOWN_STATE)
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
    return CompiledDML(sa.update(I).where(*guards).values(values))


def _owner(column: states.Column) -> str:
    """Return the column with the action that owns a state column."""
    return ('status_action' if column is states.Column.STATUS
            else 'lock_action')


def _wants_other_reason(row: rows.Instance, action: dict[str, Any]) -> bool:
    reason = action['arguments'].get('reason')
    return (action['verb'] == states.Verb.LOCK and reason is not None
            and reason != row.locked_reason)


def _replace_reason(connection: sa.Connection,
                    action: dict[str, Any]) -> None:
    """Another reason for the same lock; the repair carries it to the node."""
    connection.execute(
        sa.update(I).where(I.c.uuid == action['instance_uuid']).values(
            locked_reason=action['arguments']['reason'],
            updated_at=clock.NOW))
    actions.insert(connection, action, done=True)


def _refuse(connection: sa.Connection, row: rows.Instance,
            action: dict[str, Any],
            verdict: states.Refused) -> exception.Conflict:
    """Return the error of a request that the locked row does not allow."""
    if verdict.locked:
        error = exception.InstanceLocked(
            row.uuid, state=row.lock_state,
            ending=row.lock_state == states.LockState.UNLOCKING,
            since=row.locked_at, reason=row.locked_reason,
            holder=row.locked_by, project_id=row.project_id)
        actions.record_refusal(connection, action, row, error.message)
        return error
    primary.confirm(connection, row.uuid)
    verb = states.Verb(action['verb'])
    words = verb.value.replace('_', ' ')
    if row.node_uuid is None and any(
            arrow.needs_node and row.status in arrow.sources
            for arrow in states.ARROWS[verb]):
        return exception.NoNode(uuid=row.uuid, status=row.status, verb=words)
    return exception.InvalidState(uuid=row.uuid, status=row.status,
                                  verb=words)


def update(db: Database, context: RequestContext, row: rows.Instance,
           values: dict[str, Any], *,
           operate_locked: bool) -> tuple[rows.Instance, bool]:
    """Change what describes an instance, where it is still as `row` saw it.

    Returns the newest row, and whether it was changed: not where another
    change came in between.  Raises InstanceNotFound, InstanceLocked,
    NotUnderstood.
    """
    action = actions.describe(context, row.uuid, states.Verb.UPDATE,
                              {'fields': sorted(values)},
                              notify=db.notifications)
    verdict = _describe(db, row, values, action, operate_locked)
    if isinstance(verdict, exception.Conflict):
        raise verdict
    return verdict


@retried
def _describe(db: Database, row: rows.Instance, values: dict[str, Any],
              action: dict[str, Any], operate_locked: bool,
              ) -> tuple[rows.Instance, bool] | exception.Conflict:
    statement = sa.update(I).where(
        I.c.uuid == row.uuid, I.c.deleted_at.is_(None),
        I.c.revision == row.revision, domains.KNOWN_STATE)
    if not operate_locked:
        statement = statement.where(
            I.c.lock_state == states.LockState.UNLOCKED.value)
    with db.writer() as connection:
        changed = connection.execute(statement.values(
            values | {'revision': I.c.revision + 1,
                      'updated_at': clock.NOW})).rowcount == 1
        if changed:
            actions.insert(connection, action, done=True)
        now = lock_row(connection, row.uuid)
        domains.check(now)
        if not (changed or operate_locked
                or now.lock_state == states.LockState.UNLOCKED):
            return _refuse(connection, now, action,
                           states.Refused(locked=True))
        return now, changed


@retried
def finish(db: Database, claim: Claim, action: rows.Action,
           end: states.State | None, values: dict[str, Any], *,
           failure: str | None, release: bool) -> bool:
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
            secrets.delete(connection, claim.instance_uuid)
            vifs.delete(connection, claim.instance_uuid)
        return True


@retried
def follow(db: Database, row: rows.OnNode, status: states.Status,
           values: dict[str, Any]) -> bool:
    """Make an instance what its node is, where no action holds its status
    and no request has been accepted since `row` was read.

    `values` are other columns that go with it.  Returns whether it was
    written.
    """
    if status not in states.FOLLOWS[states.Status(row.status)] | {row.status}:
        raise ValueError(f'no node makes {row.status} {status}')
    with db.writer() as connection:
        return connection.execute(sa.update(I).where(
            I.c.uuid == row.uuid, I.c.deleted_at.is_(None),
            I.c.status == row.status, I.c.status_action.is_(None),
            I.c.fence == row.fence, I.c.node_uuid == row.node_uuid)
            .values({'status': status.value, 'updated_at': clock.NOW}
                    | values)).rowcount == 1


@retried
def on_nodes(db: Database, *, after: tuple[str, int],
             limit: int) -> Sequence[rows.OnNode]:
    """Return instances on a node, by node and row number after `after`, as
    they are compared with the nodes; the database's time is `now`."""
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
    return db.read(query)

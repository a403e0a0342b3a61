# SPDX-License-Identifier: Apache-2.0
"""Accepted requests: the engine's work list while unfinished, the
instance's history afterwards; and refusals because of a lock."""

import datetime
import enum
from collections.abc import Sequence
from typing import Any

import oslo_db.exception
import sqlalchemy as sa
from oslo_utils import uuidutils

from mogan import states
from mogan.context import RequestContext
from mogan.db import clock, models
from mogan.db.connections import Change
from mogan.db.engine import Database, tells, transaction

A = models.actions
I = models.instances  # noqa: E741 - read next to A

Row = sa.Row


class Outcome(enum.StrEnum):
    """How an action ended; none while it is unfinished."""

    DONE = 'done'
    FAILED = 'failed'
    SUPERSEDED = 'superseded'
    REFUSED = 'refused'


class Unpublished(enum.IntEnum):
    """What others have still to be told of an action."""

    ALL = 1
    END = 2


_INSERT = sa.insert(A).values(
    fence=sa.select(I.c.fence).where(
        I.c.uuid == sa.bindparam('of')).scalar_subquery(),
    attempts=0, times=1, created_at=clock.NOW).inline()
_NAMES = ('uuid', 'instance_uuid', 'verb', 'arguments', 'user_id',
          'project_id', 'request_id')
# Each of them by whether others are told.
_TOLD: dict[bool, dict[str, Any]] = {
    False: {}, True: {'unpublished': Unpublished.ALL.value}}
_INSERT_DUE = {told: Change(_INSERT.values(
    next_at=clock.NOW, **values), _NAMES) for told, values in _TOLD.items()}
_INSERT_DONE = {told: Change(_INSERT.values(
    outcome=Outcome.DONE.value, finished_at=clock.NOW, **values), _NAMES)
    for told, values in _TOLD.items()}
_INSERT_REFUSED = {told: _INSERT.values(
    outcome=Outcome.REFUSED.value, finished_at=clock.NOW,
    updated_at=clock.NOW, **values) for told, values in _TOLD.items()}
_COUNT_REFUSAL = sa.update(A).where(
    A.c.refusal == sa.bindparam('key')).values(
        times=A.c.times + 1, updated_at=clock.NOW, finished_at=clock.NOW,
        request_id=sa.bindparam('request'), error=sa.bindparam('words'))
# An action that its row does not name (any more) is nobody's work.
_NAMED = sa.or_(I.c.status_action == A.c.uuid, I.c.lock_action == A.c.uuid)
_PENDING = (
    sa.select(A.c.id).join(I, I.c.uuid == A.c.instance_uuid)
    .where(A.c.instance_uuid == sa.bindparam('instance'),
           A.c.next_at <= clock.NOW, _NAMED).limit(1))
_STATUS_VERBS = [verb.value for verb in states.Verb
                 if states.column_of(verb) is states.Column.STATUS]
_LOCK_VERBS = [states.Verb.LOCK.value, states.Verb.UNLOCK.value]
_SUPERSEDE = {
    column: sa.update(A).where(
        A.c.instance_uuid == sa.bindparam('instance'),
        A.c.outcome.is_(None), A.c.verb.in_(verbs)).values(
            outcome=Outcome.SUPERSEDED.value, finished_at=clock.NOW,
            next_at=None)
    for column, verbs in ((states.Column.STATUS, _STATUS_VERBS),
                          (states.Column.LOCK, _LOCK_VERBS))}


def describe(context: RequestContext, instance_uuid: str, verb: states.Verb,
             arguments: dict[str, Any]) -> dict[str, Any]:
    """The values of a new action row."""
    return {'uuid': uuidutils.generate_uuid(),
            'instance_uuid': instance_uuid, 'verb': verb.value,
            'arguments': arguments, 'user_id': context.user_id,
            'project_id': context.project_id,
            'request_id': context.request_id}


def insert(connection: sa.Connection, action: dict[str, Any], *,
           done: bool = False) -> None:
    """Add an action, as unfinished work or as something done at once."""
    change = (_INSERT_DONE if done else _INSERT_DUE)[tells(connection)]
    change.make(connection, action | {'of': action['instance_uuid']})


def supersede(connection: sa.Connection, instance_uuid: str,
              column: states.Column) -> None:
    """End what was under way for a state column."""
    connection.execute(_SUPERSEDE[column], {'instance': instance_uuid})


def finish(connection: sa.Connection, uuid: str,
           failure: str | None) -> None:
    """End an action, as failed where there is a reason."""
    outcome = Outcome.FAILED if failure else Outcome.DONE
    values: dict[str, Any] = {'outcome': outcome.value, 'next_at': None,
                              'finished_at': clock.NOW}
    if failure:
        values['error'] = failure
    connection.execute(sa.update(A).where(A.c.uuid == uuid).values(values))


def retry(connection: sa.Connection, uuid: str, seconds: float, *,
          started: bool, error: str | None) -> None:
    """Look at an action again in so many seconds.

    `started`: the driver has begun with it.  An error counts as an attempt.
    """
    values: dict[str, Any] = {'next_at': clock.moment(seconds)}
    if started:
        values['started_at'] = sa.func.coalesce(A.c.started_at, clock.NOW)
    if error:
        values |= {'error': error, 'attempts': A.c.attempts + 1}
    connection.execute(
        sa.update(A).where(A.c.uuid == uuid, A.c.outcome.is_(None))
        .values(values))


@transaction
def _count(db: Database, key: str, request_id: str | None,
           error: str) -> bool:
    with db.writer() as connection:
        return connection.execute(_COUNT_REFUSAL, {
            'key': key, 'request': request_id, 'words': error}).rowcount == 1


@transaction
def _insert_refusal(db: Database, values: dict[str, Any]) -> None:
    with db.writer() as connection:
        connection.execute(_INSERT_REFUSED[tells(connection)],
                           values | {'of': values['instance_uuid']})


def record_refusal(db: Database, context: RequestContext,
                   instance: Row, verb: states.Verb, error: str) -> None:
    """Keep a refusal because of a lock.

    The same refusal of the same caller under the same lock counts up one
    record, so that nobody can fill the table; it has the last one's reason.
    """
    since: datetime.datetime | None = instance.locked_at
    key = ':'.join((instance.uuid, verb, context.user_id or '',
                    since.isoformat() if since else ''))
    if _count(db, key, context.request_id, error):
        return
    values = describe(context, instance.uuid, verb, {})
    values |= {'refusal': key, 'error': error}
    try:
        _insert_refusal(db, values)
    except oslo_db.exception.DBDuplicateEntry:
        _count(db, key, context.request_id, error)


@transaction
def history(db: Database, instance_uuid: str, *, limit: int,
            before: int | None = None) -> Sequence[Row]:
    """An instance's actions, newest first, behind the row `before`."""
    query = sa.select(A).where(A.c.instance_uuid == instance_uuid)
    if before is not None:
        query = query.where(A.c.id < before)
    query = query.order_by(A.c.id.desc()).limit(limit)
    with db.reader() as connection:
        return connection.execute(query).all()


@transaction
def number(db: Database, instance_uuid: str, uuid: str) -> int | None:
    """The row number of one action of an instance."""
    with db.reader() as connection:
        return connection.execute(sa.select(A.c.id).where(
            A.c.uuid == uuid,
            A.c.instance_uuid == instance_uuid)).scalar_one_or_none()


@transaction
def due(db: Database, limit: int) -> Sequence[Row]:
    """Unfinished actions whose next look is due and whose instance nobody
    has claimed, the longest due first: what a look at many nodes at once
    needs to know of them."""
    query = (
        sa.select(A.c.uuid, A.c.verb, A.c.instance_uuid, A.c.created_at,
                  A.c.started_at, clock.NOW.label('now'), I.c.node_uuid)
        .join(I, I.c.uuid == A.c.instance_uuid)
        .where(A.c.next_at <= clock.NOW, _NAMED,
               sa.or_(I.c.claim_until.is_(None),
                      I.c.claim_until < clock.NOW))
        .order_by(A.c.next_at).limit(limit))
    with db.reader() as connection:
        return connection.execute(query).all()


@transaction
def postpone(db: Database, uuids: Sequence[str], seconds: float) -> None:
    """Look at these later, for their nodes are still busy."""
    with db.writer() as connection:
        connection.execute(
            sa.update(A).where(A.c.uuid.in_(uuids), A.c.outcome.is_(None))
            .values(next_at=clock.moment(seconds)))


@transaction
def pending(db: Database, instance_uuid: str) -> bool:
    """Whether an instance has an action that is due."""
    with db.reader() as connection:
        return connection.execute(_PENDING, {
            'instance': instance_uuid}).first() is not None


@transaction
def unfinished(db: Database, *, limit: int, older: float = 0,
               ) -> Sequence[Row]:
    """Unfinished actions of at least `older` seconds, the oldest first,
    with the database's time as `now`."""
    query = (sa.select(A, clock.NOW.label('now'))
             .where(A.c.next_at.is_not(None),
                    A.c.created_at <= clock.moment(-older))
             .order_by(A.c.created_at, A.c.id).limit(limit))
    with db.reader() as connection:
        return connection.execute(query).all()

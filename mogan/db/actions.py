# SPDX-License-Identifier: Apache-2.0
"""Accepted requests: the engine's work list while unfinished, the
instance's history afterwards; and refusals because of a lock."""

import datetime
import enum
from collections.abc import Sequence
from typing import Any, Final

import oslo_db.exception
import sqlalchemy as sa
from oslo_utils import uuidutils

from mogan import states
from mogan.context import RequestContext
from mogan.db import domains, models, rows
from mogan.db.core import clock
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried
from mogan.db.core.statements import CompiledDML

A = models.actions
I = models.instances  # noqa: E741 - read next to A


class Outcome(enum.StrEnum):
    """The outcome of an action; None while it is unfinished."""

    DONE = 'done'
    FAILED = 'failed'
    SUPERSEDED = 'superseded'
    REFUSED = 'refused'


class PendingNotifications(enum.IntEnum):
    """The pending notifications of an action."""

    ALL = 1
    END = 2


# The longest interval between two polls of an action, in seconds.
LONGEST_WAIT: Final = 30.0

_INSERT = sa.insert(A).values(
    fence=sa.select(I.c.fence).where(
        I.c.uuid == sa.bindparam('of')).scalar_subquery(),
    attempts=0, times=1, created_at=clock.NOW).inline()
_NAMES = ('uuid', 'instance_uuid', 'verb', 'arguments', 'user_id',
          'project_id', 'request_id', 'unpublished')
_INSERT_DUE = CompiledDML(_INSERT.values(next_at=clock.NOW), _NAMES)
_INSERT_DONE = CompiledDML(_INSERT.values(
    outcome=Outcome.DONE.value, finished_at=clock.NOW), _NAMES)
_INSERT_REFUSED = _INSERT.values(
    outcome=Outcome.REFUSED.value, finished_at=clock.NOW,
    updated_at=clock.NOW)
_COUNT_REFUSAL = sa.update(A).where(
    A.c.refusal == sa.bindparam('key')).values(
        times=A.c.times + 1, updated_at=clock.NOW, finished_at=clock.NOW,
        request_id=sa.bindparam('request'), error=sa.bindparam('words'))
_WORKABLE = sa.and_(domains.NAMED, domains.KNOWN_STATE, domains.KNOWN_VERB,
                    domains.READABLE_ACTION)
_PENDING = (
    sa.select(A.c.id).join(I, I.c.uuid == A.c.instance_uuid)
    .where(A.c.instance_uuid == sa.bindparam('instance'),
           A.c.next_at <= clock.NOW, _WORKABLE).limit(1))
_FARTHEST = clock.from_now(LONGEST_WAIT)
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
             arguments: dict[str, Any], *, notify: bool) -> dict[str, Any]:
    """Return the values of a new action row; `notify`: of which
    notifications are to be published."""
    return {'uuid': uuidutils.generate_uuid(),
            'instance_uuid': instance_uuid, 'verb': verb.value,
            'arguments': arguments, 'user_id': context.user_id,
            'project_id': context.project_id,
            'request_id': context.request_id,
            'unpublished': PendingNotifications.ALL.value if notify else None}


def insert(connection: sa.Connection, action: dict[str, Any], *,
           done: bool = False) -> None:
    """Add an action, as unfinished work or as something done at once."""
    change = _INSERT_DONE if done else _INSERT_DUE
    change.execute(connection, action | {'of': action['instance_uuid']})


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
    """Poll an action again in `seconds`.

    `started`: the driver has begun with it.  An error counts as an attempt.
    """
    values: dict[str, Any] = {
        'next_at': clock.from_now(min(seconds, LONGEST_WAIT))}
    if started:
        values['started_at'] = sa.func.coalesce(A.c.started_at, clock.NOW)
    if error:
        values |= {'error': error, 'attempts': A.c.attempts + 1}
    connection.execute(
        sa.update(A).where(A.c.uuid == uuid, A.c.outcome.is_(None))
        .values(values))


def record_refusal(connection: sa.Connection, action: dict[str, Any],
                   instance: rows.Instance, error: str) -> None:
    """Keep the refusal of an action because of a lock, in the transaction
    that holds the instance's row.

    The same refusal of the same caller under the same lock counts up one
    record, so that nobody can fill the table; it has the last one's reason.
    """
    since: object = instance.locked_at
    key = ':'.join((instance.uuid, action['verb'], action['user_id'] or '',
                    since.isoformat() if isinstance(
                        since, datetime.datetime) else str(since or '')))
    counted = connection.execute(_COUNT_REFUSAL, {
        'key': key, 'request': action['request_id'], 'words': error})
    if counted.rowcount == 1:
        return
    try:
        connection.execute(_INSERT_REFUSED, action | {
            'of': instance.uuid, 'arguments': {}, 'refusal': key,
            'error': error})
    except oslo_db.exception.DBDuplicateEntry as duplicate:
        # Another transaction has, since the snapshot of this one.
        raise oslo_db.exception.RetryRequest(duplicate) from duplicate


@retried
def history(db: Database, instance_uuid: str, *, limit: int,
            before: int | None = None) -> Sequence[rows.Action]:
    """Return an instance's actions, newest first, after the row `before`."""
    query = sa.select(A).where(A.c.instance_uuid == instance_uuid)
    if before is not None:
        query = query.where(A.c.id < before)
    return db.read(query.order_by(A.c.id.desc()).limit(limit))


@retried
def number(db: Database, instance_uuid: str, uuid: str) -> int | None:
    """Return the row number of one action of an instance."""
    for row in db.read(sa.select(A.c.id).where(
            A.c.uuid == uuid, A.c.instance_uuid == instance_uuid)):
        return row.id
    return None


@retried
def due(db: Database, limit: int, lease: float,
        ) -> Sequence[rows.DueAction]:
    """Return unfinished actions whose next poll is due and whose instance is
    not claimed, the longest due first: what one poll of many nodes needs.

    Also those whose claim ends further ahead than a lease, which has to be
    watched.
    """
    query = (
        sa.select(A.c.uuid, A.c.verb, A.c.instance_uuid, A.c.created_at,
                  A.c.started_at, clock.NOW.label('now'), I.c.node_uuid)
        .join(I, I.c.uuid == A.c.instance_uuid)
        .where(A.c.next_at <= clock.NOW, _WORKABLE,
               sa.or_(I.c.claim_until.is_(None),
                      I.c.claim_until < clock.NOW,
                      I.c.claim_until > clock.from_now(lease)))
        .order_by(A.c.next_at).limit(limit))
    return db.read(query)


@retried
def postpone(db: Database, uuids: Sequence[str], seconds: float) -> None:
    """Poll these later, for their nodes are still busy."""
    with db.writer() as connection:
        connection.execute(
            sa.update(A).where(A.c.uuid.in_(uuids), A.c.outcome.is_(None))
            .values(next_at=clock.from_now(min(seconds, LONGEST_WAIT))))


@retried
def bring_forward(db: Database) -> int:
    """Make due the actions whose next poll is further ahead than any
    interval: the database's clock has gone back.  Returns the number."""
    found = [row.id for row in db.read(
        sa.select(A.c.id).where(A.c.next_at > _FARTHEST).limit(1000))]
    if not found:
        return 0
    with db.writer() as connection:
        return connection.execute(
            sa.update(A).where(A.c.id.in_(found), A.c.outcome.is_(None),
                               A.c.next_at > _FARTHEST)
            .values(next_at=clock.NOW, started_at=sa.case(
                (A.c.started_at > clock.NOW, clock.NOW),
                else_=A.c.started_at))).rowcount


@retried
def pending(db: Database, instance_uuid: str) -> bool:
    """Return whether an instance has an action that is due."""
    return bool(db.read(_PENDING, instance=instance_uuid))


@retried
def unfinished(db: Database, *, limit: int, older: float = 0,
               ) -> Sequence[rows.UnfinishedAction]:
    """Return unfinished actions of at least `older` seconds, the oldest
    first, with the database's time as `now`.

    Those created in the future, since that clock has gone back, or at a
    time that cannot be read, count as old: their age is unknown.
    """
    query = (sa.select(A.c.verb, A.c.instance_uuid, A.c.attempts, A.c.error,
                       A.c.request_id, A.c.created_at,
                       clock.NOW.label('now'))
             .where(A.c.next_at.is_not(None),
                    sa.or_(A.c.created_at <= clock.from_now(-older),
                           A.c.created_at > clock.NOW,
                           sa.not_(clock.readable(A.c.created_at))))
             .order_by(A.c.created_at, A.c.id).limit(limit))
    return db.read(query)

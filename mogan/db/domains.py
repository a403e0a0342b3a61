# SPDX-License-Identifier: Apache-2.0
"""The values of the columns that decide what becomes of an instance, as far
as this release knows them.

A newer release may write others, and so may a hand.  A row that has one is
set aside: it is shown as it is, and nobody works on it.
"""

from collections.abc import Mapping
from types import NoneType
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from mogan import exception, states
from mogan.db import models, rows
from mogan.db.core import clock, types
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

A = models.actions
I = models.instances  # noqa: E741 - read next to A

_COLUMNS: Final[Mapping[str, frozenset[str]]] = {
    'status': frozenset(states.Status),
    'lock_state': frozenset(states.LockState),
    'node_protection': frozenset(states.NodeProtection)}
_VERBS: Final = frozenset(states.Verb)
_TIMESTAMPS: Final = tuple(column.name for column in A.c
                        if column.type is types.Timestamp)
# An action that its row does not name (any more) is nobody's work.
NAMED: Final = sa.or_(I.c.status_action == A.c.uuid,
                      I.c.lock_action == A.c.uuid)


class Unknown(NamedTuple):
    """A value that this release does not know, and where it is."""

    instance_uuid: str
    column: str
    value: str


def _within(column: sa.Column[str],
            values: frozenset[str]) -> sa.ColumnElement[bool]:
    # Written out: a bound list is expanded again for each execution.
    return column.in_([sa.literal_column(f"'{value}'")
                       for value in sorted(values)])


# Of an instance's row, and of an action's.
KNOWN_STATE: Final = sa.and_(*[
    _within(I.c[name], values) for name, values in _COLUMNS.items()])
KNOWN_VERB: Final = _within(A.c.verb, _VERBS)
# Moments that cannot be read would take the rows beside theirs with them.
READABLE_ACTION, READABLE_INSTANCE = (
    sa.and_(*[clock.readable(column) for column in table.c
              if column.type is types.Timestamp]) for table in (A, I))

_UNKNOWN_WORK: Final = (
    sa.select(A.c.uuid, A.c.instance_uuid, A.c.verb,
              *[I.c[name] for name in _COLUMNS],
              *[sa.case((sa.not_(clock.readable(A.c[name])),
                         sa.cast(A.c[name], sa.String(40)))).label(name)
                for name in _TIMESTAMPS])
    .join(I, I.c.uuid == A.c.instance_uuid)
    .where(A.c.next_at <= clock.NOW, NAMED,
           sa.not_(sa.and_(KNOWN_STATE, KNOWN_VERB, READABLE_ACTION)))
    .order_by(A.c.next_at).limit(sa.bindparam('limit', type_=sa.Integer())))


def unknown(row: Any) -> Unknown | None:
    """Return the unknown value of an instance's row, if it has one."""
    for name, values in _COLUMNS.items():
        value = getattr(row, name)
        if value not in values:
            return Unknown(row.uuid, name, value)
    return None


def unknown_action(action: Any) -> Unknown | None:
    """Return the unknown value of an action's row, if it has one."""
    if action.verb not in _VERBS:
        return Unknown(action.instance_uuid, 'verb', action.verb)
    if not isinstance(action.arguments, dict):
        return Unknown(action.instance_uuid, 'arguments',
                       str(action.arguments))
    for name in _TIMESTAMPS:
        if isinstance(value := getattr(action, name), str):
            return Unknown(action.instance_uuid, name, value)
    return None


def unknown_fault(row: Any) -> Unknown | None:
    """Return an instance's fault if its value is unknown."""
    if row.fault is None or isinstance(row.fault, dict):
        return None
    return Unknown(row.uuid, 'fault', str(row.fault))


def check(row: Any, *columns: str) -> None:
    """Raise NotUnderstood where the instance's row is not known, or one of
    these columns of JSON has no object."""
    found = unknown(row)
    for name in columns:
        if found is None and not isinstance(getattr(row, name), dict):
            found = Unknown(row.uuid, name, str(getattr(row, name)))
    if found is not None:
        raise exception.NotUnderstood(
            uuid=row.uuid, column=found.column, value=found.value)


def check_requirements(row: rows.Instance,
                       flavor: rows.Flavor | None) -> None:
    """Raise RequirementNotUnderstood where a column of JSON of these rows
    that a node is chosen or deployed by has something else."""
    _check_json('instance', row, metadata=(dict,),
                partitions=(dict, NoneType), networks=(list, NoneType))
    if flavor is not None:
        _check_json('flavor', flavor, resources=(dict,), traits=(list,))


def _check_json(table: str, row: Any, **kinds: tuple[type, ...]) -> None:
    for name, kind in kinds.items():
        value = getattr(row, name)
        if not isinstance(value, kind):
            raise exception.RequirementNotUnderstood(
                table=table, uuid=row.uuid, column=name, value=str(value))


@retried
def unknown_work(db: Database, limit: int) -> list[Unknown]:
    """Return the reasons why due actions are not worked on: unknown values in
    them, or in their instances."""
    return [_of_action(row) for row in db.read(_UNKNOWN_WORK, limit=limit)]


def _of_action(row: Any) -> Unknown:
    for name, values in _COLUMNS.items():
        if getattr(row, name) not in values:
            return Unknown(row.instance_uuid, name, getattr(row, name))
    if row.verb not in _VERBS:
        return Unknown(row.instance_uuid, 'verb', row.verb)
    name, value = next((name, value) for name in _TIMESTAMPS if (
        value := getattr(row, name)) is not None)
    return Unknown(row.instance_uuid, name, value)


class Count(NamedTuple):
    """Numbers of rows with unknown values."""

    instances: int
    actions: int


# A scan of one index, which has each status once for each instance.
_STRANGE_STATUS: Final = sa.and_(
    I.c.deleted == sa.false(), sa.not_(_within(
        I.c.status, _COLUMNS['status'])))
# What is not known is no `unlocked`.
_STRANGE_LOCK: Final = sa.and_(
    I.c.deleted == sa.false(), I.c.locked == sa.true(), sa.not_(sa.and_(*[
        _within(I.c[name], _COLUMNS[name])
        for name in ('lock_state', 'node_protection')])))
_COUNT: Final = sa.select(
    sa.select(sa.func.count()).where(_STRANGE_STATUS).scalar_subquery()
    .label('statuses'),
    sa.select(sa.func.count()).where(
        _STRANGE_LOCK, _within(I.c.status, _COLUMNS['status']))
    .scalar_subquery().label('locks'),
    sa.select(sa.func.count()).where(
        A.c.next_at.is_not(None),
        sa.not_(sa.and_(KNOWN_VERB, READABLE_ACTION))).scalar_subquery()
    .label('actions'))


@retried
def count(db: Database) -> Count:
    """Count live instances, and unfinished actions, with a value that
    is not known."""
    [found] = db.read(_COUNT)
    return Count(found.statuses + found.locks, found.actions)

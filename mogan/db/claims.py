# SPDX-License-Identifier: Apache-2.0
"""Who works on an instance: one claim for each, in the instance's row.

The database's clock decides whether a claim is live.  A worker reckons on
its own clock, from before it asked, how much of the lease is left.
"""

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from mogan.db import actions, clock, models
from mogan.db.engine import Database, transaction

A = models.actions
I = models.instances  # noqa: E741 - the table of this module

Row = sa.Row


@dataclasses.dataclass(slots=True)
class Claim:
    """A lease of an instance; `expires` is on this host's boot clock."""

    instance_uuid: str
    by: str
    seq: int
    lease: float
    expires: float

    def left(self) -> float:
        """Seconds of the lease that are certainly left."""
        return self.expires - boottime()


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """What a claim found: the row, and its unfinished actions with their
    `due`, the lock's first."""

    claim: Claim
    row: Row
    actions: Sequence[Row]


def boottime() -> float:
    """Seconds on a clock that also runs while the host is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def mine(claim: Claim) -> list[sa.ColumnElement[bool]]:
    """That the row is still under this claim."""
    return [I.c.uuid == claim.instance_uuid, I.c.claim_by == claim.by,
            I.c.claim_seq == claim.seq, I.c.claim_until > clock.NOW]


_TAKE = sa.update(I).where(
    I.c.uuid == sa.bindparam('key'),
    I.c.deleted_at.is_(None),
    sa.or_(I.c.claim_until.is_(None), I.c.claim_until < clock.NOW),
).values(
    claim_by=sa.bindparam('by'), claim_seq=I.c.claim_seq + 1,
    claim_until=clock.moment(sa.bindparam('lease', type_=sa.Float())))
_TAKE_FOR_REPAIR = _TAKE.values(fence=I.c.fence + 1)
_ROW = sa.select(I).where(I.c.uuid == sa.bindparam('key'))
_UNFINISHED = (
    sa.select(A, (A.c.next_at <= clock.NOW).label('due'),
              clock.NOW.label('now'))
    .where(A.c.uuid.in_([sa.bindparam('lock_action'),
                         sa.bindparam('status_action')])))


@transaction
def take(db: Database, uuid: str, by: str, lease: float, *,
         repair: bool = False) -> Work | None:
    """Claim an instance that nobody works on, and read what is to be done.

    A repair takes a new fencing number with it.
    """
    asked = boottime()
    with db.writer() as connection:
        taken = connection.execute(_TAKE_FOR_REPAIR if repair else _TAKE, {
            'key': uuid, 'by': by, 'lease': lease})
        if taken.rowcount != 1:
            return None
        row = connection.execute(_ROW, {'key': uuid}).one()
        found: Sequence[Row] = ()
        if row.lock_action or row.status_action:
            found = connection.execute(_UNFINISHED, {
                'lock_action': row.lock_action,
                'status_action': row.status_action}).all()
    claim = Claim(uuid, by, row.claim_seq, lease, asked + lease)
    return Work(claim, row, sorted(
        found, key=lambda action: action.uuid != row.lock_action))


_RENEW = sa.update(I).where(
    I.c.uuid == sa.bindparam('key'), I.c.claim_by == sa.bindparam('by'),
    I.c.claim_seq == sa.bindparam('seq'), I.c.claim_until > clock.NOW,
).values(claim_until=clock.moment(sa.bindparam('lease', type_=sa.Float())))


@transaction
def renew(db: Database, claim: Claim) -> bool:
    """Start the lease anew; False where the claim is lost."""
    asked = boottime()
    with db.writer() as connection:
        renewed = connection.execute(_RENEW, {
            'key': claim.instance_uuid, 'by': claim.by, 'seq': claim.seq,
            'lease': claim.lease}).rowcount == 1
    if renewed:
        claim.expires = asked + claim.lease
    return renewed


@transaction
def record(db: Database, claim: Claim, action: Row,
           values: dict[str, Any], error: str | None = None) -> bool:
    """Write down what an action has found out, and go on holding the claim;
    False where the row does not name it any more, or the claim is lost.

    An error counts as an attempt.
    """
    with db.writer() as connection:
        recorded = connection.execute(
            sa.update(I).where(*mine(claim), _names(action.uuid))
            .values(values)).rowcount == 1
        if recorded and error:
            actions.retry(connection, action.uuid, 0, started=False,
                          error=error)
        return recorded


def _names(uuid: str) -> sa.ColumnElement[bool]:
    return sa.or_(I.c.status_action == uuid, I.c.lock_action == uuid)


@dataclasses.dataclass(frozen=True, slots=True)
class Retry:
    """An unfinished action's next look, in so many seconds; an error
    counts as an attempt.

    `shown`: columns of the row, where that still names the action.
    """

    action_uuid: str
    seconds: float
    started: bool = False
    error: str | None = None
    shown: dict[str, Any] = dataclasses.field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """What it makes of the row's columns."""
        return {name: sa.case(
            (_names(self.action_uuid), sa.literal(value, I.c[name].type)),
            else_=I.c[name]) for name, value in self.shown.items()}


@transaction
def release(db: Database, claim: Claim, retries: Sequence[Retry] = (),
            values: dict[str, Any] | None = None) -> bool:
    """Let go of the claim, with what is to be tried again and when.

    False where the claim is lost: then nothing is written.
    """
    changed = {'claim_until': None, 'claim_by': None} | (values or {})
    for retry in retries:
        changed |= retry.values()
    with db.writer() as connection:
        released = connection.execute(
            sa.update(I).where(*mine(claim)).values(changed))
        if released.rowcount != 1:
            return False
        for retry in retries:
            actions.retry(connection, retry.action_uuid, retry.seconds,
                          started=retry.started, error=retry.error)
        return True

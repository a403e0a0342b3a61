# SPDX-License-Identifier: Apache-2.0
"""Claims: the leases of workers on instances, one in each instance's row.

The database's clock decides whether a claim is live. A worker measures on its
own clock, from before the query, how much of the lease is left. Where the
database's clock has been set back, a claim ends further ahead than a lease: it
is taken over only once an engine has seen it unchanged, on its own clock, for
longer than the lease, for its holder has not renewed it then.
"""

import dataclasses
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from mogan.db import actions, models, rows
from mogan.db.core import clock
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

A = models.actions
I = models.instances  # noqa: E741 - the table of this module


@dataclasses.dataclass(slots=True)
class Claim:
    """A lease of an instance; `expires` is on this host's boot clock."""

    instance_uuid: str
    by: str
    seq: int
    lease: float
    expires: float

    def left(self) -> float:
        """Return the seconds of the lease that are certainly left."""
        return self.expires - boottime()


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """The work under a claim: the row, and its unfinished actions with their
    `due`, the lock's first."""

    claim: Claim
    row: rows.Instance
    actions: Sequence[rows.ClaimedAction]


def boottime() -> float:
    """Return the seconds of a clock that also runs while the host is
    suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Watch:
    """One engine's memory of what it has seen in the database and since
    when, on its own clock; safe to share between threads."""

    # Forgotten is what has been seen for the first time longest ago.
    _MOST: Final = 10_000

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Any, float]] = {}
        self._lock = threading.Lock()

    def unchanged(self, key: str, value: Any, seconds: float) -> bool:
        """Return whether this has been so for longer, as far as was
        seen."""
        now = boottime()
        with self._lock:
            seen, since = self._seen.get(key, (None, now))
            if seen == value:
                return now - since > seconds
            self._seen.pop(key, None)
            if len(self._seen) >= self._MOST:
                del self._seen[next(iter(self._seen))]
            self._seen[key] = value, now
            return False

    def forget(self, key: str) -> None:
        """Begin again, whatever is seen next."""
        with self._lock:
            self._seen.pop(key, None)


def mine(claim: Claim) -> list[sa.ColumnElement[bool]]:
    """Return the condition that the row is still under this claim."""
    return [I.c.uuid == claim.instance_uuid, I.c.claim_by == claim.by,
            I.c.claim_seq == claim.seq, I.c.claim_until > clock.NOW]


_LEASE = sa.bindparam('lease', type_=sa.Float())
_CLAIM = sa.update(I).where(
    I.c.uuid == sa.bindparam('key'), I.c.deleted_at.is_(None),
).values(
    claim_by=sa.bindparam('by'), claim_seq=I.c.claim_seq + 1,
    claim_until=clock.from_now(_LEASE))
_FREE = _CLAIM.where(
    sa.or_(I.c.claim_until.is_(None), I.c.claim_until < clock.NOW))
_AHEAD = sa.select(I.c.claim_by, I.c.claim_seq, I.c.claim_until).where(
    I.c.uuid == sa.bindparam('key'), I.c.deleted_at.is_(None),
    I.c.claim_until > clock.from_now(_LEASE))
_SEEN = _CLAIM.where(
    I.c.claim_by == sa.bindparam('seen_by'),
    I.c.claim_seq == sa.bindparam('seen_seq'),
    I.c.claim_until == sa.bindparam('seen_until'))
# Each of them by whether it is for a repair.
_TAKE, _TAKE_OVER = (
    {False: change, True: change.values(fence=I.c.fence + 1)}
    for change in (_FREE, _SEEN))
_ROW = sa.select(I).where(I.c.uuid == sa.bindparam('key'))
_UNFINISHED = (
    sa.select(A, (A.c.next_at <= clock.NOW).label('due'),
              clock.NOW.label('now'))
    .where(A.c.uuid.in_([sa.bindparam('lock_action'),
                         sa.bindparam('status_action')])))


@retried
def take(db: Database, uuid: str, by: str, lease: float, *,
         repair: bool = False, watch: Watch | None = None,
         skew: float = 0) -> Work | None:
    """Claim an instance that nobody works on, and read what is to be done.

    A repair takes a new fencing number with it.  `watch`: what the caller
    remembers of claims that end further ahead than a lease; `skew`: what
    the database's clock may gain on the caller's over one.
    """
    values = {'key': uuid, 'by': by, 'lease': lease}
    asked = boottime()
    with db.writer() as connection:
        taken = connection.execute(_TAKE[repair], values)
        if taken.rowcount != 1 and not (watch and _take_over(
                connection, _TAKE_OVER[repair], values, watch, skew)):
            return None
        row = connection.execute(_ROW, {'key': uuid}).one()
        found: Sequence[rows.ClaimedAction] = ()
        if row.lock_action or row.status_action:
            found = connection.execute(_UNFINISHED, {
                'lock_action': row.lock_action,
                'status_action': row.status_action}).all()
    claim = Claim(uuid, by, row.claim_seq, lease, asked + lease)
    return Work(claim, row, sorted(
        found, key=lambda action: action.uuid != row.lock_action))


def _take_over(connection: sa.Connection, change: sa.Update,
               values: dict[str, Any], watch: Watch, skew: float) -> bool:
    """Claim an instance whose claim ends further ahead than a lease, where
    its holder must have stopped."""
    key, lease = values['key'], values['lease']
    seen = connection.execute(
        _AHEAD, {'key': key, 'lease': lease}).one_or_none()
    if seen is None:
        watch.forget(key)
        return False
    if not watch.unchanged(key, tuple(seen), lease + skew):
        return False
    return connection.execute(change, values | {
        'seen_by': seen.claim_by, 'seen_seq': seen.claim_seq,
        'seen_until': seen.claim_until}).rowcount == 1


_RENEW = sa.update(I).where(
    I.c.uuid == sa.bindparam('key'), I.c.claim_by == sa.bindparam('by'),
    I.c.claim_seq == sa.bindparam('seq'), I.c.claim_until > clock.NOW,
).values(claim_until=clock.from_now(sa.bindparam('lease', type_=sa.Float())))


@retried
def renew(db: Database, claim: Claim) -> bool:
    """Start the lease again; False where the claim is lost."""
    asked = boottime()
    with db.writer() as connection:
        renewed = connection.execute(_RENEW, {
            'key': claim.instance_uuid, 'by': claim.by, 'seq': claim.seq,
            'lease': claim.lease}).rowcount == 1
    if renewed:
        claim.expires = asked + claim.lease
    return renewed


@retried
def record(db: Database, claim: Claim, action: rows.Action,
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
    """An unfinished action's next poll, in `seconds`; an error counts as an
    attempt.

    `shown`: columns of the row, where that still names the action.
    """

    action_uuid: str
    seconds: float
    started: bool = False
    error: str | None = None
    shown: dict[str, Any] = dataclasses.field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """Return the new values of the row's columns."""
        return {name: sa.case(
            (_names(self.action_uuid), sa.literal(value, I.c[name].type)),
            else_=I.c[name]) for name, value in self.shown.items()}


@retried
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

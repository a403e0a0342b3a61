# SPDX-License-Identifier: Apache-2.0
"""The states of an instance and the transitions between them.

This table is the only place that knows which verb is allowed where. The
database layer turns an arrow into one conditional UPDATE; the documentation
and the checks of the protocol are generated from it.
"""

import dataclasses
import enum
from typing import Final


class Status(enum.StrEnum):
    """The status of an instance."""

    BUILDING = 'building'
    ACTIVE = 'active'
    STOPPED = 'stopped'
    POWERING_ON = 'powering-on'
    POWERING_OFF = 'powering-off'
    SOFT_POWERING_OFF = 'soft-powering-off'
    REBOOTING = 'rebooting'
    SOFT_REBOOTING = 'soft-rebooting'
    REBUILDING = 'rebuilding'
    DELETING = 'deleting'
    ERROR = 'error'


class LockState(enum.StrEnum):
    """The lock state of an instance, independent of its status."""

    UNLOCKED = 'unlocked'
    LOCKING = 'locking'
    LOCKED = 'locked'
    UNLOCKING = 'unlocking'


class NodeProtection(enum.StrEnum):
    """The protection of an instance's node, as far as the driver knows."""

    # There is no node, or nothing protects it.
    NONE = 'none'
    APPLIED = 'applied'
    # Not possible yet: the repair adds it when it is.
    PENDING = 'pending'
    UNSUPPORTED = 'unsupported'
    # Somebody else protects the node, for a reason of their own.
    FOREIGN = 'foreign'


class Verb(enum.StrEnum):
    """The kinds of request that an instance can get."""

    CREATE = 'create'
    # Makes an instance, too, of a machine that runs already.
    ADOPT = 'adopt'
    DELETE = 'delete'
    REBUILD = 'rebuild'
    POWER_ON = 'power_on'
    POWER_OFF = 'power_off'
    SOFT_POWER_OFF = 'soft_power_off'
    REBOOT = 'reboot'
    SOFT_REBOOT = 'soft_reboot'
    LOCK = 'lock'
    UNLOCK = 'unlock'
    # Changes no state; refused under a lock like the verbs that do.
    UPDATE = 'update'


class Column(enum.StrEnum):
    """The two state columns of an instance; each has its own owner action."""

    STATUS = 'status'
    LOCK = 'lock_state'


State = Status | LockState


@dataclasses.dataclass(frozen=True, slots=True)
class Arrow:
    """A transition from some states of a column to another, with its guards.

    `lock_states` and `statuses` are conditions on the column that the arrow
    does not write. `operable`: a caller who may operate locked instances is
    not bound by `lock_states`. `supersedes`: the sources have work under way,
    whose action ends when this one begins.
    """

    verb: Verb
    column: Column
    sources: frozenset[State]
    target: State
    statuses: frozenset[Status]
    lock_states: frozenset[LockState]
    operable: bool = False
    needs_node: bool = False
    supersedes: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Unchanged:
    """The instance is in the requested state already: accepted, and nothing is
    written."""


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """The state does not allow the request; `locked`: because of a lock."""

    locked: bool


EVERY_STATUS: Final = frozenset(Status)
EVERY_LOCK_STATE: Final = frozenset(LockState)
FREE: Final = frozenset({LockState.UNLOCKED})
# Data-destroying work is under way in the others.
LOCKABLE: Final = EVERY_STATUS - {
    Status.BUILDING, Status.REBUILDING, Status.DELETING}

# What a power verb wants, the status while it is under way, and the power
# state in the words of the hardware interface.
POWER: Final[dict[Verb, tuple[Status, Status]]] = {
    Verb.POWER_ON: (Status.STOPPED, Status.POWERING_ON),
    Verb.POWER_OFF: (Status.ACTIVE, Status.POWERING_OFF),
    Verb.SOFT_POWER_OFF: (Status.ACTIVE, Status.SOFT_POWERING_OFF),
    Verb.REBOOT: (Status.ACTIVE, Status.REBOOTING),
    Verb.SOFT_REBOOT: (Status.ACTIVE, Status.SOFT_REBOOTING),
}

# What does not wait for an operating system, and ends a change that does.
FORCED: Final = frozenset({Verb.POWER_OFF, Verb.REBOOT})
_SOFT: Final = frozenset({Status.SOFT_POWERING_OFF, Status.SOFT_REBOOTING})
_POWERING: Final = frozenset(during for _, during in POWER.values())


def _status_arrow(verb: Verb, sources: set[Status] | frozenset[Status],
                  target: Status, *, operable: bool = False,
                  needs_node: bool = False,
                  supersedes: bool = False) -> Arrow:
    return Arrow(verb, Column.STATUS, frozenset(sources), target,
                 EVERY_STATUS, FREE, operable, needs_node, supersedes)


def _lock_arrow(verb: Verb, source: LockState, target: LockState,
                statuses: frozenset[Status], *,
                supersedes: bool = False) -> Arrow:
    return Arrow(verb, Column.LOCK, frozenset({source}), target, statuses,
                 EVERY_LOCK_STATE, supersedes=supersedes)


def _power_arrows(verb: Verb) -> tuple[Arrow, ...]:
    source, during = POWER[verb]
    usual = _status_arrow(verb, {source}, during, operable=True)
    if verb not in FORCED:
        return (usual,)
    return usual, _status_arrow(verb, _SOFT, during, operable=True,
                                supersedes=True)


# The usual way first: the database tries that one without looking.
ARROWS: Final[dict[Verb, tuple[Arrow, ...]]] = {
    Verb.LOCK: (
        _lock_arrow(Verb.LOCK, LockState.UNLOCKED, LockState.LOCKING,
                    LOCKABLE),
        _lock_arrow(Verb.LOCK, LockState.UNLOCKING, LockState.LOCKING,
                    LOCKABLE, supersedes=True),
    ),
    Verb.UNLOCK: (
        _lock_arrow(Verb.UNLOCK, LockState.LOCKED, LockState.UNLOCKING,
                    EVERY_STATUS),
        _lock_arrow(Verb.UNLOCK, LockState.LOCKING, LockState.UNLOCKING,
                    EVERY_STATUS, supersedes=True),
    ),
    Verb.DELETE: (
        _status_arrow(Verb.DELETE,
                      {Status.ACTIVE, Status.STOPPED, Status.ERROR},
                      Status.DELETING),
        _status_arrow(Verb.DELETE,
                      _POWERING | {Status.BUILDING, Status.REBUILDING},
                      Status.DELETING, supersedes=True),
    ),
    Verb.REBUILD: (
        _status_arrow(Verb.REBUILD, {Status.ACTIVE, Status.STOPPED},
                      Status.REBUILDING, needs_node=True),
        _status_arrow(Verb.REBUILD, {Status.ERROR}, Status.REBUILDING,
                      needs_node=True),
    ),
} | {
    verb: _power_arrows(verb) for verb in POWER
}

# A request for what is already so, or already on its way.
SATISFIED: Final[dict[Verb, frozenset[State]]] = {
    Verb.LOCK: frozenset({LockState.LOCKING, LockState.LOCKED}),
    Verb.UNLOCK: frozenset({LockState.UNLOCKING, LockState.UNLOCKED}),
    Verb.DELETE: frozenset({Status.DELETING}),
}

# The states that work is under way in, and those that it may end in.  A
# delete never turns back: its only end is that the instance is gone.
GONE: Final = None
ENDS: Final[dict[State, frozenset[State | None]]] = {
    # Only what was taken over may be off then.
    Status.BUILDING: frozenset(
        {Status.ACTIVE, Status.STOPPED, Status.ERROR}),
    # Only what was not touched may be off then.
    Status.REBUILDING: frozenset(
        {Status.ACTIVE, Status.STOPPED, Status.ERROR}),
    Status.DELETING: frozenset({GONE}),
    LockState.LOCKING: frozenset({LockState.LOCKED}),
    LockState.UNLOCKING: frozenset({LockState.UNLOCKED}),
    **dict.fromkeys(_POWERING, frozenset(
        {Status.ACTIVE, Status.STOPPED, Status.ERROR})),
}

# What a look at its node may make of an instance that no action holds.
FOLLOWS: Final[dict[Status, frozenset[Status]]] = {
    status: frozenset({Status.ACTIVE, Status.STOPPED, Status.ERROR} - {status})
    for status in (Status.ACTIVE, Status.STOPPED, Status.ERROR)}

# The state that an unfinished action of a verb holds its column in.
UNDER_WAY: Final[dict[Verb, State]] = {
    Verb.CREATE: Status.BUILDING, Verb.ADOPT: Status.BUILDING,
    **{verb: arrows[0].target for verb, arrows in ARROWS.items()}}


def column_of(verb: Verb) -> Column:
    """Return the state column that a verb's action owns while it is
    unfinished."""
    if verb in (Verb.LOCK, Verb.UNLOCK):
        return Column.LOCK
    return Column.STATUS


def judge(verb: Verb, status: Status, lock_state: LockState, *,
          has_node: bool, operate_locked: bool,
          ) -> Arrow | Unchanged | Refused:
    """Return the decision on a request of `verb` for an instance in this
    state."""
    column = column_of(verb)
    here: State = lock_state if column is Column.LOCK else status
    if here in SATISFIED.get(verb, ()):
        return Unchanged()
    # The lock is the reason that a caller can do something about.
    free = lock_state is LockState.UNLOCKED
    if column is Column.STATUS and not free:
        operable = ARROWS[verb][0].operable
        if not (operable and operate_locked):
            return Refused(locked=True)
    for arrow in ARROWS[verb]:
        if (here in arrow.sources and status in arrow.statuses
                and (has_node or not arrow.needs_node)):
            return arrow
    return Refused(locked=False)

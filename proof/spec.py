# SPDX-License-Identifier: Apache-2.0
"""The answers and effects that are right, for an instance in each state.

Written down once more, apart from the product's own tables: a checker that
asked the product what is right would find nothing wrong.  The sequences and
the rig both judge by this page.
"""

import enum
from typing import Final, NamedTuple


class State(NamedTuple):
    """An instance, as far as the lock is concerned."""

    status: str
    lock: str


class Kind(enum.Enum):
    """The fate of a request."""

    DENIED = 'the caller may not, or there is no such instance'
    SAME = 'accepted, with nothing to be done'
    WORK = 'accepted, with work for the engine'
    DONE = 'accepted, and done at once'
    LOCKED = 'refused because of the lock'
    REFUSED = 'refused because of the state'


DESTROYING: Final = frozenset({'building', 'rebuilding', 'deleting'})
LOCKS: Final = ('unlocked', 'locking', 'locked', 'unlocking')
HELD: Final = frozenset({'locking', 'locked'})
POWER: Final = {    # target: verb, status before, status during
    'on': ('power_on', 'stopped', 'powering-on'),
    'off': ('power_off', 'active', 'powering-off'),
    'soft_off': ('soft_power_off', 'active', 'soft-powering-off'),
    'reboot': ('reboot', 'active', 'rebooting'),
    'soft_reboot': ('soft_reboot', 'active', 'soft-rebooting'),
}
# These take the place of a change that waits for an operating system.
FORCED: Final = frozenset({'off', 'reboot'})
SOFT: Final = frozenset({'soft-powering-off', 'soft-rebooting'})
POWERED: Final = frozenset({'active', 'stopped', 'error'})

BORN: Final = State('building', 'unlocked')
GONE: Final = State('gone', 'unlocked')
STATES: Final = (
    GONE, *(State(status, 'unlocked') for status in sorted(DESTROYING)),
    *(State(status, lock) for status in (
        *sorted(POWERED), *(during for _, _, during in POWER.values()))
      for lock in LOCKS))

# What the engine may make of a status or lock state, at any time: the ends
# of the work that is under way; where there is none, what the node has come
# to, by a call that was given up or by somebody else.
ENDS: Final = {
    **{status: POWERED - {status} for status in POWERED},
    'building': {'active', 'error'}, 'rebuilding': POWERED,
    'deleting': {GONE.status},
    **{during: POWERED for _, _, during in POWER.values()},
    'locking': {'locked'}, 'unlocking': {'unlocked'}}

# The statuses in which a call of the hardware may take effect, never under a
# lock.  A late deploy or rebuild of an instance that is being deleted
# destroys nothing more.
EFFECTS: Final = {
    'claim': {'building', 'deleting'},
    'deploy': {'building', 'rebuilding', 'deleting'},
    'rebuild': {'rebuilding', 'deleting'},
    'undeploy': {'deleting'},
}
DESTRUCTIVE: Final = frozenset({'deploy', 'rebuild', 'undeploy'})
_CONTRARY: Final = {'protect': 'unlocked', 'unprotect': 'locked'}


def answer(word: str, value: object, state: State, *, operating: bool,
           on_node: bool = True) -> tuple[Kind, State]:
    """Return what becomes of a request, and the state that it leaves.

    `value`: the target of a power request.  `operating`: the caller may
    operate locked instances.
    """
    if word in {'lock', 'unlock'}:
        return _lock(word, state)
    if word == 'delete' and state.status == 'deleting':
        return Kind.SAME, state
    if state.lock != 'unlocked' and not (
            operating and word in {'power', 'update'}):
        return Kind.LOCKED, state
    if word == 'update':
        return Kind.DONE, state
    status = _target(word, value, state.status, on_node)
    if status is None:
        return Kind.REFUSED, state
    return Kind.WORK, state._replace(status=status)


def _lock(word: str, state: State) -> tuple[Kind, State]:
    if (word == 'lock') == (state.lock in HELD):
        return Kind.SAME, state
    if word == 'unlock':
        return Kind.WORK, state._replace(lock='unlocking')
    if state.status in DESTROYING:
        return Kind.REFUSED, state
    return Kind.WORK, state._replace(lock='locking')


def _target(word: str, value: object, status: str,
            on_node: bool) -> str | None:
    """Return the status that a request leads to, with no lock in the way;
    None where it leads to none."""
    if word == 'delete':
        return 'deleting'
    if word == 'rebuild':
        return 'rebuilding' if on_node and status in POWERED else None
    _, before, during = POWER[str(value)]
    forced = value in FORCED and status in SOFT
    return during if status == before or forced else None


def engine(state: State) -> list[State]:
    """Return the states that the engine may make of this one."""
    if state.status == 'deleting':
        return [GONE]
    return [state._replace(status=end)
            for end in sorted(ENDS.get(state.status, ()))] + [
        state._replace(lock=end) for end in ENDS.get(state.lock, ())]


def allows(call: str, state: State) -> bool:
    """Return whether a call of the hardware may take effect in a state."""
    if call in EFFECTS:
        return state.lock == 'unlocked' and state.status in EFFECTS[call]
    return state.lock != _CONTRARY.get(call)

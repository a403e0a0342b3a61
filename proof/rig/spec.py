# SPDX-License-Identifier: Apache-2.0
"""What one instance answers where nothing happens at the same time.

Written down once more, apart from the product's own table: a checker that
asked the product what is right would find nothing wrong.
"""

import functools
from collections.abc import Iterable
from typing import Final, NamedTuple

from proof.rig import history


class State(NamedTuple):
    """An instance, as far as the lock is concerned."""

    status: str
    lock: str


# What a power request starts from, and leads to.
POWERS: Final = {
    'on': ('stopped', 'powering-on'),
    'off': ('active', 'powering-off'),
    'soft_off': ('active', 'soft-powering-off'),
    'reboot': ('active', 'rebooting'),
    'soft_reboot': ('active', 'soft-rebooting'),
}
DESTROYING: Final = frozenset({'building', 'rebuilding', 'deleting'})
LOCKS: Final = ('unlocked', 'locking', 'locked', 'unlocking')
STATUSES: Final = ('active', 'stopped', 'error',
                   *(during for _, during in POWERS.values()))
BORN: Final = State('building', 'unlocked')
GONE: Final = State('gone', 'unlocked')

STATES: Final = (
    GONE, *(State(status, 'unlocked') for status in sorted(DESTROYING)),
    *(State(status, lock) for status in STATUSES for lock in LOCKS))

# What the engine may do by itself, at any time.
_STATUS_ENDS: Final = {
    'building': ('active', 'stopped', 'error'),
    'rebuilding': ('active', 'error'),
    **dict.fromkeys((during for _, during in POWERS.values()),
                    ('active', 'stopped', 'error')),
    # Where the node has changed: a call that was given up landed.
    'active': ('stopped', 'error'), 'stopped': ('active', 'error'),
    'error': ('active', 'stopped')}
_LOCK_ENDS: Final = {'locking': 'locked', 'unlocking': 'unlocked'}

# The states that a call of the hardware may take effect in.  A late deploy
# or rebuild of an instance that is being deleted destroys nothing more.
_EFFECTS: Final = {
    'claim': {'building', 'deleting'},
    'deploy': {'building', 'rebuilding', 'deleting'},
    'rebuild': {'rebuilding', 'deleting'},
    'undeploy': {'deleting'},
}
DESTRUCTIVE: Final = frozenset({'deploy', 'rebuild', 'undeploy'})
EFFECTS: Final = frozenset(_EFFECTS)


def engine(state: State) -> list[State]:
    """What the engine may make of a state."""
    if state.status == 'deleting':
        return [GONE]
    ends = [state._replace(status=end)
            for end in _STATUS_ENDS.get(state.status, ())]
    if state.lock in _LOCK_ENDS:
        ends.append(state._replace(lock=_LOCK_ENDS[state.lock]))
    return ends


def outcomes(kind: str, state: State, *,
             operator: bool) -> dict[str, State]:
    """The answers that a request may get in a state, each with the state
    that it leaves."""
    word, _, target = kind.partition(' ')
    if state == GONE:
        return {history.GONE: state}
    if word == history.READ:
        return {f'saw:{state.status}:{state.lock}': state}
    if word in {history.LOCK, history.UNLOCK}:
        return _lock(word, state)
    if word == history.DELETE and state.status == 'deleting':
        return {history.DONE: state}
    if state.lock != 'unlocked' and not (
            word == history.POWER and operator):
        return {history.LOCKED: state}
    return _change(word, target, state)


def _lock(word: str, state: State) -> dict[str, State]:
    held = state.lock in {'locking', 'locked'}
    if word == history.UNLOCK:
        return {history.DONE:
                state._replace(lock='unlocking') if held else state}
    if state.status in DESTROYING:
        return {f'state:{state.status}': state}
    return {history.DONE: state if held else state._replace(lock='locking')}


def _change(word: str, target: str, state: State) -> dict[str, State]:
    """What changes the status, with no lock in the way."""
    if word == history.DELETE:
        return {history.DONE: state._replace(status='deleting')}
    refusal = {f'state:{state.status}': state}
    if word == history.REBUILD:
        rebuilt = {history.DONE: state._replace(status='rebuilding')}
        match state.status:
            case 'active' | 'stopped':
                return rebuilt
            case 'error':   # its build may have found no node
                return rebuilt | {'no-node:error': state}
        return refusal
    source, during = POWERS[target]
    if state.status != source:
        return refusal
    return {history.DONE: state._replace(status=during)}


_NUMBERS: Final = {state: number for number, state in enumerate(STATES)}


@functools.cache
def moves(kind: str, answer: str, *, operator: bool) -> tuple[int, ...]:
    """The number of the state that follows on each state, in the order of
    STATES, where a request got this answer; -1 where it could not have.

    For UNKNOWN: where it was accepted and changed something.
    """
    found = []
    for state in STATES:
        possible = outcomes(kind, state, operator=operator)
        follows = possible.get(
            history.DONE if answer == history.UNKNOWN else answer)
        if answer == history.UNKNOWN and follows == state:
            follows = None
        found.append(-1 if follows is None else _NUMBERS[follows])
    return tuple(found)


@functools.cache
def effect(call: str) -> tuple[int, ...]:
    """The same for a call of the hardware that took effect."""
    return tuple(number if state.status in _EFFECTS[call] else -1
                 for state, number in _NUMBERS.items())


ENGINE: Final = tuple(tuple(_NUMBERS[end] for end in engine(state))
                      for state in STATES)


def numbers(states: Iterable[State]) -> list[int]:
    """These states' numbers."""
    return [_NUMBERS[state] for state in states]

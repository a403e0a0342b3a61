# SPDX-License-Identifier: Apache-2.0
"""The specification in the answers that the rig records, and in numbers of
states, for the search."""

import functools
from collections.abc import Iterable
from typing import Final

from proof.rig import history
from proof.spec import GONE, STATES, Kind, State, allows, answer, engine


def outcomes(kind: str, state: State, *,
             operator: bool) -> dict[str, State]:
    """Return the answers that a request may get in a state, each with the
    state after it."""
    word, _, target = kind.partition(' ')
    if state == GONE:
        return {history.GONE: state}
    if word == history.READ:
        return {f'saw:{state.status}:{state.lock}': state}
    found, after = answer(word, target, state, operating=operator)
    possible = {{
        Kind.LOCKED: history.LOCKED, Kind.REFUSED: f'state:{state.status}',
    }.get(found, history.DONE): after}
    if (kind, state) == (history.REBUILD, State('error', 'unlocked')):
        # Its build may have found no node.
        possible['no-node:error'] = state
    return possible


_NUMBERS: Final = {state: number for number, state in enumerate(STATES)}


@functools.cache
def moves(kind: str, seen: str, *, operator: bool) -> tuple[int, ...]:
    """Return the number of the next state of each state, in the order of
    STATES, if a request got this answer; -1 if it could not have.

    For UNKNOWN: where it was accepted and changed something.
    """
    found = []
    for state in STATES:
        possible = outcomes(kind, state, operator=operator)
        follows = possible.get(
            history.DONE if seen == history.UNKNOWN else seen)
        if seen == history.UNKNOWN and follows == state:
            follows = None
        found.append(-1 if follows is None else _NUMBERS[follows])
    return tuple(found)


@functools.cache
def effect(call: str) -> tuple[int, ...]:
    """Return the same for a driver call that took effect."""
    return tuple(number if allows(call, state) else -1
                 for state, number in _NUMBERS.items())


ENGINE: Final = tuple(tuple(_NUMBERS[end] for end in engine(state))
                      for state in STATES)


def numbers(states: Iterable[State]) -> list[int]:
    """Return these states' numbers."""
    return [_NUMBERS[state] for state in states]

# SPDX-License-Identifier: Apache-2.0
"""The search for an order of one instance's operations that explains every
answer.

The search is Wing and Gong's in the form that Lowe gave it ("Testing for
linearizability", 2017): operations are put in order only when one of them
has been answered and so must have happened, and of all the ways that led
there only the states that they can have left are kept.  Operations with
unknown outcome stay open to the end, and what the engine does by itself may
happen at any time.
"""

import dataclasses
import heapq
import operator
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from proof import spec
from proof.rig import answers
from proof.rig.history import NEVER, UNKNOWN, Entry, Operation

# Ways kept open at one time; beyond, an instance is given up as undecided.
_MOST: Final = 200_000
# Events that a trace of a violation shows.
_SHOWN: Final = 30


class _Event(NamedTuple):
    """An operation or an entry, as the search sees it.

    `moves` moves from each state's number to the next one, or to -1;
    `watches`: it never changes a state.
    """

    sent: float
    answered: float
    moves: tuple[int, ...]
    watches: bool
    what: Operation | Entry


class _Way(NamedTuple):
    """One explanation so far: the state it leaves, the pending events that
    it has put in order (bits), and how many of each kind of unknown
    operation it needed."""

    state: int
    done: int
    used: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """An answer, or an effect, that no order explains.

    `possible` are the states that the instance can have been in.
    """

    instance: str
    what: Operation | Entry
    possible: tuple[spec.State, ...]
    trace: tuple[Operation | Entry, ...]
    undecided: bool = False

    def __str__(self) -> str:
        if self.undecided:
            head = f'{self.instance}: too many orders to decide at'
        else:
            head = f'{self.instance}: no order explains'
        states = ', '.join(f'{state.status}/{state.lock}'
                           for state in self.possible)
        return '\n'.join([
            f'{head} this answer:', f'    {self.what}',
            f'  where the instance could be: {states}', '  after:',
            *(f'    {event}' for event in self.trace)])


def check(operations: Iterable[Operation],
          entries: Iterable[Entry] = ()) -> Violation | None:
    """Judge one instance's operations, and the effects on its node."""
    search = _Search(_events(operations, entries))
    return search.run()


def _events(operations: Iterable[Operation],
            entries: Iterable[Entry]) -> list[_Event]:
    events = []
    for operation in operations:
        moves = answers.moves(operation.kind, operation.answer,
                              operator=operation.operator)
        if operation.answer == UNKNOWN and not _changes(moves):
            continue
        events.append(_Event(operation.sent, operation.answered, moves,
                             not _changes(moves), operation))
    return events + [
        _Event(entry.at, entry.before, answers.effect(entry.call), True, entry)
        for entry in entries
        if entry.call in spec.EFFECTS and entry.outcome == 'effect']


def _changes(moves: Sequence[int]) -> bool:
    return any(after not in (-1, before)
               for before, after in enumerate(moves))


class _Seen:
    """The points that have been looked at, with what each needed."""

    def __init__(self) -> None:
        self._points: dict[tuple[int, int], list[tuple[int, ...]]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def better(self, way: _Way) -> bool:
        """Keep the way, unless one that needed no more was there."""
        kept = self._points.setdefault((way.state, way.done), [])
        for less in kept:
            if all(map(operator.le, less, way.used)):
                return False
        kept.append(way.used)
        self._count += 1
        return True


class _Search:
    def __init__(self, events: list[_Event]) -> None:
        self._events = events
        # Unknown operations of a kind are all alike: how many may be used.
        self._kinds = sorted({event.moves for event in events
                              if event.answered == NEVER})
        self._open = [0] * len(self._kinds)
        self._pending: dict[int, _Event] = {}
        self._ways = {_Way(state, 0, (0,) * len(self._kinds))
                      for state in answers.numbers([spec.BORN])}

    def run(self) -> Violation | None:
        """Go through the events in the order of their times."""
        # What begins when another one ends overlaps it.
        times = sorted(
            [(event.sent, 0, number)
             for number, event in enumerate(self._events)]
            + [(event.answered, 1, number)
               for number, event in enumerate(self._events)
               if event.answered != NEVER])
        for position, (_, ended, number) in enumerate(times):
            event = self._events[number]
            if not ended:
                self._begin(number, event)
                continue
            ways = self._explain(number)
            if ways is None or not ways:
                return self._violation(times[:position], event,
                                       undecided=ways is None)
            self._ways = ways
            del self._pending[number]
        return None

    def _begin(self, number: int, event: _Event) -> None:
        if event.answered == NEVER:
            self._open[self._kinds.index(event.moves)] += 1
        else:
            self._pending[number] = event

    def _explain(self, number: int) -> set[_Way] | None:
        """Return the ways in which the event has happened by now; None if
        there are too many to search."""
        slots = {other: 1 << slot
                 for slot, other in enumerate(self._pending)}
        bit = slots[number]
        watchers = [(slots[other], event.moves)
                    for other, event in self._pending.items()
                    if event.watches]
        changers = self._changers(slots)
        found = []
        seen = _Seen()
        work = [(sum(way.used), way) for way in self._ways]
        heapq.heapify(work)
        # Those that needed the fewest unknown operations come first, so
        # that nothing is looked at that needs more of them in vain.
        while work:
            way = _watched(heapq.heappop(work)[1], watchers)
            if not seen.better(way):
                continue
            if len(seen) > _MOST:
                return None
            if way.done & bit:
                found.append(_renumbered(way, slots, number))
                continue
            for follows in self._next(way, changers):
                heapq.heappush(work, (sum(follows.used), follows))
        return set(found)

    def _changers(self, slots: dict[int, int],
                  ) -> list[list[tuple[int, tuple[int, ...]]]]:
        """Pending events that change a state, like ones together, the one
        that is answered first in front."""
        like: dict[tuple[int, ...], list[tuple[float, int]]] = {}
        for other, event in self._pending.items():
            if not event.watches:
                like.setdefault(event.moves, []).append(
                    (event.answered, slots[other]))
        return [[(bit, moves) for _, bit in sorted(group)]
                for moves, group in like.items()]

    def _next(self, way: _Way,
              changers: list[list[tuple[int, tuple[int, ...]]]],
              ) -> list[_Way]:
        state, done, used = way
        ways = [_Way(after, done, used) for after in answers.ENGINE[state]]
        for group in changers:
            # Of several that are alike, the first answered goes first.
            for bit, moves in group:
                if not done & bit:
                    if moves[state] >= 0:
                        ways.append(_Way(moves[state], done | bit, used))
                    break
        for kind, moves in enumerate(self._kinds):
            if used[kind] < self._open[kind] and moves[state] >= 0:
                ways.append(_Way(
                    moves[state], done,
                    (*used[:kind], used[kind] + 1, *used[kind + 1:])))
        return ways

    def _violation(self, times: list[tuple[float, int, int]],
                   event: _Event, *, undecided: bool) -> Violation:
        # Each once, where it was last seen.
        shown = dict.fromkeys(number for _, _, number in reversed(times))
        trace = [self._events[number].what
                 for number in list(shown)[:_SHOWN]]
        what = event.what
        return Violation(
            what.instance or '', what,
            tuple(sorted({spec.STATES[way.state] for way in self._ways})),
            tuple(sorted((one for one in trace if one is not what),
                         key=_began)), undecided)


def _began(what: Operation | Entry) -> float:
    return what.sent if isinstance(what, Operation) else what.at


def _watched(way: _Way,
             watchers: list[tuple[int, tuple[int, ...]]]) -> _Way:
    """Return the way, with all that this state explains without a change:
    having that behind it never harms."""
    done = way.done
    for bit, moves in watchers:
        if moves[way.state] == way.state:
            done |= bit
    return way._replace(done=done)


def _renumbered(way: _Way, slots: dict[int, int], gone: int) -> _Way:
    """Return the way, with the bits of the next iteration."""
    done, slot = 0, 0
    for other, bit in slots.items():
        if other == gone:
            continue
        if way.done & bit:
            done |= 1 << slot
        slot += 1
    return way._replace(done=done)

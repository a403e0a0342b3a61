# SPDX-License-Identifier: Apache-2.0
"""The next steps of a run: weighed by what there is, so that most steps get
somewhere."""

import dataclasses
import datetime
from typing import Any, Final

from hypothesis import strategies as st

from mogan.baremetal.simulated import faults
from proof.spec import POWER, Kind
from proof.stateful.requests import Request, Row, judge
from proof.stateful.world import ENGINES

Action = tuple[Any, ...]

IMAGES: Final = tuple(f'{digit}1111111-2222-3333-4444-555555555555'
                      for digit in '123')
REQUESTS: Final = (
    Request('lock'), Request('lock', 'disk'), Request('lock', 'fan'),
    Request('unlock'), Request('delete'),
    *(Request('rebuild', image) for image in IMAGES),
    *(Request('power', target) for target in POWER),
    Request('update', {'name': 'db'}), Request('update', {'name': 'web'}))
_USERS: Final = ('admin', 'demo', 'other', 'reader', 'nobody', None)
# How often a request of a kind is made, and of a word, where it would be.
_KINDS: Final = {Kind.WORK: 8, Kind.LOCKED: 4, Kind.DONE: 2, Kind.SAME: 1,
                 Kind.REFUSED: 1}
_WORDS: Final = {'lock': 4, 'unlock': 3, 'rebuild': 4, 'delete': 2,
                 'power': 2, 'update': 1}
_FAULTS: Final = tuple(
    f'{call} {mode}'
    for call in ('look', 'find', *sorted(faults.EFFECTS))
    for mode in sorted(set(faults.Mode) - {faults.Mode.HANG})
    if call in faults.MEETS[mode])

_engine: Final = st.integers(0, ENGINES - 1)
# Where to stop: at no driver call, or at one of the first.
_stop: Final = st.sampled_from([None, 0, 1, 2, 2, 2, 3, 4, 5])
_number: Final = st.integers(0, 3)

# The weight of each where all is settled, where work is to be done, and
# where some has stopped in the middle.
_WEIGHTS: Final = {
    'ask': (14, 6, 8), 'create': (2, 1, 1), 'work': (2, 8, 4),
    'deliver': (2, 8, 3), 'sweep': (2, 5, 5), 'wake': (0, 0, 6),
    'wait': (1, 3, 5), 'lose': (1, 2, 1), 'fail': (3, 3, 2),
    'strike': (2, 3, 2), 'outsider': (3, 1, 1), 'purge': (1, 1, 0)}
_CALM: Final = frozenset({'ask', 'create', 'work', 'deliver', 'sweep',
                          'wait'})
_ARGUMENTS: Final = {
    'create': (st.sampled_from(['demo', 'demo', *_USERS]),),
    'work': (st.integers(1, 4),),
    'deliver': (_engine, _number, _stop, st.booleans()),
    'sweep': (_engine, _stop),
    'wake': (_number, _stop),
    'wait': (st.sampled_from([1, 7, 0.1, 65, 7, 65]),),
    'lose': (_number, st.sampled_from(['engine', 'messages', 'claim'])),
    'fail': (st.sampled_from([None, None, *_FAULTS]),
             st.sampled_from([1, 1, 2, 3, None])),
    'strike': (st.integers(0, 4), st.booleans()),
    'outsider': (_number, st.sampled_from(
        ['protect', 'protect', 'unprotect', 'unprotect', 'break', 'mend',
         'take away', 'keep from new ones', 'let them'])),
    'purge': (),
}
_STRATEGIES: Final = {
    name: st.tuples(st.just(name), *arguments)
    for name, arguments in _ARGUMENTS.items()}


@dataclasses.dataclass(frozen=True)
class Scene:
    """The present situation; `calm` where nothing fails and nobody dies."""

    rows: list[Row]
    now: datetime.datetime
    room: bool
    messages: bool
    stopped: bool
    calm: bool

    def _possible(self, name: str) -> bool:
        if self.calm and name not in _CALM:
            return False
        return {'ask': bool(self.rows), 'create': self.room,
                'deliver': self.messages}.get(name, True)

    def actions(self) -> st.SearchStrategy[Action]:
        """Any action that makes sense."""
        unfinished = any(row['status_action'] or row['lock_action']
                         for row in self.rows)
        names = [name for name, weights in _WEIGHTS.items()
                 for _ in range(weights[2 if self.stopped else unfinished])
                 if self._possible(name)]
        return st.sampled_from(names).flatmap(
            lambda name: self._asking() if name == 'ask'
            else _STRATEGIES[name])

    def _asking(self) -> st.SearchStrategy[Action]:
        found: dict[tuple[Kind, str], list[Action]] = {}
        for number, row in enumerate(self.rows):
            for user in _USERS:
                for request in REQUESTS:
                    kind = judge(request, user, None if
                                 row['deleted_at'] else row, self.now).kind
                    found.setdefault((kind, request.word), []).append(
                        ('ask', user, number, request))
        return st.sampled_from([
            alike for alike in found for _ in range(
                _KINDS.get(alike[0], 0) * _WORDS[alike[1]] or 1)]).flatmap(
                    lambda alike: st.sampled_from(found[alike]))

# SPDX-License-Identifier: Apache-2.0
"""Tells what happens on a path, step by step, in plain words."""

from collections.abc import Iterator
from typing import Final

from proof.model import node as hardware
from proof.model import workers
from proof.model.explorer import Result, moves_alone
from proof.model.numbers import tidy
from proof.model.state import (
    ABSENT,
    CALL,
    FINISH,
    GONE,
    HOLDS,
    POLL,
    RECORD,
    RELEASE,
    Move,
    Node,
    Part,
    Worker,
)

_LETTERS: Final = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
_CALLS: Final = {
    'claim': 'take a node', 'seal_older': 'seal all older numbers',
    'seal': 'seal its number'}
_NODE: Final = {
    'powered': 'the change of power is over',
    'wiped': 'the node has been wiped and is free',
    'installed': 'the image is on the node, which is active now',
    'broken': 'the work on the node fails',
    'outsider protects': 'an outsider protects the node by hand',
    'outsider unprotects': 'an outsider takes the protection off the node',
    'outsider undeploys': 'an outsider undeploys the node'}


def describe(result: Result) -> list[str]:
    """Return the counterexample, a line for each step."""
    lines = []
    node, parts = result.path[0]
    fresh = 1
    for to_node, to_parts in result.path[1:]:
        me, move = _find(result, node, parts, to_node, to_parts, fresh)
        line = _sentence(move, parts[me - 1]) if me else (
            _NODE[move.label[0]])
        if me > 1:
            line += f' (instance {me})'
        lines.append(line)
        node = to_node
        if me:
            changed = tidy(move.part, result.rules,
                           result.bounds.of(me).late)
            parts = (*parts[:me - 1], changed, *parts[me:])
            fresh += move.label[0] in ('takes', 'repairs')
    lines.append(f'=> {result.broken}')
    return lines


def _find(result: Result, node: Node, parts: tuple[Part, ...],
          to_node: Node, to_parts: tuple[Part, ...],
          fresh: int) -> tuple[int, Move]:
    """Return the step between two states, and its owner: 0 for the node."""
    found = []
    for me, part in enumerate(parts, 1):
        bounds = result.bounds.of(me)
        for move in _all(part, node, me, result, fresh):
            after = _nameless(tidy(move.part, result.rules, bounds.late))
            if (after == to_parts[me - 1]
                    and (move.node or node) == to_node
                    and all(_nameless(other) == to_parts[at]
                            for at, other in enumerate(parts)
                            if at != me - 1)):
                found.append((me, move))
    for label, after_node, _ in hardware.moves(node, result.bounds):
        if after_node == to_node and all(
                _nameless(part) == to_parts[at]
                for at, part in enumerate(parts)):
            found.append((0, Move(label, Part())))
    found.sort(key=lambda one: one[1].breaks != result.broken)
    return found[0]


def _all(part: Part, node: Node, me: int, result: Result,
         fresh: int) -> Iterator[Move]:
    bounds = result.bounds.of(me)
    yield from moves_alone(part, result.rules, bounds, fresh)
    if part.row.status != ABSENT:
        yield from workers.moves(part, node, me, result.rules, bounds, fresh)


def _nameless(part: Part) -> Part:
    return part._replace(
        workers=tuple(sorted(one._replace(name=0) for one in part.workers)),
        late=tuple(sorted(one._replace(name=0) for one in part.late)))


def _sentence(move: Move, part: Part) -> str:
    kind, *about = move.label
    if kind in _API:
        return _API[kind].format(*about, at=part.row.status)
    if kind == 'request':
        return _request(*about)
    if kind == 'expires':
        return _expiry(part)
    who = f'worker {_LETTERS[about[0] - 1]}'
    if kind in _OTHERS:
        return f'{who} {_OTHERS[kind](*about[1:])}'
    words = [_CALLS.get(word, word) if isinstance(word, str) else word
             for word in about[1:]]
    return _ENGINE[kind].format(*words, who=who)


_API: Final = {
    'reads': 'an API process reads that it may {0}, and pauses',
    'writes': 'the API process writes and accepts the {0}, without looking '
              'again',
    'answers early': 'the API answers a lock with 202 before it has written '
                     'it',
    'writes late': 'the API process writes the {0}, where it still may',
    'api crashes': 'the API process dies',
    'recovery': 'a recovery moves the {at} instance to error',
    'clock': "the database's clock goes back, so that the claim ends further "
             'ahead than a lease',
    'watches': 'an engine begins to watch the claim',
    'follows': 'a poll of the node makes the {at} instance {0}',
}
_ENGINE: Final = {
    'repairs': '{who} claims the instance for a repair: {0}',
    'calls': '{who} calls the driver: {0} ({1})',
    'no answer': "{who}'s call takes effect, but no answer comes: {0}",
    'on its way': "{who}'s call hangs on its way, and it gives up: {0}",
    'fails': "{who}'s call fails: {0} ({1})",
    'records': '{who} writes down which node it is',
    'is overtaken': '{who} finds that the row does not name its action any '
                    'more',
    'forgets': '{who} finds its claim gone, and stops',
    'renews': '{who} renews its claim',
    'releases': '{who} lets go of the claim',
    'never': "{who}'s late call never arrives: {0}",
    'lands': "{who}'s late call lands: {0} ({1})",
    'polls late': '{who} polls the node without its claim, for: {1}',
}


def _request(verb: str, supersedes: object) -> str:
    over = ', over what is under way' if supersedes else ''
    return f'{verb} is accepted (202){over}'


def _expiry(part: Part) -> str:
    for worker in part.workers:
        if worker.claim == HOLDS:
            return (f'worker {_LETTERS[worker.name - 1]} pauses '
                    f'{_where(worker)}, and its lease runs out')
    return 'the lease of the claim runs out'


def _where(worker: Worker) -> str:
    kind = worker.detail[0] if worker.detail else ''
    return {
        POLL: 'before it polls the node',
        CALL: f'before its call: {_CALLS.get(kind, kind)}',
        RECORD: 'before it writes down which node it is',
        FINISH: f'before it writes the outcome, {kind}',
        RELEASE: 'before it lets go of the claim'}[worker.place]


def _dies(place: str, detail: tuple) -> str:
    return f"dies {_where(Worker('', 0, place, detail))}"


def _takes(verb: str, remark: str) -> str:
    return f'claims the instance: {verb}{_late(remark)}'


def _polls(verb: str, remark: str) -> str:
    if remark == 'in vain':
        return 'cannot poll the node'
    return f'polls the node for the {verb}{_late(remark)}'


def _late(remark: str) -> str:
    return ', and gives the work up: it takes too long' if remark else ''


def _finishes(verb: str, end: str) -> str:
    return (f'finishes the {verb}: '
            f'{"the instance is gone" if end == GONE else end}')


_OTHERS: Final = {'stops': _dies, 'takes': _takes, 'polls': _polls,
                  'finishes': _finishes}

# SPDX-License-Identifier: Apache-2.0
"""Holds the model against the code, so that it cannot drift from it.

Requests and ends against the table of states, the steps of each verb against
the functions that the engine runs, the repair's eye against the engine's.
"""

import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

from mogan import states
from mogan.baremetal import driver
from mogan.engine import repair
from mogan.engine.actions import STEPS
from mogan.engine.results import Again, Done, Failed
from mogan.engine.task import Limits, Task
from mogan.states import Verb
from proof.model import node as hardware
from proof.model import requests, steps, workers
from proof.model.rules import Rules
from proof.model.state import (
    ACTIVE,
    CALL,
    CREATE,
    DELETE,
    DEPLOY,
    FINISH,
    GONE,
    LOCK,
    LOOK,
    POWER,
    PROTECT,
    REBOOT,
    REBUILD,
    REBUILD_NODE,
    RECORD,
    RELEASE,
    SEAL,
    SEAL_OLDER,
    TAKE_NODE,
    UNDEPLOY,
    UNLOCK,
    UNPROTECT,
    Node,
    Row,
)

UUID: Final = 'the instance'
NODE_UUID: Final = 'the node'
_VERBS: Final = (CREATE, LOCK, UNLOCK, DELETE, REBUILD, REBOOT)
_WORKS: Final = ('available', 'deploying', 'active', 'rebuilding',
                 'undeploying', 'failed')
_ERRORS: Final = {
    hardware.NOT_OURS: driver.NotOurs, hardware.FENCED: driver.Fenced,
    hardware.REFUSED: driver.Refused, hardware.NODE_BUSY: driver.NodeBusy,
    hardware.NO_NODE: driver.NoNodeAvailable,
    hardware.NOT_PROTECTABLE: driver.NotProtectable,
    hardware.UNAVAILABLE: driver.Unavailable}
_USUAL: Final = (hardware.OK, hardware.NOT_OURS, hardware.FENCED,
                 hardware.NODE_BUSY, hardware.REFUSED, hardware.UNAVAILABLE)
_ANSWERS: Final = {
    TAKE_NODE: (hardware.OK, hardware.NO_NODE, hardware.FENCED,
                hardware.REFUSED, hardware.UNAVAILABLE),
    PROTECT: (hardware.OK, hardware.NOT_OURS, hardware.FENCED,
              hardware.NOT_PROTECTABLE, hardware.UNAVAILABLE),
    UNPROTECT: (hardware.OK, hardware.NOT_OURS, hardware.FENCED,
                hardware.UNAVAILABLE),
    SEAL: (hardware.OK, hardware.UNAVAILABLE),
    SEAL_OLDER: (hardware.OK, hardware.UNAVAILABLE),
    **dict.fromkeys((DEPLOY, REBUILD_NODE, UNDEPLOY, POWER), _USUAL)}
_FENCE: Final = 7


class Disagreement(Exception):
    """The model does something else than the code."""


def check(rules: Rules | None = None) -> dict[str, int]:
    """Compare everything; returns how many cases of each kind."""
    return {'requests': check_requests(), 'sights of drift': check_drift(),
            'ways through a step': check_steps(rules or Rules())}


def check_requests() -> int:
    """What the model accepts is what `states.judge` lets through."""
    count = 0
    for verb, status, lock, on_node in itertools.product(
            states.ARROWS, states.Status, states.LockState, (False, True)):
        if (lock is not states.LockState.UNLOCKED
                and status not in states.LOCKABLE):
            continue    # the database does not hold such a row
        verdict = states.judge(verb, status, lock, has_node=on_node,
                               operate_locked=True)
        expected = verdict if isinstance(verdict, states.Arrow) else None
        found = requests.accepted(verb, status.value, lock.value, on_node,
                                  Rules())
        _same((verb, status, lock, on_node), expected, found)
        count += 1
    return count


def check_drift() -> int:
    """The model repairs what the engine repairs."""
    count = 0
    for node, lock, protection in itertools.product(
            _nodes(), ('unlocked', 'locked'),
            ('none', 'pending', 'applied')):
        row = SimpleNamespace(uuid=UUID, lock_state=lock,
                              node_protection=protection, locked_reason=None)
        _same((node, lock, protection), repair.drifted(row, _real(node)),
              workers.drifted(Row(ACTIVE, lock, protection=protection), node,
                              1))
        count += 1
    return count


def _allow(verb: str, end: str) -> None:
    """See that `states.ENDS` lets a verb end like this."""
    ends = states.ENDS[states.UNDER_WAY[Verb(verb)]]
    if end not in {GONE if one is None else one.value for one in ends}:
        raise Disagreement(f'a {verb} ends in {end}')


def _same(case: Any, expected: Any, found: Any) -> None:
    if expected != found:
        raise Disagreement(f'{case}: the code says {expected}, the model '
                           f'{found}')


def _nodes() -> list[Node]:
    return [Node(carries, work, powering, protected)
            for carries, work, powering, protected in itertools.product(
                (0, 1), _WORKS, (False, True), (False, True))
            if carries or work == 'available'
            if work == 'active' or not powering]


def _real(node: Node) -> driver.Node:
    return driver.Node(
        NODE_UUID, 'a node', 'CLASS', driver.Availability(node.work),
        driver.PowerState.ON,
        driver.PowerTarget.REBOOT if node.powering else None,
        UUID if node.carries else None, node.protected)


# What the looks of one step may find; without an end, a delete's would be
# without end too.
_FEW: Final = [None, Node(), Node(1), Node(1, 'rebuilding'),
              Node(1, 'active', protected=True)]
_SIGHTS: Final = ([None, *_nodes()], _FEW, _FEW, [None])


class _Script:
    """Runs a step again and again, until every choice has been made."""

    def __init__(self) -> None:
        self._choices: list[list[int]] = []
        self._at = 0

    def choose(self, options: Any) -> Any:
        """The next option, of this many."""
        if self._at == len(self._choices):
            self._choices.append([0, len(options)])
        chosen = self._choices[self._at][0]
        self._at += 1
        return options[chosen]

    def runs(self) -> Iterator[None]:
        """One turn for each combination of choices."""
        while True:
            self._at = 0
            yield
            while self._choices and (
                    self._choices[-1][0] + 1 == self._choices[-1][1]):
                self._choices.pop()
            if not self._choices:
                return
            self._choices[-1][0] += 1


class _Scripted(Task):
    """A task whose driver and time do what the script chooses, and whose
    every question is written down."""

    def __init__(self, script: _Script, verb: str, *, on_node: bool,
                 started: bool) -> None:
        row = SimpleNamespace(
            uuid=UUID, node_uuid=NODE_UUID if on_node else None, name='',
            locked_reason=None, launched_at=None, image_uuid='',
            adopting=None)
        action = SimpleNamespace(verb=verb, fence=_FENCE, arguments={},
                                 started_at=started or None, attempts=0,
                                 error=None)
        claim: Any = SimpleNamespace(left=lambda: float('inf'))
        super().__init__(SimpleNamespace(), _Driver(script, self), claim,
                         row, action, Limits())
        self.script = script
        self.events: list[tuple] = []

    elapsed = waited = 0.0
    too_long = 'too long'

    @property
    def overdue(self) -> bool:
        late = self.script.choose((False, True))
        self.events.append(('late', late))
        return late

    def order(self, *, whole: bool = False) -> Any:
        return SimpleNamespace(image_uuid='', instance_uuid=UUID)

    def record(self, **values: Any) -> None:
        self.events.append(('record', tuple(values)))

    def _renew(self) -> None:
        pass

    def _cover(self) -> None:
        pass


class _Driver:
    """Answers as the script chooses."""

    def __init__(self, script: _Script, task: _Scripted) -> None:
        self._script = script
        self._task = task

    def find(self, instance_uuid: str) -> driver.Node | None:
        found = self.look([NODE_UUID])[NODE_UUID]
        return found if found.instance_uuid == instance_uuid else None

    def look(self, uuids: list[str]) -> dict[str, driver.Node]:
        looks = [event for event in self._task.events if event[0] == LOOK]
        node = self._script.choose(_SIGHTS[min(len(looks), 3)])
        self._task.events.append((LOOK, node))
        if node is None:
            raise driver.Unavailable
        return {NODE_UUID: _real(node)}

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            kind = name
            if name == SEAL and arguments[-1] == _FENCE - 1:
                kind = SEAL_OLDER
            answer = self._script.choose(_ANSWERS[kind])
            left = Node(1)
            if kind == TAKE_NODE and answer == hardware.OK:
                left = self._script.choose(
                    [node for node in _nodes() if node.carries])
            self._task.events.append((CALL, kind, answer, left))
            if answer != hardware.OK:
                raise _ERRORS[answer]
            return _real(left)
        return call


def check_steps(rules: Rules) -> int:
    """Each step of the engine, with every sight of the node and every
    answer, goes the way that it goes in the model."""
    count = 0
    for verb, on_node, started in itertools.product(
            _VERBS, (False, True), (False, True)):
        if verb in (REBUILD, REBOOT) and not on_node:
            continue
        script = _Script()
        for _ in script.runs():
            task = _Scripted(script, verb, on_node=on_node, started=started)
            outcome = _outcome(task)
            row = Row(status='', on_node=on_node, started=started)
            try:
                found = _follow(verb, row, task.events, rules)
            except (LookupError, ValueError) as error:
                raise Disagreement(f'{verb}: the model does not know '
                                   f'{task.events}') from error
            _same((verb, on_node, started, task.events), outcome, found)
            count += 1
    return count


def _outcome(task: _Scripted) -> tuple:
    try:
        result = STEPS[task.verb](task)
    except driver.Definite:
        return RELEASE, False
    if isinstance(result, Again):
        # Only these ask whether they have begun.
        asks = task.verb in (Verb.REBUILD, Verb.REBOOT)
        return RELEASE, result.started and asks
    assert isinstance(result, Done | Failed)
    end = GONE if result.end is states.GONE else result.end.value
    recorded = 'recorded' if 'node_uuid' in result.values else ''
    return FINISH, end, result.values.get('node_protection', recorded)


def _way(ways: list[tuple[str, steps.Next]],
         rest: list[tuple]) -> steps.Next:
    """The way that is gone, by whether the action takes too long."""
    late = len(ways) > 1 and rest.pop(0)[1]
    return ways[bool(late)][1]


def _follow(verb: str, row: Row, events: list[tuple],
            rules: Rules) -> tuple:
    """Where the same events lead a worker of the model."""
    rest = list(events)
    here = _way(steps.first(verb, row, rules), rest)
    while here.place in (LOOK, CALL, RECORD):
        event = rest.pop(0)
        if event[0] != here.place:
            raise ValueError(f'{event} at {here}')
        if here.place == LOOK:
            ways = ([('', steps.AGAIN)] if event[1] is None else steps.look(
                verb, here.detail, event[1], 1, rules))
        elif here.place == CALL:
            _, kind, answer, node = event
            if kind != here.detail[0]:
                raise ValueError(f'{event} at {here}')
            ways = [('', steps.answered(verb, here.detail, answer, node,
                                        rules))]
        else:
            ways = steps.recorded(verb, here.detail, rules)
        here = _way(ways, rest)
    if rest:
        raise ValueError(f'{rest} is left')
    if here.place == FINISH:
        _allow(verb, here.detail[0])
        return FINISH, *here.detail
    return RELEASE, here.detail[0]


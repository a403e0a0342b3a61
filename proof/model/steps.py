# SPDX-License-Identifier: Apache-2.0
"""The engine's own steps, from one place to the next.

A step of `mogan.engine.actions` runs with a driver, a database and a clock
that answer as a script says.  Where the script ends, the question is a place
of the worker, and the step runs again for each answer to it.  Places are
known by what follows them: two from which everything goes on alike are one.
"""

import dataclasses
import functools
import itertools
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from mogan import states
from mogan.baremetal import driver
from mogan.baremetal.protection import Protection
from mogan.engine import protection
from mogan.engine.actions import STEPS
from mogan.engine.drift import protection as drift
from mogan.engine.lease import LeasedDriver
from mogan.engine.results import Again, Done, Failed
from mogan.engine.task import Limits, Task
from mogan.states import NodeProtection, Verb
from proof.model import node as hardware
from proof.model.rules import Rules
from proof.model.state import (
    BUSY,
    CALL,
    DELETE,
    ERROR,
    FINISH,
    GONE,
    POLL,
    POWER,
    POWERS,
    PROTECT,
    REBUILD_NODE,
    RECORD,
    RELEASE,
    REPAIR,
    SEAL,
    SEAL_OLDER,
    SOFT_POWER,
    TAKE_NODE,
    UNDEPLOY,
    UNPROTECT,
    VERB_OF,
    WORKS,
    Node,
)


class Next(NamedTuple):
    """A place, and what has to be remembered there.

    poll, record: what follows, as a number; call: its kind, whether the
    lease was renewed for it, and what follows; finish: the end, and the
    node's protection, or that the node is written down; release: whether the
    driver has begun, and the protection.
    """

    place: str
    detail: tuple = ()


# Where a step may lead; the second way, if any, is that of an action which
# takes too long.
Ways = tuple[tuple[str, Next], ...]

AGAIN: Final = Next(RELEASE, (False, ''))
TOO_LONG: Final = 'too long'
IN_VAIN: Final = 'in vain'  # a poll that meets no driver

_UUID: Final = 'the instance'
_NODE_UUID: Final = 'the node'
_FENCE: Final = 7
_LATE: Final = 'late'       # asks whether the action takes too long

_PROTECTIONS: Final = ((False, False), (True, False), (True, True))
_OURS: Final = tuple(
    Node(1, work, powering, *kept) for work in WORKS for kept in _PROTECTIONS
    for powering in (('',) if work in BUSY else POWERS))
_ERRORS: Final = {
    hardware.NOT_OURS: driver.NotOurs, hardware.FENCED: driver.Fenced,
    hardware.REFUSED: driver.Refused, hardware.NODE_BUSY: driver.NodeBusy,
    hardware.NO_NODE: driver.NoNodeAvailable,
    hardware.NOT_PROTECTABLE: driver.NotProtectable,
    hardware.PROTECTED: driver.Protected,
    hardware.FOREIGN: driver.ForeignProtection('', None),
    hardware.UNAVAILABLE: driver.Unavailable}
_USUAL: Final = (hardware.OK, hardware.NOT_OURS, hardware.FENCED,
                 hardware.NODE_BUSY, hardware.REFUSED, hardware.UNAVAILABLE)
# Of the calls that can be answered otherwise.
_ANSWERS: Final = {
    # It says which node, as it is.
    TAKE_NODE: (*_OURS, hardware.NO_NODE, hardware.FENCED, hardware.REFUSED,
                hardware.UNAVAILABLE),
    PROTECT: (hardware.OK, hardware.NOT_OURS, hardware.FENCED,
              hardware.NOT_PROTECTABLE, hardware.FOREIGN,
              hardware.UNAVAILABLE),
    UNPROTECT: (hardware.OK, hardware.NOT_OURS, hardware.FENCED,
                hardware.FOREIGN, hardware.UNAVAILABLE),
    **dict.fromkeys((SEAL, SEAL_OLDER), (hardware.OK, hardware.UNAVAILABLE)),
    **dict.fromkeys((REBUILD_NODE, UNDEPLOY),
                    (*_USUAL, hardware.PROTECTED))}


def first(verb: str, on_node: bool, started: bool, rules: Rules) -> Ways:
    """Return the place at which the work on an action begins."""
    return _begin(verb, on_node, started, _alike(rules))


def repair(kind: str, rules: Rules) -> Next:
    """Return the place at which a repair begins that makes this call."""
    return _mending(kind, _alike(rules))


def poll(detail: tuple, node: Node, me: int) -> Ways:
    """Return the places to which a poll of the node leads."""
    return _FOLLOWING[detail[-1]][_sight(node, me)]


def answered(detail: tuple, answer: str, node: Node, me: int) -> Ways:
    """Return the places to which a call's answer leads; `node` is as the call
    has left it."""
    found = answer
    if (detail[0], answer) == (TAKE_NODE, hardware.OK):
        found = _sight(node, me)
    return _FOLLOWING[detail[-1]][found]


def in_vain(detail: tuple) -> Ways:
    """Return the places that follow when the driver cannot be asked about the
    node."""
    return _FOLLOWING[detail[-1]][IN_VAIN]


def recorded(detail: tuple) -> Ways:
    """Return the places that follow when the node has been recorded."""
    return _FOLLOWING[detail[-1]][hardware.OK]


@functools.cache
def drifted(lock: str, kept: str, node: Node, me: int) -> bool:
    """Return whether the engine would repair the protection of this node;
    `kept` is what the row says of it."""
    row: Any = SimpleNamespace(uuid=_UUID, lock_state=lock,
                               node_protection=kept, locked_reason=None)
    return drift.drifted(row, real(_sight(node, me)))


@functools.cache
def sends(detail: tuple) -> frozenset[str]:
    """Return the calls that may follow a poll without a renewed lease."""
    return frozenset(
        there.detail[0] for ways in _FOLLOWING[detail[-1]].values()
        for _, there in ways if there.place == CALL and not there.detail[1])


@functools.cache
def _sight(node: Node, me: int) -> Node:
    """Return what a worker of this instance sees of the node."""
    if node.carries != me:
        return Node()
    return node._replace(carries=1, meddled=False)


def count(rules: Rules) -> int:
    """Return the number of paths through all steps, by their outcomes."""
    return sum(_count(first(verb, on_node, started, rules))
               for verb, on_node, started in itertools.product(
                   VERB_OF.values(), (False, True),
                   (False, True)))


@functools.cache
def _count(ways: Ways) -> int:
    return sum(
        1 if there.place in (FINISH, RELEASE) else
        sum(map(_count, _FOLLOWING[there.detail[-1]].values()))
        for _, there in ways)


# The rules that change a step.
_RULES: Final = (
    'fencing', 'renewed', 'build_seals', 'rebuild_seals', 'delete_seals',
    'delete_seals_older', 'rebuild_waits', 'not_protectable_settles',
    'not_ours_settles', 'foreign_settles', 'protects_own',
    'delete_unprotects', 'delete_turns_back')
_VARIANTS: dict[tuple, Rules] = {}


@functools.cache
def _alike(rules: Rules) -> Rules:
    """Return the first rules that made the same of each step."""
    return _VARIANTS.setdefault(
        tuple(getattr(rules, name) for name in _RULES), rules)


@functools.cache
def _begin(verb: str, on_node: bool, started: bool, rules: Rules) -> Ways:
    ways = [_grow((verb, on_node, begun, rules)) for begun in (False, True)]
    if ways[0] == ways[1]:
        # Nobody asks whether it has begun.
        return _grow((verb, on_node, None, rules))
    return ways[started]


@functools.cache
def _mending(kind: str, rules: Rules) -> Next:
    [(_, there)] = _grow((REPAIR, True, kind, rules))
    return there


_PLACES: dict[tuple, Next] = {}
_FOLLOWING: list[dict[Node | str | bool, Ways]] = []


def _grow(step: tuple, script: tuple = ()) -> Ways:
    """Return the place that a step reaches after these answers, with all that
    follows."""
    try:
        return (('', _run(*step, script)),)
    except _Question as question:
        place, about, options = question.args
    grown = tuple(_grow(step, (*script, option)) for option in options)
    if place == _LATE:
        usual, late = grown
        return usual if usual == late else (
            *usual, *((TOO_LONG, there) for _, there in late))
    key = (place, about, grown)
    if key not in _PLACES:
        _PLACES[key] = Next(place, (*about, len(_FOLLOWING)))
        _FOLLOWING.append(dict(zip(options, grown, strict=True)))
    return (('', _PLACES[key]),)


def _run(verb: str, on_node: bool, begun: Any, rules: Rules,
         script: tuple) -> Next:
    task = _Task(verb, rules, script, on_node=on_node, begun=begun)
    try:
        if verb == REPAIR:
            return Next(RELEASE, (False, _mend(task, kind=begun)))
        result = STEPS[task.verb](task)
        if verb == DELETE and rules.delete_seals and isinstance(result, Done):
            task.driver.seal()
    except driver.Definite:
        if verb == DELETE and rules.delete_turns_back:
            return Next(FINISH, (ERROR, ''))
        return AGAIN
    if isinstance(result, Again):
        return Next(RELEASE, (result.started and begun is not None, ''))
    assert isinstance(result, Done | Failed)
    assert result.end in states.ENDS[states.UNDER_WAY[task.verb]]
    end = GONE if result.end is states.GONE else result.end.value
    recorded_ = 'recorded' if 'node_uuid' in result.values else ''
    return Next(FINISH, (end, str(result.values.get(
        'node_protection', recorded_))))


def _mend(task: '_Task', kind: str) -> str:
    """Make a repair's call; returns what is known of the protection."""
    try:
        return protection.outcome(
            lambda: getattr(task.driver, kind)(_NODE_UUID, None),
            NodeProtection.APPLIED if kind == PROTECT
            else NodeProtection.NONE).value
    except driver.Definite:
        return ''


class _Question(BaseException):
    """The script has ended: where, about what, and the answers there are.

    No Exception, so that no step takes it for a driver's.
    """


class _Task(Task):
    """A task whose driver, database and time do what the script says, and
    which leaves out what the rules have been dropped for."""

    elapsed = waited = 0.0
    too_long = TOO_LONG

    def __init__(self, verb: str, rules: Rules, script: tuple, *,
                 on_node: bool, begun: Any) -> None:
        row = SimpleNamespace(
            uuid=_UUID, node_uuid=_NODE_UUID if on_node else None, name='',
            locked_reason=None, node_protection='none', launched_at=None,
            image_uuid=None, adopting=None)
        action = SimpleNamespace(
            verb=Verb.LOCK if verb == REPAIR else verb, fence=_FENCE,
            arguments={}, started_at=begun or None, attempts=0, error=None)
        unused: Any = SimpleNamespace(instance_uuid=_UUID)
        hardware: Any = _Driver(self)
        super().__init__(unused, hardware, unused, row, action, Limits())
        self.driver = _Leased(self, unused, hardware, unused, _FENCE)
        self.rules = rules
        self.renewed = False
        self._script = iter(script)
        self._seen: list[driver.Node | None] = []

    def ask(self, place: str, about: tuple, options: tuple) -> Any:
        """Return the script's next answer."""
        for answer in self._script:
            return answer
        raise _Question(place, about, options)

    @property
    def overdue(self) -> bool:
        return self.ask(_LATE, (), (False, True))

    def spec(self, *, with_secrets: bool = False) -> Any:
        return SimpleNamespace(image_uuid=None, instance_uuid=_UUID)

    def record(self, **values: Any) -> None:
        self.ask(RECORD, (), (hardware.OK,))

    def node(self) -> driver.Node | None:
        waits = self.rules.rebuild_waits
        if self._seen and self.verb is Verb.REBUILD and waits != 'sealed':
            [seen] = self._seen
            if seen and waits == 'never':
                return _idle(seen)
            return seen
        node = super().node()
        if node is None and self.row.node_uuid and not (
                self.rules.not_ours_settles):
            raise driver.Unavailable
        self._seen.append(node)
        return node


class _Leased(LeasedDriver):
    """Under a lease that has no end."""

    def __init__(self, task: _Task, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._task = task

    def seal(self) -> None:
        rules = self._task.rules
        if {Verb.CREATE: rules.build_seals,
                Verb.REBUILD: rules.rebuild_seals}.get(
                    self._task.verb, True):
            super().seal()

    def seal_older(self) -> None:
        if self._task.rules.delete_seals_older:
            super().seal_older()

    def _renew(self) -> None:
        self._task.renewed = self._task.rules.renewed

    def _covered(self) -> bool:
        return True


def _idle(node: driver.Node) -> driver.Node:
    if not node.busy:
        return node
    return dataclasses.replace(
        node, power_target=None, availability=driver.Availability.ACTIVE)


class _Driver:
    """Answers as the script of its task says."""

    def __init__(self, task: _Task) -> None:
        self._task = task

    def find(self, instance_uuid: str) -> driver.Node | None:
        found = self.look([_NODE_UUID])[_NODE_UUID]
        return found if found.instance_uuid == instance_uuid else None

    def look(self, uuids: list[str]) -> dict[str, driver.Node]:
        node = self._task.ask(POLL, (), (IN_VAIN, Node(), *_OURS))
        if node == IN_VAIN:
            raise driver.Unavailable
        return {_NODE_UUID: self._real(node)}

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            if name == SEAL and not self._task.rules.fencing:
                return None
            renewed, self._task.renewed = self._task.renewed, False
            kind = _kind(name, arguments)
            answer = self._task.ask(CALL, (kind, renewed),
                                    _ANSWERS.get(kind, _USUAL))
            if isinstance(answer, Node):
                return self._real(answer)
            if answer == hardware.OK:
                return None
            raise _ERRORS[self._heard(answer)]
        return call

    def _heard(self, answer: str) -> str:
        """Return an answer as one who knows these rules takes it."""
        rules = self._task.rules
        if {
                hardware.NOT_OURS: rules.not_ours_settles,
                hardware.NOT_PROTECTABLE: rules.not_protectable_settles,
                hardware.FOREIGN: rules.foreign_settles}.get(answer, True):
            return answer
        return hardware.UNAVAILABLE

    def _real(self, node: Node) -> driver.Node:
        rules = self._task.rules
        if not rules.protects_own:
            node = node._replace(foreign=False)
        if self._task.verb is Verb.DELETE and not rules.delete_unprotects:
            node = node._replace(protected=False)
        return real(node)


def real(node: Node) -> driver.Node:
    """Return what a driver shows of this node."""
    reason = 'another' if node.foreign else Protection(_UUID).text
    return driver.Node(
        _NODE_UUID, 'a node', 'CLASS', driver.Availability(node.work),
        driver.PowerState.ON,
        driver.PowerTarget(node.powering) if node.powering else None,
        _UUID if node.carries else None, node.protected,
        reason if node.protected else None)


def _kind(name: str, arguments: tuple) -> str:
    """Return a call's kind, by its name and what it is given."""
    if name == SEAL and arguments[-1].fence < _FENCE:
        return SEAL_OLDER
    if name == POWER and arguments[2] not in driver.FORCED:
        return SOFT_POWER
    return name

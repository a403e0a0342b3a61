# SPDX-License-Identifier: Apache-2.0
"""Compares with the code what the model says once more: the requests that a
row admits, and what the simulated driver makes of a call."""

import itertools
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any, Final

from mogan import states
from mogan.baremetal import driver
from mogan.baremetal.protection import Protection
from mogan.baremetal.simulated import SimulatedDriver, inventory
from proof.model import node as hardware
from proof.model import requests
from proof.model.rules import Rules
from proof.model.state import (
    BUSY,
    DEPLOY,
    DESTRUCTIVE,
    FORCED,
    POWER,
    POWERS,
    PROTECT,
    REBUILD_NODE,
    SEAL,
    SOFT,
    SOFT_POWER,
    TAKE_NODE,
    UNDEPLOY,
    UNPROTECT,
    WORKS,
    Fences,
    Node,
)

_NAMES: Final = {0: None, 1: 'one', 2: 'another'}
_NUMBER: Final = 2
_PERMIT: Final = driver.Permit(_NUMBER, lambda: True)
_ANSWERS: Final = {
    driver.NotOurs: hardware.NOT_OURS, driver.Fenced: hardware.FENCED,
    driver.NodeBusy: hardware.NODE_BUSY,
    driver.NotProtectable: hardware.NOT_PROTECTABLE,
    driver.NoNodeAvailable: hardware.NO_NODE,
    driver.Protected: hardware.PROTECTED,
    driver.ForeignProtection: hardware.FOREIGN}
# The reasons of a protection of ours, and of one that is not.
_OURS: Final = Protection('one')
_REASONS: Final = {False: _OURS.text, True: 'another'}


def cases() -> Iterator[tuple[str, Fences, Node]]:
    """Yield each call, on each node, with fencing tokens around its own."""
    nodes = [Node()] + [
        Node(carries, work, powering, *protection)
        for carries, work, powering, protection in itertools.product(
            (1, 2), WORKS, POWERS,
            ((False, False), (True, False), (True, True)))
        if work not in BUSY or not powering]
    around = (_NUMBER - 1, _NUMBER, _NUMBER + 1)
    for node in nodes:
        for kind in (TAKE_NODE, DEPLOY, REBUILD_NODE, UNDEPLOY):
            for sealed, begun, work in itertools.product(
                    around, around, (kind, '')):
                yield kind, Fences(sealed, begun=begun, work=work), node
        for number in around:
            yield PROTECT, Fences(protection=number), node
            yield UNPROTECT, Fences(protection=number), node
            yield POWER, Fences(power=number), node
            yield SOFT_POWER, Fences(power=number), node
            yield SEAL, Fences(sealed=number), node


class Disagreement(Exception):
    """The model does something else than the code."""


def _same(case: Any, expected: Any, found: Any) -> None:
    if expected != found:
        raise Disagreement(f'{case}: the code says {expected}, the model '
                           f'{found}')


def check_requests(rules: Rules | None = None) -> int:
    """See that the model accepts what `states.judge` lets through; returns
    the number of cases."""
    count = 0
    for verb, status, lock, on_node in itertools.product(
            states.ARROWS, states.Status, states.LockState, (False, True)):
        if (lock is not states.LockState.UNLOCKED
                and status not in states.LOCKABLE):
            continue    # the database does not hold such a row
        verdict = states.judge(verb, status, lock, has_node=on_node,
                               operate_locked=True)
        _same((verb, status, lock, on_node),
              verdict if isinstance(verdict, states.Arrow) else None,
              requests.accepted(verb, status.value, lock.value, on_node,
                                rules or Rules()))
        count += 1
    return count


def check_calls(rules: Rules | None = None) -> int:
    """Make each call on each node; returns how many."""
    count = 0
    with tempfile.TemporaryDirectory() as directory:
        bench = _Bench(pathlib.Path(directory) / 'inventory')
        for kind, fences, node in cases():
            landing = hardware.land(kind, _NUMBER, 1, fences, node,
                                    rules or Rules())
            _same(f'{kind} of {_NUMBER} on {node} with {fences}',
                  bench.call(kind, fences, node),
                  (landing.answer, landing.fences, landing.node))
            count += 1
        bench.hardware.close()
    return count


class _Bench:
    """A simulated driver with one node, put into any state."""

    def __init__(self, path: pathlib.Path) -> None:
        self._now = 1.0
        self.hardware = SimulatedDriver(path, clock=lambda: self._now)
        self._node = inventory.new_node('a-node', 'CLASS')
        self.hardware.inventory.add(self._node)
        self._spec = driver.DeploySpec('one', 'one', 'image', {'CLASS': 1})

    def call(self, kind: str, fences: Fences,
             node: Node) -> tuple[str, Fences, Node]:
        """Return the answer, and the effect of the call."""
        self._prepare(fences, node)
        answer = hardware.OK
        try:
            self._call(kind)
        except driver.Definite as error:
            answer = _ANSWERS.get(type(error), hardware.REFUSED)
        # Before work that takes no time is over.
        self._now -= 0.5
        with self.hardware.inventory.transaction() as txn:
            self._now += 0.5
            left = txn.node(self._node.uuid)
            numbers = txn.fences('one')
        assert left is not None
        carries = next(number for number, name in _NAMES.items()
                       if name == left.instance_uuid)
        return answer, Fences(
            numbers.sealed, numbers.protection, numbers.power,
            numbers.begun, numbers.work or ''), Node(
                carries, left.availability.value,
                left.power_target or '', left.protected,
                left.protected_reason == _REASONS[True])

    def _prepare(self, fences: Fences, node: Node) -> None:
        with self.hardware.inventory.transaction() as txn:
            txn.change(
                self._node.uuid, instance_uuid=_NAMES[node.carries],
                availability=node.work, protected=node.protected,
                protected_reason=(_REASONS[node.foreign] if node.protected
                                  else None),
                power_target=node.powering or None,
                until=self._now + 1 if node.busy else None,
                image_uuid='image')
            txn.raise_fences('one', **fences._asdict())

    def _call(self, kind: str) -> None:
        made, at = self.hardware, self._node.uuid
        match kind:
            case 'claim':
                made.claim(self._spec, _PERMIT)
            case 'deploy' | 'rebuild':
                getattr(made, kind)(at, self._spec, _PERMIT)
            case 'undeploy':
                made.undeploy(at, 'one', _PERMIT)
            case 'power' | 'soft power':
                target = FORCED if kind == POWER else SOFT
                made.power(at, 'one', driver.PowerTarget(target), _PERMIT)
            case 'protect' | 'unprotect':
                getattr(made, kind)(at, _OURS, _PERMIT)
            case _:
                made.seal('one', _PERMIT)


assert set(DESTRUCTIVE) == {TAKE_NODE, DEPLOY, REBUILD_NODE, UNDEPLOY}

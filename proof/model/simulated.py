# SPDX-License-Identifier: Apache-2.0
"""Holds the model's driver against the simulated one that ships."""

import itertools
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Final

from mogan.baremetal import driver, inventory
from mogan.baremetal.simulated import SimulatedDriver
from proof.model import node as hardware
from proof.model.rules import Rules
from proof.model.state import (
    DEPLOY,
    DESTRUCTIVE,
    POWER,
    PROTECT,
    REBUILD_NODE,
    SEAL,
    TAKE_NODE,
    UNDEPLOY,
    UNPROTECT,
    Fences,
    Node,
)

_NAMES: Final = {0: None, 1: 'one', 2: 'another'}
_NUMBER: Final = 2
_WORKS: Final = ('deploying', 'active', 'rebuilding', 'undeploying',
                 'failed', 'available')
_ANSWERS: Final = {
    driver.NotOurs: hardware.NOT_OURS, driver.Fenced: hardware.FENCED,
    driver.NodeBusy: hardware.NODE_BUSY,
    driver.NotProtectable: hardware.NOT_PROTECTABLE,
    driver.NoNodeAvailable: hardware.NO_NODE}


def cases() -> Iterator[tuple[str, Fences, Node]]:
    """Each call, on each node, against numbers around its own."""
    nodes = [Node()] + [
        Node(carries, work, powering, protected)
        for carries, work, powering, protected in itertools.product(
            (1, 2), _WORKS, (False, True), (False, True))
        if work == 'active' or not powering]
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
            yield SEAL, Fences(sealed=number), node


def check() -> int:
    """Make each call and compare; returns how many.

    Raises AssertionError.
    """
    count = 0
    with tempfile.TemporaryDirectory() as directory:
        bench = _Bench(pathlib.Path(directory) / 'inventory')
        for kind, fences, node in cases():
            landing = hardware.land(kind, _NUMBER, 1, fences, node, Rules())
            expected = landing.answer, landing.fences, landing.node
            found = bench.call(kind, fences, node)
            assert found == expected, (
                f'{kind} of {_NUMBER} on {node} with {fences}: the driver '
                f'comes to {found}, the model to {expected}')
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
        self._order = driver.Order('one', 'one', 'image', {'CLASS': 1})

    def call(self, kind: str, fences: Fences,
             node: Node) -> tuple[str, Fences, Node]:
        """The answer, and what the call has left."""
        self._prepare(fences, node)
        answer = hardware.OK
        try:
            self._call(kind)
        except driver.Definite as error:
            answer = _ANSWERS.get(type(error), hardware.REFUSED)
        # Before work that takes no time is over.
        self._now -= 0.5
        with self.hardware.inventory.turn() as turn:
            self._now += 0.5
            left = turn.node(self._node.uuid)
            numbers = turn.fences('one')
        assert left is not None
        carries = next(number for number, name in _NAMES.items()
                       if name == left.instance_uuid)
        return answer, Fences(
            numbers.sealed, numbers.protection, numbers.power,
            numbers.begun, numbers.work or ''), Node(
                carries, left.availability.value,
                left.power_target is not None, left.protected)

    def _prepare(self, fences: Fences, node: Node) -> None:
        with self.hardware.inventory.turn() as turn:
            turn.change(
                self._node.uuid, instance_uuid=_NAMES[node.carries],
                availability=node.work, protected=node.protected,
                power_target='reboot' if node.powering else None,
                until=self._now + 1 if node.busy else None,
                image_uuid='image')
            turn.raise_fences('one', **fences._asdict())

    def _call(self, kind: str) -> None:
        made, at = self.hardware, self._node.uuid
        match kind:
            case 'claim':
                made.claim(self._order, _NUMBER)
            case 'deploy' | 'rebuild':
                getattr(made, kind)(at, self._order, _NUMBER)
            case 'undeploy' | 'unprotect':
                getattr(made, kind)(at, 'one', _NUMBER)
            case 'power':
                made.power(at, 'one', driver.PowerTarget.REBOOT, _NUMBER)
            case 'protect':
                made.protect(at, 'one', None, _NUMBER)
            case _:
                made.seal('one', _NUMBER)


assert set(DESTRUCTIVE) == {TAKE_NODE, DEPLOY, REBUILD_NODE, UNDEPLOY}

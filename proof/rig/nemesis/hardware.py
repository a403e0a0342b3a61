# SPDX-License-Identifier: Apache-2.0
"""Faults of the hardware: it fails, hangs, forgets to answer, and somebody
tampers with it."""

import random
from typing import Final

from mogan.baremetal import driver
from mogan.baremetal.simulated import faults, inventory
from mogan.baremetal.simulated.faults import Mode
from proof.rig.nemesis.lanes import Fault, Scene
from proof.rig.services import LEASE, RESOURCE_CLASS, Deployment

_CALLS: Final = ('claim', 'deploy', 'rebuild', 'undeploy', 'power',
                 'protect', 'unprotect', 'seal', 'look', 'find')
_THEIRS: Final = 'an outsider'


class TakenOff(Exception):
    """The service took off a protection that was not its own."""


class Hardware:
    """All that can happen to it."""

    def __init__(self, deployment: Deployment) -> None:
        self._store = inventory.Inventory(deployment.inventory_path,
                                          timeout=60)
        self.faults: dict[str, Fault] = {
            f'hardware-{mode}': self._script(mode) for mode in Mode}
        self.faults['hardware-away'] = self._away
        self.faults['outsider'] = self._outsider

    def mend(self) -> None:
        """Take back all faults, and what an outsider has left."""
        self._store.clear_faults()
        for node in self._store.nodes():
            if node.protected_reason == _THEIRS:
                self._store.set_protected(node.uuid, protected=False)

    def _script(self, mode: Mode) -> Fault:
        def inject(scene: Scene) -> str:
            rng = scene.rng
            call = rng.choice([one for one in _CALLS
                               if one in faults.MEETS[mode]])
            fault = faults.Fault(mode, call=call, times=rng.randint(1, 3),
                                 seconds=_seconds(mode, rng))
            self._store.add_fault(fault)
            return f'{call}, {fault.times} times, {fault.seconds:.1f} s'
        return inject

    def _away(self, scene: Scene) -> str:
        """Make the hardware management unavailable for a while."""
        number = self._store.add_fault(faults.Fault(
            Mode.UNAVAILABLE, times=None))
        seconds = scene.rng.uniform(0.3, LEASE)
        scene.sleep(seconds)
        self._store.clear_faults(number)
        return f'{seconds:.1f} s'

    def _outsider(self, scene: Scene) -> str:
        """Somebody goes to the nodes directly: takes a protection off, or
        puts one on, which has to stay, and takes that off in the end."""
        nodes = [node for node in self._store.nodes()
                 if node.resource_class == RESOURCE_CLASS
                 and node.instance_uuid is not None]
        changed, held = [], []
        for node in scene.rng.sample(nodes, min(3, len(nodes))):
            try:
                self._store.set_protected(node.uuid, not node.protected,
                                          _THEIRS)
            except (inventory.InventoryError, driver.DriverError):
                continue    # it is not active any more
            changed.append(node.name)
            if not node.protected:
                held.append(node.uuid)
        if held:
            scene.sleep(scene.rng.uniform(0.3, LEASE))
            self._take_back(held)
        return f'protection of {changed}'

    def _take_back(self, held: list[str]) -> None:
        for node in self._store.look(held).values():
            if node.protected_reason != _THEIRS:
                raise TakenOff(f'{node}')
            self._store.set_protected(node.uuid, protected=False)


def _seconds(mode: Mode, rng: random.Random) -> float:
    if mode is Mode.HANG:
        # Some arrive after their claim is over.
        return rng.choice((rng.uniform(0.2, 1.0),
                           rng.uniform(1.0, 2.0) * LEASE))
    if mode in faults.WAITS:
        return rng.uniform(0.0, 1.5)
    return 0.0

# SPDX-License-Identifier: Apache-2.0
"""The simulated hardware, whose calls can be stopped on their way, and who
watches what they do."""

import collections
import functools
from collections.abc import Callable
from typing import Any, Final

from mogan.baremetal.simulated import SimulatedDriver, faults, inventory
from proof import spec
from proof.stateful import requests, visits

# The reason of a protection that somebody else has set.
THEIRS: Final = 'mine'
_PROTECTING: Final = frozenset({'protect', 'unprotect'})


class Driver(SimulatedDriver):
    """A visit can be stopped before each call and after it."""

    def __init__(self, path: Any, witness: Callable[[], None],
                 **options: Any) -> None:
        super().__init__(path, **options)
        self._witness = witness


def _stopping(name: str) -> Callable[..., Any]:
    method = getattr(SimulatedDriver, name)

    @functools.wraps(method)
    def call(self: Driver, *arguments: Any, **options: Any) -> Any:
        visits.stop()
        try:
            return method(self, *arguments, **options)
        finally:
            if name in faults.EFFECTS:
                self._witness()
            visits.stop()
    return call


for _name in faults.CALLS:
    setattr(Driver, _name, _stopping(_name))


class Watch:
    """Compares each effect with the row, at the moment that it happens."""

    def __init__(self, hardware: inventory.Inventory,
                 row: Callable[[str], dict[str, Any] | None],
                 counts: 'collections.Counter[str]') -> None:
        self._hardware = hardware
        self._row = row
        self._counts = counts
        self._seen = 0
        # Nodes that an outsider has protected.
        self._held: set[str] = set()
        self.violations: list[str] = []

    def reset(self) -> None:
        """Forget everything; the journal is empty."""
        self._seen = 0
        self._held.clear()
        self.violations.clear()

    def hold(self, node_uuid: str) -> None:
        """Protect a node as a third party."""
        self._hardware.set_protected(node_uuid, True, THEIRS)
        self._held.add(node_uuid)

    def let_go(self, node_uuid: str) -> None:
        """Remove any protection of a node as a third party."""
        self._held.discard(node_uuid)
        self._hardware.set_protected(node_uuid, False)

    def look(self) -> None:
        """Judge what is new in the journal."""
        for entry in self._hardware.journal(after=self._seen):
            self._seen = entry.id
            self._counts[f'hardware: {entry.call} {entry.outcome}'] += 1
            if entry.outcome == 'effect' and entry.instance_uuid:
                fault = self._judge(entry)
                if fault:
                    self.violations.append(
                        f'{entry.call} of {entry.node_uuid} for '
                        f'{entry.instance_uuid} as number {entry.fence}: '
                        f'{fault}')
                if entry.call in _PROTECTING:
                    self._check_held()

    def _check_held(self) -> None:
        for node in self._hardware.look(self._held).values():
            if (node.protected, node.protected_reason) != (True, THEIRS):
                self.violations.append(
                    f'a protection of somebody else is gone: {node}')

    def _judge(self, entry: inventory.Entry) -> str | None:
        row = self._row(entry.instance_uuid or '')
        if entry.call == 'set':
            return None
        if row is None or row['deleted_at'] is not None:
            # Numbers may be sealed when the end is not written yet.
            return None if entry.call == 'seal' else 'the instance is gone'
        state = requests.state_of(row)
        return None if spec.allows(entry.call, state) else f'it is {state}'

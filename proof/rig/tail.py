# SPDX-License-Identifier: Apache-2.0
"""Reads the hardware's journal while it is written.

The journal has times of the wall clock, the operations those of the
monotonic one.  Both are this host's and run alike unless somebody sets the
wall clock: then the run is worth nothing, and `close` says so.
"""

import contextlib
import pathlib
import threading
import time
from typing import Final

from mogan.baremetal import driver
from mogan.baremetal.simulated import inventory
from mogan.tests.support.processes import SetupError
from proof.rig.background import Background
from proof.rig.history import Entry

_PAGE: Final = 5000
_INTERVAL: Final = 0.05
# Seconds that the clocks may differ by when they are read one after the
# other, and what is lost when a time becomes text.
_TOLERANCE: Final = 0.005
_ROUNDING: Final = 2e-6


def _offset() -> float:
    """Return what turns the wall clock's seconds into the monotonic clock's;
    the best of a few looks."""
    looks = []
    for _ in range(50):
        before = time.monotonic()
        wall = time.time()
        after = time.monotonic()
        looks.append((after - before, (before + after) / 2 - wall))
    return min(looks)[1]


class Tail(Background):
    """All lines so far; `start` and `close` it.

    It writes a line of its own all the time, about a node that is nobody's:
    a line's effect was before the next line's time.
    """

    def __init__(self, path: pathlib.Path, spare: str) -> None:
        super().__init__('tail', self._follow)
        self._store = inventory.Inventory(path, timeout=60)
        self._spare = self._store.named(spare).uuid
        self._offset = _offset()
        self._lines: list[inventory.Entry] = []
        self._last = 0

    def waiting_since(self, last: int) -> list[inventory.Entry]:
        """Calls behind a line that have yet to arrive."""
        return [line for line in self._lines[-2000:]
                if line.id > last and line.outcome == 'waiting']

    @property
    def last(self) -> int:
        """Return the number of the last line."""
        return self._last

    def close(self) -> list[Entry]:
        """Read the rest, and return all lines.

        Raises SetupError where the wall clock has been set.
        """
        self.stop()
        self.join()
        self.check()
        self._beat()
        self._read()
        self._store.close()
        if abs(_offset() - self._offset) > _TOLERANCE:
            raise SetupError('the wall clock has been set during the run, so '
                           'that its times mean nothing')
        return self._entries()

    def _follow(self, stop: threading.Event) -> None:
        while not stop.wait(_INTERVAL):
            self._beat()
            self._read()

    def _beat(self) -> None:
        # A process that was stopped in its transaction keeps all others
        # out: nothing takes effect meanwhile either.
        with contextlib.suppress(driver.DriverError):
            self._store.set_maintenance(self._spare, True)

    def _read(self) -> None:
        with contextlib.suppress(driver.DriverError):
            while page := self._store.journal(after=self._last,
                                              limit=_PAGE):
                self._lines += page
                self._last = page[-1].id

    def _entries(self) -> list[Entry]:
        times = [line.at.timestamp() + self._offset for line in self._lines]
        ends = [*times[1:], time.monotonic()]
        return [Entry(line.id, at - _ROUNDING, end + _ROUNDING, line.call,
                      line.node_uuid, line.instance_uuid, line.fence,
                      line.outcome, line.fault)
                for line, at, end in zip(self._lines, times, ends,
                                         strict=True)
                if line.call != 'set']

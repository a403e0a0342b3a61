# SPDX-License-Identifier: Apache-2.0
"""Carries out the faults, one after the other in each lane."""

import collections
import dataclasses
import pathlib
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from proof.rig.background import Background

# Breaks something, waits and repairs it; returns what it did in words, and
# nothing where there was nothing to break.
Fault = Callable[['Scene'], str | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Scene:
    """The means of a fault: the lane's dice, and a sleep that ends early when
    the run does."""

    rng: random.Random
    sleep: Callable[[float], object]


class Schedule:
    """The schedule of what was done, as a file and as counts."""

    def __init__(self, path: pathlib.Path) -> None:
        self._lock = threading.Lock()
        self._file = path.open('w', encoding='utf-8')
        self.counts: collections.Counter[str] = collections.Counter()

    def note(self, text: str) -> None:
        """Write a line."""
        with self._lock:
            print(f'{time.monotonic():.4f}  {text}', file=self._file,
                  flush=True)

    def count(self, name: str) -> None:
        """Count one that has been carried out."""
        with self._lock:
            self.counts[name] += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Lane(Background):
    """One thread that injects faults; `gaps` are the seconds between two.
    After `stop` it repairs at once what is broken.

    A lane draws from dice of its own, so that the same seed injects the same
    faults in the same order.
    """

    def __init__(self, name: str, seed: int, faults: Mapping[str, Fault],
                 gaps: tuple[float, float], schedule: Schedule) -> None:
        super().__init__(name, self._break)
        self._rng = random.Random(f'{seed}/{name}')  # noqa: S311
        self._name = name
        self._faults = faults
        self._gaps = gaps
        self._schedule = schedule

    def join(self, seconds: float = 60) -> bool:
        """Return whether all is repaired in time. Raises what went wrong in
        the rig."""
        ended = super().join(seconds)
        self.check()
        return ended

    def _break(self, stop: threading.Event) -> None:
        scene = Scene(self._rng, stop.wait)
        # Each of them once, and then as they come.
        first = self._rng.sample(sorted(self._faults), len(self._faults))
        try:
            while not stop.wait(self._rng.uniform(*self._gaps)):
                name = first.pop() if first else self._rng.choice(
                    sorted(self._faults))
                self._inject(name, scene)
        except BaseException as error:
            self._schedule.note(f'{self._name}: {error!r}')
            raise

    def _inject(self, name: str, scene: Scene) -> None:
        self._schedule.note(f'{self._name}: {name} begins')
        outcome = self._faults[name](scene)
        self._schedule.note(f'{self._name}: {name}: {outcome or "in vain"}')
        if outcome:
            self._schedule.count(name)


GAPS: Final = {'services': (0.5, 3.0), 'pauses': (0.5, 2.0),
               'database': (2.0, 6.0), 'broker': (3.0, 8.0),
               'clock': (1.0, 6.0), 'pooler': (1.0, 4.0),
               'pair': (1.0, 4.0), 'rows': (1.0, 6.0),
               'hardware': (0.2, 1.5)}


def chosen(faults: Mapping[str, Fault],
           names: Sequence[str] | None) -> dict[str, Fault]:
    """Return the faults of these names; all if no names are given."""
    return {name: fault for name, fault in faults.items()
            if names is None or name in names}

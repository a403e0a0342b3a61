# SPDX-License-Identifier: Apache-2.0
"""Faults of the clock of the database: somebody sets it."""

from typing import Final

from mogan.tests.support.clocks import Clock
from proof.rig.nemesis.lanes import Fault, Scene
from proof.rig.services import LEASE

_STEP: Final = 600
# Seconds that it may be off at most.
_FAR: Final = 1800


class ClockFaults:
    """It goes back and forward by ten minutes, and stays there or not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.faults: dict[str, Fault] = {
            'clock-back': self._step(-_STEP),
            'clock-forward': self._step(_STEP),
        }

    def _step(self, seconds: int) -> Fault:
        def inject(scene: Scene) -> str | None:
            before = self._clock.seconds
            after = before + seconds
            if abs(after) > _FAR:
                return None
            self._clock.step(after)
            stays = scene.rng.random() < 0.5  # noqa: PLR2004
            wait = scene.rng.uniform(0.3, 2) * LEASE
            scene.sleep(wait)
            if stays:
                return f'to {after} s'
            self._clock.step(before)
            return f'to {after} s and back after {wait:.1f} s'
        return inject

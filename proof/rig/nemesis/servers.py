# SPDX-License-Identifier: Apache-2.0
"""Faults that every server can get."""

from typing import Protocol

from proof.rig.nemesis.lanes import Fault, Scene
from proof.rig.services import LEASE


class Mortal(Protocol):
    """A server that can be ended, started again, and paused."""

    def start(self) -> None: ...
    def wait(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...


def restart(server: Mortal) -> Fault:
    """End it in peace, and start it again."""
    def inject(scene: Scene) -> str:
        server.stop()
        return start(server, scene)
    return inject


def kill(server: Mortal) -> Fault:
    """Kill it, and start it again."""
    def inject(scene: Scene) -> str:
        server.kill()
        return start(server, scene)
    return inject


def start(server: Mortal, scene: Scene) -> str:
    """Start it, at once or after a while."""
    gap = scene.rng.choice((0.0, scene.rng.uniform(0, LEASE)))
    scene.sleep(gap)
    server.start()
    server.wait()
    return f'down for {gap:.1f} s and its start'


def pause(server: Mortal) -> Fault:
    """Stop it where it is, for a while."""
    def inject(scene: Scene) -> str:
        seconds = scene.rng.uniform(0.3, 2) * LEASE
        server.freeze()
        scene.sleep(seconds)
        server.thaw()
        return f'{seconds:.1f} s'
    return inject

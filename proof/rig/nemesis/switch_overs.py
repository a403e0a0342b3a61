# SPDX-License-Identifier: Apache-2.0
"""Faults of a primary and its replica: they change places, and the old
primary lives on for a while."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Final

from mogan.tests.support.proxy import Proxy
from mogan.tests.support.replicas import Pair
from proof.rig import wire
from proof.rig.history import Split
from proof.rig.load import Population
from proof.rig.nemesis import servers
from proof.rig.nemesis.lanes import Fault, Scene
from proof.rig.services import LEASE, Deployment
from proof.rig.wire import Request

# Seconds that an API is asked for reads alone.
_READING: Final = 1.0
_READERS: Final = 4


class SwitchOverFaults:
    """`relays` lead each service's new connections to the primary; those
    that there are stay where they are.  Each time is added to `splits`."""

    def __init__(self, pair: Pair, relays: Mapping[str, Proxy],
                 deployment: Deployment, people: Population,
                 splits: list[Split]) -> None:
        self._pair = pair
        self._relays = relays
        self._all = deployment
        self._people = people
        self._splits = splits
        self.faults: dict[str, Fault] = {
            'switch-over-planned': self._planned,
            'switch-over-unplanned': self._unplanned,
            'primary-kill': self._kill_primary,
        }

    def _planned(self, scene: Scene) -> str:
        """Make the primary read-only first."""
        with self._reading(scene):
            began = time.monotonic()
            self._pair.stop_writing()
            stopped = time.monotonic()
            self._pair.wait_until_equal()
            equal = time.monotonic()
            self._promote()
        return (f'read-only in {stopped - began:.1f} s, equal in '
                f'{equal - stopped:.1f} s, {self._live_on(scene, equal)}')

    def _unplanned(self, scene: Scene) -> str:
        """Leave the primary running, with commits that hang."""
        with self._reading(scene):
            began = time.monotonic()
            self._promote()
        return self._live_on(scene, began)

    @contextlib.contextmanager
    def _reading(self, scene: Scene) -> Iterator[None]:
        """Until then one API has been asked for reads alone: it has
        connections to the old primary, and none that has ever written.  The
        connections of the other one and of an engine break: they go on with
        the new one."""
        reading, other = scene.rng.sample(self._all.apis, 2)
        self._people.reading = reading.port
        try:
            # Of those that are sent by now, some still write.
            scene.sleep(_READING)
            self._relays[reading.name].drop()
            scene.sleep(_READING)
            self._read(reading.port)
            yield
            for service in (other, scene.rng.choice(self._all.engines)):
                self._relays[service.name].drop()
        finally:
            self._people.reading = None

    def _read(self, port: int) -> None:
        """Several at once, so that as many connections are kept."""
        with contextlib.ExitStack() as stack:
            wire.together([
                (stack.enter_context(wire.administrator(port)),
                 Request('list', 'GET', '/v1/instances'))
                for _ in range(_READERS)])

    def _promote(self) -> None:
        self._people.contested = self._people.assumed('locked')
        self._pair.promote()
        for relay in self._relays.values():
            relay.turn('127.0.0.1', self._pair.current.port)

    def _live_on(self, scene: Scene, began: float) -> str:
        """Have two for a while, and then a pair again."""
        turned = time.monotonic()
        seconds = scene.rng.uniform(1, 2.5) * LEASE
        scene.sleep(seconds)
        self._people.contested = ()
        self._pair.drop()
        dropped = time.monotonic()
        self._splits.append(Split(began, dropped))
        self._pair.replace()
        return (f'to {self._pair.current.name} in {turned - began:.1f} s; the '
                f'old one lived on for {seconds:.1f} s; a new pair after '
                f'{time.monotonic() - dropped:.1f} s')

    def _kill_primary(self, scene: Scene) -> str:
        """Kill the primary, which returns as the primary, since its replica
        waits."""
        return servers.kill(self._pair.primary)(scene) or ''

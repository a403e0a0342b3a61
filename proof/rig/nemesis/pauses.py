# SPDX-License-Identifier: Apache-2.0
"""Processes that stop where they are and go on later, as if nothing had
been: by themselves, for a swap or a snapshot of their host."""

import contextlib
import signal
import time
from typing import Final

import psycopg
import pymysql

from mogan.baremetal.simulated import faults, inventory
from mogan.tests.support import processes
from proof.rig.load import Population
from proof.rig.nemesis.lanes import Fault, Scene
from proof.rig.services import LEASE, Deployment
from proof.rig.tail import Tail

# Calls that an engine is stopped at, right before they take effect.
_CALLS: Final = ('rebuild', 'rebuild', 'undeploy', 'undeploy', 'deploy',
                 'claim', 'protect', 'unprotect')
# Seconds of such a call's way to the hardware: long enough to be caught.
_WAY: Final = 0.8


class Pauses:
    """All processes that can be stopped."""

    def __init__(self, deployment: Deployment, tail: Tail,
                 people: Population) -> None:
        self._all = deployment
        self._tail = tail
        self._people = people
        self._store = inventory.Inventory(deployment.inventory_path,
                                          timeout=60)
        self.faults: dict[str, Fault] = {
            'pause-api': self._pause('api'),
            'pause-engine': self._pause('engine'),
            'pause-engine-at-call': self._pause_at_call,
        }

    def _pause(self, kind: str) -> Fault:
        def inject(scene: Scene) -> str | None:
            service = scene.rng.choice(
                self._all.apis if kind == 'api' else self._all.engines)
            seconds = scene.rng.uniform(0.5, 2.5) * LEASE
            stopped = service.workers()
            if not stopped:
                return None
            for pid in stopped:
                processes.send(pid, signal.SIGSTOP)
            scene.sleep(seconds)
            for pid in stopped:
                processes.send(pid, signal.SIGCONT)
            return f'{service.name}, workers {stopped}, {seconds:.1f} s'
        return inject

    def _pause_at_call(self, scene: Scene) -> str | None:
        """Stop an engine between its last look at its claim and the effect
        of its call, for longer than the claim lasts."""
        call = scene.rng.choice(_CALLS)
        seconds = scene.rng.uniform(1.0, 2.0) * LEASE + 0.3
        last = self._tail.last
        number = self._store.add_fault(faults.Fault(
            faults.Mode.HANG, call=call, seconds=_WAY))
        caught = None
        deadline = time.monotonic() + 4
        while caught is None and time.monotonic() < deadline:
            scene.sleep(0.02)
            for line in self._tail.waiting_since(last):
                if line.call == call:
                    caught = line
        if caught is None:
            # Unless it has just been met.
            with contextlib.suppress(inventory.InventoryError):
                self._store.clear_faults(number)
            return None
        pid = self._holder(caught.instance_uuid)
        if pid is None:
            return None
        processes.send(pid, signal.SIGSTOP)
        # The others take over, and everybody wants something of it.
        self._people.favourite = caught.instance_uuid
        scene.sleep(seconds)
        processes.send(pid, signal.SIGCONT)
        return (f'{call} of {caught.instance_uuid}, worker {pid}, '
                f'{seconds:.1f} s')

    def _holder(self, uuid: str | None) -> int | None:
        """Return the engine process that has claimed an instance."""
        try:
            rows = dict(self._all.database.run(
                'SELECT uuid, claim_by FROM instances'))
        except (pymysql.MySQLError, psycopg.Error, OSError):
            return None
        if not rows.get(uuid):
            return None
        pid = int(rows[uuid].split(':')[1])
        engines = [worker for engine in self._all.engines
                   for worker in engine.workers()]
        return pid if pid in engines else None

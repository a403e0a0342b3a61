# SPDX-License-Identifier: Apache-2.0
"""Blows at the services' processes."""

import contextlib
import signal
import time
from collections.abc import Callable
from typing import Final

import psycopg
import pymysql

from mogan.baremetal import faults, inventory
from proof.rig import processes
from proof.rig.load import Population
from proof.rig.nemesis.lanes import Blow, Scene
from proof.rig.processes import RigError
from proof.rig.services import LEASE, Deployment, Service
from proof.rig.tail import Tail

_START: Final = 60
# Calls that an engine is stopped at, right before they take effect.
_CALLS: Final = ('rebuild', 'rebuild', 'undeploy', 'undeploy', 'deploy',
                 'claim', 'protect', 'unprotect')
# Seconds of such a call's way to the hardware: long enough to be caught.
_WAY: Final = 0.8


class Services:
    """All that can be done to them."""

    def __init__(self, deployment: Deployment, tail: Tail,
                 people: Population) -> None:
        self._all = deployment
        self._tail = tail
        self._people = people
        self._store = inventory.Inventory(deployment.inventory_path,
                                          patience=60)
        self.blows: dict[str, Blow] = {
            'kill-api': self._kill('api'),
            'kill-engine': self._kill('engine'),
            'kill-api-launcher': self._kill_launcher('api'),
            'kill-engine-launcher': self._kill_launcher('engine'),
            'kill-all-engines': self._kill_all_engines,
            'pause-api': self._pause('api'),
            'pause-engine': self._pause('engine'),
            'pause-engine-at-call': self._pause_at_call,
            'rolling-restart': self._rolling_restart,
        }

    def _one(self, scene: Scene, kind: str) -> Service:
        return scene.rng.choice(self._all.apis if kind == 'api'
                                else self._all.engines)

    def _kill(self, kind: str) -> Blow:
        def blow(scene: Scene) -> str:
            service = self._one(scene, kind)
            killed = service.workers()
            service.signal_workers(signal.SIGKILL)
            # Its launcher starts another one.
            _wait(lambda: set(service.workers()) - set(killed) != set()
                  or service.ended(), f'{service.name} has a new worker')
            return f'{service.name}, workers {killed}'
        return blow

    def _kill_launcher(self, kind: str) -> Blow:
        def blow(scene: Scene) -> str:
            service = self._one(scene, kind)
            with service.tended:
                orphans = service.kill_launcher()
                # They see that they are alone, and must end by themselves.
                began = time.monotonic()
                _wait(lambda: not any(map(processes.alive, orphans)),
                      f'the orphans {orphans} of {service.name} end')
                took = time.monotonic() - began
                self._start(service)
            return f'{service.name}; orphans {orphans} ended in {took:.1f} s'
        return blow

    def _start(self, service: Service) -> None:
        service.start()
        _wait(lambda: service.answers() or service.ended(),
              f'{service.name} starts')

    def _kill_all_engines(self, scene: Scene) -> str:
        for engine in self._all.engines:
            engine.tended.acquire()
            engine.kill()
        gap = scene.rng.uniform(0, LEASE * 1.5)
        scene.sleep(gap)
        for engine in self._all.engines:
            self._start(engine)
            engine.tended.release()
        return f'none for {gap:.1f} s'

    def _pause(self, kind: str) -> Blow:
        def blow(scene: Scene) -> str:
            service = self._one(scene, kind)
            seconds = scene.rng.uniform(0.5, 2.5) * LEASE
            stopped = service.workers()
            for pid in stopped:
                processes.send(pid, signal.SIGSTOP)
            scene.sleep(seconds)
            for pid in stopped:
                processes.send(pid, signal.SIGCONT)
            return f'{service.name}, workers {stopped}, {seconds:.1f} s'
        return blow

    def _pause_at_call(self, scene: Scene) -> str:
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
            return f'no {call} came'
        pid = self._holder(caught.instance_uuid)
        if pid is None:
            return f'{call}: nobody held {caught.instance_uuid}'
        processes.send(pid, signal.SIGSTOP)
        # The others take over, and everybody wants something of it.
        self._people.favourite = caught.instance_uuid
        scene.sleep(seconds)
        processes.send(pid, signal.SIGCONT)
        return (f'{call} of {caught.instance_uuid}, worker {pid}, '
                f'{seconds:.1f} s')

    def _holder(self, uuid: str | None) -> int | None:
        """The engine process that has claimed an instance."""
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

    def _rolling_restart(self, scene: Scene) -> str:
        services = scene.rng.sample(self._all.services,
                                    len(self._all.services))
        took = []
        for service in services:
            began = time.monotonic()
            with service.tended:
                service.terminate()
                ended = time.monotonic()
                self._start(service)
            took.append(f'{service.name} ended in {ended - began:.1f} s, '
                        f'started in {time.monotonic() - ended:.1f} s')
        return '; '.join(took)


def _wait(look: Callable[[], bool], what: str) -> None:
    try:
        processes.eventually(look, _START, what)
    except RigError as error:
        # Not the rig's fault: what does not come back is a finding, which
        # the end of the run is about.
        raise Stuck(str(error)) from error


class Stuck(Exception):
    """A service does not do what it has to."""

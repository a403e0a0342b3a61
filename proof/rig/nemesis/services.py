# SPDX-License-Identifier: Apache-2.0
"""Faults of the services' processes."""

import signal
import time
from collections.abc import Callable
from typing import Final

from mogan.tests.support import processes
from mogan.tests.support.processes import SetupError
from proof.rig.nemesis.lanes import Fault, Scene
from proof.rig.services import GRACE, LEASE, Deployment, Service

_START: Final = 180


class Services:
    """All that can be done to them."""

    def __init__(self, deployment: Deployment) -> None:
        self._all = deployment
        self.faults: dict[str, Fault] = {
            'kill-api': self._kill('api'),
            'kill-engine': self._kill('engine'),
            'kill-api-launcher': self._kill_launcher('api'),
            'kill-engine-launcher': self._kill_launcher('engine'),
            'kill-all-engines': self._kill_all_engines,
            'rolling-restart': self._rolling_restart,
        }

    def _one(self, scene: Scene, kind: str) -> Service:
        return scene.rng.choice(self._all.apis if kind == 'api'
                                else self._all.engines)

    def _kill(self, kind: str) -> Fault:
        def inject(scene: Scene) -> str:
            service = self._one(scene, kind)
            killed = service.workers()
            service.signal_workers(signal.SIGKILL)
            # Its launcher starts another one.
            _wait(lambda: set(service.workers()) - set(killed) != set()
                  or service.ended(), f'{service.name} has a new worker')
            return f'{service.name}, workers {killed}'
        return inject

    def _kill_launcher(self, kind: str) -> Fault:
        def inject(scene: Scene) -> str:
            service = self._one(scene, kind)
            with service.restart_lock:
                orphans = service.kill_launcher()
                # They see that they are alone, and must end by themselves.
                began = time.monotonic()
                _wait(lambda: not any(map(processes.alive, orphans)),
                      f'the orphans {orphans} of {service.name} end')
                took = time.monotonic() - began
                self._start(service)
            return f'{service.name}; orphans {orphans} ended in {took:.1f} s'
        return inject

    def _start(self, service: Service) -> None:
        service.start()
        _wait(lambda: service.answers() or service.ended(),
              f'{service.name} starts')

    def _kill_all_engines(self, scene: Scene) -> str:
        for engine in self._all.engines:
            engine.restart_lock.acquire()
            engine.kill()
        gap = scene.rng.uniform(0, LEASE * 1.5)
        scene.sleep(gap)
        for engine in self._all.engines:
            self._start(engine)
            engine.restart_lock.release()
        return f'none for {gap:.1f} s'

    def _rolling_restart(self, scene: Scene) -> str:
        services = scene.rng.sample(self._all.services,
                                    len(self._all.services))
        took = []
        for service in services:
            began = time.monotonic()
            with service.restart_lock:
                service.terminate()
                service.wait(2 * GRACE + 5)
                ended = time.monotonic()
                self._start(service)
            took.append(f'{service.name} ended in {ended - began:.1f} s, '
                        f'started in {time.monotonic() - ended:.1f} s')
        return '; '.join(took)


def _wait(look: Callable[[], bool], what: str) -> None:
    try:
        processes.eventually(look, _START, what)
    except SetupError as error:
        # Not the rig's fault: what does not come back is a finding, which
        # the end of the run is about.
        raise Stuck(str(error)) from error


class Stuck(Exception):
    """A service does not do what it has to."""

# SPDX-License-Identifier: Apache-2.0
"""Faults of the broker: it goes away, and it refuses the services."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Final

from mogan.tests.support.broker import Broker
from proof.rig.nemesis import servers
from proof.rig.nemesis.lanes import Fault, Scene
from proof.rig.services import LEASE, Deployment

_USERS: Final = 'rabbit_auth_backend_internal'
_USER: Final = 'guest'
# Who does it, in the broker's log.
_ACTOR: Final = 'rig'


class BrokerFaults:
    """All that can be done to it."""

    def __init__(self, deployment: Deployment) -> None:
        self._all = deployment
        broker = deployment.broker
        self._broker = broker
        self.faults: dict[str, Fault] = {
            'broker-restart': servers.restart(broker),
            'broker-kill': self._kill,
            'broker-pause': servers.pause(broker),
            'broker-refuse-login': self._refuse(_login),
            'broker-refuse-vhost': self._refuse(_vhost),
            'broker-refuse-queue': self._refuse(self._queues),
        }

    def _kill(self, scene: Scene) -> str:
        """Kill it and start it again.

        RabbitMQ 3.10 may lose the leader of a queue that has been declared
        some seconds before: an operator deletes such a queue.
        """
        done = servers.kill(self._broker)(scene)
        lost = [queue for queue in self._all.queues
                if not self._broker.has_leader(queue)]
        for queue in lost:
            self._broker.remove_queue(queue)
        return f'{done}, then without a leader {lost}'

    def _refuse(self, refusal: Callable[
            [Broker], contextlib.AbstractContextManager[None]]) -> Fault:
        """Refuse for a while, with services that start meanwhile."""
        def inject(scene: Scene) -> str:
            service = scene.rng.choice(
                (*self._all.engines, *self._all.engines, *self._all.apis))
            seconds = scene.rng.uniform(0.3, 2) * LEASE
            with refusal(self._broker):
                killed = service.workers()
                service.signal_workers(signal.SIGKILL)
                scene.sleep(seconds)
            return (f'{seconds:.1f} s, meanwhile {service.name} began anew, '
                    f'workers {killed}')
        return inject

    @contextlib.contextmanager
    def _queues(self, broker: Broker) -> Iterator[None]:
        """Queues of another kind than the services want: those of an older
        configuration."""
        names = self._all.queues
        for name in names:
            broker.make_classic(name)
        yield
        for name in names:
            broker.remove_queue(name)


@contextlib.contextmanager
def _login(broker: Broker) -> Iterator[None]:
    broker.call(_USERS, 'change_password', _USER, 'another', _ACTOR)
    # Those that are in stay otherwise.
    broker.close_connections(_USER, 'refused')
    yield
    broker.call(_USERS, 'change_password', _USER, _USER, _ACTOR)


@contextlib.contextmanager
def _vhost(broker: Broker) -> Iterator[None]:
    broker.call('rabbit_vhost', 'delete', '/', _ACTOR)
    yield
    broker.call('rabbit_vhost', 'add', '/', _ACTOR)
    broker.call(_USERS, 'set_permissions', _USER, '/', '.*', '.*', '.*',
                _ACTOR)

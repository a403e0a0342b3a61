# SPDX-License-Identifier: Apache-2.0
"""mogan-api and mogan-engine, two of each, set up by configuration alone."""

import dataclasses
import pathlib
import sys
import threading
import time
from typing import Final, Protocol

from mogan.baremetal.simulated import inventory
from mogan.tests.support import processes, services
from mogan.tests.support.broker import Broker
from mogan.tests.support.databases import Database
from mogan.tests.support.processes import Family
from proof.rig import wire
from proof.rig.background import Background
from proof.rig.wire import ADMIN, OWNER, Request

# Seconds: short, so that a minute holds many leases.
LEASE: Final = 3.0
TOPIC: Final = 'mogan-rig'
RESOURCE_CLASS: Final = 'CUSTOM_RIG'
SPARE_CLASS: Final = 'CUSTOM_SPARE'
# For rows that are no instances of the service's.
STRANGE_NODES: Final = tuple(f'strange-{number}' for number in range(3))
_ACCOUNTS: Final = ((ADMIN, 'admin', 'admin'), (OWNER, 'demo', 'member'))
# Seconds that a stop in peace may take.
GRACE: Final = 10

_CONF: Final = """\
[DEFAULT]
auth_strategy = http_basic
http_basic_users_file = {directory}/users
transport_url = {transport}
graceful_shutdown_timeout = {grace}
[api]
host = 127.0.0.1
port = {port}
workers = 1
threads = 16
[database]
connection = {database}
retry_interval = 1
max_pool_size = 10
[engine]
host = {host}
topic = {topic}
sweep_interval = 0.3
repair_interval = 1
deploy_timeout = 10
rebuild_timeout = 10
power_timeout = 5
[oslo_messaging_rabbit]
rabbit_quorum_queue = true
rabbit_interval_max = 3
[simulated]
inventory = {directory}/inventory.sqlite
deploy_time = 0.1
rebuild_time = 0.1
undeploy_time = 0.1
power_time = 0.05
lease = {lease}
reach = 0.8
skew = 0.2
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Variant:
    """The settings that services are started with, and what their database
    lacks."""

    name: str
    module: str
    statements: tuple[str, ...] = ()


OURS: Final = Variant('mogan', 'mogan.cmd')
# Services that check first and write then have no such constraint.
_CONSTRAINT: Final = 'ck_instances_locked_is_not_destroyed'
NAIVE: Final = Variant('naive', 'proof.rig.naive', (
    f'ALTER TABLE instances DROP CONSTRAINT {_CONSTRAINT}',))
VARIANTS: Final = {variant.name: variant for variant in (OURS, NAIVE)}


class Service(services.Service):
    """One launcher with its worker."""

    def __init__(self, family: Family, variant: Variant, kind: str,
                 number: int, config: pathlib.Path, port: int) -> None:
        super().__init__(kind, _configured(variant, kind, config),
                         family=family, name=f'{kind}-{number}', port=port)
        # Held by who stops the launcher and will start it again.
        self.restart_lock = threading.Lock()


class Way(Protocol):
    """The way of the services to their database: a `url` for each."""

    @property
    def database(self) -> Database: ...
    def url(self, service: str) -> str: ...


class Deployment:
    """Everything there is, on one database and one broker."""

    def __init__(self, family: Family, directory: pathlib.Path,
                 way: Way, broker: Broker, variant: Variant) -> None:
        self._way = way
        self.broker = broker
        self._variant = variant
        self._directory = directory
        self.inventory_path = directory / 'inventory.sqlite'
        ports = [processes.free_port() for _ in range(2)]
        self.apis = [Service(family, variant, 'api', number + 1,
                             self._configure(f'api-{number + 1}', port),
                             port) for number, port in enumerate(ports)]
        self.engines = [Service(family, variant, 'engine', number,
                                self._configure(f'engine-{number}', 1), 1)
                        for number in (1, 2)]
        self.services = [*self.apis, *self.engines]

    def _configure(self, name: str, port: int) -> pathlib.Path:
        path = self._directory / f'{name}.conf'
        path.write_text(_CONF.format(
            directory=self._directory, port=port, host=name,
            transport=self.broker.url, database=self._way.url(name),
            grace=GRACE, lease=LEASE, topic=TOPIC), encoding='utf-8')
        return path

    @property
    def database(self) -> Database:
        """Return the current primary."""
        return self._way.database

    @property
    def queues(self) -> list[str]:
        """Return the broker's queues from which the engines receive
        messages."""
        return [TOPIC, *(f'{TOPIC}.{engine.name}'
                         for engine in self.engines)]

    def prepare(self, nodes: int) -> None:
        """Make the accounts, the schema and the hardware."""
        write_users(self._directory / 'users')
        processes.run([*_configured(
            self._variant, 'dbsync', self._directory / 'api-1.conf'),
            'upgrade'])
        self.database.run(*self._variant.statements)
        write_inventory(self.inventory_path, nodes)

    def start(self) -> None:
        """Start all services and wait for them."""
        for service in self.services:
            service.start()
        self.wait(240)

    def wait(self, within: float) -> None:
        """Wait until all services are up."""
        for service in self.services:
            processes.eventually(service.answers, within, service.name)


def write_users(path: pathlib.Path) -> None:
    """Accounts whose passwords are their names, cheap to check."""
    services.write_users(path, _ACCOUNTS)


def write_inventory(path: pathlib.Path, nodes: int) -> None:
    """So many nodes, and some that nobody can get."""
    store = inventory.Inventory(path)
    store.seed([*(inventory.new_node(f'node-{number:02}', RESOURCE_CLASS)
                  for number in range(nodes)),
                *(inventory.new_node(name, SPARE_CLASS)
                  for name in ('spare', *STRANGE_NODES))])
    store.close()


def make_flavor(port: int) -> str:
    """Create a flavor for these nodes; returns its uuid.  Raises
    Unreachable."""
    with wire.administrator(port) as connection:
        _, answer = connection.ask(Request('flavor', 'POST', '/v1/flavors', {
            'name': 'raced', 'resources': {RESOURCE_CLASS: 1}}))
        return answer.json['uuid']


class Supervisor(Background):
    """Starts launchers again that have ended by themselves, as an init
    system does; `exits` names them."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__('supervisor', self._supervise)
        self._services = deployment.services
        self.exits: list[str] = []

    def stop(self) -> None:
        """Start no more launchers."""
        super().stop()
        self.join()

    def _supervise(self, stop: threading.Event) -> None:
        while not stop.wait(1):
            for service in self._services:
                if not service.restart_lock.acquire(blocking=False):
                    continue
                try:
                    if service.ended():
                        self.exits.append(
                            f'{time.monotonic():.1f} {service.name}')
                        service.start()
                finally:
                    service.restart_lock.release()


def command(variant: Variant, name: str) -> list[str]:
    """Return the command line of one of Mogan's commands."""
    if variant is OURS:
        return [sys.executable, '-m', f'{variant.module}.{name}']
    return [sys.executable, '-m', variant.module, name]


def _configured(variant: Variant, name: str,
                config: pathlib.Path) -> list[str]:
    return [*command(variant, name), '--config-file', str(config)]

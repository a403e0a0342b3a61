# SPDX-License-Identifier: Apache-2.0
"""A whole service in one process: API, database, messages, engines and
simulated hardware, all of them the real ones."""

import functools
import itertools
import pathlib
import shutil
import tempfile
from collections.abc import Callable
from typing import Any

from futurist import _thread
from oslo_config import cfg
from oslo_messaging import conffixture
from oslo_policy import opts

from mogan import conf as options
from mogan import policy, rpc
from mogan.api import app
from mogan.api.middleware.auth import users
from mogan.baremetal.simulated import SimulatedDriver, inventory
from mogan.db.core.engine import Database
from mogan.engine.client import EngineClient
from mogan.engine.publisher import Publisher
from mogan.engine.reconcile import Pace
from mogan.engine.service import EngineService
from mogan.engine.task import Limits
from mogan.tests.support import backends
from mogan.tests.support.client import Client

SMALL = 'CUSTOM_BAREMETAL_SMALL'
# Who may be tested with; demo and reader share a project.
USERS = {
    'admin': ('admin', 'admin'),
    'demo': ('demo', 'member'),
    'reader': ('demo', 'reader'),
    'other': ('other', 'member'),
    # Knows a password, and may do nothing.
    'nobody': ('demo', 'none'),
}
TIMES = {'deploy_time': 0.05, 'rebuild_time': 0.05, 'undeploy_time': 0.05,
         'power_time': 0.05, 'lease': 1.5, 'reach': 0.4, 'skew': 0.1}
CALL_TIMEOUT = 3
PACE = Pace(sweep=0.1, repair=0.3, threads=4)

_TOPICS = itertools.count()
# Idle threads of oslo.messaging's executor look this often whether to stop.
_thread.ThreadWorker.MAX_IDLE_FOR = 0.05


@functools.cache
def _hashes() -> dict[str, str]:
    return {name: users.make_hash(name, 4) for name in USERS}


def make_conf(*files: pathlib.Path) -> cfg.ConfigOpts:
    """Return the options with the values of these files."""
    conf = cfg.ConfigOpts()
    for group in options._GROUPS:
        group.register_opts(conf)
    conf([], default_config_files=[str(path) for path in files],
         default_config_dirs=[])
    return conf


class Deployment:
    """Everything there is; `close` it.

    `rules`: policy rules to override.  `transport_url`: another broker than
    the backend's.
    """

    def __init__(self, *, rules: dict[str, str] | None = None,
                 transport_url: str | None = None, nodes: int = 4) -> None:
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='mogan-'))
        backend = backends.chosen()
        self.db = self.open_database(backend)
        self.conf = self.configure()
        self._messaging = conffixture.ConfFixture(self.conf)
        self._messaging.setUp()
        rpc.set_defaults()
        backend.configure(self.conf)
        if rules:
            self._override(rules)
        # RabbitMQ keeps a topic's queue, other transports a process'.
        self.topic = (f'topic-{next(_TOPICS)}'
                      if backend.transport_url == 'fake://'
                      else backends.UNIQUE)
        self.transport = rpc.transport(
            self.conf, transport_url or backend.transport_url)
        self.hardware = inventory.Inventory(self._inventory)
        self.hardware.seed([
            inventory.new_node(f'node-{number}', SMALL,
                               zone='hall-1' if number < 3 else 'hall-2')
            for number in range(nodes)])
        self.engines: list[EngineService] = []
        self._closers: list[Callable[[], None]] = []
        self.application = self.make_application()

    def open_database(self, backend: backends.Backend) -> Database:
        """Return an empty database."""
        return backend.database(self.directory)

    def configure(self) -> cfg.ConfigOpts:
        """Return the configuration: USERS authenticate with passwords."""
        conf = make_conf()
        path = self.directory / 'users'
        users.write(path, [
            users.User(name, _hashes()[name], project, (role,))
            for name, (project, role) in USERS.items()])
        conf.set_override('auth_strategy', 'http_basic')
        conf.set_override('http_basic_users_file', str(path))
        return conf

    def identity(self, user: str) -> tuple[str, str]:
        """Return the ids of a user and of the user's project."""
        return user, USERS[user][0]

    @property
    def _inventory(self) -> pathlib.Path:
        return self.directory / 'inventory.sqlite'

    def _override(self, rules: dict[str, str]) -> None:
        path = self.directory / 'policy.yaml'
        path.write_text(''.join(
            f'"{name}": "{rule}"\n' for name, rule in rules.items()))
        opts.set_defaults(self.conf, str(path))

    def make_application(self, *, db: Database | None = None,
                         transport: Any = None) -> Any:
        """Return another API service, optionally with its own database or
        transport."""
        client = EngineClient(transport or self.transport, self.topic,
                              CALL_TIMEOUT)
        application = app.Application(
            app.Services(db=db or self.db, engine=client,
                         policy=policy.Policy(self.conf),
                         settings=app.settings(self.conf)), self.conf)
        self._closers += [application.close, client.close]
        return application

    def another_database(self) -> Database:
        """Return the same database, as another process sees it."""
        db = Database(self.db.url.render_as_string(hide_password=False))
        self._closers.append(db.dispose)
        return db

    def broken_transport(self) -> Any:
        """Return a transport to a broker that does not exist.

        Never cleaned up: that would wait for a call that waits for the
        broker.
        """
        return rpc.transport(self.conf, 'rabbit://guest:guest@127.0.0.1:1/')

    def client(self, user: str | None) -> Client:
        """Return a user's client."""
        return Client(self.application, user)

    def start_engine(self, *, limits: Limits | None = None,
                     pace: Pace = PACE, db: Database | None = None,
                     **times: float) -> EngineService:
        """Start another engine, with its own driver for the same hardware, and
        optionally its own database, which is closed with all."""
        engine = EngineService(
            db or self.db, SimulatedDriver(self._inventory, **TIMES | times),
            self.transport, self.topic,
            host=backends.HOSTS[len(self.engines)],
            limits=limits or Limits(), pace=pace,
            publisher=self.publisher(), stop_timeout=10)
        engine.start()
        self.engines.append(engine)
        if db is not None:
            self._closers.append(db.dispose)
        return engine

    def publisher(self) -> Publisher | None:
        """Return a publisher of notifications, for one more engine."""
        return None

    def stop_engines(self) -> None:
        """Stop all of them."""
        while self.engines:
            self.engines.pop().stop()

    def close(self) -> None:
        """Stop and remove everything."""
        self.stop_engines()
        for close in self._closers:
            close()
        self.transport.cleanup()
        self._messaging.cleanUp()
        self.hardware.close()
        # On a server too, where it is the next one's as well: others need
        # its connections.
        self.db.dispose()
        shutil.rmtree(self.directory)

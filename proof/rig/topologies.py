# SPDX-License-Identifier: Apache-2.0
"""Ways from the services to their database: straight, through a pooler, and
to a primary that changes places with its replica."""

import abc
import pathlib
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import sqlalchemy as sa

from mogan.tests.support import (
    clocks,
    databases,
    poolers,
    processes,
    replicas,
)
from mogan.tests.support.clocks import Clock
from mogan.tests.support.processes import Family
from mogan.tests.support.proxy import Proxy
from proof.rig.history import Split
from proof.rig.load import Population
from proof.rig.nemesis.broker import BrokerFaults
from proof.rig.nemesis.clocks import ClockFaults
from proof.rig.nemesis.database import DatabaseFaults
from proof.rig.nemesis.lanes import Fault
from proof.rig.nemesis.poolers import PoolerFaults
from proof.rig.nemesis.switch_overs import SwitchOverFaults
from proof.rig.services import Deployment

Lanes = Mapping[str, Mapping[str, Fault]]

_COMMON: Final = frozenset({
    'kill-api', 'kill-engine', 'kill-api-launcher', 'kill-engine-launcher',
    'kill-all-engines', 'pause-api', 'pause-engine', 'pause-engine-at-call',
    'rolling-restart', 'hardware-fail', 'hardware-unavailable',
    'hardware-busy', 'hardware-timeout', 'hardware-lost', 'hardware-hang',
    'hardware-break', 'hardware-away', 'outsider', 'poison-row'})
_DATABASE: Final = frozenset({
    'database-drop', 'database-restart', 'database-kill',
    'database-kill-session', 'database-pause'})
_CLOCK: Final = frozenset({'clock-back', 'clock-forward'})


class Topology(abc.ABC):
    """`database` is the one that counts; `start`, and `close` it when
    nothing runs any more.

    `share` is its part of a run's time, `short` its seconds in a short run;
    `faults` are all that can happen in it.
    """

    name: ClassVar[str]
    share: ClassVar[float]
    short: ClassVar[float]
    faults: ClassVar[frozenset[str]]
    database: databases.Database
    # When there were two primaries.
    splits: Sequence[Split] = ()

    def start(self) -> None:
        """Start the servers, with an empty database."""
        self.database.prepare()
        self.database.start()
        self.database.wait()
        self.database.create_database()

    def url(self, service: str) -> str:
        """Return the address for a service."""
        del service
        return self.database.url

    @abc.abstractmethod
    def lanes(self, deployment: Deployment,
              people: Population) -> Lanes:
        """Return the faults of the servers, by lane."""

    def close(self) -> None:  # noqa: B027 - most have nothing of the kind
        """Let go of all that is no process of the family's."""

    @staticmethod
    def missing(database: str) -> list[str]:
        """Return the missing programs that it needs in addition to the
        database server."""
        del database
        return []


class Direct(Topology):
    """One server, on a clock that is set, and a broker that refuses."""

    name = 'direct'
    share = 0.4
    short = 120
    faults = _COMMON | _DATABASE | _CLOCK | {
        'broker-restart', 'broker-kill', 'broker-pause',
        'broker-refuse-login', 'broker-refuse-vhost', 'broker-refuse-queue'}

    def __init__(self, kind: str, family: Family,
                 directory: pathlib.Path) -> None:
        self._clock = Clock(directory / 'clock')
        self.database = databases.DATABASES[kind](family, directory,
                                                clock=self._clock)

    def lanes(self, deployment: Deployment,
              people: Population) -> Lanes:
        del people
        return {'database': DatabaseFaults(self.database).faults,
                'broker': BrokerFaults(deployment).faults,
                'clock': ClockFaults(self._clock).faults}

    def close(self) -> None:
        self._clock.close()

    @staticmethod
    def missing(database: str) -> list[str]:
        del database
        return [] if clocks.library() else ['libfaketime']


class Pooled(Topology):
    """PgBouncer, which pools by transaction, or HAProxy, which forwards
    TCP, in front of one server."""

    name = 'pooler'
    share = 0.3
    short = 30
    faults = _COMMON | _DATABASE | {
        'pooler-restart', 'pooler-kill', 'pooler-pause'}

    def __init__(self, kind: str, family: Family,
                 directory: pathlib.Path) -> None:
        self.database = databases.DATABASES[kind](family, directory)
        url = sa.make_url(self.database.url)
        self._pooler: poolers.PgBouncer | poolers.HAProxy = (
            poolers.PgBouncer(url) if kind == 'postgresql'
            else poolers.HAProxy(('127.0.0.1', self.database.port)))
        self._url = url.set(port=self._pooler.port)

    def url(self, service: str) -> str:
        del service
        return self._url.render_as_string(hide_password=False)

    def start(self) -> None:
        super().start()
        self._pooler.start()

    def lanes(self, deployment: Deployment,
              people: Population) -> Lanes:
        del deployment, people
        return {'database': DatabaseFaults(self.database).faults,
                'pooler': PoolerFaults(self._pooler).faults}

    def close(self) -> None:
        self._pooler.close()

    @staticmethod
    def missing(database: str) -> list[str]:
        program = 'pgbouncer' if database == 'postgresql' else 'haproxy'
        return [] if processes.find(program) else [program]


class Paired(Topology):
    """A primary and a synchronous replica, behind a relay for each service,
    whose connections stay where they are when new ones are led elsewhere."""

    name = 'pair'
    share = 0.3
    short = 30
    faults = _COMMON | {'switch-over-planned', 'switch-over-unplanned',
                        'primary-kill'}

    def __init__(self, kind: str, family: Family,
                 directory: pathlib.Path) -> None:
        self._pair = replicas.PAIRS[kind](family, directory)
        self._relays: dict[str, Proxy] = {}
        self.splits: list[Split] = []

    @property
    def database(self) -> databases.Database:  # type: ignore[override]
        """Return the primary, whichever that is."""
        return self._pair.current

    def start(self) -> None:
        self._pair.start()

    def lanes(self, deployment: Deployment,
              people: Population) -> Lanes:
        return {'pair': SwitchOverFaults(
            self._pair, self._relays, deployment, people,
            self.splits).faults}

    def url(self, service: str) -> str:
        port = self._pair.current.port
        relay = self._relays.setdefault(service, Proxy('127.0.0.1', port))
        return sa.make_url(self._pair.current.url).set(
            port=relay.port).render_as_string(hide_password=False)

    def close(self) -> None:
        for relay in self._relays.values():
            relay.close()

    @staticmethod
    def missing(database: str) -> list[str]:
        return replicas.missing(database)


TOPOLOGIES: Final[dict[str, type[Direct | Pooled | Paired]]] = {
    one.name: one for one in (Direct, Pooled, Paired)}
FAULTS: Final = frozenset().union(*(
    one.faults for one in TOPOLOGIES.values()))

# SPDX-License-Identifier: Apache-2.0
"""The world of a run: the real application, database, policy and engines in
one process, on hardware and a clock of the run's own.

It is made once.  Each example begins with no instances and free nodes.
"""

import collections
import logging
from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa

from mogan import policy
from mogan.api import app
from mogan.baremetal import driver
from mogan.baremetal.simulated import inventory
from mogan.context import RequestContext
from mogan.db import models
from mogan.db.core import clock
from mogan.tests.support.client import Client
from mogan.tests.support.deployment import SMALL, USERS, Deployment
from proof.stateful import clocks
from proof.stateful.commits import Commits
from proof.stateful.engines import LIMITS, Engine
from proof.stateful.hardware import THEIRS, Driver, Watch

NODES: Final = 2
ENGINES: Final = 2
Row = dict[str, Any]

_FREE: Final = """
    UPDATE nodes SET maintenance = 0, availability = 'available',
        power_state = 'power off', power_target = NULL, until = NULL,
        breaks = NULL, last_error = NULL, instance_uuid = NULL,
        display_name = NULL, image_uuid = NULL, protected = 0,
        protected_reason = NULL"""


class _Nudges:
    """Takes the place of the client of the engines: a message arrives when
    the run says so, if at all."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def nudge(self, context: RequestContext, instance_uuid: str) -> None:
        self.sent.append(instance_uuid)


class _Errors(logging.Handler):
    """The errors that the product logs, each of which is a fault: it caught
    something that nobody had thought of."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(logging.Formatter().format(record))


class World:
    """Make one, `reset` it for each example, `close` it."""

    def __init__(self) -> None:
        # What has happened in all examples, so that a run can tell.
        self.counts: collections.Counter[str] = collections.Counter()
        self.errors = _Errors()
        log = logging.getLogger('mogan')
        log.addHandler(self.errors)
        log.setLevel(logging.ERROR)
        log.propagate = False
        self._deployment = Deployment(nodes=NODES)
        self.db = self._deployment.db
        self.clock = clocks.Clock()
        self.clock.install(self.db.engine)
        self.commits = Commits(self.db.engine)
        path = self._deployment.directory / 'inventory.sqlite'
        self.hardware = inventory.Inventory(path, clock=self.clock)
        self.watch = Watch(self.hardware, self.row, self.counts)
        # A rebuild is late before it is done.
        self._drivers = [Driver(path, self.watch.look, clock=self.clock,
                                rebuild_time=LIMITS.rebuild + 2)
                         for _ in range(ENGINES)]
        self.nudges = _Nudges()
        conf = self._deployment.conf
        application = app.Application(app.Services(
            db=self.db, engine=self.nudges, policy=policy.Policy(conf)),
            conf)
        self.clients = {name: Client(application, name)
                        for name in (*USERS, None)}
        self.flavor = self.clients['admin'].post('/v1/flavors', {
            'name': 'small', 'resources': {SMALL: 1}}).json['uuid']
        self.engines: list[Engine] = []

    def reset(self) -> None:
        """Forget the last example, however it ended."""
        self.commits.spare()
        self.clock.reset()
        self.errors.found.clear()
        self.nudges.sent.clear()
        self.watch.reset()
        with self.db.writer() as connection:
            for table in (models.actions, models.instances):
                connection.execute(sa.delete(table))
            connection.execute(sa.update(models.rounds).values(
                due_at=clock.NOW))
        with self.hardware.transaction() as txn:
            txn.connection.execute(_FREE)
            for table in ('fences', 'faults', 'journal'):
                txn.connection.execute(
                    f'DELETE FROM {table}')  # noqa: S608 - three constants
        self.engines = [Engine(self.db, hardware, f'engine-{number}')
                        for number, hardware in enumerate(self._drivers)]

    def rows(self) -> dict[str, Row]:
        """Return every instance, deleted ones too, as in the database."""
        return {row.uuid: dict(row._mapping)  # noqa: SLF001 - public
                for row in self.db.read(sa.select(
                    models.instances).order_by(models.instances.c.id))}

    def row(self, uuid: str) -> Row | None:
        """Return one instance."""
        return self.rows().get(uuid)

    def actions(self, uuid: str) -> list[Row]:
        """Return an instance's history, oldest first."""
        return [dict(row._mapping)  # noqa: SLF001 - public
                for row in self.db.read(
                    sa.select(models.actions)
                    .where(models.actions.c.instance_uuid == uuid)
                    .order_by(models.actions.c.id))]

    def image(self, node_uuid: str) -> str | None:
        """Return what is on a node."""
        with self.hardware.transaction() as txn:
            return txn.image(node_uuid)

    def heal(self) -> None:
        """Repair all that fails, and resume all that has stopped."""
        self.commits.spare()
        self.hardware.clear_faults()
        for node in self.hardware.nodes():
            self.hardware.set_maintenance(node.uuid, maintenance=False)
        deleting = {row['uuid'] for row in self.rows().values()
                    if row['status'] == 'deleting'}
        self.free([node for node in self.hardware.nodes()
                   if node.instance_uuid in deleting])
        for engine in self.engines:
            while engine.visits:
                engine.wake(0)

    def free(self, nodes: Iterable[driver.Node]) -> None:
        """Take off what somebody else protects these nodes for."""
        for node in nodes:
            if node.protected_reason == THEIRS:
                self.watch.let_go(node.uuid)

    def crash(self) -> None:
        """End whatever has stopped."""
        for engine in self.engines:
            engine.crash()

    def close(self) -> None:
        """Remove everything."""
        self.crash()
        self.clock.remove()
        for opened in self._drivers:
            opened.close()
        self.hardware.close()
        self._deployment.close()

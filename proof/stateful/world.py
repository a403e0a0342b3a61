# SPDX-License-Identifier: Apache-2.0
"""What a run plays in: the real application, database, policy and engines
in one process, on hardware and a clock of the run's own.

It is made once.  Each example begins with no instances and free nodes.
"""

import collections
import logging
from typing import Any, Final

import sqlalchemy as sa

from mogan import policy
from mogan.api import app
from mogan.baremetal import inventory
from mogan.context import RequestContext
from mogan.db import clock, models
from mogan.tests.functional.client import Client
from mogan.tests.functional.deployment import SMALL, USERS, Deployment
from proof.stateful import clocks
from proof.stateful.commits import Commits
from proof.stateful.engines import LIMITS, Engine
from proof.stateful.hardware import Driver, Watch

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
    """What the product logs as an error is one: it caught something that
    nobody had thought of."""

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
        application = app.make_app(app.Services(
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
        with self.hardware.turn() as turn:
            turn.connection.execute(_FREE)
            for table in ('fences', 'faults', 'journal'):
                turn.connection.execute(
                    f'DELETE FROM {table}')  # noqa: S608 - three constants
        self.engines = [Engine(self.db, hardware, f'engine-{number}')
                        for number, hardware in enumerate(self._drivers)]

    def rows(self) -> dict[str, Row]:
        """Every instance, the deleted ones too, as in the database."""
        with self.db.reader() as connection:
            found = connection.execute(
                sa.select(models.instances).order_by(models.instances.c.id))
            return {row.uuid: dict(row._mapping)  # noqa: SLF001 - public
                    for row in found}

    def row(self, uuid: str) -> Row | None:
        """One instance."""
        return self.rows().get(uuid)

    def actions(self, uuid: str) -> list[Row]:
        """An instance's history, the oldest first."""
        with self.db.reader() as connection:
            found = connection.execute(
                sa.select(models.actions)
                .where(models.actions.c.instance_uuid == uuid)
                .order_by(models.actions.c.id))
            return [dict(row._mapping)  # noqa: SLF001 - public
                    for row in found]

    def image(self, node_uuid: str) -> str | None:
        """What is on a node."""
        with self.hardware.turn() as turn:
            return turn.image(node_uuid)

    def heal(self) -> None:
        """Nothing fails any more; what has stopped goes on."""
        self.commits.spare()
        self.hardware.clear_faults()
        for node in self.hardware.nodes():
            self.hardware.set_maintenance(node.uuid, maintenance=False)
        for engine in self.engines:
            while engine.visits:
                engine.wake(0)

    def crash(self) -> None:
        """End whatever has stopped."""
        for engine in self.engines:
            engine.crash()

    def close(self) -> None:
        """Remove everything."""
        self.crash()
        self.clock.remove()
        for driver in self._drivers:
            driver.close()
        self.hardware.close()
        self._deployment.close()

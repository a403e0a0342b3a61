# SPDX-License-Identifier: Apache-2.0
"""Base classes of the functional tests."""

import datetime
import logging
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from oslo_utils import uuidutils
from oslotest import base as test_base

from mogan import states
from mogan.baremetal.protection import Protection
from mogan.db import models
from mogan.db.core import clock
from mogan.tests.support.client import Answer
from mogan.tests.support.deployment import SMALL, Deployment
from mogan.tests.support.processes import DEADLINE, eventually

IMAGE = '11111111-2222-3333-4444-555555555555'
OTHER_IMAGE = '99999999-2222-3333-4444-555555555555'
NOWHERE = '00000000-0000-0000-0000-000000000000'


def now() -> datetime.datetime:
    """Return the present time as the database stores it."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


class FunctionalTest(test_base.BaseTestCase):
    """A test with a deployment of its own; `engines` run in it."""

    engines = 1
    # Seconds in which the engines and the hardware do what was requested.
    deadline = DEADLINE
    rules: ClassVar[dict[str, str]] = {}

    def setUp(self) -> None:
        super().setUp()
        # It writes down the whole caller for each decision.
        logging.getLogger('oslo_policy').setLevel(logging.INFO)
        self.deployment = self.deploy()
        self.addCleanup(self.deployment.close)
        for _ in range(self.engines):
            self.deployment.start_engine()
        self.db = self.deployment.db
        self.hardware = self.deployment.hardware
        self.admin = self.deployment.client('admin')
        self.demo = self.deployment.client('demo')
        self.reader = self.deployment.client('reader')
        self.other = self.deployment.client('other')
        self.anonymous = self.deployment.client(None)

    def deploy(self) -> Deployment:
        """Return the deployment that the test runs on."""
        return Deployment(rules=self.rules)

    def expect(self, status: int, answer: Answer) -> Answer:
        """Return the answer, if it has this status."""
        self.assertEqual(status, answer.status, answer.body)
        return answer

    def make_flavor(self, **values: Any) -> str:
        """Create a flavor; returns its uuid."""
        wanted = {'name': f'flavor-{uuid.uuid4()}',
                  'resources': {SMALL: 1}} | values
        return self.expect(
            201, self.admin.post('/v1/flavors', wanted)).json['uuid']

    def ask_for_instance(self, **values: Any) -> str:
        """Start to build an instance for demo; returns its uuid."""
        if 'flavor_uuid' not in values:
            values['flavor_uuid'] = self.make_flavor()
        wanted = {'name': 'web', 'image_uuid': IMAGE} | values
        return self.expect(
            201, self.demo.post('/v1/instances', wanted)).json['uuid']

    def make_instance(self, **values: Any) -> str:
        """Create an active instance of demo; returns its uuid."""
        uuid = self.ask_for_instance(**values)
        self.wait_for(uuid, status='active')
        return uuid

    def see(self, uuid: str) -> dict[str, Any]:
        """Return all fields of an instance."""
        return self.expect(
            200, self.admin.get(f'/v1/instances/{uuid}')).json

    def wait_for(self, uuid: str, **wanted: Any) -> dict[str, Any]:
        """Return the instance, once it shows these values."""
        return eventually(
            lambda: self.see(uuid), self.deadline,
            until=lambda seen: wanted.items() <= seen.items())

    def wait_for_fault(self, uuid: str) -> str:
        """Return the message of the fault, once there is one."""
        return eventually(lambda: self.see(uuid)['fault'],
                          self.deadline)['message']

    def wait_until_gone(self, uuid: str) -> None:
        """Wait for the end of a delete."""
        eventually(lambda: self.admin.get(f'/v1/instances/{uuid}').status,
                   self.deadline, until=lambda status: status == 404)

    def ask(self, uuid: str, request: str, user: str = 'admin') -> None:
        """Make a request of an instance, which is accepted: delete,
        rebuild, lock, unlock, or a power target."""
        client = self.deployment.client(user)
        if request == 'delete':
            self.expect(204, client.delete(f'/v1/instances/{uuid}'))
        elif request == 'rebuild':
            self.expect(202, client.rebuild(uuid, OTHER_IMAGE))
        elif request in {'lock', 'unlock'}:
            self.expect(202, getattr(client, request)(uuid))
        else:
            self.expect(202, client.power(uuid, request))

    def lock(self, uuid: str, reason: str | None = None) -> None:
        """Lock an instance, and wait until the engine has settled it."""
        self.expect(202, self.admin.lock(uuid, reason))
        self.wait_for(uuid, lock_state='locked')

    def history(self, uuid: str) -> list[dict[str, Any]]:
        """Return the actions of an instance, the newest first."""
        return self.expect(200, self.admin.get(
            f'/v1/instances/{uuid}/actions')).json['actions']

    def node_of(self, uuid: str) -> Any:
        """Return the node that carries the instance, if any."""
        return self.hardware.find(uuid)

    def change_node(self, uuid: str, **columns: Any) -> None:
        """Set columns of the node that carries the instance."""
        with self.hardware.transaction() as txn:
            txn.change(self.node_of(uuid).uuid, **columns)

    def end_the_work(self, uuid: str) -> None:
        """Let the node of an instance be done with what it is at."""
        self.change_node(uuid, until=0)

    def marked(self, uuid: str, reason: str | None = None) -> str:
        """Return the reason on the node of an instance that is locked for this
        reason."""
        return Protection(uuid, reason).text

    def put_row(self, status: str = 'active', lock_state: str = 'unlocked',
                **values: Any) -> str:
        """Insert an instance in a state directly into the database, without
        unfinished work; returns its uuid."""
        [uuid] = self.put_rows({'status': status, 'lock_state': lock_state}
                               | values)
        return uuid

    def put_rows(self, *wanted: dict[str, Any]) -> list[str]:
        """Several of them at once, with the same columns each."""
        rows = [self.describe_row(**values) for values in wanted]
        if self.engines:
            # A look at the nodes would find out that there are none.
            self.stop_surveys()
        with self.db.writer() as connection:
            connection.execute(sa.insert(models.instances), rows)
        return [row['uuid'] for row in rows]

    def stop_surveys(self) -> None:
        """Let the engines that run look at all nodes no more."""
        for engine in self.deployment.engines:
            eventually(
                lambda engine=engine: engine._reconciler._registered)
        with self.db.writer() as connection:
            connection.execute(sa.delete(models.rounds).where(
                models.rounds.c.name == 'survey'))

    def describe_row(self, **values: Any) -> dict[str, Any]:
        """Return the values of such a row."""
        user_id, project_id = self.deployment.identity('demo')
        row = {
            'uuid': uuidutils.generate_uuid(), 'project_id': project_id,
            'user_id': user_id, 'name': 'web', 'flavor_uuid': NOWHERE,
            'image_uuid': IMAGE, 'node_uuid': NOWHERE, 'metadata': {},
            'status': 'active', 'lock_state': 'unlocked',
            'locked_at': None, 'locked_by': None,
            'node_protection': 'none', 'fence': 1, 'claim_seq': 0,
            'revision': 0, 'created_at': now()} | values
        if row['lock_state'] != states.LockState.UNLOCKED:
            row |= {'locked_at': now(), 'locked_by': 'admin'} | values
        return row

    def claim_for_a_dead_engine(self) -> None:
        """Claim all instances for an engine that does not run; its leases end
        soon."""
        with self.db.writer() as connection:
            connection.execute(sa.update(models.instances).values(
                claim_by='a dead engine', claim_seq=9,
                claim_until=clock.from_now(0.5)))

    def row(self, uuid: str) -> dict[str, Any]:
        """Return an instance's row as it is in the database."""
        with self.db.reader() as connection:
            return dict(connection.execute(
                sa.select(models.instances).where(
                    models.instances.c.uuid == uuid)).one()._mapping)

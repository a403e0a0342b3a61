# SPDX-License-Identifier: Apache-2.0
"""Steps shared by the tests of adoption."""

from typing import Any

from mogan.baremetal import driver
from mogan.baremetal.simulated import faults
from mogan.tests.functional import base
from mogan.tests.support.client import Client
from mogan.tests.support.processes import eventually

PATH = '/v1/manageable_servers'
_WIPES = {'deploy', 'rebuild', 'undeploy'}


class AdoptionTest(base.FunctionalTest):
    """`node-0` is in use by somebody who is not known here."""

    def setUp(self):
        super().setUp()
        self.node_uuid = self.put_to_use('node-0')
        self.before = self.node()

    def put_to_use(self, name: str, image: str | None = base.IMAGE) -> str:
        node_uuid = self.hardware.named(name).uuid
        self.hardware.set_active(node_uuid, active=True, image_source=image)
        return node_uuid

    def node(self) -> driver.Node:
        return self.hardware.look([self.node_uuid])[self.node_uuid]

    def post(self, client: Client | None = None, **values: Any) -> Any:
        return (client or self.admin).post(PATH, {
            'name': 'legacy', 'node_uuid': self.node_uuid} | values)

    def adopt(self, **values: Any) -> str:
        """Start to adopt the node; returns the instance's uuid."""
        return self.expect(201, self.post(**values)).json['uuid']

    def listed(self) -> list[str]:
        return [one['uuid'] for one in self.expect(
            200, self.admin.get(PATH)).json['manageable_servers']]

    def fault(self, mode: str, call: str, **values: Any) -> None:
        self.hardware.add_fault(faults.Fault(
            faults.Mode(mode), call, **values))

    def hold_back(self) -> str:
        """Create an instance that has the node, and whose adoption cannot
        end."""
        self.fault('unavailable', 'seal', times=None)
        uuid = self.adopt()
        eventually(lambda: self.node_of(uuid))
        self.wait_for_fault(uuid)
        self.assertEqual('building', self.see(uuid)['status'])
        return uuid

    def assert_untouched(self) -> None:
        """Check that the node is as it was, and was never anything else."""
        self.assertEqual(self.before, self.node())
        self.assert_never_wiped()

    def assert_never_wiped(self) -> None:
        self.assertEqual([], [
            entry for entry in self.hardware.journal()
            if entry.node_uuid == self.node_uuid and entry.call in _WIPES
            and entry.outcome != 'refused:not-ours'])

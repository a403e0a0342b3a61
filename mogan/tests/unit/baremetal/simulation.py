# SPDX-License-Identifier: Apache-2.0
"""Simulated hardware whose clock stands still until it is moved."""

import uuid

from oslotest import base

from mogan.baremetal import driver, simulated
from mogan.baremetal.simulated import inventory
from mogan.tests.permits import Permits
from mogan.tests.support.files import temporary_directory

IMAGE = '3f2b8c0e-92d5-4f0b-8a55-1f5c3d1c7a01'
OTHER_IMAGE = '3f2b8c0e-92d5-4f0b-8a55-1f5c3d1c7a02'


class SimulationTestCase(Permits, base.BaseTestCase):
    """Three nodes, of which one is large."""

    def setUp(self):
        super().setUp()
        self.path = temporary_directory(self) / 'inventory.sqlite'
        self.now = 1_700_000_000.0
        self.driver = self.open()
        self.inventory = self.driver.inventory
        self.inventory.seed([
            inventory.new_node('rack1-node01', 'CUSTOM_SMALL'),
            inventory.new_node('rack1-node02', 'CUSTOM_SMALL'),
            inventory.new_node('rack2-node01', 'CUSTOM_LARGE',
                               ['CUSTOM_FAST', 'HW_CPU_X86_VMX'])])

    def open(self, **options):
        opened = simulated.SimulatedDriver(
            self.path, deploy_time=10, rebuild_time=20, undeploy_time=30,
            power_time=5, lease=60.0, reach=20.0, clock=lambda: self.now,
            **options)
        self.addCleanup(opened.close)
        return opened

    def spec(self, **changes):
        return driver.DeploySpec(**{
            'instance_uuid': str(uuid.uuid4()), 'name': 'web-1',
            'image_uuid': IMAGE, 'resources': {'CUSTOM_SMALL': 1}, **changes})

    def deployed(self, fence=1, **changes):
        """Deploy a node; returns the spec and the node's uuid."""
        spec = self.spec(**changes)
        node = self.driver.claim(spec, self.permit(fence))
        self.driver.deploy(node.uuid, spec, self.permit(fence))
        self.now += 10
        return spec, node.uuid

    def node(self, node_uuid):
        return self.driver.look([node_uuid])[node_uuid]

    def outcomes(self):
        return [(entry.call, entry.outcome)
                for entry in self.inventory.journal()]

# SPDX-License-Identifier: Apache-2.0
"""The driver for Ironic, against the contract, on a real one."""

import dataclasses
import functools

from oslotest import base

from mogan.baremetal import driver
from mogan.tests.contract import adoption, durability, protection, suite
from mogan.tests.ironic import server
from mogan.tests.ironic.drivers import make_driver


class IronicHardware(suite.Hardware, base.BaseTestCase):
    """Two nodes of a class, one with a trait, and one of another class."""

    wait_timeout = 60.0
    # The fake hardware's deploys leave the power alone.
    works_power = False

    def install(self):
        self.ironic = server.shared()
        self.addCleanup(server.shared.restore)
        self._class = server.some_class()
        self.ironic.enrol('node-1', self._class, traits=self.traits())
        self._plain = self.ironic.enrol('node-2', self._class)
        other = self.ironic.enrol('node-3', server.some_class())
        for node_uuid, zone in ((self._plain, self.zone()), (other, 'ZZ')):
            self.ironic.patch(node_uuid, properties={
                'availability_zone': zone})

    def recipe(self):
        return functools.partial(make_driver, self.ironic.url)

    def resources(self):
        return {self._class: 1}

    def in_use(self):
        self.ironic.put_to_use(self._plain, self.images()[0])
        return self._plain

    def meddle(self, node_uuid, reason, *, protected=True):
        values = {'protected_reason': reason} if protected else {}
        self.ironic.patch(node_uuid, protected=protected, **values)


class IronicDriverAdopts(adoption.AdoptionContract, IronicHardware):

    def _refuses(self, change):
        change()
        self.assertEqual([], self.listed())
        self.assert_refused(driver.Refused, self.spec())

    def test_a_protected_node_is_left_alone(self):
        self._refuses(lambda: self.ironic.patch(self.node_uuid,
                                                protected=True))

    def test_a_node_in_maintenance_is_left_alone(self):
        self._refuses(lambda: self.ironic.do(
            'PUT', f'/v1/nodes/{self.node_uuid}/maintenance', {}))

    def test_a_node_that_changes_meanwhile_is_given_back(self):
        def meanwhile():
            self.ironic.do('PUT', f'/v1/nodes/{self.node_uuid}/maintenance',
                           {})
            return True

        with self.covering(meanwhile):
            self.assertRaises(driver.Refused, self.adopt, self.spec())
        self.assertEqual(
            dataclasses.replace(self.before, maintenance=True), self.look())

    def test_nothing_that_ironic_knows_of_it_is_changed(self):
        def known():
            node = self.ironic.node(self.node_uuid)
            return {name: value for name, value in node.items()
                    if name not in {'updated_at', 'instance_uuid'}}

        before = known()
        spec = self.spec()
        self.adopt(spec)
        self.assertEqual(before, known())
        self.release(spec)
        self.assertEqual(before, known())


class IronicDriverKeepsTheContract(suite.DriverContract, IronicHardware):

    def test_it_does_not_claim_to_fence(self):
        self.assertFalse(self.driver.fencing)
        self.assertIsInstance(self.driver, driver.Driver)


class IronicDriverProtects(protection.ProtectionContract, IronicHardware):
    pass


class IronicDriverIsDurable(durability.DurabilityContract, IronicHardware):
    pass

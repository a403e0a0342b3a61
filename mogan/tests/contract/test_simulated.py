# SPDX-License-Identifier: Apache-2.0
"""The simulated driver, against the contract."""

import functools

from oslotest import base

from mogan.baremetal import simulated
from mogan.baremetal.simulated import inventory
from mogan.tests.contract import adoption, durability, protection, suite
from mogan.tests.support.files import temporary_directory


class SimulatedHardware(suite.Hardware, base.BaseTestCase):
    """Two nodes of a class, one with a trait, and one of another class."""

    def install(self):
        self.path = temporary_directory(self) / 'inventory.sqlite'
        store = inventory.Inventory(self.path)
        store.seed([
            inventory.new_node('rack1-node01', 'CUSTOM_METAL',
                               ['CUSTOM_FAST']),
            inventory.new_node('rack1-node02', 'CUSTOM_METAL',
                               zone=self.zone()),
            inventory.new_node('rack2-node01', 'CUSTOM_OTHER', zone='ZZ')])
        store.close()

    def recipe(self):
        return functools.partial(
            simulated.SimulatedDriver, self.path, deploy_time=0.1,
            rebuild_time=0.1, undeploy_time=0.1, power_time=0.05,
            # Slow disks are no subject here.
            lease=60.0, reach=20.0)

    def resources(self):
        return {'CUSTOM_METAL': 1}

    def in_use(self):
        node = self.driver.inventory.named('rack1-node02')
        self.driver.inventory.set_active(node.uuid, active=True,
                                         image_source=self.images()[0])
        return node.uuid

    def meddle(self, node_uuid, reason, *, protected=True):
        self.driver.inventory.set_protected(node_uuid, protected, reason)


class SimulatedDriverKeepsTheContract(suite.FencingContract,
                                      SimulatedHardware):
    pass


class SimulatedDriverAdopts(adoption.FencingAdoptionContract,
                            SimulatedHardware):
    pass


class SimulatedDriverProtects(protection.FencingProtectionContract,
                              SimulatedHardware):
    pass


class SimulatedDriverIsDurable(durability.DurabilityContract,
                               SimulatedHardware):
    pass

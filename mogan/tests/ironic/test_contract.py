# SPDX-License-Identifier: Apache-2.0
"""The driver for Ironic, against the contract, on a real one."""

import functools

from oslotest import base

from mogan.baremetal import driver
from mogan.tests.contract import durability, suite
from mogan.tests.ironic import server
from mogan.tests.ironic.drivers import make_driver


class IronicHardware(suite.Hardware, base.BaseTestCase):
    """Two nodes of a class, one with a trait, and one of another class."""

    patience = 60.0
    # The fake hardware's deploys leave the power alone.
    works_power = False

    def install(self):
        self.ironic = server.shared()
        self.addCleanup(self.ironic.clear)
        self._class = server.some_class()
        self.ironic.enrol('node-1', self._class, traits=self.traits())
        self.ironic.enrol('node-2', self._class)
        self.ironic.enrol('node-3', server.some_class())

    def recipe(self):
        return functools.partial(make_driver, self.ironic.url)

    def resources(self):
        return {self._class: 1}

    def traits(self):
        return ('CUSTOM_FAST',)

    def images(self):
        return ('0f3f4a1c-7a19-4ef3-8f6e-b5b3a5f1a001',
                '0f3f4a1c-7a19-4ef3-8f6e-b5b3a5f1a002')


class IronicDriverKeepsTheContract(suite.DriverContract, IronicHardware):

    def test_it_does_not_claim_to_fence(self):
        self.assertFalse(self.driver.fencing)
        self.assertIsInstance(self.driver, driver.Driver)


class IronicDriverIsDurable(durability.DurabilityContract, IronicHardware):
    pass

# SPDX-License-Identifier: Apache-2.0
"""A base class for functional tests: a real service for each class."""

import unittest

import testtools

from moganclient import exceptions
from moganclient.tests import service


class ServiceTest(testtools.TestCase):
    """`admin` and `demo` are the services of two connections."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if service.python() is None:
            raise unittest.SkipTest('the service is not installed')
        cls.service = service.Service()
        cls.addClassCleanup(cls._end)

    @classmethod
    def _end(cls):
        # The one that there is then.
        cls.service.close()

    def setUp(self):
        super().setUp()
        self.admin = self.service.connect().baremetal_compute
        self.demo = self.service.connect('demo').baremetal_compute

    def make_instance(self, name='web', **values):
        """Create an active instance of demo."""
        flavor = self.demo.find_flavor('baremetal-small')
        made = self.demo.create_instance(
            name=name, flavor_uuid=flavor.id, image_uuid=service.IMAGE,
            **values)
        self.addCleanup(self.remove, made)
        self.assertEqual('building', made.status)
        return self.demo.wait_for_instance(made, 'active', timeout=60)

    def remove(self, instance):
        """Take an instance away, whatever has become of it."""
        try:
            self.admin.unlock_instance(instance)
            self.admin.wait_for_instance(instance, 'unlocked', timeout=60)
            self.admin.delete_instance(instance)
            self.admin.wait_for_deleted(instance, timeout=60)
        except exceptions.NotFound:
            pass

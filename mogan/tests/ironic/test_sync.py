# SPDX-License-Identifier: Apache-2.0
"""The rows follow Ironic's nodes, whatever others do to these in Ironic."""

import uuid

from mogan.tests.ironic import base
from mogan.tests.support.processes import eventually


class SyncTest(base.IronicTest):

    def ask_ironic(self, method, node_uuid, path, body):
        self.ironic.do(method, f'/v1/nodes/{node_uuid}/{path}', body)

    def wait_for_trouble(self, uuid, message):
        """Return the instance, once its fault has this message."""
        return eventually(
            lambda: self.see(uuid), within=self.deadline, until=lambda seen: (
                seen['fault'] and message in seen['fault']['message']))


class TestPower(SyncTest):

    def test_the_instance_follows_the_power_of_its_node(self):
        uuid = self.make_instance()
        self.lock(uuid, 'disk swap')
        node_uuid = self.raw(uuid)['uuid']
        for target, status in (('power off', 'stopped'),
                               ('power on', 'active')):
            self.ask_ironic('PUT', node_uuid, 'states/power',
                            {'target': target})
            seen = self.wait_for(uuid, status=status, power_state=target)
            self.assertEqual('locked', seen['lock_state'])
        self.assertEqual(['lock', 'create'], [
            entry['action'] for entry in self.history(uuid)])


class TestLost(SyncTest):

    nodes = 2

    def test_a_node_that_was_deleted(self):
        uuid = self.make_instance()
        other = self.make_instance()
        node_uuid = self.raw(uuid)['uuid']
        self.ironic.remove(node_uuid)
        seen = self.wait_for_trouble(uuid, 'is gone')
        self.assertEqual(('error', node_uuid), (seen['status'],
                                                seen['node_uuid']))
        self.assertEqual('active', self.see(other)['status'])
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)

    def test_a_node_that_carries_another_instance(self):
        locked = self.make_instance()
        self.lock(locked, 'disk swap')
        node_uuid = self.raw(locked)['uuid']
        theirs = str(uuid.uuid4())
        self._give(node_uuid, theirs)
        seen = self.wait_for_trouble(locked, 'carries another instance')
        self.assertEqual(('error', 'locked', 'none'), (
            seen['status'], seen['lock_state'], seen['node_protection']))
        node = self.ironic.node(node_uuid)
        self.assertEqual((theirs, 'active'), (node['instance_uuid'],
                                              node['provision_state']))
        # And back again: it is as it was.
        self._give(node_uuid, locked)
        self.wait_for(locked, status='active', fault=None,
                      node_protection='applied')
        self.wait_for_node(locked, protected=True,
                           protected_reason=self.marked(
                               locked, 'disk swap'))

    def _give(self, node_uuid, instance_uuid):
        """Ironic lets an active node change its instance in maintenance
        only."""
        self.ask_ironic('PUT', node_uuid, 'maintenance', {'reason': 'swap'})
        self.ironic.patch(node_uuid, instance_uuid=None)
        self.ironic.patch(node_uuid, instance_uuid=instance_uuid)
        self.ironic.do('DELETE', f'/v1/nodes/{node_uuid}/maintenance')

    def test_a_node_that_was_undeployed(self):
        uuid = self.make_instance()
        node_uuid = self.raw(uuid)['uuid']
        self.assertTrue(self.ironic.provision(node_uuid, 'deleted').ok)
        seen = self.wait_for_trouble(uuid, 'does not carry the instance')
        self.assertEqual('error', seen['status'])
        node = self.ironic.wait_for(node_uuid, provision_state='available')
        self.assertIsNone(node['instance_uuid'])

    def test_a_node_in_rescue_is_deployed_all_the_same(self):
        uuid = self.make_instance()
        node_uuid = self.raw(uuid)['uuid']
        self.ironic.do('PUT', f'/v1/nodes/{node_uuid}/states/provision',
                       {'target': 'rescue', 'rescue_password': 'secret'})
        self.ironic.wait_for(node_uuid, provision_state='rescue')
        # What shows that it has been looked at.
        self.ironic.patch(node_uuid, protected=True)
        self.wait_for(uuid, node_protection='foreign')
        seen = self.see(uuid)
        self.assertIn(seen['status'], {'active', 'stopped'})
        self.assertIsNone(seen['fault'])


class TestMaintenance(SyncTest):

    options = {'maintenance_on_lock': True}  # noqa: RUF012

    def test_what_somebody_else_began_is_a_fault_and_a_lock_s_is_none(self):
        uuid = self.make_instance()
        self.lock(uuid, 'disk swap')
        node_uuid = self.raw(uuid)['uuid']
        self.assertTrue(self.raw(uuid)['maintenance'])
        self.ironic.patch(node_uuid, protected=False)
        self.wait_for_node(uuid, protected=True)
        self.assertIsNone(self.see(uuid)['fault'])
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        self.ask_ironic('PUT', node_uuid, 'maintenance', {'reason': 'smoke'})
        seen = self.wait_for_trouble(uuid, 'in maintenance')
        self.assertEqual('active', seen['status'])
        self.ironic.do('DELETE', f'/v1/nodes/{node_uuid}/maintenance')
        self.wait_for(uuid, status='active', fault=None)

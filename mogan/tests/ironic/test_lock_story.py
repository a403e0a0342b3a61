# SPDX-License-Identifier: Apache-2.0
"""The life of a locked instance on a real Ironic."""

from mogan.tests.functional import base as functional
from mogan.tests.ironic import base

REASON = 'disk swap, ticket 4711'


class TestLockStory(base.IronicTest):

    def test_a_locked_instance_is_there_until_it_is_unlocked(self):
        uuid = self.make_instance(metadata={'role': 'web'})
        node = self.raw(uuid)
        self.assertEqual(('active', uuid), (node['provision_state'],
                                            node['instance_uuid']))
        self.assertLessEqual(
            {'display_name': 'web',
             'image_source': functional.IMAGE}.items(),
            node['instance_info'].items())

        self.lock(uuid, REASON)
        self.assertEqual('applied', self.see(uuid)['node_protection'])
        self._refuses(uuid)

        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        node = self.raw(uuid)
        self.assertEqual((False, None), (node['protected'],
                                         node['protected_reason']))
        self.expect(204, self.demo.delete(f'/v1/instances/{uuid}'))
        self.wait_until_gone(uuid)
        node = self.ironic.wait_for(node['uuid'],
                                    provision_state='available')
        self.assertIsNone(node['instance_uuid'])

    def _refuses(self, uuid):
        """Neither here nor there can anybody take it away."""
        node = self.raw(uuid)
        self.assertEqual((True, self.marked(uuid, REASON)), (node['protected'],
                                          node['protected_reason']))
        for target in ('deleted', 'rebuild'):
            answer = self.ironic.provision(node['uuid'], target)
            self.assertEqual(403, answer.status_code, answer.text)
        path = f'/v1/instances/{uuid}'
        for client in (self.demo, self.admin):
            self.expect(409, client.delete(path))
            self.expect(409, client.rebuild(uuid, functional.OTHER_IMAGE))
        self.assertEqual('active', self.raw(uuid)['provision_state'])

    def test_the_nodes_are_listed(self):
        uuid = self.make_instance()
        self.lock(uuid, REASON)
        [node] = self.expect(
            200, self.admin.get('/v1/nodes/detail')).json['nodes']
        self.assertLessEqual(
            {'uuid': self.see(uuid)['node_uuid'], 'name': 'node-0',
             'instance_uuid': uuid, 'availability': 'active',
             'power_state': 'power on', 'protected': True,
             'protected_reason': self.marked(uuid, REASON)}.items(),
            node.items())

    def test_power_reaches_the_node(self):
        uuid = self.make_instance()
        for request, state in (('off', 'power off'), ('on', 'power on'),
                               ('soft_reboot', 'power on'),
                               ('soft_off', 'power off')):
            self.ask(uuid, request)
            self.wait_for(uuid, power_state=state, status={
                'power on': 'active', 'power off': 'stopped'}[state])
            self.assertEqual(state, self.raw(uuid)['power_state'])
        self.assertEqual({'done'}, {
            entry['outcome'] for entry in self.history(uuid)})

    def test_a_rebuild_brings_the_other_image(self):
        uuid = self.make_instance()
        self.ask(uuid, 'rebuild')
        self.wait_for(uuid, status='active',
                      image_uuid=functional.OTHER_IMAGE)
        self.assertEqual(functional.OTHER_IMAGE,
                         self.raw(uuid)['instance_info']['image_source'])


class TestDrift(base.IronicTest):
    """Somebody goes to Ironic directly."""

    def test_a_lost_protection_comes_back_with_its_reason(self):
        uuid = self.make_instance()
        self.lock(uuid, REASON)
        self.ironic.patch(self.raw(uuid)['uuid'], protected=False)
        self.wait_for_node(uuid, protected=True,
                           protected_reason=self.marked(uuid, REASON))

    def test_a_protection_that_was_left_behind_goes(self):
        uuid = self.make_instance()
        self.ironic.patch(self.raw(uuid)['uuid'], protected=True,
                          protected_reason=self.marked(uuid, REASON))
        self.wait_for_node(uuid, protected=False)

    def test_the_one_of_an_older_release_is_marked(self):
        uuid = self.make_instance()
        self.lock(uuid, REASON)
        self.ironic.patch(self.raw(uuid)['uuid'], protected_reason=REASON)
        self.wait_for_node(uuid, protected_reason=self.marked(uuid, REASON))

    def test_one_that_somebody_else_has_set_is_never_taken_off(self):
        uuid = self.make_instance()
        node_uuid = self.raw(uuid)['uuid']
        self.ironic.patch(node_uuid, protected=True,
                          protected_reason='RMA 17')
        self.wait_for(uuid, node_protection='foreign')
        self.lock(uuid, REASON)
        self.assertEqual('foreign', self.see(uuid)['node_protection'])
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        self.ask(uuid, 'rebuild')
        seen = self.wait_for(uuid, status='active')
        self.assertIn('protected', seen['fault']['message'])
        self.assertEqual(functional.IMAGE, seen['image_uuid'])
        self.ask(uuid, 'delete')
        self.assertIn('RMA 17', self.wait_for_fault(uuid))
        # What shows that the repair has seen it once more.
        self.wait_for(uuid, node_protection='foreign')
        node = self.ironic.node(node_uuid)
        self.assertEqual((True, 'RMA 17', 'active'), (
            node['protected'], node['protected_reason'],
            node['provision_state']))
        self.ironic.patch(node_uuid, protected=False)
        self.wait_until_gone(uuid)

    def test_another_reason_reaches_the_node(self):
        uuid = self.make_instance()
        self.lock(uuid, REASON)
        self.lock(uuid, 'firmware')
        self.wait_for_node(
            uuid, protected_reason=self.marked(uuid, 'firmware'))

    def test_a_lock_waits_for_a_node_that_cannot_be_protected(self):
        # Its instance has no node that Ironic would protect: the build
        # fails, for the node is in maintenance when it is to be deployed.
        uuid = self.make_instance()
        node_uuid = self.raw(uuid)['uuid']
        self.ironic.do('PUT', f'/v1/nodes/{node_uuid}/maintenance',
                       {'reason': 'smoke'})
        self.ask(uuid, 'rebuild')
        seen = self.wait_for(uuid, status='error')
        self.assertIn('maintenance', seen['fault']['message'])
        self.ironic.do('DELETE', f'/v1/nodes/{node_uuid}/maintenance')
        self.lock(uuid)
        self.wait_for(uuid, node_protection='applied')


class TestMaintenance(base.IronicTest):

    options = {'maintenance_on_lock': True}  # noqa: RUF012

    def test_a_lock_begins_it_and_an_unlock_ends_it(self):
        uuid = self.make_instance()
        self.lock(uuid, REASON)
        node = self.raw(uuid)
        self.assertTrue(node['maintenance'])
        self.assertIn(REASON, node['maintenance_reason'])
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        self.assertFalse(self.raw(uuid)['maintenance'])

    def test_it_goes_on_where_somebody_else_began_it(self):
        uuid = self.make_instance()
        node_uuid = self.raw(uuid)['uuid']
        self.ironic.do('PUT', f'/v1/nodes/{node_uuid}/maintenance',
                       {'reason': 'smoke'})
        self.lock(uuid)
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        node = self.raw(uuid)
        self.assertEqual((True, 'smoke', False), (
            node['maintenance'], node['maintenance_reason'],
            node['protected']))

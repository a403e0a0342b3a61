# SPDX-License-Identifier: Apache-2.0
"""Engines that stop while Ironic is at work."""

from mogan.tests.functional import base as functional
from mogan.tests.ironic import base
from mogan.tests.support.processes import eventually


class TestRestarts(base.IronicTest):

    own = True
    delay = 1

    def _restart_in_the_middle(self, uuid, verb, state):
        eventually(
            lambda: self.ironic.node(self.node_uuid)['provision_state'],
            within=60, until=lambda seen: seen == state)
        self.deployment.stop_engines()
        self.assertIsNone(self.history(uuid)[0]['outcome'])
        self.deployment.start_engine()

    def _done(self, uuid):
        self.assertEqual('done', self.history(uuid)[0]['outcome'])

    def test_another_engine_finishes_what_one_has_begun(self):
        [self.node_uuid] = [
            node['uuid'] for node in self.ironic.get('/v1/nodes')['nodes']]
        uuid = self.ask_for_instance()
        self._restart_in_the_middle(uuid, 'create', 'deploying')
        self.wait_for(uuid, status='active')
        self._done(uuid)

        self.ask(uuid, 'rebuild')
        self._restart_in_the_middle(uuid, 'rebuild', 'deploying')
        self.wait_for(uuid, status='active',
                      image_uuid=functional.OTHER_IMAGE)
        self._done(uuid)

        self.ask(uuid, 'delete')
        self._restart_in_the_middle(uuid, 'delete', 'deleting')
        self.wait_until_gone(uuid)
        self._done(uuid)
        self.ironic.wait_for(self.node_uuid, provision_state='available',
                             instance_uuid=None)
        # Each was asked of Ironic once.
        log = self.ironic.log()
        for to, of in (('deploying', 'available'), ('deploying', 'active'),
                       ('deleting', 'active')):
            self.assertEqual(1, log.count(
                f'moved to provision state "{to}" from state "{of}"'), log)


class TestIronicAway(base.IronicTest):

    own = True

    def test_a_lock_waits_for_it_and_refuses_deletes_meanwhile(self):
        uuid = self.make_instance()
        self.ironic.stop()
        self.ask(uuid, 'lock')
        self.assertIn('cannot be reached', self.wait_for_fault(uuid))
        self.assertEqual('locking', self.see(uuid)['lock_state'])
        self.expect(409, self.demo.delete(f'/v1/instances/{uuid}'))
        self.expect(503, self.admin.get('/v1/nodes'))
        self.ironic.start()
        seen = self.wait_for(uuid, lock_state='locked',
                             node_protection='applied')
        self.assertIsNone(seen['fault'])
        self.assertTrue(self.raw(uuid)['protected'])

    def test_an_engine_starts_without_it_and_a_delete_is_done_later(self):
        uuid = self.make_instance()
        self.ironic.kill()
        self.deployment.stop_engines()
        self.deployment.start_engine()
        self.ask(uuid, 'delete')
        self.wait_for_fault(uuid)
        self.assertEqual('deleting', self.see(uuid)['status'])
        self.ironic.start()
        self.wait_until_gone(uuid)


class TestOutsiders(base.IronicTest):
    """Another client takes the node away."""

    nodes = 2

    def setUp(self):
        super().setUp()
        self.uuid = self.make_instance()
        self.node_uuid = self.see(self.uuid)['node_uuid']

    def _reassociate(self):
        self.ironic.patch(self.node_uuid, instance_uuid=None)
        self.ironic.patch(self.node_uuid,
                          instance_uuid=functional.NOWHERE)

    def test_a_lock_of_an_instance_without_its_node_shows_a_fault(self):
        for take_away in (self._reassociate,
                          lambda: self.ironic.remove(self.node_uuid)):
            take_away()
            self.lock(self.uuid)
            row = self.row(self.uuid)
            self.assertEqual('none', row['node_protection'])
            # Shown unless the survey of the nodes was there first.
            self.assertIn('any more', row['lock_fault']['message'])
            self.ask(self.uuid, 'unlock')
            self.wait_for(self.uuid, lock_state='unlocked')

    def test_a_rebuild_does_not_touch_a_node_of_somebody_else(self):
        self._reassociate()
        self.ask(self.uuid, 'rebuild')
        seen = self.wait_for(self.uuid, status='error')
        self.assertIn('any more', seen['fault']['message'])
        node = self.ironic.node(self.node_uuid)
        self.assertEqual(('active', functional.NOWHERE), (
            node['provision_state'], node['instance_uuid']))
        # Nor does the delete.
        self.ask(self.uuid, 'delete')
        self.wait_until_gone(self.uuid)
        node = self.ironic.node(self.node_uuid)
        self.assertEqual('active', node['provision_state'])

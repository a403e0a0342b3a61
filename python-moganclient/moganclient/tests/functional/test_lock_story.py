# SPDX-License-Identifier: Apache-2.0
from moganclient import exceptions
from moganclient.tests import service
from moganclient.tests.functional import base


class TestLockStory(base.ServiceTest):

    def test_a_locked_instance_is_destroyed_by_nobody(self):
        instance = self.make_instance()
        self.admin.lock_instance(instance, 'disk swap')
        locked = self.admin.wait_for_instance(instance, 'locked', timeout=60)
        self.assertEqual(('admin', 'disk swap', True), (
            locked.locked_by, locked.locked_reason, locked.locked))

        for caller, holder in ((self.admin, 'admin'), (self.demo, None)):
            for destroy in (
                    lambda caller=caller: caller.delete_instance(instance),
                    lambda caller=caller: caller.rebuild_instance(instance)):
                error = self.assertRaises(exceptions.InstanceLocked, destroy)
                self.assertEqual(
                    (holder, 'disk swap', locked.locked_at, instance.id),
                    (error.holder, error.reason, error.since,
                     error.instance_id))
                self.assertIn('is locked since', str(error))
        self.assertRaises(exceptions.Forbidden, self.demo.unlock_instance,
                          instance)
        self.assertEqual('locked',
                         self.demo.instance_states(instance).lock_state)

        self.admin.unlock_instance(instance)
        self.admin.wait_for_instance(instance, 'unlocked', timeout=60)
        self.demo.delete_instance(instance)
        self.demo.wait_for_deleted(instance, timeout=60)
        self.assertEqual(
            {('create', 'done'), ('lock', 'done'), ('delete', 'refused'),
             ('rebuild', 'refused'), ('unlock', 'done'), ('delete', 'done')},
            {(action.action, action.outcome)
             for action in self.admin.instance_actions(instance, limit=2)})

    def test_what_is_done_with_an_instance_is_done(self):
        instance = self.make_instance(metadata={'team': 'shop'})
        changed = self.demo.update_instance(
            instance, description='front page',
            metadata={**instance.metadata, 'a/b': 'c'})
        self.assertEqual({'team': 'shop', 'a/b': 'c'}, changed.metadata)
        changed = self.demo.update_instance(instance.id, description=None)
        self.assertIsNone(changed.description)
        self.demo.set_instance_power_state(instance, 'off')
        self.demo.wait_for_instance(instance, 'stopped', timeout=60)
        self.assertRaises(exceptions.Conflict,
                          self.demo.set_instance_power_state, instance, 'off')
        self.demo.rebuild_instance(instance, service.OTHER_IMAGE)
        self.demo.wait_for_instance(instance, 'active', timeout=60)
        self.assertEqual(service.OTHER_IMAGE,
                         self.demo.get_instance(instance).image_uuid)

    def test_names_are_found_where_they_may_be(self):
        instance = self.make_instance('unusual')
        self.assertEqual(instance.id, self.demo.find_instance('unusual').id)
        self.assertIsNone(self.admin.find_instance('unusual'))
        self.assertEqual(instance.id, self.admin.find_instance(
            'unusual', all_projects=True).id)
        self.assertRaises(exceptions.Forbidden, self.demo.find_instance,
                          'unusual', all_projects=True)
        self.make_instance('unusual')
        self.assertRaises(exceptions.NotUnique, self.demo.find_instance,
                          'unusual')

    def test_a_name_that_is_wrong_is_the_services_to_refuse(self):
        error = self.assertRaises(
            exceptions.BadRequest, self.demo.create_instance, name='x',
            flavor_uuid=service.IMAGE, image_uuid=service.IMAGE, flavour='x')
        self.assertIn('flavour', str(error))
        error = self.assertRaises(exceptions.BadRequest, list,
                                  self.demo.instances(flavour='x'))
        self.assertIn('flavour', str(error))


class TestOthers(base.ServiceTest):

    def test_flavors_are_kept(self):
        flavor = self.admin.create_flavor(
            name='gpu', resources={'CUSTOM_GPU': 1}, traits=['HW_CPU_X86_VMX'])
        self.assertTrue(self.admin.update_flavor(
            flavor, disabled=True).disabled)
        self.assertEqual(['HW_CPU_X86_VMX'],
                         self.admin.get_flavor(flavor).traits)
        self.assertIn('gpu', [one.name for one in self.admin.flavors()])
        self.assertRaises(exceptions.Forbidden, self.demo.create_flavor,
                          name='x', resources={'CUSTOM_X': 1})
        self.admin.delete_flavor(flavor)
        self.assertIsNone(self.admin.find_flavor('gpu'))
        self.admin.delete_flavor(flavor)
        self.assertRaises(exceptions.NotFound, self.admin.delete_flavor,
                          flavor, ignore_missing=False)

    def test_nodes_are_shown_in_pages(self):
        names = [node.name for node in self.admin.nodes(limit=3)]
        self.assertEqual(8, len(names))
        # The names of a page are in their order, the pages in that of uuids.
        self.assertEqual(sorted(names[:3]), names[:3])
        self.assertEqual(set(names), {
            node.name for node in self.admin.nodes(details=True)})
        self.assertEqual([], list(self.admin.manageable_servers()))
        self.assertRaises(exceptions.Forbidden, list, self.demo.nodes())
        self.assertRaises(exceptions.HttpError, self.admin.manage_server,
                          name='x', node_uuid=service.IMAGE)

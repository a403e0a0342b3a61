# SPDX-License-Identifier: Apache-2.0
"""The life of a locked instance, from its creation to its end."""

from mogan.tests.functional import base


class TestLockStory(base.FunctionalTest):

    def test_a_locked_instance_is_there_until_it_is_unlocked(self):
        uuid = self.make_instance()
        node = self.node_of(uuid)
        self.assertEqual('active', node.availability)
        path = f'/v1/instances/{uuid}'

        self.expect(202, self.admin.lock(uuid, 'disk swap, ticket 4711'))
        settled = self.wait_for(uuid, lock_state='locked')
        self.assertEqual('applied', settled['node_protection'])
        self.assertTrue(self.node_of(uuid).protected)
        self.assertEqual(self.marked(uuid, 'disk swap, ticket 4711'),
                         self.node_of(uuid).protected_reason)
        for client in (self.demo, self.admin):
            self.expect(409, client.delete(path))
            self.expect(409, client.rebuild(uuid, base.OTHER_IMAGE))

        self.expect(202, self.admin.unlock(uuid))
        seen = self.wait_for(uuid, lock_state='unlocked')
        self.assertFalse(seen['locked'])
        self.assertIsNone(seen['locked_reason'])
        self.assertFalse(self.node_of(uuid).protected)

        self.expect(204, self.demo.delete(path))
        self.wait_until_gone(uuid)
        self.assertIsNone(self.node_of(uuid))

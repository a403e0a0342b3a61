# SPDX-License-Identifier: Apache-2.0
"""The nodes' protection comes back to what the rows say."""

from mogan.tests.functional import base
from mogan.tests.support.processes import eventually


class TestRepair(base.FunctionalTest):

    def outsider(self, node, **changes):
        """Do to a node what somebody does who goes to it directly."""
        with self.hardware.transaction() as txn:
            txn.change(node.uuid, **changes)

    def protection(self, uuid):
        node = self.node_of(uuid)
        return node.protected, node.protected_reason

    def test_a_locked_node_that_lost_its_protection_gets_it_back(self):
        uuid = self.make_instance()
        self.lock(uuid, 'disk swap')
        self.outsider(self.node_of(uuid), protected=False)
        eventually(lambda: self.protection(uuid),
                   until=lambda seen: seen == (
                       True, self.marked(uuid, 'disk swap')))
        self.assertEqual('applied', self.see(uuid)['node_protection'])

    def test_an_unlocked_node_that_kept_its_protection_is_released(self):
        uuid = self.make_instance()
        self.outsider(self.node_of(uuid), protected=True,
                      protected_reason=self.marked(uuid, 'disk swap'))
        eventually(lambda: self.protection(uuid),
                   until=lambda seen: seen == (False, None))

    def test_another_reason_reaches_the_node(self):
        uuid = self.make_instance()
        self.lock(uuid, 'disk swap')
        before = self.see(uuid)
        self.lock(uuid, 'firmware')
        eventually(lambda: self.protection(uuid),
                   until=lambda seen: seen == (
                       True, self.marked(uuid, 'firmware')))
        after = self.see(uuid)
        self.assertEqual('firmware', after['locked_reason'])
        self.assertEqual(before['locked_at'], after['locked_at'])

    def test_a_lock_that_had_to_wait_for_its_node_is_completed(self):
        uuid = self.make_instance()
        node = self.node_of(uuid)
        self.outsider(node, availability='failed')
        self.lock(uuid)
        self.assertEqual('pending', self.see(uuid)['node_protection'])
        self.outsider(node, availability='active')
        self.wait_for(uuid, node_protection='applied')
        self.assertTrue(self.node_of(uuid).protected)

    def test_each_repair_takes_a_new_number(self):
        uuid = self.make_instance()
        self.lock(uuid)
        before = self.row(uuid)['fence']
        self.outsider(self.node_of(uuid), protected=False)
        eventually(lambda: self.protection(uuid)[0])
        self.assertGreater(self.row(uuid)['fence'], before)

# SPDX-License-Identifier: Apache-2.0
"""Somebody protects a node past the service, for a reason of their own."""

import sqlalchemy as sa

from mogan.db import models
from mogan.tests.functional import base
from mogan.tests.support.processes import eventually


class ProtectionTest(base.FunctionalTest):

    def setUp(self):
        super().setUp()
        self.uuid = self.make_instance()
        self.node = self.node_of(self.uuid)

    def meddle(self, reason, *, protected=True):
        self.hardware.set_protected(self.node.uuid, protected, reason)

    def on_node(self):
        node = self.node_of(self.uuid)
        return node.protected, node.protected_reason

    def wait_for_node(self, *wanted):
        eventually(self.on_node, until=lambda seen: seen == wanted)


class TestForeignProtection(ProtectionTest):

    def assert_untouched(self):
        """Theirs has outlasted whatever the service has done."""
        self.assertEqual((True, 'RMA 17'), self.on_node())
        self.assertEqual([], [
            entry for entry in self.hardware.journal()
            if entry.outcome == 'effect'
            and entry.call in {'protect', 'unprotect', 'undeploy',
                               'rebuild'}])

    def wait_for_a_survey(self):
        """Until all nodes have been looked at once more."""
        with self.db.writer() as connection:
            connection.execute(
                sa.update(models.instances)
                .where(models.instances.c.uuid == self.uuid)
                .values(node_protection='none'))
        self.wait_for(self.uuid, node_protection='foreign')

    def test_it_is_shown_to_administrators_and_stays(self):
        self.meddle('RMA 17')
        self.wait_for(self.uuid, node_protection='foreign')
        self.wait_for_a_survey()
        self.assert_untouched()
        self.assertNotIn('node_protection', self.demo.get(
            f'/v1/instances/{self.uuid}').json)
        self.meddle(None, protected=False)
        self.wait_for(self.uuid, node_protection='none')

    def test_it_is_left_alone_once_it_is_known(self):
        self.meddle('RMA 17')
        self.wait_for_a_survey()
        fence = self.row(self.uuid)['fence']
        other = self.make_instance()
        self.hardware.set_protected(self.node_of(other).uuid, protected=True)
        self.wait_for(other, node_protection='foreign')
        self.assertEqual(fence, self.row(self.uuid)['fence'])

    def test_a_lock_settles_beside_it_and_adds_ours_when_it_is_gone(self):
        self.meddle('RMA 17')
        self.lock(self.uuid, 'disk swap')
        self.assertEqual('foreign', self.see(self.uuid)['node_protection'])
        self.assert_untouched()
        self.meddle(None, protected=False)
        self.wait_for(self.uuid, node_protection='applied')
        self.assertEqual((True, self.marked(self.uuid, 'disk swap')),
                         self.on_node())

    def test_an_unlock_leaves_it(self):
        self.meddle('RMA 17')
        self.lock(self.uuid)
        self.ask(self.uuid, 'unlock')
        seen = self.wait_for(self.uuid, lock_state='unlocked')
        self.assertEqual('foreign', seen['node_protection'])
        self.assert_untouched()

    def test_it_may_take_the_place_of_ours(self):
        self.lock(self.uuid, 'disk swap')
        self.meddle('RMA 17')
        self.wait_for(self.uuid, node_protection='foreign')
        self.ask(self.uuid, 'unlock')
        self.wait_for(self.uuid, lock_state='unlocked')
        self.assertEqual((True, 'RMA 17'), self.on_node())

    def test_the_reason_of_the_lock_does_not_make_it_ours(self):
        for reason in ('RMA 17', None):
            self.meddle(reason)
            self.wait_for_a_survey()
            self.lock(self.uuid, reason)
            self.assertEqual('foreign',
                             self.see(self.uuid)['node_protection'])
            self.ask(self.uuid, 'unlock')
            self.wait_for(self.uuid, lock_state='unlocked')
            self.assertEqual((True, reason), self.on_node())

    def test_a_delete_waits_for_it_with_a_fault(self):
        self.meddle('RMA 17')
        self.ask(self.uuid, 'delete')
        seen = eventually(
            lambda: self.see(self.uuid), until=lambda seen: seen['fault'])
        self.assertEqual('deleting', seen['status'])
        self.assertIn('RMA 17', seen['fault']['message'])
        self.wait_for_a_survey()
        self.assert_untouched()
        self.meddle(None, protected=False)
        self.wait_until_gone(self.uuid)

    def test_a_rebuild_ends_as_the_node_is(self):
        self.meddle('RMA 17')
        for status, request in (('active', 'off'), ('stopped', 'on')):
            before = self.row(self.uuid)
            self.ask(self.uuid, 'rebuild')
            seen = self.wait_for(self.uuid, status=status)
            self.assertEqual('rebuild', seen['fault']['cause'])
            self.assertIn('RMA 17', seen['fault']['message'])
            self.assertEqual('failed',
                             self.history(self.uuid)[0]['outcome'])
            after = self.row(self.uuid)
            for name in ('image_uuid', 'node_uuid', 'power_state'):
                self.assertEqual(before[name], after[name])
            self.ask(self.uuid, request)
            self.wait_for(self.uuid, status={
                'off': 'stopped', 'on': 'active'}[request])
        self.assert_untouched()


class TestOlderRelease(ProtectionTest):
    """It protected nodes with the bare reason of the lock."""

    def test_its_protection_is_marked(self):
        for reason in ('disk swap', None):
            self.lock(self.uuid, reason)
            self.meddle(reason)
            self.wait_for_node(True, self.marked(self.uuid, reason))
            self.assertEqual('applied',
                             self.see(self.uuid)['node_protection'])
            self.ask(self.uuid, 'unlock')
            self.wait_for(self.uuid, lock_state='unlocked')
            self.assertEqual((False, None), self.on_node())

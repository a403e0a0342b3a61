# SPDX-License-Identifier: Apache-2.0
"""The protection of nodes: ours, and that of others."""

import uuid

from mogan.baremetal import driver
from mogan.baremetal.protection import Protection
from mogan.tests.contract import suite


class ProtectionContract(suite.Hardware):
    """The contract of a driver that can protect its nodes."""

    def protection_of(self, node_uuid):
        node = self.driver.look([node_uuid])[node_uuid]
        return node.protected, node.protected_reason

    def test_it_goes_on_with_its_mark_and_off_again(self):
        spec, node_uuid = self.deployed()
        mark = f'mogan {spec.instance_uuid}'
        for fence, reason, text in (
                (2, 'disk swap', f'{mark}: disk swap'),
                (2, 'disk swap', f'{mark}: disk swap'), (3, None, mark)):
            self.driver.protect(
                node_uuid, Protection(spec.instance_uuid, reason),
                self.permit(fence))
            self.assertEqual((True, text), self.protection_of(node_uuid))
        for _ in range(2):
            self.driver.unprotect(
                node_uuid, Protection(spec.instance_uuid), self.permit(4))
            self.assertEqual((False, None), self.protection_of(node_uuid))

    def test_a_long_reason_keeps_its_mark(self):
        spec, node_uuid = self.deployed()
        protection = Protection(spec.instance_uuid, 'ä' * 255)
        for fence in (2, 3):
            self.driver.protect(node_uuid, protection, self.permit(fence))
            _, reason = self.protection_of(node_uuid)
            self.assertEqual((255, protection.text), (len(reason), reason))
        self.driver.unprotect(node_uuid, protection, self.permit(4))
        self.assertEqual((False, None), self.protection_of(node_uuid))

    def test_a_node_that_is_not_active_cannot_be_protected(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        protection = Protection(spec.instance_uuid)
        self.assertRaises(driver.NotProtectable, self.driver.protect,
                          node.uuid, protection, self.permit(2))
        self.driver.unprotect(node.uuid, protection, self.permit(3))

    def test_a_protected_node_refuses_undeploy_and_rebuild(self):
        spec, node_uuid = self.deployed()
        protection = Protection(spec.instance_uuid)
        self.driver.protect(node_uuid, protection, self.permit(2))
        before = self.driver.look([node_uuid])
        for name in ('rebuild', 'undeploy'):
            self.assertRaises(driver.Protected,
                              self.calls(node_uuid, spec, 3)[name])
        self.assertEqual(before, self.driver.look([node_uuid]))
        self.driver.unprotect(node_uuid, protection, self.permit(4))
        self.off(node_uuid, spec.instance_uuid, 5)

    def test_that_of_somebody_else_stays_as_it_is(self):
        spec, node_uuid = self.deployed()
        other = Protection(str(uuid.uuid4()), 'disk swap').text
        for fence, reason in enumerate(('RMA 17', None, 'disk swap', other),
                                       start=2):
            self.meddle(node_uuid, reason)
            before = self.driver.look([node_uuid])
            for name in ('protect', 'unprotect'):
                error = self.assertRaises(
                    driver.ForeignProtection,
                    self.calls(node_uuid, spec, 2 * fence)[name])
                self.assertIn(reason or 'somebody else', str(error))
            for name in ('rebuild', 'undeploy'):
                self.assertRaises(
                    driver.Protected,
                    self.calls(node_uuid, spec, 2 * fence + 1)[name])
            self.assertEqual(before, self.driver.look([node_uuid]))
        self.meddle(node_uuid, None, protected=False)
        self.calls(node_uuid, spec, 20)['protect']()
        self.calls(node_uuid, spec, 21)['unprotect']()
        self.assertEqual((False, None), self.protection_of(node_uuid))

    def test_one_of_an_older_release_is_ours_where_it_is_known(self):
        spec, node_uuid = self.deployed()
        instance_uuid = spec.instance_uuid
        for fence, reason in enumerate((None, 'disk swap'), start=1):
            self.meddle(node_uuid, reason)
            known = Protection(instance_uuid, reason, unmarked=True)
            other = Protection(instance_uuid, 'fan swap', unmarked=True)
            self.assertRaises(driver.ForeignProtection, self.driver.protect,
                              node_uuid, other, self.permit(10 * fence))
            self.driver.protect(node_uuid, known, self.permit(10 * fence))
            self.assertEqual((True, known.text),
                             self.protection_of(node_uuid))
            self.meddle(node_uuid, None, protected=False)
            self.meddle(node_uuid, reason)
            self.driver.unprotect(node_uuid, known,
                                  self.permit(10 * fence + 1))
            self.assertEqual((False, None), self.protection_of(node_uuid))


class FencingProtectionContract(ProtectionContract):
    """The contract of a driver that compares numbers in the effect's own
    step."""

    def test_what_meets_a_foreign_one_passes_older_calls(self):
        spec, node_uuid = self.deployed()
        self.meddle(node_uuid, 'RMA 17')
        self.assertRaises(driver.ForeignProtection,
                          self.calls(node_uuid, spec, 5)['unprotect'])
        self.meddle(node_uuid, None, protected=False)
        self.assertRaises(driver.Fenced,
                          self.calls(node_uuid, spec, 4)['protect'])
        self.assertEqual((False, None), self.protection_of(node_uuid))

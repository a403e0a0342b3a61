# SPDX-License-Identifier: Apache-2.0
"""A soft change of power that hangs, and what takes its place."""

import dataclasses

from mogan.tests.functional import base
from mogan.tests.support import deployment
from mogan.tests.support.processes import eventually


class TestSoftPower(base.FunctionalTest):
    """A change of power takes until the test says that it is over."""

    engines = 0
    pace = deployment.PACE

    def setUp(self):
        super().setUp()
        self.deployment.start_engine(pace=self.pace, power_time=600)

    def hang(self, target):
        """Create an instance whose operating system does not react."""
        uuid = self.make_instance()
        self.ask(uuid, target)
        self.wait_for_target(uuid, target)
        return uuid

    def wait_for_target(self, uuid, target):
        eventually(lambda: self.node_of(uuid).power_target,
                   until=lambda seen: seen == target)

    def finish(self, uuid, forced):
        """Let the hardware finish what supersedes the soft change."""
        self.wait_for_target(uuid, forced)
        node_uuid = self.node_of(uuid).uuid
        with self.hardware.transaction() as txn:
            txn.change(node_uuid, until=txn.now)

    def superseded(self, uuid):
        return [(entry['action'], entry['outcome'])
                for entry in self.history(uuid)[:2]]

    def test_off_and_reboot_take_its_place(self):
        for target, verb in (('soft_off', 'soft_power_off'),
                             ('soft_reboot', 'soft_reboot')):
            for forced, done, status in (
                    ('off', 'power_off', 'stopped'),
                    ('reboot', 'reboot', 'active')):
                uuid = self.hang(target)
                self.ask(uuid, forced)
                self.finish(uuid, forced)
                seen = self.wait_for(uuid, status=status)
                self.assertIsNone(seen['fault'])
                self.assertEqual([(done, 'done'), (verb, 'superseded')],
                                 self.superseded(uuid))
                self.ask(uuid, 'delete')
                self.wait_until_gone(uuid)

    def test_so_does_that_of_an_operator_under_a_lock(self):
        uuid = self.hang('soft_off')
        self.lock(uuid)
        path = f'/v1/instances/{uuid}/states/power'
        self.expect(409, self.demo.put(path, {'target': 'off'}))
        self.expect(202, self.admin.put(path, {'target': 'off'}))
        self.finish(uuid, 'off')
        seen = self.wait_for(uuid, status='stopped')
        self.assertEqual('locked', seen['lock_state'])

    def test_nothing_else_does(self):
        uuid = self.hang('soft_off')
        for target in ('on', 'soft_off', 'soft_reboot'):
            answer = self.admin.power(uuid, target)
            self.expect(409, answer)
            self.assertIn('soft-powering-off', answer.message)


class TestCrowds(TestSoftPower):
    """Many that wait are polled together."""

    pace = dataclasses.replace(deployment.PACE, few=0)

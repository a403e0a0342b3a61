# SPDX-License-Identifier: Apache-2.0
"""Soft changes of power, which Ironic waits for."""

import json

from mogan.baremetal.driver import PowerTarget
from mogan.tests.ironic import base, test_outcomes
from mogan.tests.ironic.front import Front


class TestSoftPower(base.IronicTest):
    """A change of power takes Ironic a while, and twice as long where it
    asks for the power first."""

    own = True
    power_delay = 4

    def test_off_and_reboot_wait_for_ironic_alone(self):
        uuid = self.make_instance()
        for soft, forced, names, status in (
                ('soft_off', 'reboot', ('reboot', 'soft_power_off'),
                 'active'),
                ('soft_reboot', 'off', ('power_off', 'soft_reboot'),
                 'stopped')):
            self.ask(uuid, soft)
            self.wait_for_node(uuid, reservation='127.0.0.1')
            self.ask(uuid, forced)
            self.assertIn('Ironic is changing the power',
                          self.wait_for_fault(uuid))
            seen = self.wait_for(uuid, status=status)
            self.assertIsNone(seen['fault'])
            self.assertEqual(
                [(names[0], 'done'), (names[1], 'superseded')],
                [(entry['action'], entry['outcome'])
                 for entry in self.history(uuid)[:2]])
            self.wait_for_node(uuid, reservation=None, power_state={
                'active': 'power on', 'stopped': 'power off'}[status])


class TestTimeout(test_outcomes.OutcomeTest):

    def test_a_soft_change_is_given_one(self):
        front = Front(self.ironic.port)
        self.addCleanup(front.close)
        opened = self.open(front.url, soft_power_timeout=17)
        for fence, target in enumerate((
                PowerTarget.ON, PowerTarget.SOFT_REBOOT, PowerTarget.REBOOT,
                PowerTarget.SOFT_OFF), start=2):
            opened.power(self.node_uuid, self.spec.instance_uuid, target,
                         self.permit(fence))
            self.ironic.wait_for(self.node_uuid, reservation=None,
                                 target_power_state=None)
        sent = [json.loads(body) for (method, _), body
                in zip(front.seen, front.bodies, strict=True)
                if method == 'PUT']
        self.assertEqual([
            {'target': 'power on'},
            {'target': 'soft rebooting', 'timeout': 17},
            {'target': 'rebooting'},
            {'target': 'soft power off', 'timeout': 17}], sent)

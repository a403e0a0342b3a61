# SPDX-License-Identifier: Apache-2.0
"""The effect of a node's state on its instance."""

import datetime
from types import SimpleNamespace

from oslotest import base

from mogan import states
from mogan.baremetal import driver
from mogan.baremetal.driver import Availability, PowerState, PowerTarget
from mogan.engine.drift import status as drift
from mogan.states import Status

UUID = 'the instance'
NOW = datetime.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - as stored


def fault(cause):
    return {'cause': cause, 'message': 'as it was', 'created_at': 'then'}


def row(status='active', **values):
    return SimpleNamespace(**{
        'uuid': UUID, 'status': status, 'status_action': None,
        'power_state': 'power on' if status == 'active' else 'power off',
        'fault': None, 'lock_action': None, 'node_protection': 'none',
        'now': NOW} | values)


def node(**values):
    return driver.Node(**{
        'uuid': 'a node', 'name': 'a node', 'resource_class': 'CLASS',
        'availability': Availability.ACTIVE, 'instance_uuid': UUID,
        'power_state': PowerState.ON} | values)


def follow(before, seen):
    """Return the status that the row gets, and its other changed columns; None
    if it is not changed."""
    found = drift.compare(before, seen)
    if found is None:
        return None
    return found.status.value, drift._changes(before, found)


OFF = node(power_state=PowerState.OFF)


class TestPower(base.BaseTestCase):

    def test_the_status_follows_the_power(self):
        self.assertEqual(('active', {}), follow(row(), node()))
        self.assertEqual(('stopped', {'power_state': 'power off'}),
                         follow(row(), OFF))
        self.assertEqual(('active', {'power_state': 'power on'}),
                         follow(row('stopped'), node()))

    def test_a_power_that_is_not_known_leaves_the_status(self):
        for status in ('active', 'stopped'):
            self.assertEqual((status, {'power_state': None}), follow(
                row(status), node(power_state=None)))

    def test_what_somebody_works_on_is_left_alone(self):
        for status in set(Status) - states.FOLLOWS.keys():
            self.assertIsNone(follow(row(status), None), status)
        self.assertIsNone(follow(row(status_action='an action'), None))
        self.assertIsNone(follow(row(), node(
            power_state=PowerState.OFF, power_target=PowerTarget.REBOOT)))

    def test_a_fault_of_a_request_goes_when_it_is_not_true_any_more(self):
        before = row(fault=fault('power_off'))
        self.assertEqual(('active', {}), follow(before, node()))
        self.assertEqual(('stopped', {'power_state': 'power off',
                                      'fault': None}), follow(before, OFF))


class TestLost(base.BaseTestCase):

    def test_an_instance_without_its_node_is_in_error_and_says_why(self):
        for seen, message in (
                (None, drift.GONE),
                (node(instance_uuid=None), drift.RELEASED),
                (node(instance_uuid='another'), drift.TAKEN)):
            for status in ('active', 'stopped'):
                self.assertEqual(('error', {
                    'power_state': None, 'fault': {
                        'cause': 'node', 'message': message,
                        'created_at': '2026-01-02T03:04:05.000000Z'}}),
                    follow(row(status), seen))

    def test_a_node_that_is_not_deployed_is_lost_too(self):
        for availability in set(Availability) - drift._DEPLOYED:
            status, values = follow(row(), node(availability=availability,
                                                last_error='it smokes'))
            self.assertEqual('error', status, availability)
            self.assertIn('it smokes', values['fault']['message'])
        self.assertEqual(('active', {}), follow(
            row(), node(availability=Availability.SERVICING)))

    def test_it_is_well_again_when_its_node_is(self):
        before = row('error', fault=fault('node'), power_state=None)
        self.assertEqual(('active', {'power_state': 'power on',
                                     'fault': None}), follow(before, node()))
        self.assertEqual(('stopped', {'power_state': 'power off',
                                      'fault': None}), follow(before, OFF))
        status, values = follow(before, node(power_state=None))
        self.assertEqual(('error', drift.UNKNOWN),
                         (status, values['fault']['message']))

    def test_so_is_one_whose_power_change_failed(self):
        for verb in states.POWER:
            self.assertEqual('active', follow(
                row('error', fault=fault(verb)), node())[0])

    def test_one_whose_build_or_rebuild_failed_is_not(self):
        for cause in ('create', 'rebuild'):
            before = row('error', fault=fault(cause))
            self.assertEqual(('error', {'power_state': 'power on'}),
                             follow(before, node()))
            self.assertEqual(('error', {'power_state': None}),
                             follow(before, None))

    def test_a_fault_is_written_once(self):
        _, values = follow(row(), None)
        self.assertEqual(('error', {}), follow(row('error', **values), None))
        self.assertEqual(drift.TAKEN, follow(
            row('error', **values), node(instance_uuid='another'))[1][
                'fault']['message'])

    def test_a_lost_node_protects_nothing(self):
        before = row(node_protection='applied')
        self.assertEqual('none', follow(before, None)[1]['node_protection'])
        # The lock's own work says what comes of it.
        before.lock_action = 'an action'
        self.assertNotIn('node_protection', follow(before, None)[1])


class TestMaintenance(base.BaseTestCase):

    def test_it_is_a_fault_and_changes_no_state(self):
        status, values = follow(row(), node(maintenance=True))
        self.assertEqual(('active', drift.MAINTENANCE),
                         (status, values['fault']['message']))
        self.assertEqual(('active', {'fault': None}),
                         follow(row(**values), node()))

    def test_a_lock_s_own_is_none(self):
        self.assertEqual(('active', {}), follow(row(), node(
            maintenance=True, maintenance_for_lock=True)))

    def test_what_a_request_has_left_is_not_covered_by_it(self):
        self.assertEqual(('active', {}), follow(
            row(fault=fault('power_on')), node(maintenance=True)))

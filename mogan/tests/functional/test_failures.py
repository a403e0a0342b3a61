# SPDX-License-Identifier: Apache-2.0
"""Hardware that fails: the table failures.yaml, and what is seen
meanwhile."""

import pathlib
from typing import Any

import yaml

from mogan.baremetal.simulated import faults
from mogan.engine.task import Limits
from mogan.tests.functional import base
from mogan.tests.support.processes import eventually

_TABLE = pathlib.Path(__file__).with_name('failures.yaml')
_WAIT = 0.1  # seconds that a call without an answer takes


class TestFailures(base.FunctionalTest):

    def _try(self, case: dict[str, Any]) -> None:
        mode = faults.Mode(case['mode'])
        fault = faults.Fault(mode, case['call'], times=case['times'],
                             seconds=_WAIT if mode in faults.WAITS else 0)
        if case['request'] == 'create':
            self.hardware.add_fault(fault)
            uuid = self.ask_for_instance()
        else:
            uuid = self.make_instance()
            if case['request'] == 'unlock':
                self.lock(uuid)
            self.hardware.add_fault(fault)
            self.ask(uuid, case['request'])
        self._check_end(uuid, case)
        self.assertEqual([], self.hardware.list_faults())
        action = self.history(uuid)[0]
        self.assertEqual(case['outcome'], action['outcome'], action)
        if case['ends'] != 'gone':
            self._check_node(uuid, case)
            self._check_the_way_out(uuid)

    def _check_end(self, uuid: str, case: dict[str, Any]) -> None:
        if case['ends'] == 'gone':
            self.wait_until_gone(uuid)
            self.assertIsNone(self.node_of(uuid))
            return
        seen = self.wait_for(uuid, **case['ends'])
        if 'fault' in case:
            self.assertIn(case['fault'], seen['fault']['message'])
        else:
            self.assertIsNone(seen['fault'])

    def _check_node(self, uuid: str, case: dict[str, Any]) -> None:
        node = self.node_of(uuid)
        if case['request'] in {'lock', 'unlock'}:
            self.assertEqual(case['request'] == 'lock', node.protected)
        if case['request'] == 'rebuild' and case['outcome'] == 'done':
            self.assertEqual(base.OTHER_IMAGE, self.see(uuid)['image_uuid'])

    def _check_the_way_out(self, uuid: str) -> None:
        """Check that nothing is stuck: the instance can be deleted."""
        if self.see(uuid)['locked']:
            self.ask(uuid, 'unlock')
            self.wait_for(uuid, lock_state='unlocked')
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        self.assertIsNone(self.node_of(uuid))


def _add(case: dict[str, Any]) -> None:
    name = (f'test_{case["request"]}_when_{case["call"]}_meets_'
            f'{case["mode"]}')

    def test(self: TestFailures) -> None:
        self._try(case)

    test.__name__ = name
    setattr(TestFailures, name, test)


for _case in yaml.safe_load(_TABLE.read_text()):
    _add(_case)


class TestMeanwhile(base.FunctionalTest):

    def _break(self, call: str, **values: Any) -> None:
        self.hardware.add_fault(faults.Fault(
            faults.Mode.UNAVAILABLE, call, times=None, **values))

    def test_an_unsettled_lock_refuses_deletes_and_shows_why_it_waits(self):
        uuid = self.make_instance()
        self._break('protect', message='the bus is on strike')
        self.ask(uuid, 'lock')
        self.assertIn('on strike', self.wait_for_fault(uuid))
        seen = self.see(uuid)
        self.assertEqual(('locking', True),
                         (seen['lock_state'], seen['locked']))
        self.expect(409, self.demo.delete(f'/v1/instances/{uuid}'))
        eventually(lambda: self.history(uuid)[-2]['attempts'] >= 2)
        self.hardware.clear_faults()
        self.assertIsNone(
            self.wait_for(uuid, lock_state='locked')['fault'])

    def test_an_unsettled_unlock_refuses_deletes_too(self):
        uuid = self.make_instance()
        self.lock(uuid)
        self._break('unprotect')
        self.ask(uuid, 'unlock')
        self.wait_for_fault(uuid)
        self.expect(409, self.demo.delete(f'/v1/instances/{uuid}'))
        # The lock wins over an unlock that is not there yet.
        self.ask(uuid, 'lock')
        self.wait_for(uuid, lock_state='locked')
        self.assertEqual(['done', 'refused', 'superseded'], [
            entry['outcome'] for entry in self.history(uuid)][:3])
        self.hardware.clear_faults()
        self.assertTrue(self.node_of(uuid).protected)

    def test_what_is_said_of_a_failure_may_be_long_and_strange(self):
        self.hardware.add_fault(faults.Fault(
            faults.Mode.BREAK, 'deploy', message='\0' + 70_000 * 'ß'))
        uuid = self.ask_for_instance()
        seen = self.wait_for(uuid, status='error')
        self.assertIn('ß', seen['fault']['message'])
        self.assertIn('ß', self.history(uuid)[0]['error'])

    def test_a_failing_delete_stays_one_and_cannot_be_locked(self):
        uuid = self.make_instance()
        self._break('undeploy', message='the bus is on strike')
        self.ask(uuid, 'delete')
        self.assertIn('on strike', self.wait_for_fault(uuid))
        self.assertEqual('deleting', self.see(uuid)['status'])
        self.expect(409, self.admin.lock(uuid))
        self.hardware.clear_faults()
        self.wait_until_gone(uuid)

    def test_a_delete_takes_the_place_of_a_build(self):
        self.deployment.stop_engines()
        self.deployment.start_engine(deploy_time=1)
        uuid = self.ask_for_instance()
        eventually(lambda: self.see(uuid)['node_uuid'])
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        self.assertEqual(['done', 'superseded'], [
            entry['outcome'] for entry in self.history(uuid)])

    def test_a_build_that_takes_too_long_ends_in_error(self):
        self.deployment.stop_engines()
        self.deployment.start_engine(deploy_time=60,
                                     limits=Limits(deploy=0.3))
        uuid = self.ask_for_instance()
        seen = self.wait_for(uuid, status='error')
        self.assertIn('within 0.3 seconds', seen['fault']['message'])

    def test_a_build_that_gives_up_knows_the_node_that_it_was_given(self):
        # The answer is lost, and then the hardware says no.
        for mode in (faults.Mode.LOST, faults.Mode.FAIL):
            self.hardware.add_fault(faults.Fault(mode, 'claim'))
        uuid = self.ask_for_instance()
        seen = self.wait_for(uuid, status='error')
        self.assertEqual(self.node_of(uuid).uuid, seen['node_uuid'])
        self.ask(uuid, 'rebuild')
        self.wait_for(uuid, status='active')

    def test_no_node_for_a_flavor_is_an_error_that_can_be_deleted(self):
        uuid = self.ask_for_instance(flavor_uuid=self.make_flavor(
            resources={'CUSTOM_MAINFRAME': 1}))
        seen = self.wait_for(uuid, status='error')
        self.assertIn('CUSTOM_MAINFRAME', seen['fault']['message'])
        self.assertIsNone(seen['node_uuid'])
        self.expect(409, self.demo.rebuild(uuid, base.IMAGE))
        self.lock(uuid)
        self.assertEqual('none', self.see(uuid)['node_protection'])
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)


class TestDrift(base.FunctionalTest):
    """Somebody goes to the hardware directly."""

    def test_a_lost_protection_comes_back_with_its_reason(self):
        uuid = self.make_instance()
        self.lock(uuid, 'disk swap')
        node = self.node_of(uuid)
        self.hardware.set_protected(node.uuid, protected=False)
        eventually(lambda: self.node_of(uuid).protected)
        self.assertEqual(self.marked(uuid, 'disk swap'),
                         self.node_of(uuid).protected_reason)

    def test_another_reason_reaches_the_node(self):
        uuid = self.make_instance()
        self.lock(uuid, 'disk swap')
        before = self.row(uuid)
        self.expect(202, self.admin.lock(uuid, 'fan swap'))
        seen = self.see(uuid)
        self.assertEqual(('locked', 'fan swap'),
                         (seen['lock_state'], seen['locked_reason']))
        for name in ('locked_at', 'locked_by'):
            self.assertEqual(before[name], self.row(uuid)[name])
        self.assertEqual(['lock', 'lock', 'create'], [
            entry['action'] for entry in self.history(uuid)])
        eventually(
            lambda: self.node_of(uuid).protected_reason == self.marked(
                uuid, 'fan swap'))

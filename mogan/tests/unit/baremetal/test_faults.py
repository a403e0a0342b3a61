# SPDX-License-Identifier: Apache-2.0

import threading
import time

from oslotest import base

from mogan.baremetal import driver
from mogan.baremetal.driver import Availability, PowerState, PowerTarget
from mogan.baremetal.protection import Protection
from mogan.baremetal.simulated import faults
from mogan.tests.unit.baremetal import simulation


class ScriptsThatMakeNoSense(base.BaseTestCase):

    def test_are_refused_with_what_is_wrong(self):
        for wrong, values in (
                ('is not one of the modes', {'mode': 'explode'}),
                ('is not one of the calls', {'mode': 'fail', 'call': 'eat'}),
                ('not for look', {'mode': 'lost', 'call': 'look'}),
                ('not for protect', {'mode': 'break', 'call': 'protect'}),
                ('names no node', {'mode': 'fail', 'call': 'claim',
                                   'node_uuid': 'n'}),
                ('names no instance', {'mode': 'fail', 'call': 'look',
                                       'instance_uuid': 'i'}),
                ('times', {'mode': 'fail', 'times': 0}),
                ('times', {'mode': 'fail', 'times': -1}),
                ('needs seconds', {'mode': 'hang'}),
                ('does not wait', {'mode': 'fail', 'seconds': 1.0}),
                ('seconds', {'mode': 'hang', 'seconds': -1.0}),
                ('seconds', {'mode': 'hang', 'seconds': float('nan')}),
                ('seconds', {'mode': 'hang', 'seconds': 1e9})):
            error = self.assertRaises(ValueError, faults.Fault, **values)
            self.assertIn(wrong, str(error))


class FaultsStrike(simulation.SimulationTestCase):

    def setUp(self):
        super().setUp()
        self.deploy, self.node_uuid = self.deployed()

    def script(self, mode, **values):
        return self.inventory.add_fault(faults.Fault(mode, **values))

    def rebuild(self, fence=2):
        self.driver.rebuild(self.node_uuid, self.deploy, self.permit(fence))

    def test_as_answers_that_are_definite(self):
        for mode, error in (('fail', driver.Refused),
                            ('unavailable', driver.Unavailable),
                            ('busy', driver.NodeBusy)):
            self.script(mode, call='rebuild', message='because')
            before = self.driver.nodes()
            self.assertIn('because',
                          str(self.assertRaises(error, self.rebuild)))
            self.assertEqual(before, self.driver.nodes())
            self.assertEqual(('rebuild', 'refused:fault'),
                             self.outcomes()[-1])
        self.rebuild()

    def test_as_a_call_that_is_lost(self):
        self.script('timeout', call='rebuild')
        before = self.driver.nodes()
        self.assertRaises(driver.OutcomeUnknown, self.rebuild)
        self.assertEqual(before, self.driver.nodes())
        self.assertEqual(('rebuild', 'nothing'), self.outcomes()[-1])

    def test_as_an_answer_that_is_lost(self):
        self.script('lost', call='rebuild')
        self.assertRaises(driver.OutcomeUnknown, self.rebuild)
        self.assertIs(Availability.REBUILDING,
                      self.node(self.node_uuid).availability)
        self.assertEqual(('rebuild', 'effect'), self.outcomes()[-1])

    def test_as_a_refusal_that_is_lost(self):
        self.driver.seal(self.deploy.instance_uuid, self.permit(2))
        self.script('lost', call='rebuild')
        self.assertRaises(driver.OutcomeUnknown, self.rebuild)
        self.assertRaises(driver.Fenced, self.rebuild)

    def test_as_work_that_fails(self):
        for call, begin in (('rebuild', self.rebuild),
                            ('undeploy', self.undeploy)):
            self.script('break', call=call, message=f'{call}: no disk')
            begin()
            self.assertTrue(self.node(self.node_uuid).busy)
            self.now += 60
            node = self.node(self.node_uuid)
            self.assertIs(Availability.FAILED, node.availability)
            self.assertEqual(f'{call}: no disk', node.last_error)
            self.assertEqual(self.deploy.instance_uuid, node.instance_uuid)
            self.assertFalse(node.busy)
        self.undeploy()
        self.now += 60
        node = self.node(self.node_uuid)
        self.assertIs(Availability.AVAILABLE, node.availability)
        self.assertIsNone(node.last_error)

    def test_as_a_power_change_that_leaves_the_node_as_it_was(self):
        self.script('break', call='power', message='no volts')
        self.driver.power(self.node_uuid, self.deploy.instance_uuid,
                          PowerTarget.OFF, self.permit(2))
        self.now += 5
        node = self.node(self.node_uuid)
        self.assertIs(Availability.ACTIVE, node.availability)
        self.assertIs(PowerState.ON, node.power_state)
        self.assertIsNone(node.power_target)
        self.assertEqual('no volts', node.last_error)

    def test_as_a_deploy_that_fails_and_is_not_begun_again(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        self.script('break', call='deploy')
        self.driver.deploy(node.uuid, spec, self.permit(1))
        self.now += 10
        self.driver.deploy(node.uuid, spec, self.permit(1))
        self.assertIs(Availability.FAILED, self.node(node.uuid).availability)
        self.driver.rebuild(node.uuid, spec, self.permit(2))
        self.now += 20
        self.assertIs(Availability.ACTIVE, self.node(node.uuid).availability)

    def test_not_at_work_that_never_began(self):
        self.driver.protect(
            self.node_uuid, Protection(self.deploy.instance_uuid),
            self.permit(2))
        self.script('break', call='undeploy')
        self.assertRaises(driver.Refused, self.undeploy)
        self.assertEqual(1, len(self.inventory.list_faults()))

    def test_as_often_as_scripted_and_in_order(self):
        self.script('busy', call='undeploy', times=2)
        self.script('fail')
        for error in (driver.NodeBusy, driver.NodeBusy, driver.Refused):
            self.assertRaises(error, self.undeploy)
        self.undeploy()
        self.assertEqual([], self.inventory.list_faults())

    def test_for_ever_until_they_are_cleared(self):
        fault_id = self.script('unavailable', times=None)
        for _ in range(5):
            self.assertRaises(driver.Unavailable, self.undeploy)
            self.assertRaises(driver.Unavailable, self.driver.nodes)
            self.assertRaises(driver.Unavailable, self.driver.look, [])
            self.assertRaises(driver.Unavailable, self.driver.find, 'x')
            self.assertRaises(driver.Unavailable, self.driver.seal, 'x',
                              self.permit(1))
        self.inventory.clear_faults(fault_id)
        self.undeploy()

    def test_only_the_node_and_the_instance_that_they_are_for(self):
        other, other_uuid = self.deployed()
        self.script('fail', node_uuid=other_uuid, times=None)
        self.script('fail', instance_uuid='somebody', times=None)
        self.assertRaises(driver.Refused, self.driver.look,
                          [self.node_uuid, other_uuid])
        self.assertRaises(driver.Refused, self.driver.undeploy, other_uuid,
                          other.instance_uuid, self.permit(2))
        self.assertRaises(driver.Refused, self.driver.find, 'somebody')
        self.driver.find(other.instance_uuid)
        self.driver.look([self.node_uuid])
        self.undeploy()

    def test_in_every_process_that_uses_the_file(self):
        other = self.open()
        self.script('fail', call='undeploy')
        self.assertRaises(driver.Refused, other.undeploy, self.node_uuid,
                          self.deploy.instance_uuid, self.permit(3))
        self.undeploy()

    def undeploy(self):
        self.driver.undeploy(self.node_uuid, self.deploy.instance_uuid,
                             self.permit(3))


class LateCalls(simulation.SimulationTestCase):
    """A call hangs, and what it was sent for is over when it arrives."""

    def setUp(self):
        super().setUp()
        self.waiting = self.open()
        self.verdict = []

    def send(self, call, *arguments, seconds=60.0):
        """Send a call that hangs; it is on its way when this returns."""
        self.inventory.add_fault(
            faults.Fault('hang', call=call, seconds=seconds))
        thread = threading.Thread(target=self.keep,
                                  args=(call, *arguments))
        thread.start()
        self.addCleanup(thread.join, 60)
        self.addCleanup(self.waiting.close)
        deadline = time.monotonic() + 60
        while (call, 'waiting') not in self.outcomes():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)
        return thread

    def keep(self, call, *arguments):
        try:
            self.verdict.append(getattr(self.waiting, call)(*arguments))
        except driver.DriverError as error:
            self.verdict.append(error)

    def test_a_late_rebuild_is_refused_after_the_seal(self):
        spec, node_uuid = self.deployed()
        late = self.send('rebuild', node_uuid, spec,
                         self.permit(2), seconds=1.0)
        self.driver.seal(spec.instance_uuid, self.permit(2))
        self.driver.protect(node_uuid, Protection(spec.instance_uuid),
                            self.permit(3))
        before = self.driver.nodes()
        late.join(60)
        self.assertIsInstance(self.verdict[0], driver.Fenced)
        self.assertEqual(before, self.driver.nodes())
        self.assertEqual(('rebuild', 'refused:fenced'), self.outcomes()[-1])

    def test_a_late_undeploy_does_not_touch_the_next_instance(self):
        spec, node_uuid = self.deployed(resources={'CUSTOM_LARGE': 1})
        late = self.send('undeploy', node_uuid, spec.instance_uuid,
                         self.permit(2), seconds=1.0)
        self.driver.undeploy(node_uuid, spec.instance_uuid, self.permit(2))
        self.now += 30
        self.deployed(resources={'CUSTOM_LARGE': 1})
        before = self.driver.nodes()
        late.join(60)
        self.assertIsInstance(self.verdict[0], driver.NotOurs)
        self.assertEqual(before, self.driver.nodes())

    def test_a_late_call_that_nothing_has_passed_takes_effect(self):
        spec, node_uuid = self.deployed()
        self.send('rebuild', node_uuid, spec,
                  self.permit(2), seconds=0.05).join(60)
        self.assertEqual([None], self.verdict)
        self.assertIs(Availability.REBUILDING,
                      self.node(node_uuid).availability)

    def test_a_late_call_meets_no_other_fault(self):
        spec, node_uuid = self.deployed()
        late = self.send('rebuild', node_uuid, spec,
                         self.permit(2), seconds=1.0)
        self.inventory.add_fault(faults.Fault('break', call='rebuild'))
        late.join(60)
        self.now += 20
        self.assertIs(Availability.ACTIVE, self.node(node_uuid).availability)
        self.assertEqual(1, len(self.inventory.list_faults()))

    def test_close_ends_the_waiting_and_the_call_has_no_effect(self):
        spec, node_uuid = self.deployed()
        late = self.send('rebuild', node_uuid, spec, self.permit(2))
        before = self.driver.nodes()
        self.waiting.close()
        late.join(10)
        self.assertIsInstance(self.verdict[0], driver.Unavailable)
        self.assertEqual(before, self.driver.nodes())

    def test_a_call_that_waits_keeps_no_other_call_waiting(self):
        spec, node_uuid = self.deployed()
        self.send('rebuild', node_uuid, spec, self.permit(2))
        self.driver.protect(node_uuid, Protection(spec.instance_uuid),
                            self.permit(3))
        self.assertEqual([], self.verdict)

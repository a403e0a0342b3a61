# SPDX-License-Identifier: Apache-2.0
"""A machine becomes an instance wholly or not at all, and never at the cost
of what is on it, whatever fails."""


from mogan.tests.functional import base
from mogan.tests.functional.adoption import AdoptionTest
from mogan.tests.support.processes import eventually


class TestFailures(AdoptionTest):

    def assert_failed(self, uuid: str, word: str) -> None:
        """There is an error, and nothing else; the instance can be locked
        and deleted, and the node does not notice."""
        seen = self.wait_for(uuid, status='error', node_uuid=None)
        self.assertIn(word, seen['fault']['message'])
        self.assertEqual('failed', self.history(uuid)[0]['outcome'])
        self.assert_untouched()
        answer = self.expect(409, self.admin.rebuild(uuid, base.IMAGE))
        self.assertIn('no node', answer.message)
        self.lock(uuid)
        self.assertEqual('none', self.see(uuid)['node_protection'])
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        self.assertIn(uuid, self.expect(409, self.post()).message)
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        self.assert_untouched()

    def assert_can_be_taken_over(self) -> None:
        self.wait_for(self.adopt(), status='active')
        self.assert_never_wiped()

    def test_hardware_that_says_no_ends_it(self):
        self.fault('fail', 'adopt')
        self.assert_failed(self.adopt(), 'scripted')
        self.assert_can_be_taken_over()

    def test_hardware_that_is_away_or_busy_is_waited_for(self):
        for mode in ('unavailable', 'busy'):
            self.fault(mode, 'adopt', times=2)
        self.assert_can_be_taken_over()
        self.assertEqual([], self.hardware.list_faults())

    def test_an_answer_that_is_lost_is_asked_for_again(self):
        self.fault('timeout', 'adopt', seconds=0.1)
        self.fault('lost', 'adopt', seconds=0.1)
        self.assert_can_be_taken_over()
        adopted = [entry.outcome for entry in self.hardware.journal()
                   if entry.call == 'adopt']
        self.assertEqual(['nothing', 'effect', 'nothing'], adopted)

    def test_a_node_that_has_changed_meanwhile_is_left_alone(self):
        self.fault('busy', 'adopt', times=None)
        uuid = self.adopt()
        self.hardware.set_maintenance(self.node_uuid, maintenance=True)
        self.before = self.node()
        self.hardware.clear_faults()
        seen = self.wait_for(uuid, status='error')
        self.assertIn('maintenance', seen['fault']['message'])
        self.assert_untouched()

    def test_one_that_somebody_else_got_first_is_left_to_him(self):
        self.fault('busy', 'adopt', times=None)
        uuid = self.adopt()
        with self.hardware.transaction() as txn:
            txn.change(self.node_uuid, instance_uuid=base.NOWHERE)
        self.before = self.node()
        self.hardware.clear_faults()
        seen = self.wait_for(uuid, status='error')
        self.assertIn(base.NOWHERE, seen['fault']['message'])
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        self.assert_untouched()

    def test_what_it_has_taken_is_given_back(self):
        uuid = self.hold_back()
        self.hardware.set_maintenance(self.node_uuid, maintenance=True)
        for mode, seconds in (('unavailable', 0), ('busy', 0),
                              ('timeout', 0.1), ('lost', 0.1)):
            self.fault(mode, 'release', seconds=seconds)
        self.hardware.clear_faults(self.hardware.list_faults()[0].id)
        seen = self.wait_for(uuid, status='error', node_uuid=None)
        self.assertIn('maintenance', seen['fault']['message'])
        self.hardware.set_maintenance(self.node_uuid, maintenance=False)
        self.assert_untouched()
        self.assertEqual([], self.hardware.list_faults())
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        self.assert_can_be_taken_over()

    def test_a_delete_in_between_gives_the_node_back_as_it_is(self):
        uuid = self.hold_back()
        self.fault('unavailable', 'release', times=2)
        self.ask(uuid, 'delete')
        eventually(lambda: self.node().instance_uuid is None)
        self.hardware.clear_faults()
        self.wait_until_gone(uuid)
        self.assertEqual(['done', 'superseded'], [
            entry['outcome'] for entry in self.history(uuid)])
        self.assert_untouched()
        self.assert_can_be_taken_over()


class TestLateCalls(AdoptionTest):
    """A worker stands still in the middle of a call, and another goes on."""

    engines = 2

    def outcomes(self, uuid: str, call: str) -> list[str]:
        return [entry.outcome for entry in self.hardware.journal()
                if entry.instance_uuid == uuid and entry.call == call]

    def test_a_call_that_comes_after_the_end_does_nothing(self):
        self.fault('hang', 'adopt', seconds=3)
        uuid = self.adopt()
        self.wait_for(uuid, status='active')
        self.assertEqual(['waiting', 'effect'], self.outcomes(uuid, 'adopt'))
        eventually(lambda: self.outcomes(uuid, 'adopt')[2:])
        self.assertEqual('refused:fenced', self.outcomes(uuid, 'adopt')[2])

    def test_a_call_that_comes_after_a_delete_takes_nothing(self):
        self.fault('hang', 'adopt', seconds=3)
        uuid = self.adopt()
        eventually(lambda: self.outcomes(uuid, 'adopt'))
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        eventually(lambda: self.outcomes(uuid, 'adopt')[1:])
        self.assertEqual(['waiting', 'refused:fenced'],
                         self.outcomes(uuid, 'adopt'))
        self.assert_untouched()

    def test_a_release_that_comes_late_takes_it_from_nobody(self):
        uuid = self.hold_back()
        self.hardware.set_maintenance(self.node_uuid, maintenance=True)
        self.fault('hang', 'release', seconds=3)
        self.hardware.clear_faults(self.hardware.list_faults()[0].id)
        eventually(lambda: self.outcomes(uuid, 'release'))
        # Whoever comes next could have the node, if it were not sealed.
        self.hardware.set_maintenance(self.node_uuid, maintenance=False)
        self.wait_for(uuid, status='error', node_uuid=None)
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        successor = self.adopt()
        self.wait_for(successor, status='active')
        eventually(lambda: self.outcomes(uuid, 'release')[2:])
        self.assertEqual(['waiting', 'effect', 'refused:not-ours'],
                         self.outcomes(uuid, 'release'))
        self.assertEqual(successor, self.node().instance_uuid)


class TestRestarts(AdoptionTest):

    def _with_a_dead_engine(self) -> None:
        self.claim_for_a_dead_engine()
        self.deployment.start_engine()

    def test_what_was_accepted_is_carried_out(self):
        self.fault('unavailable', 'adopt', times=None)
        uuid = self.adopt()
        self.deployment.stop_engines()
        self.hardware.clear_faults()
        self.assertEqual('building', self.see(uuid)['status'])
        self.assert_untouched()
        self._with_a_dead_engine()
        self.wait_for(uuid, status='active')

    def test_what_was_begun_is_finished(self):
        uuid = self.hold_back()
        self.deployment.stop_engines()
        self.hardware.clear_faults()
        self.assertEqual('building', self.see(uuid)['status'])
        self._with_a_dead_engine()
        self.wait_for(uuid, status='active', node_uuid=self.node_uuid)
        self.assertEqual(1, sum(
            entry.call == 'adopt' and entry.outcome == 'effect'
            for entry in self.hardware.journal()))
        self.assert_never_wiped()

    def test_a_delete_is_carried_out_by_another(self):
        uuid = self.hold_back()
        self.deployment.stop_engines()
        self.ask(uuid, 'delete')
        self.hardware.clear_faults()
        self._with_a_dead_engine()
        self.wait_until_gone(uuid)
        self.assert_untouched()

# SPDX-License-Identifier: Apache-2.0
"""The specification that the sequences and the rig judge by."""

import itertools

from oslotest import base

from mogan import states
from mogan.tests.unit.rig.stories import VERBS
from proof import spec
from proof.rig import answers


class TestSpecification(base.BaseTestCase):

    def test_it_says_what_the_table_of_the_product_says(self):
        for kind, verb in VERBS.items():
            for state, operator in itertools.product(
                    spec.STATES[1:], (False, True)):
                verdict = states.judge(
                    verb, states.Status(state.status),
                    states.LockState(state.lock), has_node=True,
                    operate_locked=operator)
                found = answers.outcomes(kind, state, operator=operator)
                found.pop('no-node:error', None)
                match verdict:
                    case states.Arrow():
                        after = state._replace(**{
                            'status' if verdict.column == 'status'
                            else 'lock': verdict.target.value})
                        expected = {'done': after}
                    case states.Unchanged():
                        expected = {'done': state}
                    case states.Refused(locked=True):
                        expected = {'locked': state}
                    case _:
                        expected = {f'state:{state.status}': state}
                self.assertEqual(expected, found, (kind, state, operator))

    def test_it_has_every_state_that_the_constraint_allows(self):
        expected = {
            (status, lock) for status in states.Status
            for lock in states.LockState
            if lock == 'unlocked' or status in states.LOCKABLE}
        self.assertEqual(expected, set(spec.STATES[1:]))

    def test_the_engine_ends_work_as_the_table_says(self):
        table = {**states.ENDS, **states.FOLLOWS}
        for state in spec.STATES[1:]:
            ends = {end and end.value
                    for end in table.get(state.status, ())}
            if state.status == 'building':
                ends.remove('stopped')  # only what was taken over
            found = {None if after == spec.GONE else after.status
                     for after in spec.engine(state)
                     if after.lock == state.lock or after == spec.GONE}
            self.assertEqual(ends, found, state)

# SPDX-License-Identifier: Apache-2.0
"""The model of the lock's protocol: it is the code's, and it can tell right
from wrong."""

import dataclasses

from oslotest import base

from proof.model import agreement, simulated
from proof.model.explorer import Explorer
from proof.model.mutants import MUTANTS
from proof.model.rules import CLAIMS, Bounds, Rules
from proof.model.words import tell


def explore(**rules):
    return Explorer(Rules(driver=CLAIMS, **rules), Bounds()).run()


class TestAgreement(base.BaseTestCase):

    def test_it_accepts_the_requests_that_the_table_lets_through(self):
        self.assertGreater(agreement.check_requests(), 500)

    def test_it_repairs_what_the_engine_repairs(self):
        self.assertGreater(agreement.check_drift(), 50)

    def test_its_steps_are_those_that_the_engine_runs(self):
        self.assertGreater(agreement.check_steps(Rules()), 2000)

    def test_its_driver_answers_as_the_simulated_one(self):
        self.assertGreater(simulated.check(), 2000)

    def test_steps_that_are_others_are_noticed(self):
        for change in (*(dict.fromkeys((rule,), False) for rule in (
                'delete_seals_older', 'rebuild_seals', 'build_seals',
                'delete_unprotects', 'not_protectable_settles',
                'not_ours_settles')), {'rebuild_waits': 'seen'}):
            rules = dataclasses.replace(Rules(), **change)
            self.assertRaises(agreement.Disagreement, agreement.check_steps,
                              rules)


class TestExploring(base.BaseTestCase):

    def test_nothing_breaks_and_nothing_is_left_out(self):
        result = explore()
        self.assertEqual(('', []), (result.broken, result.unreached))
        self.assertGreater(result.states, 1000)

    def test_a_worker_that_does_not_look_at_its_lease_breaks_something(self):
        result = explore(lease_checked=False)
        self.assertIn('instance 1 is gone', result.broken)

    def test_the_way_to_what_breaks_is_told(self):
        [mutant] = [one for one in MUTANTS
                    if one.name.startswith('a delete seals its own')]
        told = tell(mutant.run(Rules()))
        self.assertEqual('create is accepted (202)', told[0])
        self.assertIn("worker A's late call lands: take a node (ok)", told)
        self.assertEqual('=> instance 1 is gone, and a node carries it for '
                         'ever', told[-1])

    def test_what_cannot_end_is_found(self):
        [mutant] = [one for one in MUTANTS if one.seek == 'stuck']
        self.assertIn('stuck', mutant.run(Rules()).broken)

    def test_at_least_sixteen_mutants_are_caught(self):
        self.assertGreaterEqual(
            len([one for one in MUTANTS if not one.redundant]), 16)

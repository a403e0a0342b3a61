# SPDX-License-Identifier: Apache-2.0
"""The model of the lock's protocol: it is the code's, and it can tell right
from wrong."""

import dataclasses
from unittest import mock

from oslotest import base

from mogan.engine.actions import STEPS, rebuild
from mogan.states import Verb
from proof.model import agreement, steps
from proof.model.explorer import Explorer
from proof.model.mutants import MUTANTS
from proof.model.rules import CLAIMS, Bounds, Rules
from proof.model.words import describe


def explore(**rules):
    return Explorer(Rules(driver=CLAIMS, **rules), Bounds()).run()


class TestAgreement(base.BaseTestCase):

    def test_it_accepts_the_requests_that_the_table_lets_through(self):
        self.assertGreater(agreement.check_requests(), 500)

    def test_its_driver_answers_as_the_simulated_one(self):
        self.assertGreater(agreement.check_calls(), 3600)

    def test_rules_that_are_not_the_codes_are_noticed(self):
        for check, rule in (
                (agreement.check_requests, 'delete_needs_unlocked'),
                (agreement.check_calls, 'protection_fenced'),
                (agreement.check_calls, 'begun_fenced')):
            rules = Rules(check_constraint=False, **{rule: False})
            self.assertRaises(agreement.Disagreement, check, rules)


class TestSteps(base.BaseTestCase):

    def test_it_goes_every_way_through_the_engine_s_steps(self):
        self.assertGreater(steps.count(Rules()), 20_000)

    def test_each_rule_that_concerns_a_step_changes_one(self):
        for verb, change in (
                ('create', {'build_seals': False}),
                ('create', {'renewed': False}),
                ('lock', {'not_protectable_settles': False}),
                ('lock', {'not_ours_settles': False}),
                ('unlock', {'foreign_settles': False}),
                ('delete', {'delete_seals': True}),
                ('delete', {'delete_seals_older': False}),
                ('delete', {'delete_unprotects': False}),
                ('delete', {'delete_turns_back': True}),
                ('delete', {'protects_own': False}),
                ('rebuild', {'rebuild_seals': False}),
                ('rebuild', {'rebuild_waits': 'seen'}),
                ('rebuild', {'rebuild_waits': 'never'})):
            dropped = dataclasses.replace(Rules(), **change)
            self.assertNotEqual(steps.first(verb, True, True, Rules()),
                                steps.first(verb, True, True, dropped),
                                change)

    def test_a_step_of_the_engine_that_does_not_seal_is_found(self):
        def step(task):
            task.driver.seal = lambda: None
            return rebuild.step(task)

        steps._begin.cache_clear()
        self.addCleanup(steps._begin.cache_clear)
        with mock.patch.dict(STEPS, {Verb.REBUILD: step}):
            result = Explorer(Rules(), Bounds(), seek='L1').run()
        self.assertIn('L1', result.broken)


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
        trace = describe(mutant.run(Rules()))
        self.assertEqual('create is accepted (202)', trace[0])
        self.assertIn("worker A's late call lands: take a node (ok)", trace)
        self.assertEqual('=> instance 1 is gone, and a node carries it for '
                         'ever', trace[-1])

    def test_what_cannot_end_is_found(self):
        stuck = [one for one in MUTANTS if one.seek == 'stuck']
        self.assertGreaterEqual(len(stuck), 2)
        for mutant in stuck:
            self.assertIn('stuck', mutant.run(Rules()).broken)

    def test_a_claim_from_before_the_clock_went_back_is_watched(self):
        result = Explorer(Rules(driver=CLAIMS), Bounds(clock=True)).run()
        self.assertEqual('', result.broken)
        for taken in ('at once', 'same claim'):
            rules = Rules(driver=CLAIMS, ahead_taken=taken)
            self.assertTrue(Explorer(rules, Bounds(clock=True)).run().broken)

    def test_who_takes_off_what_is_not_ours_is_found(self):
        [mutant] = [one for one in MUTANTS
                    if one.name.startswith('a protection of somebody else')]
        self.assertIn('changes a protection of somebody else',
                      mutant.run(Rules()).broken)

    def test_at_least_sixteen_mutants_are_caught(self):
        self.assertGreaterEqual(
            len([one for one in MUTANTS if not one.redundant]), 16)

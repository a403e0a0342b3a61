# SPDX-License-Identifier: Apache-2.0
"""The judge of the rig: it has to find every lie it is told."""

import dataclasses
import pathlib
import random

from oslotest import base

from mogan.tests.unit.rig.stories import built, simulated
from proof import spec
from proof.rig import answers, history, journal, linearize
from proof.rig.history import NEVER, Entry, Operation


class TestTrueHistories(base.BaseTestCase):

    def test_a_plain_life_is_explained(self):
        story = (built().asks('lock', 'done').asks('delete', 'locked')
                 .shows('active', 'locked').asks('unlock', 'done')
                 .shows('active', 'unlocked').asks('delete', 'done')
                 .hardware('undeploy').asks('lock', 'state:deleting')
                 .asks('delete', 'gone'))
        self.assertIsNone(story.verdict())
        self.assertEqual([], story.broken())

    def test_of_a_lock_and_a_delete_that_meet_either_may_win(self):
        for lock, delete in (('done', 'locked'),
                             ('state:deleting', 'done')):
            story = built()
            story.asks('lock', lock, since=10, until=12)
            story.asks('delete', delete, since=11, until=13)
            self.assertIsNone(story.verdict())

    def test_an_unknown_unlock_may_have_opened_the_way(self):
        story = (built().asks('lock', 'done').asks('unlock', 'unknown')
                 .shows('active', 'locked').asks('delete', 'done')
                 .hardware('undeploy'))
        self.assertIsNone(story.verdict())
        self.assertEqual([], story.broken())

    def test_a_lock_wins_over_an_unlock_that_is_under_way(self):
        story = (built().asks('lock', 'done').asks('unlock', 'done')
                 .shows('active', 'unlocking').asks('lock', 'done')
                 .asks('delete', 'locked').shows('active', 'locked'))
        self.assertIsNone(story.verdict())

    def test_histories_that_a_correct_service_gives_are_all_explained(self):
        for seed in range(300):
            operations, entries = simulated(random.Random(seed))
            self.assertIsNone(linearize.check(operations, entries), seed)
            self.assertEqual(
                [], journal.broken_locks(operations, entries), seed)

    def test_they_survive_the_way_to_a_file_and_back(self):
        [path] = map(pathlib.Path, self.create_tempfiles([('story', '')]))
        story = built().asks('lock', 'unknown')
        history.save(path, story.operations)
        self.assertEqual(story.operations, history.load(path, Operation))
        history.save(path, story.entries)
        self.assertEqual(story.entries, history.load(path, Entry))


class TestInjectedViolations(base.BaseTestCase):

    def assert_found(self, story, answer):
        found = story.verdict()
        self.assertIsNotNone(found)
        self.assertFalse(found.undecided)
        what = found.what
        self.assertEqual(answer, what.call if isinstance(what, Entry)
                         else what.answer)
        self.assertIn('no order explains', str(found))

    def test_a_delete_that_is_accepted_under_a_lock(self):
        self.assert_found(built().asks('lock', 'done')
                          .asks('delete', 'done'), 'done')

    def test_a_delete_and_a_lock_that_meet_and_are_both_accepted(self):
        story = built()
        story.asks('lock', 'done', since=10, until=12)
        story.asks('delete', 'done', since=11, until=13)
        self.assert_found(story, 'done')

    def test_a_rebuild_and_a_lock_that_meet_and_are_both_accepted(self):
        story = built()
        story.asks('rebuild', 'done', since=10, until=12)
        story.asks('lock', 'done', since=11, until=13)
        story.asks('read', 'saw:rebuilding:unlocked', since=14)
        self.assert_found(story, 'saw:rebuilding:unlocked')

    def test_a_delete_and_a_lock_that_meet_and_are_both_refused(self):
        story = built()
        story.asks('lock', 'state:deleting', since=10, until=12)
        story.asks('delete', 'locked', since=11, until=13)
        found = story.verdict()
        self.assertIsNotNone(found)

    def test_a_lock_that_is_forgotten(self):
        self.assert_found(built().asks('lock', 'done')
                          .shows('active', 'unlocked'),
                          'saw:active:unlocked')

    def test_a_refusal_because_of_a_lock_that_nobody_asked_for(self):
        self.assert_found(built().asks('delete', 'locked'), 'locked')
        self.assert_found(built().asks('rebuild', 'locked'), 'locked')

    def test_a_refusal_after_the_unlock_was_carried_out(self):
        self.assert_found(
            built().asks('lock', 'done').asks('unlock', 'done')
            .shows('active', 'unlocked').asks('delete', 'locked'), 'locked')

    def test_a_lock_that_is_refused_in_a_status_that_allows_it(self):
        self.assert_found(built().asks('lock', 'state:rebuilding'),
                          'state:rebuilding')

    def test_a_lock_of_what_is_being_deleted(self):
        self.assert_found(built().asks('delete', 'done')
                          .asks('lock', 'done'), 'done')

    def test_a_delete_that_turns_back(self):
        self.assert_found(built().asks('delete', 'done')
                          .shows('error', 'unlocked'), 'saw:error:unlocked')

    def test_an_instance_that_comes_back_from_the_dead(self):
        self.assert_found(
            built().asks('delete', 'done').asks('read', 'gone')
            .shows('deleting', 'unlocked'), 'saw:deleting:unlocked')

    def test_an_instance_that_vanishes(self):
        self.assert_found(built().asks('lock', 'gone'), 'gone')

    def test_an_owner_who_turns_a_locked_instance_off(self):
        self.assert_found(built().asks('lock', 'done').asks(
            'power off', 'done', operator=False), 'done')

    def test_an_operator_who_is_kept_from_it(self):
        self.assert_found(built().asks('lock', 'done').asks(
            'power off', 'locked', operator=True), 'locked')

    def test_two_that_are_turned_off_at_the_same_time(self):
        story = built()
        story.asks('lock', 'done')
        story.asks('power off', 'done', since=20, until=22)
        story.asks('rebuild', 'done', since=20, until=22)
        self.assertIsNotNone(story.verdict())

    def test_an_answer_that_is_none(self):
        self.assert_found(built().asks('lock', 'odd 500'), 'odd 500')

    def test_a_state_that_the_constraint_forbids(self):
        self.assert_found(built().shows('deleting', 'locked'),
                          'saw:deleting:locked')

    def test_a_teardown_under_a_lock(self):
        for call in ('undeploy', 'rebuild', 'deploy'):
            story = (built().asks('lock', 'done').hardware(call)
                     .asks('unlock', 'done'))
            self.assert_found(story, call)
            [(lock, entry)] = story.broken()
            self.assertEqual(('lock', call), (lock.kind, entry.call))

    def test_a_late_rebuild_that_lands_after_the_lock(self):
        story = (built().asks('rebuild', 'done').hardware('rebuild')
                 .shows('active', 'unlocked').asks('lock', 'done')
                 .hardware('rebuild'))
        self.assert_found(story, 'rebuild')
        self.assertEqual(1, len(story.broken()))

    def test_a_teardown_that_nobody_asked_for(self):
        self.assert_found(built().hardware('undeploy')
                          .shows('active', 'unlocked'), 'undeploy')

    def test_a_teardown_while_the_unlock_is_not_settled(self):
        story = (built().asks('lock', 'done').asks('unlock', 'done')
                 .hardware('undeploy').shows('active', 'unlocking'))
        self.assertIsNotNone(story.verdict())

    def test_an_effect_that_was_refused_is_none(self):
        story = (built().asks('lock', 'done')
                 .hardware('undeploy', outcome='refused:protected'))
        self.assertIsNone(story.verdict())
        self.assertEqual([], story.broken())

    def test_one_lie_in_a_true_history_is_found(self):
        """Wherever an accepted delete is put between an acknowledged lock
        and the next unlock."""
        found = injected = 0
        for seed in range(200):
            operations, entries = simulated(random.Random(seed), unknown=0)
            for lock in operations:
                lie = _lie(lock, operations)
                if lie is not None:
                    injected += 1
                    found += linearize.check(
                        [*operations, lie], entries) is not None
        self.assertEqual(injected, found)
        self.assertLess(100, injected)


def _lie(lock, operations):
    if (lock.kind, lock.answer) != ('lock', 'done'):
        return None
    until = min((one.sent for one in operations if one.kind == 'unlock'
                 and one.answered >= lock.sent), default=NEVER)
    if until <= lock.answered + 0.01:
        return None
    return Operation('delete', 'i', lock.answered + 0.001,
                     lock.answered + 0.009, 'done')


class TestSearch(base.BaseTestCase):

    def test_it_agrees_with_trying_every_order(self):
        """On short histories, true and false ones."""
        verdicts = set()
        for seed in range(400):
            rng = random.Random(seed)
            operations, _ = simulated(rng, length=5, effects=False)
            if rng.random() < 0.7 and operations:
                spoilt = rng.randrange(len(operations))
                operations[spoilt] = dataclasses.replace(
                    operations[spoilt], answer=rng.choice(
                        ['done', 'locked', 'gone', 'state:rebuilding',
                         'state:deleting']))
            expected = explained_by_some_order(operations)
            verdicts.add(expected)
            self.assertEqual(
                expected, linearize.check(operations) is None,
                (seed, list(map(str, operations))))
        self.assertEqual({True, False}, verdicts)

    def test_many_at_once_are_decided(self):
        operations = []
        for number in range(40):
            operations += [
                Operation('lock', 'i', 10 + number / 100, 20, 'done'),
                Operation('unlock', 'i', 10 + number / 100, 20, 'done'),
                Operation('delete', 'i', 10 + number / 100, 20, 'locked'),
                Operation('lock', 'i', 10 + number / 100, NEVER, 'unknown'),
                Operation('power off', 'i', 11, NEVER, 'unknown')]
        operations.append(Operation('read', 'i', 5, 6,
                                    'saw:active:unlocked'))
        self.assertIsNone(linearize.check(operations))
        operations.append(Operation('lock', 'i', 30, 31, 'state:deleting'))
        self.assertIsNotNone(linearize.check(operations))


def explained_by_some_order(operations):
    """Try them all; the engine may step in between."""
    def reach(found):
        found = set(found)
        while new := {after for state in found
                      for after in spec.engine(state)} - found:
            found |= new
        return found

    def accept(state, one):
        possible = answers.outcomes(one.kind, state, operator=one.operator)
        answer = 'done' if one.answer == 'unknown' else one.answer
        return possible.get(answer)

    def search(possible, left):
        possible = reach(possible)
        if not possible:
            return False
        if all(one.answered == NEVER for one in left):
            return True
        latest = min(one.answered for one in left)
        return any(
            search({after for state in possible
                    if (after := accept(state, one)) is not None},
                   [other for other in left if other is not one])
            for one in left if one.sent <= latest)

    return search({spec.BORN}, operations)

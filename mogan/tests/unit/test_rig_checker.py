# SPDX-License-Identifier: Apache-2.0
"""The judge of the fault rig: it has to find every lie it is told."""

import dataclasses
import itertools
import pathlib
import random

from oslotest import base

from mogan import states
from proof.rig import history, journal, linearize, records, spec, verdict
from proof.rig.history import NEVER, Entry, Operation

POWER_VERBS = {
    'power on': states.Verb.POWER_ON, 'power off': states.Verb.POWER_OFF,
    'power soft_off': states.Verb.SOFT_POWER_OFF,
    'power reboot': states.Verb.REBOOT,
    'power soft_reboot': states.Verb.SOFT_REBOOT}
VERBS = {'lock': states.Verb.LOCK, 'unlock': states.Verb.UNLOCK,
         'delete': states.Verb.DELETE, 'rebuild': states.Verb.REBUILD,
         } | POWER_VERBS


class Story:
    """Writes a history by hand: each line is one time unit."""

    def __init__(self):
        self.operations = []
        self.entries = []
        self.now = 0.0

    def asks(self, kind, answer, *, since=None, until=None, **more):
        """A request that nothing overlaps, or one between two times."""
        sent = self.now if since is None else since
        answered = sent + 1 if until is None else until
        if answer == history.UNKNOWN:
            answered = NEVER
        self.operations.append(Operation(
            kind, 'i', sent, answered, answer, **more))
        self.now = max(self.now, sent + 1) + 1
        return self

    def shows(self, status, lock):
        return self.asks('read', f'saw:{status}:{lock}')

    def hardware(self, call, node='n', instance='i', outcome='effect'):
        self.entries.append(Entry(
            len(self.entries) + 1, self.now, self.now + 0.5, call, node,
            instance, 1, outcome))
        self.now += 1
        return self

    def verdict(self):
        return linearize.check(self.operations, self.entries)

    def broken(self):
        return journal.broken_locks(self.operations, self.entries)


def built():
    return (Story().hardware('claim').hardware('deploy')
            .shows('active', 'unlocked'))


class TestSpecification(base.BaseTestCase):

    def test_it_says_what_the_table_of_the_product_says(self):
        for kind, verb in VERBS.items():
            for state, operator in itertools.product(
                    spec.STATES[1:], (False, True)):
                verdict = states.judge(
                    verb, states.Status(state.status),
                    states.LockState(state.lock), has_node=True,
                    operate_locked=operator)
                found = spec.outcomes(kind, state, operator=operator)
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
        for state in spec.STATES[1:]:
            ends = {end and end.value
                    for end in states.ENDS.get(state.status, ())}
            found = {None if after == spec.GONE else after.status
                     for after in spec.engine(state)
                     if after.lock == state.lock or after == spec.GONE}
            self.assertEqual(ends, found, state)


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
        self.assertEqual(story.operations, history.load(path))
        history.save(path, story.entries)
        self.assertEqual(story.entries, history.load_journal(path))


class TestPlantedViolations(base.BaseTestCase):

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
        found = planted = 0
        for seed in range(200):
            operations, entries = simulated(random.Random(seed), unknown=0)
            for lock in operations:
                lie = _lie(lock, operations)
                if lie is not None:
                    planted += 1
                    found += linearize.check(
                        [*operations, lie], entries) is not None
        self.assertEqual(planted, found)
        self.assertLess(100, planted)


def _lie(lock, operations):
    if (lock.kind, lock.answer) != ('lock', 'done'):
        return None
    until = min((one.sent for one in operations if one.kind == 'unlock'
                 and one.answered >= lock.sent), default=NEVER)
    if until <= lock.answered + 0.01:
        return None
    return Operation('delete', 'i', lock.answered + 0.001,
                     lock.answered + 0.009, 'done')


class TestRecords(base.BaseTestCase):

    def entry(self, action, request_id, outcome='done', times=1,
              user='admin'):
        return {'action': action, 'request_id': request_id,
                'outcome': outcome, 'times': times, 'user_id': user}

    def asked(self, kind, request_id, answer='done', user='admin'):
        return Operation(kind, 'i', 1, NEVER if answer == 'unknown' else 2,
                         answer, user, request_id=request_id)

    def test_a_complete_history_is_right(self):
        operations = [
            self.asked('create', 'a'), self.asked('lock', 'b'),
            self.asked('lock', 'c'),    # changed nothing
            self.asked('delete', 'd', 'locked'),
            self.asked('delete', 'e', 'locked'),
            self.asked('unlock', None, 'unknown'),
            self.asked('power off', 'f')]
        entries = [
            self.entry('create', 'a'), self.entry('lock', 'b'),
            self.entry('delete', 'e', 'refused', 2),
            self.entry('unlock', 'x'), self.entry('power_off', 'f')]
        self.assertEqual([], records.check(operations, entries))
        self.assertEqual(operations, records.resolve(operations, entries))

    def test_a_missing_acknowledgement_is_found(self):
        for kind in ('lock', 'delete', 'create', 'rebuild', 'power on'):
            self.assertEqual(1, len(records.check(
                [self.asked(kind, 'a')], [])), kind)

    def test_an_entry_that_nobody_asked_for_is_found(self):
        self.assertEqual(1, len(records.check(
            [], [self.entry('unlock', 'x')])))

    def test_a_missing_refusal_is_found(self):
        operations = [self.asked('delete', 'a', 'locked'),
                      self.asked('delete', 'b', 'locked')]
        for entries in ([], [self.entry('delete', 'a', 'refused', 1)],
                        [self.entry('delete', 'a', 'refused', 3)],
                        [self.entry('delete', 'a', 'refused', 2, 'demo')]):
            self.assertNotEqual([], records.check(operations, entries))

    def test_two_lives_are_found(self):
        operations = [self.asked('delete', 'a'), self.asked('delete', 'b')]
        self.assertEqual(1, len(records.check(operations, [
            self.entry('delete', 'a'), self.entry('delete', 'b')])))

    def test_what_is_not_on_record_had_no_effect(self):
        operations = [self.asked('unlock', None, 'unknown'),
                      self.asked('lock', 'a')]
        self.assertEqual(operations[1:], records.resolve(
            operations, [self.entry('lock', 'a')]))


class TestVerdict(base.BaseTestCase):

    def test_it_counts_what_met(self):
        story = built()
        story.asks('lock', 'done', since=10, until=12)
        story.asks('delete', 'locked', since=11, until=13)
        story.asks('delete', 'locked', since=14, until=15)
        story.asks('create', 'done', since=0, until=1)
        found = verdict.judge(story.operations, story.entries)
        self.assertEqual((1, 1, 0, 1, 2, 2, 0), (
            found.pairs, found.contested, found.both, found.locks,
            found.refusals, found.effects, found.broken))
        self.assertEqual([], found.violations)

    def test_it_names_each_kind_of_violation(self):
        story = built().asks('lock', 'done').hardware('undeploy')
        story.hardware('protect', instance='j')
        found = verdict.judge(story.operations, story.entries)
        self.assertEqual(1, found.broken)
        self.assertEqual(3, len(found.violations))


class TestNodes(base.BaseTestCase):

    def wrong(self, *calls):
        return journal.misdirected([
            Entry(number, number, number + 0.5, call, node, instance, 1,
                  outcome) for number, (call, node, instance, outcome)
            in enumerate(calls, 1)])

    def test_one_after_the_other_is_right(self):
        self.assertEqual([], self.wrong(
            ('claim', 'n', 'a', 'effect'), ('deploy', 'n', 'a', 'effect'),
            ('undeploy', 'n', 'a', 'effect'), ('claim', 'n', 'b', 'effect'),
            ('undeploy', 'n', 'a', 'refused:not-ours'),
            ('protect', 'n', 'b', 'effect')))

    def test_a_call_for_the_last_instance_is_found(self):
        for call in ('undeploy', 'rebuild', 'deploy', 'protect', 'power',
                     'unprotect'):
            self.assertEqual(1, len(self.wrong(
                ('claim', 'n', 'a', 'effect'),
                ('undeploy', 'n', 'a', 'effect'),
                ('claim', 'n', 'b', 'effect'), (call, 'n', 'a', 'effect'))))

    def test_a_node_that_is_given_away_twice_is_found(self):
        self.assertEqual(1, len(self.wrong(
            ('claim', 'n', 'a', 'effect'), ('claim', 'n', 'b', 'effect'))))

    def test_an_instance_that_gets_two_nodes_is_found(self):
        self.assertEqual(1, len(self.wrong(
            ('claim', 'n', 'a', 'effect'), ('claim', 'm', 'a', 'effect'))))


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
        possible = spec.outcomes(one.kind, state, operator=one.operator)
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


def simulated(rng, *, length=40, unknown=0.15, effects=True):
    """What a correct service answers: each request takes effect at a moment
    between its question and its answer."""
    moments = []
    now = 1.0
    for _ in range(length):
        now += rng.expovariate(1)
        moments.append((now, 'engine' if rng.random() < 0.4 else 'ask'))
    state, operations, entries = spec.BORN, [], []
    for now, what in moments:
        if what == 'engine':
            ends = spec.engine(state)
            if effects and state.status in {'deleting', 'rebuilding'}:
                call = {'deleting': 'undeploy'}.get(state.status, 'rebuild')
                entries.append(Entry(
                    len(entries) + 1, now - 1e-4, now - 5e-5, call, 'n',
                    'i', 1, 'effect'))
            if ends:
                state = rng.choice(ends)
            continue
        kind = rng.choice([*VERBS, 'lock', 'unlock', 'lock', 'unlock',
                           'delete', 'read', 'read'])
        operator = rng.random() < 0.5
        answer, after = rng.choice(list(spec.outcomes(
            kind, state, operator=operator).items()))
        sent, answered = (now - rng.expovariate(2),
                          now + rng.expovariate(2))
        if rng.random() < unknown:
            # Refused, accepted, or never arrived.
            answer, answered = history.UNKNOWN, NEVER
            state = rng.choice([state, after])
        else:
            state = after
        operations.append(Operation(kind, 'i', sent, answered, answer,
                                    operator=operator))
    return operations, entries

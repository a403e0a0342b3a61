# SPDX-License-Identifier: Apache-2.0
"""The rig's other evidence: the service's history, and the instances of each
node."""

from oslotest import base

from mogan.tests.unit.rig.stories import built
from proof.rig import journal, records, verdict
from proof.rig.history import NEVER, Entry, Operation, Split


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


class TestSplits(base.BaseTestCase):
    """A former primary answers what it knows; only what acknowledges
    something is held against the service."""

    def left(self, answer, sent, answered, *splits):
        one = Operation('lock', 'i', sent, answered, answer)
        return verdict.without_stale([one], splits) == [one]

    def test_an_answer_of_the_old_primary_proves_nothing(self):
        split = Split(10, 20)
        for answer in ('locked', 'gone', 'state:deleting', 'no-node:error',
                       'saw:active:unlocked'):
            for times in ((9, 11), (11, 12), (19, 21), (9, 21)):
                self.assertFalse(self.left(answer, *times, split), times)
            for times in ((1, 10), (20, 30)):
                self.assertTrue(self.left(answer, *times, split), times)
            self.assertFalse(self.left(answer, 31, 32, split,
                                       Split(30, 40)))

    def test_what_was_acknowledged_counts(self):
        for answer in ('done', 'unknown', 'odd 500'):
            self.assertTrue(self.left(answer, 11, 12, Split(10, 20)))


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

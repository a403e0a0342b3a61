# SPDX-License-Identifier: Apache-2.0
"""The table of states, and what it says of each request."""

import itertools

from oslotest import base

from mogan import states
from mogan.states import LockState, Status, Verb


def every_state():
    """Return each state of an instance that the database allows."""
    return [(status, lock_state)
            for status, lock_state in itertools.product(Status, LockState)
            if lock_state is LockState.UNLOCKED
            or status in states.LOCKABLE]


def judge(verb, status, lock_state, *, has_node=True, operate_locked=False):
    return states.judge(verb, status, lock_state, has_node=has_node,
                        operate_locked=operate_locked)


class TestTheTable(base.BaseTestCase):

    def test_only_what_rests_follows_its_node(self):
        resting = set(Status) - states.ENDS.keys()
        self.assertEqual(resting, states.FOLLOWS.keys())
        for status, ends in states.FOLLOWS.items():
            self.assertEqual(resting - {status}, ends)
            # So that a lock stays possible, and stays.
            self.assertLessEqual(ends, states.LOCKABLE)

    def test_every_state_is_reachable(self):
        reached = {Status.BUILDING, LockState.UNLOCKED}
        arrows = [arrow for ways in states.ARROWS.values() for arrow in ways]
        while True:
            further = set(reached)
            for arrow in arrows:
                if arrow.sources & reached:
                    further.add(arrow.target)
            for state, ends in states.ENDS.items():
                if state in reached:
                    further |= ends - {states.GONE}
            if further == reached:
                break
            reached = further
        self.assertEqual({*Status, *LockState}, reached)

    def test_every_state_under_way_has_an_end(self):
        under_way = {arrow.target for ways in states.ARROWS.values()
                     for arrow in ways} | {Status.BUILDING}
        self.assertEqual(under_way, set(states.ENDS))

    def test_no_arrow_leaves_a_delete(self):
        for verb, ways in states.ARROWS.items():
            for arrow in ways:
                self.assertNotIn(Status.DELETING, arrow.sources, verb)
        self.assertEqual({states.GONE}, states.ENDS[Status.DELETING])

    def test_no_arrow_breaks_the_invariant_of_the_database(self):
        for verb in states.ARROWS:
            for status, lock_state in every_state():
                verdict = judge(verb, status, lock_state,
                                operate_locked=True)
                if not isinstance(verdict, states.Arrow):
                    continue
                after = {states.Column.STATUS: status,
                         states.Column.LOCK: lock_state,
                         verdict.column: verdict.target}
                self.assertTrue(
                    after[states.Column.LOCK] is LockState.UNLOCKED
                    or after[states.Column.STATUS] in states.LOCKABLE,
                    (verb, after))

    def test_the_verdict_is_what_the_guards_of_the_arrow_say(self):
        for verb, ways in states.ARROWS.items():
            for status, lock_state in every_state():
                verdict = judge(verb, status, lock_state)
                here = (lock_state if ways[0].column is states.Column.LOCK
                        else status)
                fits = [arrow for arrow in ways if here in arrow.sources
                        and status in arrow.statuses
                        and lock_state in arrow.lock_states]
                if isinstance(verdict, states.Arrow):
                    self.assertEqual([verdict], fits)
                else:
                    self.assertEqual([], fits)

    def test_two_ways_of_a_verb_never_share_a_source(self):
        for verb, ways in states.ARROWS.items():
            sources = [state for arrow in ways for state in arrow.sources]
            self.assertEqual(len(sources), len(set(sources)), verb)


class TestDestroying(base.BaseTestCase):

    def test_nobody_destroys_what_is_locked(self):
        for verb in (Verb.DELETE, Verb.REBUILD):
            for status, lock_state in every_state():
                if lock_state is LockState.UNLOCKED:
                    continue
                for operate_locked in (False, True):
                    self.assertEqual(
                        states.Refused(locked=True),
                        judge(verb, status, lock_state,
                              operate_locked=operate_locked))

    def test_an_unlocked_instance_can_be_deleted_from_every_status(self):
        for status in set(Status) - {Status.DELETING}:
            verdict = judge(Verb.DELETE, status, LockState.UNLOCKED)
            self.assertIs(Status.DELETING, verdict.target)

    def test_a_second_delete_changes_nothing(self):
        self.assertEqual(states.Unchanged(),
                         judge(Verb.DELETE, Status.DELETING,
                               LockState.UNLOCKED))

    def test_a_rebuild_needs_a_node(self):
        for status in (Status.ACTIVE, Status.STOPPED, Status.ERROR):
            self.assertEqual(
                states.Refused(locked=False),
                judge(Verb.REBUILD, status, LockState.UNLOCKED,
                      has_node=False))


class TestLocking(base.BaseTestCase):

    def test_destructive_work_under_way_cannot_be_locked(self):
        for status in set(Status) - states.LOCKABLE:
            self.assertEqual(states.Refused(locked=False),
                             judge(Verb.LOCK, status, LockState.UNLOCKED))

    def test_everything_else_can_be_locked(self):
        for status in states.LOCKABLE:
            verdict = judge(Verb.LOCK, status, LockState.UNLOCKED)
            self.assertIs(LockState.LOCKING, verdict.target)

    def test_a_repeated_lock_changes_nothing(self):
        for lock_state in (LockState.LOCKING, LockState.LOCKED):
            self.assertEqual(states.Unchanged(),
                             judge(Verb.LOCK, Status.ACTIVE, lock_state))

    def test_a_lock_wins_over_an_unlock_under_way(self):
        verdict = judge(Verb.LOCK, Status.ACTIVE, LockState.UNLOCKING)
        self.assertIs(LockState.LOCKING, verdict.target)
        self.assertTrue(verdict.supersedes)

    def test_an_unlock_is_allowed_in_every_status(self):
        for status in states.LOCKABLE:
            for lock_state in (LockState.LOCKING, LockState.LOCKED):
                verdict = judge(Verb.UNLOCK, status, lock_state)
                self.assertIs(LockState.UNLOCKING, verdict.target)


class TestPower(base.BaseTestCase):

    def test_a_lock_binds_the_owner_and_not_the_operator(self):
        for verb, (source, during) in states.POWER.items():
            self.assertEqual(states.Refused(locked=True),
                             judge(verb, source, LockState.LOCKED))
            verdict = judge(verb, source, LockState.LOCKED,
                            operate_locked=True)
            self.assertIs(during, verdict.target)

    def test_what_does_not_wait_for_the_system_supersedes_what_does(self):
        soft = (Status.SOFT_POWERING_OFF, Status.SOFT_REBOOTING)
        for verb, status in itertools.product(states.POWER, soft):
            verdict = judge(verb, status, LockState.UNLOCKED)
            if verb in (Verb.POWER_OFF, Verb.REBOOT):
                self.assertTrue(verdict.supersedes)
                self.assertIs(states.POWER[verb][1], verdict.target)
                self.assertEqual(states.Refused(locked=True),
                                 judge(verb, status, LockState.LOCKED))
            else:
                self.assertEqual(states.Refused(locked=False), verdict)

    def test_a_power_state_that_is_there_already_is_refused(self):
        for verb, status in ((Verb.POWER_ON, Status.ACTIVE),
                             (Verb.POWER_OFF, Status.STOPPED),
                             (Verb.REBOOT, Status.STOPPED)):
            self.assertEqual(states.Refused(locked=False),
                             judge(verb, status, LockState.UNLOCKED))

# SPDX-License-Identifier: Apache-2.0
"""The database's clock steps: what is due stays due, and a claim stays its
holder's."""

import datetime

import sqlalchemy as sa

from mogan import states
from mogan.context import RequestContext
from mogan.db import actions, claims, instances, models, periodic
from mogan.engine.task import poll_after
from mogan.states import Verb
from mogan.tests.functional import base, clocks
from mogan.tests.support.processes import eventually

# Seconds: a claim that is taken for ten minutes ends further ahead.
LEASE = 0.05
AHEAD = 600.0


class SteppedTest(base.FunctionalTest):
    """With requests under way that no engine knows of."""

    engines = 0

    def setUp(self):
        super().setUp()
        self.deployment.start_engine()
        self.uuids = [self.make_instance() for _ in range(3)]
        self.deployment.stop_engines()


class TestSteppingBack(SteppedTest):

    def test_what_is_put_off_is_done_soon(self):
        [deleted, locked, unlocked] = self.uuids
        self.ask(deleted, 'delete')
        self.ask(locked, 'lock')
        self.ask(unlocked, 'lock')
        self.ask(unlocked, 'unlock')
        clocks.step(self.db)
        self.deployment.start_engine()
        self.wait_until_gone(deleted)
        self.wait_for(locked, lock_state='locked')
        self.wait_for(unlocked, lock_state='unlocked')

    def test_what_waits_is_listed_and_warned_of(self):
        self.ask(self.uuids[0], 'delete')
        clocks.step(self.db)
        [action] = actions.unfinished(self.db, limit=10, older=900)
        self.assertEqual('delete', action.verb)
        clocks.step(self.db, -clocks.BACK)
        self.assertEqual([], actions.unfinished(self.db, limit=10,
                                                older=900))

    def test_the_claim_of_an_engine_that_died_is_taken_over(self):
        [deleted, locked, _] = self.uuids
        for uuid in (deleted, locked):
            self.assertIsNotNone(
                claims.take(self.db, uuid, 'a dead engine', 1.5))
        self.ask(deleted, 'delete')
        self.ask(locked, 'lock')
        clocks.step(self.db)
        self.deployment.start_engine()
        self.wait_until_gone(deleted)
        self.wait_for(locked, lock_state='locked')

    def test_drift_is_repaired(self):
        uuid = self.uuids[0]
        self.deployment.start_engine()
        self.lock(uuid)
        clocks.step(self.db)
        with self.hardware.transaction() as txn:
            txn.change(self.node_of(uuid).uuid, protected=False)
        eventually(lambda: self.node_of(uuid).protected)

    def test_drift_under_the_claim_of_a_dead_repair_is_repaired(self):
        uuid = self.uuids[0]
        self.assertIsNotNone(claims.take(
            self.db, uuid, 'a dead engine', 1.5, repair=True))
        clocks.step(self.db)
        with self.hardware.transaction() as txn:
            txn.change(self.node_of(uuid).uuid, protected=True,
                       protected_reason=f'mogan {uuid}')
        self.deployment.start_engine()
        eventually(lambda: not self.node_of(uuid).protected)

    def test_it_is_not_given_up_early(self):
        uuid = self.uuids[0]
        self.ask(uuid, 'rebuild')
        clocks.step(self.db)
        self.deployment.start_engine()
        self.wait_for(uuid, status='active')
        self.assertEqual('done', self.history(uuid)[0]['outcome'])

    def test_nobody_looks_all_the_time(self):
        self.assertGreaterEqual(poll_after(-600.0), 1.0)


class TestSteppingForward(SteppedTest):

    def test_all_that_waits_is_done(self):
        [deleted, locked, _] = self.uuids
        self.ask(deleted, 'delete')
        self.ask(locked, 'lock')
        clocks.step(self.db, -clocks.BACK)
        self.deployment.start_engine()
        self.wait_until_gone(deleted)
        self.wait_for(locked, lock_state='locked')


class TestBringingForward(base.FunctionalTest):

    engines = 0

    def put_off(self, seconds):
        """Delay an unfinished action's row by so many seconds."""
        uuid = self.put_row()
        instances.begin(self.db, RequestContext(user_id='admin',
                                                project_id='admin'),
                        uuid, Verb.LOCK)
        with self.db.writer() as connection:
            connection.execute(sa.update(models.actions).values(
                next_at=base.now() + datetime.timedelta(seconds=seconds)))
        return uuid

    def test_what_no_look_is_put_off_for_is_due_now(self):
        uuid = self.put_off(600)
        self.assertFalse(actions.pending(self.db, uuid))
        self.assertEqual(1, actions.bring_forward(self.db))
        self.assertTrue(actions.pending(self.db, uuid))
        self.assertEqual(0, actions.bring_forward(self.db))

    def test_what_waits_for_its_turn_goes_on_waiting(self):
        uuid = self.put_off(15)
        self.assertEqual(0, actions.bring_forward(self.db))
        self.assertFalse(actions.pending(self.db, uuid))

    def test_no_look_is_put_off_for_longer(self):
        uuid = self.put_off(-1)
        work = claims.take(self.db, uuid, 'one', 30.0)
        [action] = work.actions
        self.assertTrue(claims.release(self.db, work.claim, [
            claims.Retry(action.uuid, 3600)]))
        self.assertEqual(0, actions.bring_forward(self.db))


class TestClaimsAhead(base.FunctionalTest):
    """A claim that ends further ahead than a lease of the one that meets
    it."""

    engines = 0

    def setUp(self):
        super().setUp()
        self.uuid = self.put_row()
        self.watch = claims.Watch()
        self.held = claims.take(self.db, self.uuid, 'one', AHEAD).claim

    def take(self, lease=LEASE, **options):
        return claims.take(self.db, self.uuid, 'two', lease,
                           watch=self.watch, **options)

    def test_it_is_not_taken_at_sight(self):
        self.assertIsNone(self.take())
        self.assertIsNone(claims.take(self.db, self.uuid, 'two', LEASE))
        self.assertTrue(claims.renew(self.db, self.held))

    def test_it_is_taken_once_it_has_been_seen_for_long_enough(self):
        began = claims.boottime()
        work = eventually(self.take)
        self.assertGreater(claims.boottime() - began, LEASE)
        self.assertEqual(self.held.seq + 1, work.claim.seq)
        self.assertEqual('two', self.row(self.uuid)['claim_by'])
        self.assertFalse(claims.renew(self.db, self.held))

    def test_it_stays_with_a_holder_who_renews_it(self):
        self.assertIsNone(self.take())
        deadline = claims.boottime() + 6 * LEASE
        while claims.boottime() < deadline:
            # Seen unchanged for as long as this loop takes, at most.
            self.assertTrue(claims.renew(self.db, self.held))
            self.assertIsNone(self.take())
        self.assertEqual('one', self.row(self.uuid)['claim_by'])

    def test_what_the_clock_may_gain_is_waited_for_too(self):
        self.assertIsNone(self.take(skew=AHEAD))
        deadline = claims.boottime() + 3 * LEASE
        while claims.boottime() < deadline:
            self.assertIsNone(self.take(skew=AHEAD))

    def test_what_ends_within_a_lease_is_not_taken(self):
        deadline = claims.boottime() + 3 * LEASE
        while claims.boottime() < deadline:
            self.assertIsNone(self.take(lease=2 * AHEAD))

    def test_a_repair_that_takes_it_gets_a_number(self):
        work = eventually(lambda: self.take(repair=True))
        self.assertEqual(2, work.row.fence)

    def test_what_was_asked_for_is_shown_to_those_who_watch(self):
        instances.begin(self.db, RequestContext(
            user_id='admin', project_id='admin'), self.uuid,
            states.Verb.LOCK)
        [action] = actions.due(self.db, 10, LEASE)
        self.assertEqual(self.uuid, action.instance_uuid)
        self.assertEqual([], actions.due(self.db, 10, 2 * AHEAD))


class TestRounds(base.FunctionalTest):

    engines = 0

    def setUp(self):
        super().setUp()
        periodic.register(self.db, 'a round')
        self.assertTrue(periodic.acquire(self.db, 'a round', AHEAD))

    def test_one_due_later_than_any_is_due(self):
        self.assertFalse(periodic.acquire(self.db, 'a round', AHEAD))
        self.assertTrue(periodic.acquire(self.db, 'a round', 60))
        self.assertFalse(periodic.acquire(self.db, 'a round', 60))

    def test_one_that_may_be_under_way_is_watched_first(self):
        watch = claims.Watch()
        self.assertFalse(periodic.acquire_exclusive(
            self.db, 'a round', LEASE, watch))
        deadline = claims.boottime() + 3 * LEASE
        while claims.boottime() < deadline:
            periodic.extend(self.db, 'a round', AHEAD)
            self.assertFalse(
                periodic.acquire_exclusive(self.db, 'a round', LEASE, watch))
        eventually(lambda: periodic.acquire_exclusive(
            self.db, 'a round', LEASE, watch))

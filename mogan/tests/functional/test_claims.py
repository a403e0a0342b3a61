# SPDX-License-Identifier: Apache-2.0
"""One worker at a time for each instance, and none that comes too late."""

import concurrent.futures
import inspect

from mogan import states
from mogan.baremetal.driver import Driver
from mogan.baremetal.simulated import SimulatedDriver
from mogan.context import RequestContext
from mogan.db import actions, claims, instances
from mogan.engine.lease import ClaimLost
from mogan.engine.task import Limits, Task
from mogan.engine.worker import Worker
from mogan.states import LockState, Status, Verb
from mogan.tests.functional import base
from mogan.tests.support.deployment import TIMES

LEASE = 30.0
OVER = -1.0     # a lease that has run out before it began
CHANGES = {name for name in Driver.__abstractmethods__
           if 'permit' in inspect.signature(getattr(Driver, name)).parameters}


class ClaimTest(base.FunctionalTest):
    """Without an engine: each test is the worker."""

    engines = 0

    def setUp(self):
        super().setUp()
        self.context = RequestContext(user_id='admin', project_id='admin')

    def take(self, uuid, by='one', lease=LEASE):
        return claims.take(self.db, uuid, by, lease)

    def finish(self, work, end, values=None):
        [action] = work.actions
        return instances.finish(self.db, work.claim, action, end,
                                values or {}, failure=None, release=True)

    def ask(self, uuid, verb, **arguments):
        return instances.begin(self.db, self.context, uuid, verb, arguments)


class TestTaking(ClaimTest):

    def test_one_of_many_workers_gets_it(self):
        uuid = self.put_row()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(
                lambda number: self.take(uuid, f'worker-{number}'),
                range(8)))
        self.assertEqual(1, len([work for work in taken if work]))

    def test_it_can_be_taken_when_its_lease_is_over(self):
        uuid = self.put_row()
        first = self.take(uuid, lease=OVER)
        second = self.take(uuid, 'two')
        self.assertEqual(first.claim.seq + 1, second.claim.seq)
        self.assertIsNone(self.take(uuid, 'three'))

    def test_it_tells_what_is_to_be_done_the_lock_first(self):
        uuid = self.put_row()
        self.ask(uuid, Verb.POWER_OFF)
        self.ask(uuid, Verb.LOCK)
        work = self.take(uuid)
        self.assertEqual(['lock', 'power_off'],
                         [action.verb for action in work.actions])
        self.assertTrue(all(action.due for action in work.actions))

    def test_a_request_leaves_it_where_it_is(self):
        uuid = self.put_row()
        work = self.take(uuid)
        self.ask(uuid, Verb.LOCK)
        row = self.row(uuid)
        self.assertEqual(('one', work.claim.seq),
                         (row['claim_by'], row['claim_seq']))
        self.assertIsNone(self.take(uuid, 'two'))

    def test_a_repair_takes_a_new_number_and_other_work_does_not(self):
        uuid = self.put_row()
        work = self.take(uuid, lease=OVER)
        self.assertEqual(1, work.row.fence)
        work = claims.take(self.db, uuid, 'two', LEASE, repair=True)
        self.assertEqual(2, work.row.fence)


class TestHolding(ClaimTest):

    def test_it_can_be_renewed_while_it_is_live(self):
        uuid = self.put_row()
        work = self.take(uuid)
        before = work.claim.expires
        self.assertTrue(claims.renew(self.db, work.claim))
        self.assertGreater(work.claim.expires, before)

    def test_it_cannot_be_renewed_when_its_lease_is_over(self):
        uuid = self.put_row()
        work = self.take(uuid, lease=OVER)
        work.claim.lease = LEASE
        self.assertFalse(claims.renew(self.db, work.claim))

    def test_it_cannot_be_renewed_when_somebody_else_has_it(self):
        uuid = self.put_row()
        work = self.take(uuid, lease=OVER)
        self.take(uuid)
        self.assertFalse(claims.renew(self.db, work.claim))

    def test_one_who_lost_it_lets_go_of_nothing(self):
        uuid = self.put_row()
        late = self.take(uuid, lease=OVER)
        self.take(uuid)
        self.assertFalse(claims.release(self.db, late.claim))
        self.assertEqual('one', self.row(uuid)['claim_by'])

    def test_what_is_let_go_of_can_be_taken(self):
        uuid = self.put_row()
        work = self.take(uuid)
        self.assertTrue(claims.release(self.db, work.claim))
        self.assertIsNotNone(self.take(uuid, 'two'))


class TestFinishing(ClaimTest):

    def test_the_holder_of_a_live_claim_writes_the_outcome(self):
        uuid = self.put_row()
        self.ask(uuid, Verb.LOCK)
        self.assertTrue(self.finish(self.take(uuid), LockState.LOCKED))
        row = self.row(uuid)
        self.assertEqual(('locked', None, None), (
            row['lock_state'], row['lock_action'], row['claim_by']))
        [action] = actions.history(self.db, uuid, limit=9)
        self.assertEqual('done', action.outcome)

    def test_one_whose_lease_is_over_writes_nothing(self):
        uuid = self.put_row()
        self.ask(uuid, Verb.LOCK)
        self.assertFalse(self.finish(self.take(uuid, lease=OVER),
                                     LockState.LOCKED))
        self.assertEqual('locking', self.row(uuid)['lock_state'])

    def test_one_whose_claim_was_taken_over_writes_nothing(self):
        uuid = self.put_row()
        self.ask(uuid, Verb.LOCK)
        late = self.take(uuid, lease=OVER)
        self.take(uuid)
        self.assertFalse(self.finish(late, LockState.LOCKED))
        self.assertEqual('locking', self.row(uuid)['lock_state'])

    def test_one_whose_action_was_superseded_writes_nothing(self):
        uuid = self.put_row()
        self.ask(uuid, Verb.LOCK)
        work = self.take(uuid)
        self.ask(uuid, Verb.UNLOCK)
        self.assertFalse(self.finish(work, LockState.LOCKED))
        self.assertEqual('unlocking', self.row(uuid)['lock_state'])
        self.assertEqual(['unlock', 'lock'], [
            action.verb for action in actions.history(
                self.db, uuid, limit=9)])
        self.assertEqual([None, 'superseded'], [
            action.outcome for action in actions.history(
                self.db, uuid, limit=9)])

    def test_a_delete_supersedes_a_build(self):
        uuid = self.ask_for_instance()
        work = self.take(uuid)
        self.ask(uuid, Verb.DELETE)
        for end in (Status.ACTIVE, Status.ERROR):
            self.assertFalse(self.finish(work, end))
        self.assertEqual('deleting', self.row(uuid)['status'])

    def test_a_delete_ends_in_nothing_but_the_end(self):
        uuid = self.put_row()
        self.ask(uuid, Verb.DELETE)
        work = self.take(uuid)
        for end in Status:
            self.assertRaises(ValueError, self.finish, work, end)
        self.assertTrue(self.finish(work, states.GONE))


class TestCalling(ClaimTest):
    """A call leaves only while the lease surely covers it."""

    def setUp(self):
        super().setUp()
        self.driver = SimulatedDriver(
            self.deployment.directory / 'inventory.sqlite', **TIMES)
        self.addCleanup(self.driver.close)
        self.uuid = self.put_row()
        self.ask(self.uuid, Verb.LOCK)

    def task(self, work):
        return Task(self.db, self.driver, work.claim, work.row,
                    work.actions[0], Limits())

    def calls(self):
        return [entry for entry in self.hardware.journal()
                if entry.instance_uuid == self.uuid]

    def test_a_short_rest_of_the_lease_is_renewed_first(self):
        work = self.take(self.uuid)
        work.claim.expires = claims.boottime() + 0.01
        self.task(work).driver.seal()
        self.assertGreater(work.claim.left(), LEASE / 2)
        self.assertEqual(1, len(self.calls()))

    def test_a_lost_claim_keeps_the_call_from_leaving(self):
        work = self.take(self.uuid, lease=OVER)
        self.take(self.uuid, 'two')
        task = self.task(work)
        self.assertRaises(ClaimLost, task.driver.seal)
        self.assertEqual([], self.calls())

    def test_what_cannot_be_undone_is_renewed_for_always(self):
        work = self.take(self.uuid)
        # Nothing but the database knows that somebody else has it.
        claims.release(self.db, work.claim)
        self.take(self.uuid, 'two')
        self.assertGreater(work.claim.left(), LEASE / 2)
        leased = self.task(work).driver
        for name in CHANGES - {'power', 'protect', 'unprotect', 'seal'}:
            change = getattr(leased, name)
            arguments = [None] * len(inspect.signature(change).parameters)
            self.assertRaises(ClaimLost, change, *arguments)
        self.assertEqual([], self.calls())

    def test_a_lost_claim_keeps_a_finding_from_being_written(self):
        work = self.take(self.uuid)
        claims.release(self.db, work.claim)
        self.take(self.uuid, 'two')
        self.assertRaises(ClaimLost, self.task(work).record,
                          node_uuid=base.OTHER_IMAGE)
        self.assertEqual(base.NOWHERE, self.row(self.uuid)['node_uuid'])


class TestWorker(ClaimTest):

    def test_two_at_once_do_the_work_once(self):
        self.deployment.start_engine()
        uuid = self.make_instance()
        self.deployment.stop_engines()
        self.ask(uuid, Verb.LOCK)
        drivers = [SimulatedDriver(
            self.deployment.directory / 'inventory.sqlite', **TIMES)
            for _ in range(4)]
        for driver in drivers:
            self.addCleanup(driver.close)
        workers = [Worker(self.db, driver, f'worker-{number}', Limits())
                   for number, driver in enumerate(drivers)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda worker: worker.process(uuid), workers))
        self.assertEqual('locked', self.row(uuid)['lock_state'])
        protects = [entry for entry in self.hardware.journal()
                    if entry.call == 'protect']
        self.assertEqual(1, len(protects), protects)

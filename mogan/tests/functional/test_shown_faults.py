# SPDX-License-Identifier: Apache-2.0
"""The fault of an action is shown as long as it lasts."""

import sqlalchemy as sa

from mogan.baremetal import driver
from mogan.baremetal.simulated import SimulatedDriver, faults
from mogan.db import models
from mogan.db.core import clock
from mogan.engine.task import Limits
from mogan.engine.worker import Worker
from mogan.tests.functional import base
from mogan.tests.support.deployment import TIMES

_LONG = 3600.0


class ShownTest(base.FunctionalTest):
    """Each look is the test's."""

    engines = 0

    def setUp(self):
        super().setUp()
        self.deployment.start_engine()
        self.uuid = self.make_instance()
        self.deployment.stop_engines()

    def look(self, kind=SimulatedDriver):
        """Let a worker process the instance, whenever that is due."""
        hardware = kind(
            self.deployment.directory / 'inventory.sqlite',
            **TIMES | {'rebuild_time': _LONG, 'undeploy_time': _LONG,
                       'lease': 30.0})
        self.addCleanup(hardware.close)
        self.change(models.actions, next_at=clock.NOW)
        Worker(self.db, hardware, 'worker', Limits()).process(self.uuid)

    def change(self, table, **values):
        """Change the rows of what is unfinished."""
        with self.db.writer() as connection:
            connection.execute(sa.update(table).where(
                table.c.outcome.is_(None)).values(values))

    def meet(self, mode, call, times=1):
        self.hardware.add_fault(faults.Fault(
            faults.Mode(mode), call, times=times, message='out of paper',
            seconds=0.01 if mode == 'timeout' else 0))

    def message(self):
        fault = self.see(self.uuid)['fault']
        return fault and fault['message']

    def attempts(self):
        action = self.history(self.uuid)[0]
        return action['attempts'], action['error']


class TestUnknownOutcomes(ShownTest):

    def _check(self, request, call):
        self.meet('timeout', call)
        self.ask(self.uuid, request)
        self.look()
        self.assertEqual('out of paper', self.message())
        self.assertEqual((1, 'out of paper'), self.attempts())
        # Nobody works on it before the claim has run out.
        self.look()
        self.assertEqual('worker', self.row(self.uuid)['claim_by'])
        self.assertEqual((1, 'out of paper'), self.attempts())

    def test_that_of_a_delete_is_shown_and_the_claim_kept(self):
        self._check('delete', 'undeploy')

    def test_that_of_a_lock_is_shown_and_the_claim_kept(self):
        self._check('lock', 'protect')

    def test_it_is_not_shown_of_what_has_been_superseded(self):
        test = self

        class Late(SimulatedDriver):

            def power(self, *_):
                test.ask(test.uuid, 'delete')
                raise driver.OutcomeUnknown('out of paper')

        self.ask(self.uuid, 'off')
        self.look(Late)
        self.assertIsNone(self.message())
        self.assertEqual([0, 0, 0], [
            action['attempts'] for action in self.history(self.uuid)])


class TestBusyNodes(ShownTest):

    def test_one_is_no_fault_before_it_has_been_busy_for_long(self):
        self.meet('busy', 'undeploy', times=None)
        self.ask(self.uuid, 'delete')
        self.look()
        self.assertIsNone(self.message())
        self.assertEqual((0, None), self.attempts())
        self.change(models.actions, created_at=clock.from_now(-61))
        self.look()
        self.assertEqual('out of paper', self.message())
        self.assertEqual((1, 'out of paper'), self.attempts())


class TestObstacles(ShownTest):

    def test_one_is_not_shown_of_what_has_been_superseded(self):
        test = self

        class Late(SimulatedDriver):

            def power(self, *_):
                test.ask(test.uuid, 'delete')
                raise driver.Unavailable('out of paper')

        self.ask(self.uuid, 'off')
        self.look(Late)
        self.assertEqual('deleting', self.see(self.uuid)['status'])
        self.assertIsNone(self.message())

    def test_one_that_is_over_is_not_shown_any_more(self):
        self.meet('unavailable', 'rebuild')
        self.ask(self.uuid, 'rebuild')
        self.look()
        self.assertEqual('out of paper', self.message())
        self.look()
        self.assertEqual('rebuilding', self.node_of(self.uuid).availability)
        self.assertIsNone(self.message())
        self.assertEqual((1, 'out of paper'), self.attempts())

    def test_one_that_a_look_has_met_is_not_shown_any_more_either(self):
        self.ask(self.uuid, 'rebuild')
        self.look()
        self.meet('unavailable', 'look')
        self.look()
        self.assertEqual('out of paper', self.message())
        self.look()
        self.assertIsNone(self.message())

    def test_a_delete_that_is_tried_again_shows_what_it_has_met(self):
        self.meet('break', 'undeploy')
        self.ask(self.uuid, 'delete')
        self.look()
        with self.hardware.transaction() as txn:
            txn.change(self.node_of(self.uuid).uuid, until=0)
        for _ in range(2):
            self.look()
            self.assertEqual('undeploying',
                             self.node_of(self.uuid).availability)
            self.assertEqual('out of paper', self.message())

    def test_that_of_somebody_else_stays(self):
        self.ask(self.uuid, 'rebuild')
        with self.db.writer() as connection:
            connection.execute(sa.update(models.instances).values(
                fault={'cause': 'node', 'message': 'in maintenance',
                       'created_at': '2026-01-01T00:00:00Z'}))
        self.look()
        self.assertEqual('in maintenance', self.message())

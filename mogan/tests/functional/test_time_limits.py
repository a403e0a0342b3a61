# SPDX-License-Identifier: Apache-2.0
"""Work that takes longer than it may: what gives up, what has to wait, and
what may be locked meanwhile."""

from mogan.baremetal.driver import DeploySpec, Permit
from mogan.baremetal.simulated import SimulatedDriver, faults
from mogan.engine.task import Limits
from mogan.engine.worker import Worker
from mogan.tests.functional import base
from mogan.tests.support.deployment import TIMES
from mogan.tests.support.processes import eventually

_SHORT = 0.3    # seconds
_LONG = 3600.0


class LimitsTest(base.FunctionalTest):
    """Without an engine, until one is started."""

    engines = 0

    def make(self):
        """Create an active instance, without an engine; returns its uuid."""
        self.deployment.start_engine()
        uuid = self.make_instance()
        self.deployment.stop_engines()
        return uuid

    def look(self, uuid, limits, driver=SimulatedDriver):
        """Let one worker process the instance."""
        hardware = driver(self.deployment.directory / 'inventory.sqlite',
                          **TIMES | {'rebuild_time': _LONG})
        self.addCleanup(hardware.close)
        Worker(self.db, hardware, 'worker', limits).process(uuid)


class TestRebuilds(LimitsTest):
    """Nothing can be locked while it is being wiped."""

    def start(self):
        self.deployment.start_engine(limits=Limits(rebuild=_SHORT),
                                     rebuild_time=_LONG)

    def begin(self):
        """Start a rebuild that is overdue; returns the instance's uuid."""
        uuid = self.make()
        self.start()
        self.ask(uuid, 'rebuild')
        self.assertIn(f'within {_SHORT} seconds', self.wait_for_fault(uuid))
        return uuid

    def assert_waits(self, uuid):
        self.assertEqual('rebuilding', self.node_of(uuid).availability)
        self.assertEqual('rebuilding', self.see(uuid)['status'])
        answer = self.admin.lock(uuid)
        self.assertIn('rebuilding', self.expect(409, answer).message)

    def attempts(self, uuid):
        return self.history(uuid)[0]['attempts']

    def test_none_is_given_up_while_its_node_is_at_it(self):
        uuid = self.begin()
        eventually(lambda: self.attempts(uuid) > 1)
        self.assert_waits(uuid)
        self.end_the_work(uuid)
        seen = self.wait_for(uuid, status='active')
        self.assertEqual((base.OTHER_IMAGE, None),
                         (seen['image_uuid'], seen['fault']))
        self.assertEqual('done', self.history(uuid)[0]['outcome'])

    def test_none_is_given_up_after_a_restart_either(self):
        uuid = self.begin()
        self.deployment.stop_engines()
        before = self.attempts(uuid)
        self.start()
        eventually(lambda: self.attempts(uuid) > before)
        self.assert_waits(uuid)

    def test_one_whose_node_fails_at_last_ends_in_error(self):
        uuid = self.begin()
        self.change_node(uuid, until=0, breaks='out of paper')
        seen = self.wait_for(uuid, status='error')
        self.assertEqual('out of paper', seen['fault']['message'])
        self.lock(uuid)

    def test_a_delete_can_take_its_place(self):
        uuid = self.begin()
        self.ask(uuid, 'delete')
        self.end_the_work(uuid)
        self.wait_until_gone(uuid)

    def test_one_that_has_not_begun_ends_in_error(self):
        uuid = self.make()
        self.ask(uuid, 'rebuild')
        self.look(uuid, Limits(rebuild=0))
        seen = self.see(uuid)
        self.assertEqual('error', seen['status'])
        self.assertIn('within 0 seconds', seen['fault']['message'])

    def late(self, uuid):
        """Return a driver in which a late call arrives between a worker's poll
        and its seal."""
        fence = self.row(uuid)['fence']

        class Late(SimulatedDriver):

            def seal(self, instance_uuid, permit):
                self.rebuild(self.find(uuid).uuid, DeploySpec(
                    uuid, 'web', base.OTHER_IMAGE), Permit(
                        fence, permit.covered))
                super().seal(instance_uuid, permit)

        return Late

    def test_one_that_begins_behind_the_look_is_waited_for(self):
        uuid = self.make()
        self.ask(uuid, 'rebuild')
        self.look(uuid, Limits(rebuild=0), self.late(uuid))
        self.assert_waits(uuid)
        self.assertIn('within 0 seconds', self.wait_for_fault(uuid))
        self.end_the_work(uuid)
        self.start()
        self.wait_for(uuid, status='error')
        self.lock(uuid)

    def test_one_that_was_refused_and_sealed_says_in_the_end_why(self):
        uuid = self.make()
        self.ask(uuid, 'rebuild')
        self.hardware.add_fault(faults.Fault(
            faults.Mode.FAIL, 'rebuild', message='out of paper'))
        self.look(uuid, Limits(), self.late(uuid))
        self.assert_waits(uuid)
        self.end_the_work(uuid)
        self.deployment.start_engine()
        seen = self.wait_for(uuid, status='error')
        self.assertIn('out of paper', seen['fault']['message'])


class TestBuilds(LimitsTest):

    def test_one_that_is_given_no_node_ends_in_error(self):
        self.hardware.add_fault(faults.Fault(
            faults.Mode.BUSY, 'claim', times=None))
        self.deployment.start_engine(limits=Limits(deploy=_SHORT))
        uuid = self.ask_for_instance()
        seen = self.wait_for(uuid, status='error')
        self.assertIn(f'within {_SHORT} seconds', seen['fault']['message'])
        self.assertIsNone(seen['node_uuid'])


class TestPower(LimitsTest):
    """The answer is lost, and the time is over when that is known."""

    def end(self, request):
        uuid = self.make()
        self.hardware.add_fault(faults.Fault(
            faults.Mode.LOST, 'power', seconds=0.01))
        self.ask(uuid, request)
        self.deployment.start_engine(limits=Limits(power=0.2))
        return uuid, eventually(
            lambda: self.history(uuid)[0],
            until=lambda action: action['outcome'])

    def test_what_was_done_is_done(self):
        uuid, action = self.end('off')
        self.assertEqual('done', action['outcome'])
        seen = self.see(uuid)
        self.assertEqual(('stopped', None), (seen['status'], seen['fault']))

    def test_a_reboot_cannot_be_seen(self):
        uuid, action = self.end('reboot')
        self.assertEqual('failed', action['outcome'])
        self.assertEqual('active', self.see(uuid)['status'])
        self.assertEqual(['effect'], [
            entry.outcome for entry in self.hardware.journal()
            if entry.call == 'power'])

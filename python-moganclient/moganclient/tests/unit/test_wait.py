# SPDX-License-Identifier: Apache-2.0
import threading
import time

from keystoneauth1 import exceptions as keystone_exceptions

from moganclient import exceptions
from moganclient.tests import server
from moganclient.tests.unit import base


class TestWait(base.ServerTest):

    def shows(self, *seen):
        self.answers[:] = [server.Answer(200, base.instance(**values))
                           for values in seen]

    def wait(self, until, **options):
        options = {'timeout': 20, 'interval': 0.01} | options
        return self.service.wait_for_instance(base.UUID, until, **options)

    def test_it_ends_when_the_status_is_there(self):
        self.shows({'status': 'building'}, {'status': 'building'},
                   {'status': 'active'}, {'status': 'stopped'})
        steps = []
        seen = self.wait('active', callback=lambda one: steps.append(
            one.status))
        self.assertEqual('active', seen.status)
        self.assertEqual(['building', 'building', 'active'], steps)

    def test_a_state_of_the_lock_is_waited_for_in_error_too(self):
        self.shows({'status': 'error', 'lock_state': 'locking'},
                   {'status': 'error', 'lock_state': 'locked'})
        self.assertEqual('locked', self.wait('locked').lock_state)

    def test_whatever_can_be_said_of_an_instance_is_waited_for(self):
        self.shows({}, {'power_state': 'power off'})
        seen = self.wait(lambda one: one.power_state == 'power off')
        self.assertEqual('power off', seen.power_state)

    def test_error_ends_it_with_the_reason(self):
        fault = {'message': 'no node', 'cause': 'create'}
        self.shows({'status': 'building'},
                   {'status': 'error', 'fault': fault})
        error = self.assertRaises(exceptions.InstanceFailed, self.wait,
                                  'active')
        self.assertEqual(fault, error.fault)
        self.assertIn('no node', str(error))

    def test_time_ends_it(self):
        self.shows(*[{'status': 'building'}] * 1000)
        begin = time.monotonic()
        error = self.assertRaises(exceptions.WaitTimeout, self.wait,
                                  'active', timeout=0.3)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual('building', error.instance.status)

    def test_time_ends_a_look_at_a_service_that_says_nothing(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)
        self.answer = lambda _: go_on.wait(60)
        begin = time.monotonic()
        self.assertRaises((exceptions.WaitTimeout,
                           keystone_exceptions.ConnectTimeout),
                          self.wait, 'active', timeout=1)
        self.assertLess(time.monotonic() - begin, 20)

    def test_a_time_of_zero_is_one_look(self):
        self.assertEqual('active', self.wait('active', timeout=0).status)
        self.assertEqual(1, len(self.asked()))

    def test_the_looks_become_rarer(self):
        self.shows(*[{'status': 'building'}] * 1000)
        self.assertRaises(exceptions.WaitTimeout, self.wait, 'active',
                          timeout=1, interval=0.1, max_interval=0.4)
        self.assertLess(len(self.asked()), 8)

    def test_a_service_that_is_away_is_waited_for(self):
        self.answers[:] = [server.refusal(503, **{'Retry-After': '0'})] * 9
        self.assertEqual('active', self.wait('active').status)

    def test_what_is_gone_has_been_deleted(self):
        self.shows({'status': 'deleting'})
        self.answers.append(server.refusal(404))
        self.assertIsNone(self.service.wait_for_deleted(
            base.UUID, timeout=20, interval=0.01))

    def test_what_is_gone_does_not_come_any_more(self):
        self.answers[:] = [server.refusal(404)]
        self.assertRaises(exceptions.NotFound, self.wait, 'active')

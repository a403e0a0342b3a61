# SPDX-License-Identifier: Apache-2.0
"""The background queue."""

import logging
import threading

import fixtures
from oslotest import base

from mogan import background


class TestAside(base.BaseTestCase):

    def make(self, **options):
        made = background.BackgroundQueue('test', **options)
        self.addCleanup(made.close)
        return made

    def test_calls_are_made_by_one_other_thread_in_their_order(self):
        seen, done = [], threading.Event()
        calls = self.make()
        for number in range(100):
            self.assertTrue(calls.call(
                lambda one: seen.append((one, threading.get_ident())),
                number))
        self.assertTrue(calls.call(done.set))
        self.assertTrue(done.wait(10))
        self.assertEqual(list(range(100)), [number for number, _ in seen])
        [thread] = {thread for _, thread in seen}
        self.assertNotEqual(threading.get_ident(), thread)

    def test_the_end_waits_for_what_was_left(self):
        seen = []
        calls = self.make(delay=60)
        for number in range(10):
            calls.call(seen.append, number)
        calls.close()
        self.assertEqual(list(range(10)), seen)
        self.assertFalse(calls.call(seen.append, 'late'))

    def test_only_so_many_wait(self):
        entered, go_on, seen = threading.Event(), threading.Event(), []
        calls = self.make(most=3)
        self.addCleanup(go_on.set)

        def block():
            entered.set()
            go_on.wait(10)

        calls.call(block)
        self.assertTrue(entered.wait(10))
        self.assertEqual([True] * 3 + [False],
                         [calls.call(seen.append, n) for n in range(4)])
        go_on.set()
        calls.close()
        self.assertEqual([0, 1, 2], seen)

    def test_one_that_fails_does_not_stop_the_others(self):
        log = self.useFixture(fixtures.FakeLogger(level=logging.ERROR))
        seen = []
        calls = self.make()
        calls.call(lambda: 1 / 0)
        calls.call(seen.append, 1)
        calls.close()
        self.assertEqual([1], seen)
        self.assertIn('ZeroDivisionError', log.output)

    def test_the_end_comes_where_a_call_does_not_return(self):
        entered, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)
        calls = self.make()

        def block():
            entered.set()
            go_on.wait(10)

        calls.call(block)
        self.assertTrue(entered.wait(10))
        calls.close(timeout=0.01)
        self.assertFalse(go_on.is_set())

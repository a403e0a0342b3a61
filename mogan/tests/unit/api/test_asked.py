# SPDX-License-Identifier: Apache-2.0
"""The limit of threads that wait for Keystone."""

import threading
import time

from keystonemiddleware import auth_token
from oslotest import base

from mogan import exception
from mogan.api.middleware.auth import keystone

THREADS = 4


class Slow:
    """A Keystone that thinks about each token, and knows none."""

    def __init__(self):
        self.asked = 0
        self.go_on = threading.Event()

    def verify_token(self, token):
        self.asked += 1
        self.go_on.wait(20)
        raise auth_token.InvalidToken('none')


class TestAsked(base.BaseTestCase):

    def test_unknown_tokens_leave_threads_to_others(self):
        slow = Slow()
        asked = keystone._Asked(slow, THREADS)

        def verify(token):
            self.assertRaises(auth_token.InvalidToken, asked.verify_token,
                              token)

        threads = [threading.Thread(target=verify, args=(f't{number}',))
                   for number in range(THREADS - keystone._FREE)]
        for thread in threads:
            thread.start()
            self.addCleanup(thread.join, 20)
        self.addCleanup(slow.go_on.set)
        deadline = time.monotonic() + 20
        while slow.asked < len(threads):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        error = self.assertRaises(exception.ServiceUnavailable,
                                  asked.verify_token, 'one-more')
        self.assertEqual('1', error.headers['Retry-After'])
        slow.go_on.set()
        for thread in threads:
            thread.join(20)
        verify('again')

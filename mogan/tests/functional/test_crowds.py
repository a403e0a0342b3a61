# SPDX-License-Identifier: Apache-2.0
"""Wrong passwords and slow clients, many of them: nobody else waits."""

import base64
import contextlib
import http.client
import socket
import threading
import time

from mogan.http_server import server
from mogan.tests.functional import base

THREADS = 4
SLOW = 200
# Seconds: what is taken for not waiting, on a machine that is busy.
SOON = 5
ADMIN = {'Authorization': 'Basic YWRtaW46YWRtaW4='}


class TestCrowds(base.FunctionalTest):

    def setUp(self):
        super().setUp()
        front = server.build('127.0.0.1', 0, self.deployment.application,
                             threads=THREADS, timeout=30, grace=5)
        thread = threading.Thread(target=front.serve)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(front.stop)
        self.address = front.bind_addr[:2]

    def status(self, headers):
        with contextlib.closing(http.client.HTTPConnection(
                *self.address, timeout=20)) as connection:
            connection.request('GET', '/v1/flavors', headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status

    def assert_served(self):
        for _ in range(20):
            began = time.monotonic()
            self.assertEqual(200, self.status(ADMIN))
            self.assertLess(time.monotonic() - began, SOON)

    def test_whoever_is_known_is_served_while_wrong_passwords_rain(self):
        self.assertEqual(200, self.status(ADMIN))
        ended, statuses = threading.Event(), set()

        def guess(name):
            number = 0
            while not ended.is_set():
                number += 1
                pair = base64.b64encode(f'{name}:guess {number}'.encode())
                statuses.add(self.status(
                    {'Authorization': f'Basic {pair.decode()}'}))

        guessing = [threading.Thread(target=guess, args=(name,))
                    for name in ('admin', 'demo', 'nobody-1', 'nobody-2')]
        for thread in guessing:
            thread.start()
            self.addCleanup(thread.join)
        self.addCleanup(ended.set)
        self.assert_served()
        ended.set()
        for thread in guessing:
            thread.join()
        self.assertLessEqual(statuses, {401, 503})
        self.assertIn(401, statuses)

    def test_whoever_is_quick_is_served_beside_slow_ones(self):
        head = b'PUT /v1/flavors HTTP/1.1\r\nHost: x\r\n'
        for number in range(SLOW):
            connection = socket.create_connection(self.address, 20)
            self.addCleanup(connection.close)
            connection.sendall((b'', b'P', head, head
                                + b'Content-Length: 9\r\n\r\n{')[number % 4])
        self.assert_served()

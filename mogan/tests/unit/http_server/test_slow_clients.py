# SPDX-License-Identifier: Apache-2.0
"""Clients that are slow, and many: the others do not wait for them."""

import contextlib
import socket
import threading
import time

import fixtures
from oslotest import base

from mogan.http_server import framing, manager, server
from mogan.tests.support.processes import eventually

WAIT = 20  # seconds before a test gives up
THREADS = 2
ANSWER = 16 << 20  # more than the system takes off a client's hands

GET = b'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
LARGE = b'GET /large HTTP/1.1\r\nHost: x\r\n\r\n'
HEAD = b'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n'
CHUNKS = b'PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'


class Held:
    """The handler of '/held', which blocks until the test releases it."""

    taken = threading.Semaphore(0)
    go_on = threading.Event()


def application(environ, start_response):
    if environ['PATH_INFO'] == '/held':
        Held.taken.release()
        Held.go_on.wait(WAIT)
    size = ANSWER if environ['PATH_INFO'] == '/large' else 2
    start_response('200 OK', [('Content-Length', str(size))])
    return [b'x' * size]


class SlowTest(base.BaseTestCase):

    def serve(self, **options):
        self.useFixture(fixtures.FakeLogger())
        options = {'timeout': WAIT, 'grace': WAIT / 2} | options
        built = server.build('127.0.0.1', 0, application, threads=THREADS,
                             **options)
        self.port = built.bind_addr[1]
        thread = threading.Thread(target=built.serve)
        thread.start()
        self.addCleanup(thread.join, WAIT)
        self.addCleanup(built.stop)
        return built

    def connect(self, data=b''):
        connection = socket.create_connection(('127.0.0.1', self.port), WAIT)
        self.addCleanup(connection.close)
        connection.sendall(data)
        return connection

    def ask(self, connection=None):
        connection = connection or self.connect()
        connection.settimeout(WAIT / 4)
        connection.sendall(GET)
        return connection.recv(1000)[:12]

    def read_all(self, connection):
        got = b''
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(1 << 20):
                got += part
        return got


class TestManyOfThem(SlowTest):

    def test_they_take_no_thread(self):
        self.serve()
        for data in (b'', b'G', GET[:-2], HEAD, HEAD + b'x', CHUNKS,
                     CHUNKS + b'5\r\nxx', LARGE):
            for _ in range(20 if data != LARGE else 4):
                self.connect(data)
            self.assertEqual(b'HTTP/1.1 200', self.ask(), data)

    def test_a_thread_gets_a_request_when_it_is_complete(self):
        self.serve()
        slow = [self.connect() for _ in range(8)]
        for byte in HEAD + b'x' * 99:
            for connection in slow:
                connection.sendall(bytes([byte]))
        for connection in slow:
            self.assertEqual(b'HTTP/1.1 200', connection.recv(1000)[:12])
            self.assertEqual(b'HTTP/1.1 200', self.ask(connection))

    def test_an_answer_is_sent_as_it_is_taken(self):
        self.serve()
        slow = [self.connect(LARGE) for _ in range(2 * THREADS)]
        self.assertEqual(b'HTTP/1.1 200', self.ask())
        for connection in slow:
            # It stays open, and takes what comes next.
            connection.sendall(GET)
            connection.shutdown(socket.SHUT_WR)
            got = self.read_all(connection)
            self.assertEqual(2, got.count(b'HTTP/1.1 200'))
            self.assertGreater(len(got), ANSWER)

    def test_a_server_that_stops_waits_for_nobody_long(self):
        self.patch(manager, '_FIRST_SECONDS', 0.3)
        self.patch(manager, '_LAST_SECONDS', 0.6)
        built = self.serve()
        kept, new = self.connect(), self.connect()
        self.assertEqual(b'HTTP/1.1 200', self.ask(kept))
        begun = self.connect(HEAD)
        built.stop()
        self.assertEqual(b'', self.read_all(kept))
        self.assertEqual(b'', self.read_all(new))
        self.assertIn(b' 408 ', self.read_all(begun))

    def test_who_has_just_connected_is_answered_by_a_server_that_stops(self):
        built = self.serve(grace=WAIT)
        self.patch(manager, '_FIRST_SECONDS', WAIT)
        new = self.connect()
        deadline = time.monotonic() + WAIT
        while not built._connections._open:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        stopping = threading.Thread(target=built.stop)
        stopping.start()
        self.addCleanup(stopping.join, WAIT)
        while not built._connections._closed:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        self.assertEqual(b'HTTP/1.1 200', self.ask(new))

    def test_an_answer_is_taken_while_the_server_stops(self):
        built = self.serve()
        connection = self.connect(LARGE)
        got = connection.recv(1)
        stopping = threading.Thread(target=built.stop)
        stopping.start()
        self.addCleanup(stopping.join, WAIT)
        deadline = time.monotonic() + WAIT
        while built.ready:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        got += self.read_all(connection)
        self.assertGreater(len(got), ANSWER)


class TestTime(SlowTest):

    def dribble(self, text):
        """Send a byte now and then, for as long as somebody listens."""
        connection = self.connect()
        deadline = time.monotonic() + WAIT
        connection.settimeout(0.1)
        got = b''
        for number in range(10_000):
            with contextlib.suppress(TimeoutError):
                try:
                    connection.sendall(text[number:number + 1] or b'x')
                    part = connection.recv(1000)
                except ConnectionError:
                    return got
                if not part:
                    return got
                got += part
            self.assertLess(time.monotonic(), deadline)
        return None

    def test_a_request_has_to_arrive_in_time(self):
        self.serve(timeout=0.5)
        for text in (GET[:20], HEAD, CHUNKS):
            self.assertEqual(b'HTTP/1.1 408', self.dribble(text)[:12])

    def test_who_says_nothing_is_let_go(self):
        self.serve(timeout=0.5)
        connection = self.connect()
        self.assertEqual(b'', connection.recv(1000))
        connection = self.connect()
        self.assertEqual(b'HTTP/1.1 200', self.ask(connection))
        self.assertEqual(b'', connection.recv(1000))

    def test_who_does_not_take_an_answer_is_let_go(self):
        self.serve(timeout=0.5)
        connection = self.connect(LARGE)
        deadline = time.monotonic() + WAIT
        with contextlib.suppress(ConnectionError):
            while True:
                # It fails as soon as the other side is gone.
                connection.sendall(b'x')
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
        self.assertLess(len(self.read_all(connection)), ANSWER)


class TestNumbers(SlowTest):

    def test_the_longest_waiting_makes_room(self):
        self.patch(server, '_OTHER_FILES', 1)
        self.serve(connections=20)
        slow = [self.connect(b'G') for _ in range(20)]
        kept = self.connect()
        self.assertEqual(b'HTTP/1.1 200', self.ask(kept))
        self.assertEqual(b'', self.read_all(slow[0]))
        slow += [self.connect(b'G') for _ in range(19)]
        self.assertEqual(b'HTTP/1.1 200', self.ask(kept))
        self.assertEqual(b'HTTP/1.1 200', self.ask())

    def test_who_waits_for_a_thread_is_counted(self):
        self.patch(manager, '_MOST_HELD', 4 * framing.LARGEST_BODY)
        connections = self.serve()._connections
        Held.go_on.clear()
        self.addCleanup(Held.go_on.set)
        for _ in range(THREADS):
            self.connect(GET.replace(b'/', b'/held', 1))
            self.assertTrue(Held.taken.acquire(timeout=WAIT))
        head = (b'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n'
                % framing.LARGEST_BODY)
        much = [self.connect() for _ in range(8)]
        eventually(lambda: connections._open == THREADS + 8)
        for connection in much:
            with contextlib.suppress(ConnectionError):
                connection.sendall(head + b'x' * framing.LARGEST_BODY)
        # Each waits for a thread, or is closed.
        eventually(lambda: not connections._waiting)
        Held.go_on.set()
        for connection in much:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        answered = sum(b'200 OK' in self.read_all(one) for one in much)
        # The last to come to the limit may be one too many.
        self.assertIn(answered, (3, 4, 5))

    def test_who_holds_much_makes_room(self):
        self.patch(manager, '_MOST_HELD', 4 * framing.LARGEST_BODY)
        self.serve()
        head = (b'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n'
                % framing.LARGEST_BODY)
        little = self.connect(GET[:-2])
        much = [self.connect(head + b'x' * (framing.LARGEST_BODY - 1))
                for _ in range(8)]
        self.assertEqual(b'', self.read_all(much[0]))
        little.sendall(b'\r\n')
        self.assertEqual(b'HTTP/1.1 200', little.recv(1000)[:12])
        much[-1].sendall(b'x')
        self.assertEqual(b'HTTP/1.1 200', much[-1].recv(1000)[:12])

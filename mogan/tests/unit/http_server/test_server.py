# SPDX-License-Identifier: Apache-2.0
"""The web server, over real connections."""

import contextlib
import http.client
import json
import socket
import threading
import time

import fixtures
from oslotest import base

from mogan.api.middleware import errors, normalization, request_log
from mogan.http_server import server

WAIT = 20  # seconds before a test gives up


def application(environ, start_response):
    """Answers with the body that it got; '/slow' waits to be let go."""
    environ['wsgi.errors'] = None
    if environ['PATH_INFO'] == '/slow':
        Slow.entered.set()
        Slow.go_on.wait(WAIT)
    if environ['PATH_INFO'] == '/unread':
        start_response('401 Unauthorized', [('Content-Length', '0')])
        return []
    body = environ['mogan.body']
    start_response('200 OK', [('Content-Length', str(len(body)))])
    return [body]


class Slow:
    entered = threading.Event()
    go_on = threading.Event()


def unguarded(environ, start_response):
    if environ['PATH_INFO'] == '/unread':
        return application(environ, start_response)
    return normalization.Normalization(application)(environ, start_response)


class ServerTest(base.BaseTestCase):

    options = {'timeout': 10}  # noqa: RUF012 - read only

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        Slow.entered.clear()
        Slow.go_on.clear()
        application = request_log.RequestLog(errors.Errors(unguarded))
        self.addCleanup(application.close)
        self.server = server.build('127.0.0.1', 0, application, threads=2,
                                   **self.options)
        self.port = self.server.bind_addr[1]
        self.thread = threading.Thread(target=self.server.serve)
        self.thread.start()
        self.addCleanup(self.thread.join, WAIT)
        self.addCleanup(self.server.stop)
        self.addCleanup(Slow.go_on.set)

    def connect(self):
        connection = socket.create_connection(('127.0.0.1', self.port), WAIT)
        self.addCleanup(connection.close)
        return connection

    def receive(self, connection, stream=None):
        """Status, headers and body of the next answer."""
        if stream is None:
            stream = connection.makefile('rb')
            self.addCleanup(stream.close)
        line = stream.readline()
        if not line:
            return None
        sent = {}
        while (header := stream.readline().strip()):
            name, _, value = header.decode().partition(': ')
            sent[name.lower()] = value
        body = stream.read(int(sent.get('content-length', 0)))
        return int(line.split()[1]), sent, body

    def ask(self, *parts):
        connection = self.connect()
        for part in parts:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(part)
        return self.receive(connection)

    def put(self, body, *headers):
        lines = ['PUT / HTTP/1.1', 'Host: x', *headers]
        return self.ask('\r\n'.join([*lines, '', '']).encode(), body)

    def only_answer(self, head):
        """Return the one answer to a request with this in its head, followed
        by another request."""
        connection = self.connect()
        connection.sendall(
            b'PUT /unread HTTP/1.1\r\nHost: x\r\n' + head
            + b'\r\n\r\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n')
        stream = connection.makefile('rb')
        self.addCleanup(stream.close)
        answer = self.receive(connection, stream)
        self.assertIsNone(self.receive(connection, stream))
        return answer

    def error_of(self, answer, code):
        status, sent, body = answer
        self.assertEqual((code, 'application/json'),
                         (status, sent['content-type']))
        self.assertIn('x-openstack-request-id', sent)
        error = json.loads(body)['error']
        self.assertEqual(code, error['code'])
        self.assertTrue(error['title'])
        return error['message']


class TestBodies(ServerTest):

    def test_a_body_arrives(self):
        for body in (b'', b'x' * 10, b'x' * normalization.LARGEST):
            status, _, got = self.put(body, f'Content-Length: {len(body)}')
            self.assertEqual((200, body), (status, got))

    def test_a_body_arrives_in_chunks(self):
        body = b'5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n\r\n'
        status, _, got = self.put(body, 'Transfer-Encoding: chunked')
        self.assertEqual((200, b'hello!'), (status, got))

    def test_too_large_a_body_is_refused_to_a_client_that_sends_on(self):
        for size in (normalization.LARGEST + 1, normalization.LARGEST * 8):
            # This one gives up where it cannot send all of its body.
            client = http.client.HTTPConnection('127.0.0.1', self.port,
                                                timeout=WAIT)
            self.addCleanup(client.close)
            client.request('PUT', '/', b'x' * size)
            answer = client.getresponse()
            self.assertEqual((413, 'close'), (
                answer.status, answer.headers['Connection']))
            self.assertIn(b'larger than', answer.read())

    def test_too_large_a_body_in_chunks_is_refused(self):
        chunk = b'10000\r\n' + b'x' * 0x10000 + b'\r\n'
        self.error_of(self.put(chunk * 17, 'Transfer-Encoding: chunked'),
                      413)

    def test_a_chunk_is_not_read_whole_because_it_says_so(self):
        began = time.monotonic()
        self.error_of(self.put(b'7fffffff\r\nxxx',
                               'Transfer-Encoding: chunked'), 413)
        self.assertLess(time.monotonic() - began, 8)

    def test_chunks_that_are_none_are_refused(self):
        for body in (b'zz\r\n', b'3\r\nabcdef\r\n'):
            self.assertIn('chunks', self.error_of(
                self.put(body, 'Transfer-Encoding: chunked'), 400))

    def test_a_length_that_is_none_is_refused(self):
        for length in ('-5', 'x', '1_0', '+5', ''):
            answer = self.put(b'', f'Content-Length: {length}')
            if length:
                self.error_of(answer, 400)

    def test_a_length_beside_chunks_is_refused(self):
        self.error_of(self.put(b'0\r\n\r\n', 'Transfer-Encoding: chunked',
                               'Content-Length: 5'), 400)

    def test_what_is_left_of_a_body_is_no_next_request(self):
        hidden = b'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n'
        connection = self.connect()
        connection.sendall(
            b'PUT /unread HTTP/1.1\r\nHost: x\r\n'
            b'Content-Length: %d\r\n\r\n' % len(hidden) + hidden
            + b'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nnext')
        stream = connection.makefile('rb')
        self.addCleanup(stream.close)
        self.assertEqual(401, self.receive(connection, stream)[0])
        self.assertEqual((200, b'next'),
                         self.receive(connection, stream)[::2])

    def test_what_is_no_body_ends_the_connection(self):
        for head in (b'Transfer-Encoding: chunked', b'Content-Length: x',
                     b'Content-Length: 5\r\nContent-Length: 99',
                     b'Content-Length: 5\r\nTransfer-Encoding: chunked'):
            self.assertIn(self.only_answer(head)[0], (400, 401))

    def test_trailers_belong_to_the_body(self):
        connection = self.connect()
        for _ in range(2):
            connection.sendall(
                b'PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked'
                b'\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n')
            self.assertEqual((200, b'ok'), self.receive(connection)[::2])

    def test_a_client_that_asks_whether_to_send_is_told(self):
        connection = self.connect()
        connection.sendall(b'PUT / HTTP/1.1\r\nHost: x\r\nExpect: '
                           b'100-continue\r\nContent-Length: 2\r\n\r\n')
        self.assertEqual(b'HTTP/1.1 100 Continue\r\n\r\n',
                         connection.recv(1000))
        connection.sendall(b'ok')
        self.assertEqual((200, b'ok'), self.receive(connection)[::2])


class TestErrors(ServerTest):

    def test_requests_that_are_none_get_our_errors(self):
        for text, code in (
                (b'nonsense\r\n\r\n', 400), (b'get / HTTP/1.1\r\n\r\n', 400),
                (b'GET / HTTP/9.9\r\n\r\n', 505),
                (b'GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n', 400),
                (b'GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n', 400),
                (b'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405),
                (b'GET /%s HTTP/1.1\r\n\r\n' % (b'x' * 100_000), 414)):
            self.error_of(self.ask(text), code)

    def test_headers_without_end_are_refused(self):
        self.error_of(self.ask(b'GET / HTTP/1.1\r\nHost: x\r\n' + b''.join(
            b'X-%d: %s\r\n' % (number, b'x' * 1000)
            for number in range(200)), b'\r\n'), 413)

    def test_more_headers_than_anybody_needs_are_refused(self):
        for number, code in ((100, 200), (101, 431)):
            answer = self.ask(b'GET / HTTP/1.1\r\n' + b'X: y\r\n' * number
                              + b'\r\n')
            self.assertEqual(code, answer[0])
        self.assertIn('more than 100 headers', self.error_of(answer, 431))

    def test_a_header_with_an_underscore_is_nobodys(self):
        answer = self.ask(b'PUT / HTTP/1.1\r\nHost: x\r\n'
                          b'Content_Length: 5\r\n\r\n')
        self.assertEqual((200, b''), answer[::2])

    def test_a_header_that_is_malformed_ends_the_connection(self):
        for header in (b'Content-Length\x0b: 34', b'\rContent-Length: 34',
                       b'Content-Length: 0\r\n 34',
                       b'\x0bTransfer-Encoding: chunked'):
            self.assertEqual('A header is malformed.', self.error_of(
                self.only_answer(header), 400))


class TestConnections(ServerTest):

    def test_a_connection_serves_many_requests(self):
        connection = self.connect()
        for _ in range(3):
            connection.sendall(b'PUT / HTTP/1.1\r\nHost: x\r\n'
                               b'Content-Length: 2\r\n\r\nok')
            self.assertEqual((200, b'ok'),
                             self.receive(connection)[::2])

    def test_answers_leave_at_once(self):
        self.assertTrue(self.server.socket.getsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def test_a_stopped_server_finishes_what_has_begun(self):
        connection = self.connect()
        connection.sendall(b'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
        self.assertTrue(Slow.entered.wait(WAIT))
        stopping = threading.Thread(target=self.server.stop)
        stopping.start()
        self.addCleanup(stopping.join, WAIT)
        deadline = time.monotonic() + WAIT
        while self.server.ready:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        Slow.go_on.set()
        self.assertEqual(200, self.receive(connection)[0])
        stopping.join(WAIT)
        self.assertRaises(ConnectionRefusedError, self.connect)

    def test_a_stopped_server_answers_what_has_come(self):
        for known in (False, True):
            front = server.build('127.0.0.1', 0, unguarded, threads=1)
            self.addCleanup(front.stop)
            with socket.create_connection(front.bind_addr, WAIT) as client:
                if known:
                    front._connections._pass(WAIT)
                client.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
                # As if it had been told so just before it would look.
                front._connections._stopping = True
                front._connections.run(0)
                front.stop()
                self.assertIn(b' 200 OK', client.recv(1000))

    def test_a_listener_is_left_to_whoever_has_it_too(self):
        kept = server.listen('127.0.0.1', 0)
        self.addCleanup(kept.close)

        def serve():
            front = server.build('127.0.0.1', 0, unguarded, threads=1,
                                 listener=kept.dup())
            thread = threading.Thread(target=front.serve)
            thread.start()
            self.addCleanup(thread.join, WAIT)
            self.addCleanup(front.stop)
            return front

        address = kept.getsockname()
        old = serve()
        with (socket.create_connection(address, WAIT) as begun,
              socket.create_connection(address, WAIT) as late):
            begun.sendall(b'GET / HT')
            while not any(one.received for one
                          in list(old._connections._waiting.values())):
                time.sleep(0.01)
            stopping = threading.Thread(target=old.stop)
            stopping.start()
            self.addCleanup(stopping.join, WAIT)
            while not old._connections._closed:
                time.sleep(0.01)
            with socket.create_connection(address, WAIT) as new:
                for connection in (new, late):
                    connection.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
                begun.sendall(b'TP/1.1\r\nHost: x\r\n\r\n')
                for connection in (begun, late):
                    self.assertIn(b' 200 OK', connection.recv(1000))
                stopping.join(WAIT)
                serve()
                self.assertIn(b' 200 OK', new.recv(1000))


class TestAddresses(base.BaseTestCase):

    def test_a_port_that_is_taken_is_named(self):
        with socket.create_server(('127.0.0.1', 0)) as other:
            port = other.getsockname()[1]
            for shared in (False, True):
                error = self.assertRaises(
                    server.AddressError, server.listen, '127.0.0.1', port,
                    shared=shared)
                self.assertEqual(
                    f'cannot listen on 127.0.0.1:{port}: Address already in '
                    f'use', str(error))

    def test_workers_share_a_port_and_others_do_not(self):
        first = server.listen('127.0.0.1', 0, shared=True)
        self.addCleanup(first.close)
        port = first.getsockname()[1]
        second = server.listen('127.0.0.1', port, shared=True)
        self.addCleanup(second.close)
        self.assertRaises(server.AddressError, server.build, '127.0.0.1',
                          port, application)

    def test_a_name_may_be_taken_for_an_address(self):
        listening = server.listen('localhost', 0)
        self.addCleanup(listening.close)
        socket.create_connection(listening.getsockname()[:2], WAIT).close()

    def test_every_address_is_of_both_kinds(self):
        try:
            listening = server.listen('::', 0)
        except server.AddressError:
            self.skipTest('no IPv6')
        self.addCleanup(listening.close)
        socket.create_connection(
            ('127.0.0.1', listening.getsockname()[1]), WAIT).close()

    def test_an_address_of_somebody_else_is_named(self):
        for host in ('192.0.2.1', 'nowhere.invalid'):
            error = self.assertRaises(
                server.AddressError, server.build, host, 6688, application)
            self.assertIn(f'cannot listen on {host}:6688: ', str(error))

    def test_a_certificate_that_is_none_is_named(self):
        error = self.assertRaises(
            server.AddressError, server.build, '127.0.0.1', 0, application,
            tls=('/nonexistent.pem', '/nonexistent.key'))
        self.assertIn('/nonexistent.pem', str(error))

# SPDX-License-Identifier: Apache-2.0
"""The web server with a certificate, over real connections."""

import contextlib
import http.client
import json
import socket
import ssl
import threading

from oslotest import base

from mogan.api.middleware import errors, normalization, request_log
from mogan.http_server import server
from mogan.tests.support import certificates
from mogan.tests.support.files import temporary_directory

WAIT = 20   # seconds before a test gives up


def application(environ, start_response):
    """Says how it has been called, and how long the body is."""
    answer = json.dumps([environ['wsgi.url_scheme'],
                         len(environ['mogan.body'])]).encode()
    start_response('200 OK', [('Content-Length', str(len(answer)))])
    return [answer]


class TlsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = temporary_directory(self)
        self.files = certificates.make(self.directory)


class TestConnections(TlsTest):

    def setUp(self):
        super().setUp()
        front = request_log.RequestLog(errors.Errors(
            normalization.Normalization(application)))
        self.addCleanup(front.close)
        built = server.build('127.0.0.1', 0, front, threads=2,
                             timeout=WAIT / 2, grace=1, tls=self.files)
        self.port = built.bind_addr[1]
        thread = threading.Thread(target=built.serve)
        thread.start()
        self.addCleanup(thread.join, WAIT)
        self.addCleanup(built.stop)

    def connect(self):
        """Without a word."""
        connection = socket.create_connection(('127.0.0.1', self.port), WAIT)
        self.addCleanup(connection.close)
        return connection

    def client(self, **options):
        context = ssl.create_default_context(cafile=self.files[0])
        for name, value in options.items():
            setattr(context, name, value)
        # What the client itself would refuse is not what is asked here.
        context.set_ciphers('ALL:@SECLEVEL=0')
        found = http.client.HTTPSConnection('localhost', self.port,
                                            timeout=WAIT, context=context)
        self.addCleanup(found.close)
        return found

    def ask(self, client, body=b''):
        client.request('PUT', '/v1', body)
        answer = client.getresponse()
        self.assertEqual(200, answer.status)
        return json.loads(answer.read())

    def test_one_connection_carries_many_requests(self):
        client = self.client()
        for size in (0, 1, 20_000, 1_000_000):
            self.assertEqual(['https', size], self.ask(client, b'x' * size))
            first = client.sock
        self.assertIs(first, client.sock)

    def test_requests_that_come_at_once_are_all_answered(self):
        client = self.client()
        client.connect()
        # More than one record of TLS, and more than one read.
        head = b'GET /v1 HTTP/1.1\r\nHost: x\r\nX: ' + b'x' * 9000
        client.sock.sendall((head + b'\r\n\r\n') * 5)
        answers = b''
        while answers.count(b'["https", 0]') < 5:
            part = client.sock.recv(65536)
            self.assertTrue(part, answers)
            answers += part

    def test_versions_before_1_2_are_refused(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = self.client(minimum_version=version,
                                 maximum_version=version)
            self.ask(client)
            self.assertEqual(version.name, client.sock.version()
                             .replace('.', '_'))
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            client = self.client(minimum_version=version,
                                 maximum_version=version)
            refused = self.assertRaises(ssl.SSLError, client.connect)
            self.assertIn('PROTOCOL_VERSION', refused.reason)

    def test_silent_clients_keep_nobody_out(self):
        silent = [self.connect() for _ in range(5)]
        for connection in silent[1:3]:
            connection.sendall(b'\x16\x03\x01')     # and no more
        client = self.client()
        client.timeout = WAIT / 4
        self.assertEqual(['https', 0], self.ask(client))

    def test_what_is_no_tls_harms_nobody(self):
        for data in (b'GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n', b'\x16' * 500,
                     b'\0' * 500, b''):
            with self.connect() as connection:
                connection.sendall(data)
                # It may have been closed by now.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                answer = b''
                with contextlib.suppress(ConnectionResetError):
                    while part := connection.recv(65536):
                        answer += part
            self.assertNotIn(b' 200 ', answer)
            self.assertEqual(data.startswith(b'GET'),
                             b'This port speaks HTTPS only' in answer)
        self.ask(self.client())


class TestFiles(TlsTest):

    def refused(self, *files):
        error = self.assertRaises(
            server.AddressError, server.build, '127.0.0.1', 0, application,
            tls=files)
        self.assertIn(f'cannot serve TLS with {files[0]} and {files[1]}: ',
                      str(error))
        self.assertNotIn('None', str(error))

    def test_files_that_do_not_do_are_named(self):
        other = certificates.make(self.directory, 'other')
        encrypted = certificates.make(self.directory, 'encrypted',
                                      password=b'unknown')
        nothing = str(self.directory / 'nothing')
        self.refused(nothing, self.files[1])
        self.refused(self.files[0], nothing)
        self.refused(self.files[0], other[1])
        self.refused(self.files[1], self.files[0])
        # Nobody is asked for a password.
        self.refused(*encrypted)

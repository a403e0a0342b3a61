# SPDX-License-Identifier: Apache-2.0
"""The same service behind its own web server, over real connections."""

import concurrent.futures
import http.client
import json
import socket
import threading
from typing import Any

from mogan.http_server import server
from mogan.tests.functional import base

_ADMIN = {'Authorization': 'Basic YWRtaW46YWRtaW4='}
_JSON = _ADMIN | {'Content-Type': 'application/json'}


class TestSockets(base.FunctionalTest):

    def setUp(self):
        super().setUp()
        self.server = server.build(
            '127.0.0.1', 0, self.deployment.application, threads=4,
            timeout=5, grace=5)
        thread = threading.Thread(target=self.server.serve)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.stop)
        self.address = self.server.bind_addr[:2]

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        self.addCleanup(connection.close)
        return connection

    def _send(self, connection: http.client.HTTPConnection, method: str,
              path: str, body: Any = None) -> tuple[int, Any]:
        connection.request(
            method, path, None if body is None else json.dumps(body),
            _JSON if body is not None else _ADMIN)
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data else None

    def test_one_connection_carries_a_whole_story(self):
        connection = self._connect()
        uuid = self.make_instance()
        path = f'/v1/instances/{uuid}'
        self.assertEqual((202, None), self._send(
            connection, 'PUT', f'{path}/states/lock', {'lock': None}))
        first = connection.sock
        self.assertEqual(409, self._send(connection, 'DELETE', path)[0])
        self.assertEqual((202, None), self._send(
            connection, 'PUT', f'{path}/states/unlock', {'unlock': None}))
        self.wait_for(uuid, lock_state='unlocked')
        self.assertEqual((204, None),
                         self._send(connection, 'DELETE', path))
        self.assertIs(first, connection.sock)
        self.wait_until_gone(uuid)

    def test_many_connections_are_answered_each_with_its_own(self):
        uuids = [self.put_row() for _ in range(8)]

        def look(uuid: str) -> set[str]:
            connection = self._connect()
            return {self._send(connection, 'GET', f'/v1/instances/{uuid}')
                    [1]['uuid'] for _ in range(10)}

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual([{uuid} for uuid in uuids],
                             list(pool.map(look, uuids)))

    def test_a_body_may_come_in_chunks(self):
        uuid = self.put_row()
        connection = self._connect()
        connection.request(
            'PUT', f'/v1/instances/{uuid}/states/lock',
            iter([b'{"lock"', b': null}']),
            _JSON | {'Transfer-Encoding': 'chunked'}, encode_chunked=True)
        self.assertEqual(202, connection.getresponse().status)
        self.assertTrue(self.row(uuid)['locked'])

    def test_a_body_that_is_too_large_is_refused_in_either_form(self):
        uuid = self.put_row()
        for headers, options in (
                ({}, {}),
                ({'Transfer-Encoding': 'chunked'},
                 {'encode_chunked': True})):
            connection = self._connect()
            body = b' ' * ((1 << 20) + 1)
            connection.request(
                'PUT', f'/v1/instances/{uuid}/states/lock',
                iter([body]) if options else body, _JSON | headers,
                **options)
            answer = connection.getresponse()
            self.assertEqual(413, answer.status)
            self.assertEqual(413, json.loads(answer.read())['error']['code'])
        self.assertFalse(self.row(uuid)['locked'])

    def test_what_is_no_http_gets_an_answer_and_harms_nobody(self):
        for data in (b'\x16\x03\x01\x02\x00', b'GET\r\n\r\n',
                     b'GET / HTTP/9.9\r\n\r\n',
                     b'GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n',
                     b'GET http://[::1/v1 HTTP/1.1\r\n\r\n',
                     b'GET /v1 HTTP/1.1\r\n\tX: x\r\n\r\n',
                     (b'PUT /v1/flavors HTTP/1.1\r\n'
                      b'Authorization: Basic YWRtaW46YWRtaW4=\r\n'
                      b'Transfer-Encoding: chunked \r\n\r\n'
                      b'ffffffffffffffffff\r\n{'),
                     b'GET /' + b'x' * 100_000 + b' HTTP/1.1\r\n\r\n'):
            with socket.create_connection(self.address, 10) as raw:
                raw.sendall(data)
                raw.shutdown(socket.SHUT_WR)
                answer = b''
                while part := raw.recv(65536):
                    answer += part
            status = answer.split(b' ', 2)[1:2]
            self.assertNotIn(status, ([b'200'], [b'500']), data[:50])
        self.assertEqual(200, self._send(self._connect(), 'GET', '/v1')[0])

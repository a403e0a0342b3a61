# SPDX-License-Identifier: Apache-2.0
"""Request ids, the request log, and the bodies that are accepted."""

import io
import logging
import re
import time
from unittest import mock

import fixtures
import webob
from oslo_context import context as oslo_context
from oslotest import base

from mogan import exception
from mogan.api.middleware import normalization, request_log

ID = 'req-5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a1b'


def environ_of(method='GET', path='/', query='', body=b'', **others):
    environ = {'REQUEST_METHOD': method, 'PATH_INFO': path,
               'QUERY_STRING': query, 'REMOTE_ADDR': '192.0.2.1',
               'wsgi.input': io.BytesIO(body)}
    if body:
        environ['CONTENT_LENGTH'] = str(len(body))
    return environ | others


class Inner:
    """An application that remembers what it got."""

    def __init__(self, status='200 OK', body=b'answer'):
        self.status, self.body = status, body

    def __call__(self, environ, start_response):
        self.environ = environ
        self.context = oslo_context.get_current()
        start_response(self.status, [
            ('Content-Type', 'application/json'),
            ('Content-Length', str(len(self.body)))])
        return [self.body]


class TestEdge(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger(
            'mogan.api.middleware.request_log', level=logging.INFO,
            format='%(message)s'))
        self.inner = Inner()

    def call(self, **options):
        sent = []
        outermost = request_log.RequestLog(self.inner)
        body = b''.join(outermost(
            environ_of(**options), lambda *head: sent.append(head)))
        outermost.close()
        [(status, headers, _)] = sent
        return status, dict(headers), body

    def test_each_answer_carries_an_id_of_its_own(self):
        seen = set()
        for _ in range(3):
            _, headers, _ = self.call()
            request_id = headers['X-OpenStack-Request-ID']
            self.assertRegex(request_id, request_log._REQUEST_ID)
            self.assertEqual(request_id, self.inner.context.request_id)
            self.assertEqual(request_id, self.inner.environ[
                'mogan.context'].request_id)
            seen.add(request_id)
        self.assertEqual(3, len(seen))

    def test_a_valid_id_of_the_caller_is_kept_beside_it(self):
        name = 'HTTP_X_OPENSTACK_GLOBAL_REQUEST_ID'
        _, headers, _ = self.call(**{name: ID})
        self.assertEqual(ID, self.inner.context.global_request_id)
        self.assertNotEqual(ID, headers['X-OpenStack-Request-ID'])
        for wrong in ('', 'x', ID[4:], f'{ID}\n', f'{ID}0', ID.upper(),
                      'req-' + 'x' * 36):
            self.call(**{name: wrong})
            self.assertIsNone(self.inner.context.global_request_id, wrong)

    def test_nobody_is_known_yet(self):
        self.call(HTTP_X_USER_ID='admin', HTTP_X_PROJECT_ID='admin',
                  HTTP_X_ROLES='admin')
        context = self.inner.environ['mogan.context']
        self.assertEqual((None, None, []), (
            context.user_id, context.project_id, context.roles))

    def test_a_request_has_one_line_in_the_log(self):
        self.inner.status = '202 Accepted'
        self.call(method='PUT', path='/v1/a', query='b=c')
        self.assertTrue(re.fullmatch(
            r'192\.0\.2\.1 "PUT /v1/a\?b=c" status: 202 len: 6 '
            r'time: 0\.\d+\n', self.log.output), self.log.output)

    def test_the_line_says_whose_request_ended_when(self):
        records = []
        handler = logging.Handler()
        handler.emit = records.append
        request_log.LOG.logger.addHandler(handler)
        self.addCleanup(request_log.LOG.logger.removeHandler, handler)
        before = time.time()
        self.call()
        [record] = records
        self.assertIs(self.inner.environ['mogan.context'], record.context)
        self.assertLessEqual(before, record.created)
        self.assertLessEqual(record.created, time.time())
        self.assertEqual(int(record.created * 1000) % 1000,
                         int(record.msecs))

    def test_the_line_comes_after_the_end_too(self):
        outermost = request_log.RequestLog(self.inner)
        outermost.close()
        outermost(environ_of(), mock.Mock())
        self.assertEqual(1, self.log.output.count('\n'))

    def test_no_caller_writes_lines_of_his_own(self):
        self.call(method='\x1b[2J', REMOTE_ADDR='1.2.3.4" \n',
                  path='/a\n1.2.3.4 "GET /" status: 200\x1b\xe4')
        self.assertEqual(1, self.log.output.count('\n'))
        self.assertIn('/a%0A1.2.3.4%20%22GET', self.log.output)
        self.assertIn('%1B%E4', self.log.output)
        self.assertTrue(self.log.output.startswith(
            '1.2.3.4%22%20%0A "%1B%5B2J /a'), self.log.output)

    def test_a_caller_without_an_address_has_a_line_like_others(self):
        self.call(REMOTE_ADDR='')
        self.assertTrue(self.log.output.startswith('- "GET /" '))

    def test_nothing_has_no_length(self):
        self.inner.status, self.inner.body = '204 No Content', b''
        _, headers, _ = self.call(method='DELETE')
        self.assertNotIn('Content-Length', headers)
        self.assertIn('X-OpenStack-Request-ID', headers)

    def test_head_is_get_without_a_body(self):
        status, headers, body = self.call(method='HEAD')
        self.assertEqual(('200 OK', '6', b''),
                         (status, headers['Content-Length'], body))
        self.assertEqual('GET', self.inner.environ['REQUEST_METHOD'])
        self.assertIn('"HEAD /"', self.log.output)


class TestGuard(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.inner = Inner()

    def let_in(self, **options):
        """Return the environ after the middleware."""
        normalization.Normalization(self.inner)(environ_of(**options),
                                                lambda *_: None)
        return self.inner.environ

    def refused(self, kind, *words, **options):
        error = self.assertRaises(kind, self.let_in, **options)
        for word in words:
            self.assertIn(word, error.message)

    def test_a_path_without_a_version_means_the_first(self):
        for path, expected in (
                ('/instances', '/v1/instances'),
                ('/instances/x/states/lock', '/v1/instances/x/states/lock'),
                ('/flavors/', '/v1/flavors/'), ('/nodes', '/v1/nodes'),
                ('/v1/instances', '/v1/instances'), ('/', '/'), ('', ''),
                ('/v1', '/v1'), ('/instancesx', '/instancesx'),
                ('/v2/instances', '/v2/instances'),
                ('//instances', '//instances'), ('/a/nodes', '/a/nodes')):
            self.assertEqual(expected, self.let_in(path=path)['PATH_INFO'])

    def test_a_path_is_utf_8_without_nul(self):
        self.let_in(path='/\xc3\xa4')
        self.refused(exception.Invalid, 'path: is not UTF-8', path='/\xff')
        self.refused(exception.Invalid, 'path', 'NUL', path='/a\0')

    def test_a_query_is_read_once_and_strictly(self):
        for query, expected in (
                ('', []), ('a=1&a=2&b', [('a', '1'), ('a', '2'), ('b', '')]),
                ('a=%C3%A4+b%26', [('a', 'ä b&')]), ('&&', []),
                ('a=1;b=2&c', [('a', '1;b=2'), ('c', '')])):
            environ = self.let_in(query=query)
            self.assertEqual(expected, environ['mogan.query'])
            # Pecan reads it with WebOb, and finds the same.
            self.assertEqual(expected, list(
                webob.Request(environ).GET.items()))
        self.refused(exception.Invalid, 'query: is not UTF-8', query='a=%FF')
        self.refused(exception.Invalid, 'query: is not UTF-8', query='a=\xe4')
        self.refused(exception.Invalid, 'query', 'NUL', query='a=%00')
        self.refused(exception.Invalid, 'query', 'NUL', query='%00=a')
        self.refused(exception.Invalid, 'query', 'too many',
                     query='&'.join(['a=1'] * 101))

    def test_who_does_not_accept_json_gets_nothing_else(self):
        for accept in ('application/xml', 'text/html', 'text/*',
                       'application/json;q=0', '*/*;q=0'):
            self.refused(exception.NotAcceptable, 'application/json',
                         HTTP_ACCEPT=accept)
        for accept in ('*/*', 'application/json', 'application/*', '',
                       'text/html, */*;q=0.1', 'nonsense',
                       'application/json, text/plain;q=0.5'):
            self.assertNotIn('HTTP_ACCEPT', self.let_in(HTTP_ACCEPT=accept))

    def test_pecan_does_not_see_a_body(self):
        environ = self.let_in(method='PUT', body=b'{"a": 1}',
                              CONTENT_TYPE='application/json')
        self.assertEqual((b'{"a": 1}', 'application/json'), (
            environ['mogan.body'], environ['mogan.content_type']))
        self.assertEqual(b'', environ['wsgi.input'].read())
        self.assertEqual('0', environ['CONTENT_LENGTH'])
        self.assertEqual('application/octet-stream', environ['CONTENT_TYPE'])
        environ = self.let_in()
        self.assertEqual((b'', ''), (environ['mogan.body'],
                                     environ['mogan.content_type']))

    def test_a_body_has_at_most_a_mebibyte(self):
        body = b'x' * normalization.LARGEST
        self.assertEqual(body, self.let_in(body=body)['mogan.body'])
        self.refused(exception.BodyTooLarge, '1048576', body=body + b'x')
        self.refused(exception.BodyTooLarge, CONTENT_LENGTH='9' * 18)

    def test_a_body_in_chunks_has_no_more(self):
        chunked = {'HTTP_TRANSFER_ENCODING': 'chunked'}
        for size in (0, 5, normalization.LARGEST):
            stream = io.BytesIO(b'x' * size)
            environ = self.let_in(**chunked | {'wsgi.input': stream})
            self.assertEqual(size, len(environ['mogan.body']))
        endless = io.BytesIO(b'x' * (normalization.LARGEST * 3))
        self.refused(exception.BodyTooLarge, **chunked | {
            'wsgi.input': endless})
        self.assertLess(endless.tell(), normalization.LARGEST * 2)

    def test_a_body_is_as_long_as_it_says(self):
        self.refused(exception.Invalid, 'shorter than', body=b'ab',
                     CONTENT_LENGTH='3')
        environ = self.let_in(body=b'ab', CONTENT_LENGTH='1')
        self.assertEqual((b'a', b''), (environ['mogan.body'],
                                       environ['wsgi.input'].read()))
        for length in ('-1', '+1', '1_0', 'x', '1.5', ' 1', '٣',
                       '9' * 100):
            self.refused(exception.Invalid, 'Content-Length',
                         CONTENT_LENGTH=length)
        self.refused(exception.Invalid, 'Content-Length', 'Transfer-Encoding',
                     body=b'ab', HTTP_TRANSFER_ENCODING='chunked')

    def test_nobody_waits_for_a_body_that_was_not_announced(self):
        class Silent:
            def read(self, size):
                raise AssertionError('this would wait for ever')

        self.assertEqual(b'', self.let_in(**{
            'wsgi.input': Silent(), 'CONTENT_LENGTH': ''})['mogan.body'])

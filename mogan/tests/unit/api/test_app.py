# SPDX-License-Identifier: Apache-2.0
"""The whole of what surrounds the controllers, without a database."""

import io
import json
from wsgiref import util, validate

from oslo_config import cfg
from oslotest import base

from mogan import conf as options
from mogan import policy
from mogan.api import app
from mogan.tests.support.files import temporary_directory


class AppTest(base.BaseTestCase):

    strategy = 'noauth'
    settings = ()

    def setUp(self):
        super().setUp()
        self.directory = temporary_directory(self)
        (self.directory / 'users').touch()
        text = ['[DEFAULT]', f'auth_strategy = {self.strategy}',
                'http_basic_users_file = {directory}/users', *self.settings,
                '[api]', 'host = 127.0.0.1']
        path = self.directory / 'mogan.conf'
        path.write_text('\n'.join(text).format(directory=self.directory))
        conf = cfg.ConfigOpts()
        for group in options._GROUPS:
            group.register_opts(conf)
        conf(['--config-file', str(path)], default_config_dirs=[])
        self.app = app.Application(app.Services(
            None, None, policy.Policy(conf), app.settings(conf)), conf)
        self.addCleanup(self.app.close)

    def call(self, path, method='GET', body=b'', **environ):
        """Status, headers (in lower case) and body of the answer."""
        sent = []
        environ = {
            'REQUEST_METHOD': method, 'PATH_INFO': path, 'SCRIPT_NAME': '',
            'QUERY_STRING': '', 'SERVER_NAME': 'mogan.example',
            'SERVER_PORT': '80', 'SERVER_PROTOCOL': 'HTTP/1.1',
            'wsgi.url_scheme': 'http', 'wsgi.input': io.BytesIO(body),
            'CONTENT_LENGTH': str(len(body)),
            'REMOTE_ADDR': '127.0.0.1'} | environ
        answer = b''.join(self.app(
            environ, lambda *head: sent.append(head)))
        [(status, headers, *_)] = sent
        return int(status[:3]), {name.lower(): value
                                 for name, value in headers}, answer


class TestPlain(AppTest):

    def test_errors_of_every_layer_have_one_form(self):
        for code, path, method, environ in (
                (404, '/nowhere', 'GET', {}), (404, '/v1/x/y/z', 'PUT', {}),
                (404, '/v1/__class__', 'GET', {}),
                (404, '/v1/_route', 'GET', {}),
                (404, '/v1/flavors/get', 'GET', {}),
                (405, '/v1', 'POST', {}), (405, '/v1/flavors', 'PATCH', {}),
                (405, '/v1/flavors', 'OPTIONS', {}),
                (405, '/v1/flavors', '_ROUTE', {}),
                (405, '/v1/flavors', 'CUSTOM_ACTION', {}),
                (405, '/healthcheck', 'POST', {}),
                (406, '/v1', 'GET', {'HTTP_ACCEPT': 'text/html'}),
                (400, '/\xff', 'GET', {}),
                (400, '/v1', 'GET', {'QUERY_STRING': '_method=DELETE'}),
                (400, '/v1', 'GET', {'QUERY_STRING': 'a=%FF'}),
                (400, '/v1', 'GET', {'CONTENT_LENGTH': '-1'}),
                (413, '/v1', 'GET', {'CONTENT_LENGTH': '1048577'}),
                (403, '/v1', 'GET', {'REMOTE_ADDR': '192.0.2.1'}),
                (415, '/v1/flavors', 'POST', {
                    'wsgi.input': io.BytesIO(b'a=b'),
                    'CONTENT_LENGTH': '3', 'CONTENT_TYPE':
                    'application/x-www-form-urlencoded'}),
                # What fails inside: there is no database here.
                (500, '/v1/flavors', 'GET', {})):
            status, headers, body = self.call(path, method, **environ)
            self.assertEqual(code, status, (path, method, body))
            self.assertEqual('application/json', headers['content-type'])
            self.assertIn('x-openstack-request-id', headers)
            error = json.loads(body)['error']
            self.assertEqual(code, error['code'])
            self.assertLessEqual({'code', 'title', 'message'}, set(error))
            self.assertEqual(code == 405, 'allow' in headers)

    def test_head_says_what_get_would(self):
        _, got, body = self.call('/v1')
        status, headers, nothing = self.call('/v1', 'HEAD')
        self.assertEqual((200, b''), (status, nothing))
        for sent in (got, headers):
            del sent['x-openstack-request-id']
        self.assertEqual(got, headers)
        self.assertEqual(str(len(body)), headers['content-length'])

    def test_bodies_that_break_parsers_are_the_callers_fault(self):
        for kind in ('application/json', 'application/json; charset=x',
                     'multipart/form-data', 'multipart/form-data; boundary=',
                     'text/xml', '', '\xff', 'application/javascript'):
            for body in (b'[' * 100_000, b'{"a":' * 100_000, b'\xff\xfe',
                         b'--\r\n', b'<!DOCTYPE a [<!ENTITY b "c">]>',
                         b'null', b'[]', b'1', b'"a"', b'{}'):
                status, _, answer = self.call(
                    '/v1/flavors', 'POST', body, CONTENT_TYPE=kind)
                self.assertIn(status, (400, 415), (kind, body[:9], answer))

    def test_health_is_for_everybody_and_answers_its_path_only(self):
        self.assertEqual(200, self.call('/healthcheck')[0])
        self.assertEqual(404, self.call('/healthcheck/')[0])
        self.assertEqual(404, self.call('/v1/healthcheck')[0])

    def test_any_server_that_keeps_to_the_standard_can_call_it(self):
        for path, method, body in (
                ('/v1', 'GET', b''), ('/v1', 'HEAD', b''),
                ('/nowhere', 'PUT', b'{}'), ('/healthcheck', 'GET', b''),
                ('/v1/flavors', 'POST', b'{}'), ('/v1', 'DELETE', b'')):
            environ = {'REQUEST_METHOD': method, 'PATH_INFO': path,
                       'SCRIPT_NAME': '', 'QUERY_STRING': '',
                       'wsgi.input': io.BytesIO(body),
                       'CONTENT_LENGTH': str(len(body)),
                       'REMOTE_ADDR': '127.0.0.1'}
            util.setup_testing_defaults(environ)
            answer = validate.validator(self.app)(
                environ, lambda *_: print)
            list(answer)
            answer.close()

    def test_no_proxy_is_believed(self):
        _, _, body = self.call('/', HTTP_X_FORWARDED_PROTO='https',
                               HTTP_FORWARDED='host=evil.example')
        self.assertIn(b'"http://mogan.example/v1/"', body)

    def test_browsers_are_told_nothing(self):
        _, headers, _ = self.call('/', HTTP_ORIGIN='https://ui.example')
        self.assertNotIn('access-control-allow-origin', headers)


class TestDrained(AppTest):

    settings = ('[healthcheck]', 'backends = disable_by_file',
                'disable_by_file_path = {directory}/drain')

    def test_a_file_takes_the_service_out_of_its_pool(self):
        self.assertEqual(200, self.call('/healthcheck')[0])
        (self.directory / 'drain').touch()
        status, headers, body = self.call('/healthcheck')
        self.assertEqual(503, status)
        self.assertIn('retry-after', headers)
        self.assertIn(b'DISABLED', body)
        self.assertEqual(200, self.call('/v1')[0])


class TestBehindAProxy(AppTest):

    strategy = 'http_basic'
    settings = ('[oslo_middleware]', 'enable_proxy_headers_parsing = true',
                '[healthcheck]', 'allowed_source_ranges = 192.0.2.0/24')

    def test_links_are_as_the_client_knows_them(self):
        _, _, body = self.call('/', HTTP_X_FORWARDED_PROTO='https',
                               HTTP_X_FORWARDED_HOST='cloud.example',
                               HTTP_FORWARDED='host=evil.example',
                               HTTP_X_FORWARDED_PREFIX='/evil')
        self.assertIn(b'"https://cloud.example/v1/"', body)

    def test_no_address_of_a_client_breaks_the_look_at_the_health(self):
        for address, status in (
                ('192.0.2.1', 200), ('10.1.1.1, 192.0.2.1', 200),
                ('192.0.2.1, 10.1.1.1', 404), ('\xe9', 404), ('', 404)):
            self.assertEqual(status, self.call(
                '/healthcheck', HTTP_X_FORWARDED_FOR=address)[0], address)

    def test_a_server_may_know_of_no_place_of_its_own(self):
        place = 'SCRIPT_NAME'

        def without(environ, start_response):
            del environ[place]
            return outermost(environ, start_response)
        outermost, self.app = self.app, without
        self.addCleanup(setattr, self, 'app', outermost)
        for path, status in (('/', 200), ('/v1/flavors', 401)):
            self.assertEqual(status, self.call(
                path, HTTP_X_FORWARDED_PREFIX='/x')[0])


class TestBrowsers(AppTest):

    settings = ('[cors]', 'allowed_origin = https://ui.example')

    def test_a_known_origin_may_read_answers_and_errors(self):
        for path, status in (('/', 200), ('/nowhere', 404)):
            got, headers, _ = self.call(path,
                                        HTTP_ORIGIN='https://ui.example')
            self.assertEqual(status, got)
            self.assertEqual('https://ui.example',
                             headers['access-control-allow-origin'])
            self.assertIn('X-OpenStack-Request-ID',
                          headers['access-control-expose-headers'])
        _, headers, _ = self.call('/', HTTP_ORIGIN='https://evil.example')
        self.assertNotIn('access-control-allow-origin', headers)

    def test_a_browser_may_ask_before_it_asks(self):
        status, headers, _ = self.call(
            '/v1/instances', 'OPTIONS', HTTP_ORIGIN='https://ui.example',
            HTTP_ACCESS_CONTROL_REQUEST_METHOD='DELETE',
            HTTP_ACCESS_CONTROL_REQUEST_HEADERS='X-Auth-Token')
        self.assertEqual(200, status)
        self.assertEqual('DELETE', headers['access-control-allow-methods'])
        self.assertIn('x-openstack-request-id', headers)


class TestSettings(AppTest):

    settings = ('[api]', 'public_endpoint = https://cloud.example/mogan/')

    def test_links_begin_with_the_public_endpoint(self):
        _, _, body = self.call('/')
        self.assertIn(b'"https://cloud.example/mogan/v1/"', body)

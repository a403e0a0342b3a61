# SPDX-License-Identifier: Apache-2.0
"""Nobody is authenticated by their own word."""

import json
import sys
from unittest import mock

from keystoneauth1 import exceptions, loading
from keystonemiddleware import auth_token
from oslo_context import context as oslo_context

from mogan import exception
from mogan.api.middleware import audit, auth
from mogan.api.middleware.auth import headers, keystone, noauth
from mogan.context import RequestContext
from mogan.tests.unit.api.callers import FORGED, IdentityTest, make_conf


class TestHeaders(IdentityTest):

    def test_every_header_that_speaks_of_an_identity_is_dropped(self):
        kept = {'HTTP_X_AUTH_TOKEN': 't', 'HTTP_X_SERVICE_TOKEN': 's',
                'HTTP_X_FORWARDED_FOR': 'f', 'HTTP_HOST': 'h',
                'HTTP_X_OPENSTACK_GLOBAL_REQUEST_ID': 'i',
                'HTTP_AUTHORIZATION': 'a'}
        environ = FORGED | kept
        headers.Stripped(lambda *_: None)(environ, None)
        self.assertEqual(kept, environ)

    def test_oslo_context_reads_no_header_that_is_not_dropped(self):
        for names in oslo_context._ENVIRON_HEADERS.values():
            for name in names:
                if name.startswith('HTTP_') and name not in {
                        'HTTP_X_AUTH_TOKEN', 'HTTP_X_SERVICE_TOKEN'}:
                    self.assertTrue(headers._FORGED.match(name), name)


class TestNoAuth(IdentityTest):

    def test_everybody_on_this_machine_is_the_administrator(self):
        for host in ('127.0.0.1', '::1', 'localhost', '127.8.8.8'):
            app = auth.wrap(self.application, make_conf(
                auth_strategy='noauth', host=host))
            for address in ('127.0.0.1', '::1', '::ffff:127.0.0.1'):
                context = self.call(app, REMOTE_ADDR=address, **FORGED)
                self.assertEqual(
                    ('admin', 'admin', ['admin', 'member', 'reader']),
                    (context.user_id, context.project_id, context.roles))

    def test_others_get_nothing(self):
        app = noauth.NoAuth(self.application)
        for address in ('192.0.2.1', '::ffff:192.0.2.1', '', 'unix'):
            self.assertRaises(exception.Forbidden, self.call, app,
                              REMOTE_ADDR=address)

    def test_it_does_not_listen_to_others(self):
        for host in ('0.0.0.0', '::', '192.0.2.1', 'example.org'):
            conf = make_conf(auth_strategy='noauth', host=host)
            for start in (auth.check, lambda conf: auth.wrap(
                    self.application, conf)):
                error = self.assertRaises(auth.IdentityError, start,
                                          conf)
                self.assertIn(host, str(error))

    def test_it_takes_no_word_for_where_a_request_comes_from(self):
        conf = make_conf(auth_strategy='noauth')
        auth.check(conf)
        conf.set_override('enable_proxy_headers_parsing', True,
                          'oslo_middleware')
        for start in (auth.check, lambda conf: auth.wrap(
                self.application, conf)):
            error = self.assertRaises(auth.IdentityError, start, conf)
            self.assertIn('enable_proxy_headers_parsing', str(error))


def answer_of_keystone(token, **_):
    """Return Keystone's answer for a token."""
    ASKED.append(token)
    if token == 'down':
        raise auth_token.ServiceError('nobody there')
    if token == 'unreachable':
        raise exceptions.ConnectTimeout('no answer')
    if token == 'misconfigured':
        raise exceptions.EndpointNotFound('nothing in the catalog')
    if token not in TOKENS:
        raise auth_token.InvalidToken('none')
    return {'token': TOKENS[token]}


class TestKeystone(IdentityTest):
    """Keystone is put in where auth_token would ask it."""

    def setUp(self):
        super().setUp()
        self.conf = make_conf(auth_strategy='keystone')
        self.assertRaises(auth.IdentityError, auth.check, self.conf)
        self.conf.register_opts(loading.get_auth_plugin_conf_options(
            'password'), 'keystone_authtoken')
        self.set('auth_type', 'password')
        error = self.assertRaises(auth.IdentityError, auth.check,
                                  self.conf)
        self.assertIn('auth_url', str(error))
        self.set('auth_url', 'https://keystone.example')
        self.set('www_authenticate_uri', 'https://keystone.example')
        self.app = auth.wrap(self.application, self.conf)
        protocol = self.app._application._private
        server = protocol._identity_server._server
        server.verify_token = answer_of_keystone

    def set(self, name, value):
        self.conf.set_override(name, value, 'keystone_authtoken')

    def sent(self, path='/v1/instances', **environ):
        """Status and headers of what comes back."""
        sent = []
        environ = {
            'PATH_INFO': path, 'REQUEST_METHOD': 'GET', 'SERVER_NAME': 'x',
            'SERVER_PORT': '80', 'wsgi.url_scheme': 'http',
            'mogan.context': RequestContext(overwrite=False)} | environ
        for _ in self.app(environ, lambda *head: sent.append(head)):
            pass
        return int(sent[0][0][:3]), dict(sent[0][1])

    def test_a_token_says_who_it_is(self):
        self.assertEqual(200, self.sent(
            HTTP_X_AUTH_TOKEN='good', **FORGED)[0])
        context = self.seen['mogan.context']
        self.assertEqual(('user-1', 'project-1', ['member', 'reader']), (
            context.user_id, context.project_id, context.roles))
        self.assertIsNone(context.system_scope)
        self.assertEqual([], context.service_roles)

    def test_the_request_keeps_its_id(self):
        before = RequestContext(overwrite=False, global_request_id='g')
        self.sent(HTTP_X_AUTH_TOKEN='good', **{'mogan.context': before})
        after = self.seen['mogan.context']
        self.assertEqual(
            (before.request_id, 'g'),
            (after.request_id, after.global_request_id))

    def test_a_token_travels_no_further(self):
        self.sent(HTTP_X_AUTH_TOKEN='good')
        context = self.seen['mogan.context']
        self.assertNotIn('good', json.dumps(context.to_dict()))

    def test_the_audit_hears_who_was_let_in_and_who_was_not(self):
        events = []
        self.app = audit.Audit(self.app, self.conf,
                               lambda _, payload: events.append(payload))
        for token in ('good', 'bad'):
            self.sent(REQUEST_METHOD='PUT', HTTP_X_AUTH_TOKEN=token)
        self.app.close()
        self.assertEqual(
            [('user-1', 'project-1', '200'), ('unknown', 'unknown', '401')],
            [(event['initiator']['id'], event['initiator']['project_id'],
              event['reason']['reasonCode']) for event in events])
        for token in ('good', 'bad'):
            self.assertNotIn(f'"{token}"', json.dumps(events))

    def test_no_token_or_a_wrong_one_is_asked_for_a_right_one(self):
        for environ in ({}, {'HTTP_X_AUTH_TOKEN': 'bad'}, FORGED):
            status, sent = self.sent(**environ)
            self.assertEqual(401, status)
            self.assertEqual('Keystone uri="https://keystone.example"',
                             sent['WWW-Authenticate'])
            self.assertIsNone(getattr(self, 'seen', None))

    def test_a_keystone_that_is_away_is_no_refusal(self):
        for token in ('down', 'unreachable', 'misconfigured'):
            error = self.assertRaises(
                exception.ServiceUnavailable, self.sent,
                HTTP_X_AUTH_TOKEN=token)
            self.assertIn('Retry-After', error.headers)

    def test_what_is_no_token_is_not_asked_about(self):
        for token in ('good' * 1025, 'ä', 'g\xadood', 'go od', 'go\tod'):
            self.assertEqual(401, self.sent(HTTP_X_AUTH_TOKEN=token)[0])
        self.assertNotIn('good' * 1025, ASKED)
        self.sent(HTTP_X_AUTH_TOKEN='good' * 1024)
        self.assertIn('good' * 1024, ASKED)

    def test_one_at_a_time_waits_for_a_keystone_that_does_not_answer(self):
        def unavailable(token):
            self.assertRaises(exception.ServiceUnavailable, self.sent,
                              HTTP_X_AUTH_TOKEN=token)

        unavailable('unreachable')
        server = self.app._application._private._identity_server
        with server._waiting:
            unavailable('good')
        self.assertEqual(200, self.sent(HTTP_X_AUTH_TOKEN='good')[0])
        with server._waiting:
            self.assertEqual(401, self.sent(HTTP_X_AUTH_TOKEN='bad')[0])

    def test_no_thread_waits_long_unless_so_configured(self):
        group = self.conf.keystone_authtoken
        self.assertEqual((10, 1), (
            group.http_connect_timeout, group.http_request_max_retries))
        self.set('http_connect_timeout', 3)
        auth.check(self.conf)
        self.assertEqual(3, group.http_connect_timeout)

    def test_a_library_for_memcached_that_is_missing_is_named(self):
        self.set('memcached_servers', ['127.0.0.1:1'])
        auth.check(self.conf)
        self.set('memcache_tls_enabled', True)
        with mock.patch.dict(sys.modules, {'bmemcached': None}):
            error = self.assertRaises(auth.IdentityError,
                                      auth.check, self.conf)
        self.assertIn('bmemcached', str(error))

    def test_version_documents_are_for_everybody(self):
        for path in ('/', '', '/v1', '/v1/', '/v1/openapi.json'):
            self.assertEqual(200, self.sent(path=path, **FORGED)[0])
            self.assertIsNone(self.seen['mogan.context'].project_id)
        self.assertEqual(401, self.sent(path='//')[0])

    def test_a_token_for_the_whole_system_has_no_project(self):
        self.sent(HTTP_X_AUTH_TOKEN='system')
        context = self.seen['mogan.context']
        self.assertEqual((None, 'all'),
                         (context.project_id, context.system_scope))

    def test_it_is_the_default(self):
        self.assertEqual('keystone', make_conf().auth_strategy)
        self.assertIsInstance(self.app._application, keystone.Keystone)


def token(**values):
    return {
        'methods': ['password'], 'expires_at': '2999-01-01T00:00:00.000000Z',
        'issued_at': '2020-01-01T00:00:00.000000Z',
        'user': {'id': 'user-1', 'name': 'ann',
                 'domain': {'id': 'default', 'name': 'Default'}},
        'roles': [{'id': '1', 'name': 'member'},
                  {'id': '2', 'name': 'reader'}]} | values


ASKED = []
TOKENS = {
    'good': token(project={
        'id': 'project-1', 'name': 'p',
        'domain': {'id': 'default', 'name': 'Default'}}),
    'system': token(system={'all': True}),
}

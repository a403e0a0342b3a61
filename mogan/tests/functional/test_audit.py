# SPDX-License-Identifier: Apache-2.0
"""The events of the audit: who wanted to change what, and what came of it."""

import json
import time
from typing import Any, ClassVar

import fixtures
from oslo_config import cfg
from oslo_messaging.notify import _impl_test

from mogan.api.middleware import audit, proxy_headers
from mogan.context import RequestContext
from mogan.notifications import bus
from mogan.tests.functional import base
from mogan.tests.support import deployment
from mogan.tests.support.client import Client, basic
from mogan.tests.support.processes import eventually

TYPE = 'service/baremetal_compute'


class Audited(deployment.Deployment):
    """One whose events of the audit go to a list in this process."""

    audit: ClassVar[dict[str, Any]] = {'driver': 'test'}
    strategy = 'http_basic'

    def configure(self) -> cfg.ConfigOpts:
        conf = super().configure()
        conf.set_override('auth_strategy', self.strategy)
        conf.set_override('host', '127.0.0.1', 'api')
        conf.set_override('enabled', True, 'audit')
        audit._options(conf)
        for name, value in self.audit.items():
            conf.set_override(name, value, audit._OPTIONS)
        return conf


class AuditTest(base.FunctionalTest):

    engines = 0
    deployment_class = Audited

    def setUp(self):
        _impl_test.reset()
        super().setUp()

    def deploy(self):
        return self.deployment_class(rules=self.rules)

    def events(self):
        """Return the payloads so far, once all events have been sent."""
        self.deployment.application.close()
        return [message['payload'] for _, message, _, _
                in _impl_test.NOTIFICATIONS]

    def event(self):
        """Return the last one."""
        return self.events()[-1]


class TestEvents(AuditTest):

    def test_a_write_that_is_accepted_is_told_of(self):
        uuid = self.put_row()
        answer = self.expect(202, self.admin.lock(
            uuid, 'x', headers={'User-Agent': 'curl/8'}))
        event = self.event()
        self.assertEqual('success', event['outcome'])
        self.assertEqual('update/lock', event['action'])
        self.assertEqual({'reasonType': 'HTTP', 'reasonCode': '202'},
                         event['reason'])
        self.assertEqual(f'/v1/instances/{uuid}/states/lock',
                         event['requestPath'])
        self.assertEqual(
            (uuid, f'{TYPE}/instances/instance/states/lock'),
            (event['target']['id'], event['target']['typeURI']))
        asked = event['initiator']
        self.assertEqual(
            ('admin', 'admin', answer.headers['x-openstack-request-id'],
             {'address': '192.0.2.1', 'agent': 'curl/8'}),
            (asked['id'], asked['project_id'], asked['request_id'],
             asked['host']))

    def test_each_request_has_its_action_and_its_target(self):
        uuid = self.put_row()
        path = f'/v1/instances/{uuid}'
        for method, where, body, action, kind in (
                ('PUT', f'{path}/states/unlock', {'unlock': None},
                 'update/unlock', 'instances/instance/states/unlock'),
                ('PUT', f'{path}/states/power', {'target': 'off'},
                 'update/power', 'instances/instance/states/power'),
                ('PUT', f'{path}/states/provision', {},
                 'update/rebuild', 'instances/instance/states/provision'),
                ('PATCH', path, [], 'update', 'instances/instance'),
                ('DELETE', path, None, 'delete', 'instances/instance'),
                ('POST', '/v1/instances', {}, 'create', 'instances'),
                ('POST', '/v1/manageable_servers', {}, 'create/adopt',
                 'manageable_servers'),
                ('DELETE', f'/v1/flavors/{uuid}', None, 'delete',
                 'flavors/flavor'),
                ('PUT', f'/instances/{uuid}/states/lock', {'lock': None},
                 'update/lock', 'instances/instance/states/lock')):
            self.admin.request(method, where, body)
            event = self.event()
            self.deployment.application = (
                self.deployment.make_application())
            self.admin = self.deployment.client('admin')
            self.assertEqual((action, f'{TYPE}/{kind}'), (
                event['action'], event['target']['typeURI']), where)

    def test_what_is_made_is_the_target_of_the_request_for_it(self):
        uuid = self.make_flavor()
        self.assertEqual(uuid, self.event()['target']['id'])

    def test_every_refusal_is_told_of(self):
        uuid = self.put_row(lock_state='locked')
        path = f'/v1/instances/{uuid}'
        wrong = basic('admin', 'wrong')
        wanted = []
        for code, answer, who in (
                (401, self.anonymous.delete(path), 'unknown'),
                (401, self.anonymous.delete(path, headers=wrong), 'unknown'),
                (403, self.demo.lock(uuid),
                 'demo'),
                (404, self.admin.delete(f'/v1/instances/{base.NOWHERE}'),
                 'admin'),
                (400, self.admin.put(f'{path}/states/lock', b'{'), 'admin'),
                (400, self.admin.put('/v1/%ff', {}), 'admin'),
                (405, self.admin.post(f'{path}/states/lock', {}), 'admin'),
                (409, self.demo.delete(path), 'demo')):
            self.expect(code, answer)
            wanted.append((str(code), who, 'failure'))
        self.assertEqual(wanted, [
            (event['reason']['reasonCode'], event['initiator']['id'],
             event['outcome']) for event in self.events()])

    def test_reads_are_not_told_of(self):
        self.expect(200, self.admin.get('/v1/instances'))
        self.expect(401, self.anonymous.get('/v1/instances'))
        self.admin.request('HEAD', '/v1/instances')
        self.assertEqual([], self.events())

    def test_no_secret_is_in_them(self):
        uuid = self.put_row()
        self.admin.put(f'/v1/instances/{uuid}/states/lock?key=s3cret',
                       {'lock': {'reason': 's3cret'}},
                       headers={'X-Auth-Token': 's3cret'})
        self.anonymous.delete(f'/v1/instances/{uuid}',
                              headers=basic('admin', 's3cret'))
        text = json.dumps(self.events())
        for word in ('s3cret', basic('admin', 's3cret')['Authorization'][6:],
                     basic('admin', 'admin')['Authorization'][6:]):
            self.assertNotIn(word, text)

    def test_the_events_are_valid(self):
        self.make_flavor()
        noted = audit._Answered(
            base.now(), RequestContext(), 'PUT', '/', '::1', '', 400, '')
        self.assertTrue(audit._event(
            noted, 'http://x:1').is_valid())


class Proxied(Audited):

    def configure(self) -> cfg.ConfigOpts:
        conf = super().configure()
        proxy_headers.configured(conf)
        conf.set_override('enable_proxy_headers_parsing', True,
                          'oslo_middleware')
        return conf


class TestBehindAProxy(AuditTest):

    deployment_class = Proxied

    def test_no_header_breaks_the_event_of_its_request(self):
        uuid = self.put_row()
        odd = ('x?y', '1.2.3.4" x', 'for=1.2.3.4" x;proto=x?y;host=a?b',
               '\xe9', 'http://[', '%', '127.0.0.1')
        names = ('X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port',
                 'X-Forwarded-Prefix', 'Forwarded', 'Host', 'User-Agent')
        for name in names:
            for value in odd:
                self.expect(202, self.admin.lock(uuid, headers={
                    'X-Forwarded-For': '192.0.2.9', name: value}))
        events = self.events()
        self.assertEqual(len(names) * len(odd), len(events))
        self.assertEqual({'192.0.2.9'}, {
            event['initiator']['host']['address'] for event in events})
        self.assertEqual(
            {(uuid, f'{TYPE}/instances/instance/states/lock')},
            {(event['target']['id'], event['target']['typeURI'])
             for event in events})

    def test_no_server_does_either(self):
        def odd(environ, start_response):
            return self.deployment.application(environ | {
                'SERVER_NAME': 'a?b', 'SERVER_PORT': '', 'REMOTE_ADDR': '',
                'wsgi.url_scheme': 'x?y'}, start_response)
        Client(odd, None).put(f'/v1/instances/{base.NOWHERE}', {})
        self.assertEqual('unknown',
                         self.event()['initiator']['host']['address'])


class WithoutLogin(Audited):

    strategy = 'noauth'


class TestWithoutLogin(AuditTest):

    deployment_class = WithoutLogin

    def test_it_works_where_everybody_is_the_administrator(self):
        def near(environ, start_response):
            return self.deployment.application(
                environ | {'REMOTE_ADDR': '127.0.0.1',
                           'HTTP_HOST': '127.0.0.1'}, start_response)
        uuid = self.put_row()
        self.expect(202, Client(near, None).lock(uuid))
        event = self.event()
        self.assertEqual(('update/lock', uuid, 'success'), (
            event['action'], event['target']['id'], event['outcome']))


class Logged(Audited):

    audit: ClassVar[dict[str, Any]] = {'use_oslo_messaging': False}


class TestLog(AuditTest):

    deployment_class = Logged

    def test_it_can_go_to_the_log(self):
        log = self.useFixture(fixtures.FakeLogger(audit.LOG.name))
        self.admin.delete(f'/v1/instances/{base.NOWHERE}')
        self.events()
        [line] = log.output.splitlines()
        self.assertEqual('404', json.loads(line.partition(' ')[2])[
            'reason']['reasonCode'])


class Broken(Audited):

    audit: ClassVar[dict[str, Any]] = {
        'driver': 'messagingv2',
        'transport_url': 'rabbit://guest:guest@127.0.0.1:1/'}


class TestBroken(AuditTest):

    deployment_class = Broken

    def test_no_request_waits_for_a_broker_that_is_away(self):
        log = self.useFixture(fixtures.FakeLogger(audit.LOG.name))
        uuid = self.put_row()
        began = time.monotonic()
        for _ in range(20):
            self.expect(202, self.admin.lock(uuid))
        self.assertLess(time.monotonic() - began, 3)
        eventually(lambda: log.output)
        self.assertIn('is lost', log.output)
        self.assertNotIn('Traceback', log.output)


class TestSettings(base.FunctionalTest):

    engines = 0

    def settings(self, **values):
        conf = self.deployment.conf
        conf.set_override('enabled', True, 'audit')
        for name, value in values.items():
            conf.set_override(name, value, 'audit')
        audit._options(conf)
        return conf

    def test_what_cannot_work_is_said_at_the_start(self):
        conf = self.settings()
        self.assertIn('driver', str(self.assertRaises(
            ValueError, audit.check, conf)))
        conf.set_override('driver', 'nosuch', audit._OPTIONS)
        self.assertIn('nosuch', str(self.assertRaises(
            ValueError, audit.check, conf)))
        conf.set_override('driver', 'messagingv2', audit._OPTIONS)
        audit.check(conf)
        for wrong in ('http://mogan.example/?a=b', 'http://mogan:99999'):
            conf.set_override('public_endpoint', wrong, 'api')
            self.assertIn('[api] public_endpoint', str(self.assertRaises(
                ValueError, audit.check, conf)))

    def test_off_it_is_not_there(self):
        self.assertFalse(self.deployment.conf.audit.enabled)
        app = object()
        self.assertIs(app, audit.wrap(app, self.deployment.conf))
        self.assertFalse(bus.enabled(self.deployment.conf))

# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document as it is served, and what it says of samples."""

import io
import json
import unittest

import openapi_spec_validator
from oslotest import base as test_base

from mogan import policy
from mogan.api import app, openapi
from mogan.tests.functional import base, conformity
from mogan.tests.functional.test_api_samples import SAMPLES, sample

PATH = '/v1/openapi.json'
# Where the reference shows them.
RESPONSES = {
    'actions-response': ('/v1/instances/{instance_uuid}/actions', 'get', 200),
    'availability-zones-list-response': (
        '/v1/availability_zones', 'get', 200),
    'error-locked-response': ('/v1/instances/{instance_uuid}', 'delete', 409),
    'error-response': ('/v1/instances/{instance_uuid}', 'get', 404),
    'flavor-create-response': ('/v1/flavors', 'post', 201),
    'flavor-show-response': ('/v1/flavors/{flavor_uuid}', 'get', 200),
    'flavor-update-response': ('/v1/flavors/{flavor_uuid}', 'patch', 200),
    'flavors-list-response': ('/v1/flavors', 'get', 200),
    'instance-create-response': ('/v1/instances', 'post', 201),
    'instance-show-response': ('/v1/instances/{instance_uuid}', 'get', 200),
    'instance-update-response': (
        '/v1/instances/{instance_uuid}', 'patch', 200),
    'instances-detail-response': ('/v1/instances/detail', 'get', 200),
    'instances-list-response': ('/v1/instances', 'get', 200),
    'keypair-create-response': ('/v1/keypairs', 'post', 201),
    'keypair-show-response': ('/v1/keypairs/{keypair_name}', 'get', 200),
    'keypairs-list-response': ('/v1/keypairs', 'get', 200),
    'manageable-server-create-response': (
        '/v1/manageable_servers', 'post', 201),
    'manageable-servers-list-response': ('/v1/manageable_servers', 'get',
                                         200),
    'nodes-detail-response': ('/v1/nodes/detail', 'get', 200),
    'nodes-list-response': ('/v1/nodes', 'get', 200),
    'server-create-response': ('/v1/servers', 'post', 201),
    'servers-detail-response': ('/v1/servers/detail', 'get', 200),
    'states-show-response': (
        '/v1/instances/{instance_uuid}/states', 'get', 200),
    'version-response': ('/v1', 'get', 200),
    'versions-response': ('/', 'get', 200)}


class TestServed(conformity.Conforming, base.FunctionalTest):

    engines = 0

    def test_anybody_gets_a_valid_document(self):
        answer = self.expect(200, self.anonymous.get(PATH))
        self.assertEqual('application/json', answer.headers['content-type'])
        openapi_spec_validator.validate(answer.json)
        self.assertEqual(conformity.document(), answer.json)

    def test_the_version_document_leads_to_it(self):
        links = self.anonymous.get('/v1').json['links']
        [address] = [link['href'] for link in links
                     if link['rel'] == 'describedby']
        self.expect(200, self.anonymous.get(address))

    def test_it_is_not_sent_again_while_it_is_the_same(self):
        tag = self.anonymous.get(PATH).headers['etag']
        self.assertRegex(tag, '^"[0-9a-f]{32}"$')
        answer = self.anonymous.get(PATH, headers={'If-None-Match': tag})
        self.assertEqual((304, b''), (answer.status, answer.body))
        self.assertEqual(tag, answer.headers['etag'])
        self.expect(200, self.anonymous.get(
            PATH, headers={'If-None-Match': '"another"'}))
        self.assertEqual(b'', self.expect(
            200, self.anonymous.request('HEAD', PATH)).body)

    def test_it_is_made_once(self):
        self.anonymous.get(PATH)
        made = openapi.serve.cache_info().misses
        for host in ('a.example', 'b.example'):
            self.anonymous.get(PATH, headers={'Host': host})
        self.assertEqual(made, openapi.serve.cache_info().misses)

    def test_it_takes_nothing(self):
        self.expect(400, self.anonymous.get(f'{PATH}?fields=paths'))
        self.expect(405, self.anonymous.put(PATH, {}))

    def test_its_addresses_begin_as_those_of_the_service(self):
        self.assertEqual([{'url': '/'}], self._servers())
        self.assertEqual([{'url': '/baremetal'}],
                         self._servers(SCRIPT_NAME='/baremetal'))

    def _servers(self, **environ):
        sent = io.BytesIO()
        for chunk in self.deployment.application({
                'REQUEST_METHOD': 'GET', 'SCRIPT_NAME': '',
                'PATH_INFO': PATH, 'QUERY_STRING': '',
                'SERVER_NAME': 'mogan.example', 'SERVER_PORT': '80',
                'SERVER_PROTOCOL': 'HTTP/1.1', 'wsgi.url_scheme': 'http',
                'wsgi.input': io.BytesIO()} | environ,
                lambda *_: sent.write):
            sent.write(chunk)
        return json.loads(sent.getvalue())['servers']


class TestPublicEndpoint(base.FunctionalTest):

    engines = 0

    def deploy(self):
        deployment = super().deploy()
        deployment.conf.set_override(
            'public_endpoint', 'https://cloud.example/baremetal/', 'api')
        services = app.Services(
            db=deployment.db, engine=None,
            policy=policy.Policy(deployment.conf),
            settings=app.settings(deployment.conf))
        deployment.application = app.Application(services, deployment.conf)
        self.addCleanup(deployment.application.close)
        return deployment

    def test_its_addresses_are_the_configured_ones(self):
        self.assertEqual([{'url': 'https://cloud.example/baremetal'}],
                         self.anonymous.get(PATH).json['servers'])


class TestSamplesFit(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        if not SAMPLES.exists():
            raise unittest.SkipTest('there is no API reference here')

    def test_every_answer_of_the_reference_fits(self):
        for name, place in RESPONSES.items():
            faults = [error.message for error in conformity.validator(
                *place).iter_errors(sample(name))]
            self.assertEqual([], faults, name)

    def test_every_answer_of_the_reference_is_looked_at(self):
        self.assertEqual(
            {path.stem for path in SAMPLES.glob('*-response.json')},
            set(RESPONSES))

    def test_a_wrong_answer_does_not_fit(self):
        validate = conformity.validator('/v1/instances/{instance_uuid}',
                                        'get', 200)
        right = sample('instance-show-response')
        for wrong in ({'status': 'idle'}, {'uuid': 'x'}, {'locked': None},
                      {'more': 1}, {'created_at': '2026-11-24'},
                      {'metadata': {'a': 1}}):
            self.assertFalse(validate.is_valid(right | wrong), wrong)
        del right['name']
        self.assertFalse(validate.is_valid(right))

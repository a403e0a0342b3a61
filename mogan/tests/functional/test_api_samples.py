# SPDX-License-Identifier: Apache-2.0
"""The samples of the API reference are what the service takes and answers."""

import json
import pathlib
import unittest

from mogan.tests.functional import base, conformity
from mogan.tests.support.deployment import SMALL

SAMPLES = pathlib.Path(__file__).parents[3] / 'api-ref/source/samples'


def sample(name):
    """Return the parsed contents of one of the files."""
    return json.loads((SAMPLES / f'{name}.json').read_text(encoding='utf-8'))


def form(value):
    """Return the names and types of a value, for comparison."""
    match value:
        case dict():
            return {name: form(inner) for name, inner in value.items()}
        case list():
            forms = []
            for inner in map(form, value):
                if inner not in forms:
                    forms.append(inner)
            return forms
        case _:
            return type(value).__name__


class TestSamples(conformity.Conforming, base.FunctionalTest):

    def setUp(self):
        if not SAMPLES.exists():
            raise unittest.SkipTest('there is no API reference here')
        super().setUp()

    def assert_sample(self, name, answer, status=200):
        """Check that the answer has the status and the form of a sample."""
        self.expect(status, answer)
        self.assertEqual(form(sample(name)), form(answer.json), name)

    def make_sample(self, **values):
        """Create the active instance of the samples; returns its uuid."""
        self.demo.post('/v1/keypairs', sample('keypair-create-request'))
        wanted = sample('instance-create-request') | {
            'flavor_uuid': self.make_flavor()} | values
        answer = self.demo.post('/v1/instances', wanted)
        self.assert_sample('instance-create-response', answer, 201)
        uuid = answer.json['uuid']
        self.wait_for(uuid, status='active')
        return uuid

    def put_state(self, uuid, state, name, client=None):
        self.expect(202, (client or self.admin).put(
            f'/v1/instances/{uuid}/states/{state}', sample(name)))

    def test_versions(self):
        self.assert_sample('versions-response', self.anonymous.get('/'))
        self.assert_sample('version-response', self.anonymous.get('/v1'))

    def test_errors(self):
        self.assert_sample('error-response', self.demo.get(
            f'/v1/instances/{base.NOWHERE}'), 404)
        uuid = self.make_sample()
        self.put_state(uuid, 'lock', 'lock-reason-request')
        self.assert_sample('error-locked-response', self.admin.delete(
            f'/v1/instances/{uuid}'), 409)

    def test_flavors(self):
        answer = self.admin.post('/v1/flavors',
                                 sample('flavor-create-request'))
        self.assert_sample('flavor-create-response', answer, 201)
        uuid = answer.json['uuid']
        self.assert_sample('flavor-update-response', self.admin.patch(
            f'/v1/flavors/{uuid}', sample('flavor-update-request')))
        [listed] = sample('flavors-list-response')['flavors']
        for shown in (listed, sample('flavor-show-response')):
            uuid = self.make_flavor(**{name: shown[name] for name in (
                'name', 'description', 'resources', 'traits')})
        self.assert_sample('flavor-show-response',
                           self.demo.get(f'/v1/flavors/{uuid}'))
        self.assert_sample('flavors-list-response',
                           self.demo.get('/v1/flavors?limit=1'))

    def test_keypairs(self):
        self.assert_sample('keypair-create-response', self.demo.post(
            '/v1/keypairs', sample('keypair-create-request')), 201)
        self.assert_sample('keypair-show-response',
                           self.demo.get('/v1/keypairs/laptop'))
        self.demo.post('/v1/keypairs', {'name': 'server'})
        self.assert_sample('keypairs-list-response',
                           self.demo.get('/v1/keypairs?limit=1'))

    def test_instances(self):
        uuid = self.make_sample()
        self.assert_sample('instance-update-response', self.demo.patch(
            f'/v1/instances/{uuid}', sample('instance-update-request')))
        self.put_state(uuid, 'lock', 'lock-reason-request')
        self.wait_for(uuid, lock_state='locked')
        self.make_sample(name='web-2')
        self.assert_sample('instance-show-response',
                           self.admin.get(f'/v1/instances/{uuid}'))
        self.assert_sample('instances-list-response',
                           self.demo.get('/v1/instances?limit=1'))
        self.assert_sample('instances-detail-response',
                           self.demo.get('/v1/instances/detail?limit=1'))

    def test_states(self):
        uuid = self.make_sample()
        self.put_state(uuid, 'power', 'power-request', self.demo)
        self.wait_for(uuid, status='active')
        self.put_state(uuid, 'lock', 'lock-request')
        self.put_state(uuid, 'unlock', 'unlock-request')
        self.wait_for(uuid, lock_state='unlocked')
        self.put_state(uuid, 'lock', 'lock-reason-request')
        self.assert_sample('states-show-response', self.admin.get(
            f'/v1/instances/{uuid}/states'))

    def test_history(self):
        uuid = self.make_sample()
        self.put_state(uuid, 'provision', 'provision-request', self.demo)
        self.wait_for(uuid, status='active')
        self.put_state(uuid, 'lock', 'lock-reason-request')
        self.wait_for(uuid, lock_state='locked')
        self.expect(409, self.admin.delete(f'/v1/instances/{uuid}'))
        self.assert_sample('actions-response', self.admin.get(
            f'/v1/instances/{uuid}/actions?limit=3'))

    def test_nodes(self):
        self.assert_sample('nodes-list-response',
                           self.admin.get('/v1/nodes?limit=3'))
        uuid = self.make_sample()
        self.put_state(uuid, 'lock', 'lock-reason-request')
        self.wait_for(uuid, lock_state='locked')
        [node] = [node for node in self.expect(200, self.admin.get(
            '/v1/nodes/detail')).json['nodes']
            if node['instance_uuid'] == uuid]
        self.assertEqual(SMALL, node['resource_class'])
        [shown] = sample('nodes-detail-response')['nodes']
        # These nodes have no traits.
        self.assertEqual(form(shown | {'traits': []}), form(node))

    def test_availability_zones(self):
        self.assert_sample('availability-zones-list-response',
                           self.demo.get('/v1/availability_zones'))

    def test_manageable_servers(self):
        self.make_flavor()
        node_uuid = self.hardware.named('node-0').uuid
        self.hardware.set_active(node_uuid, active=True,
                                 image_source=base.IMAGE)
        with self.hardware.transaction() as txn:
            txn.change(node_uuid, traits=' HW_CPU_X86_VMX ')
        self.assert_sample('manageable-servers-list-response',
                           self.admin.get('/v1/manageable_servers'))
        self.assert_sample('manageable-server-create-response',
                           self.admin.post('/v1/manageable_servers', sample(
                               'manageable-server-create-request') | {
                                   'node_uuid': node_uuid}), 201)

    def test_servers(self):
        wanted = sample('server-create-request')
        wanted['server']['flavor_uuid'] = self.make_flavor()
        answer = self.demo.post('/v1/servers', wanted)
        self.assert_sample('server-create-response', answer, 201)
        path = f'/v1/servers/{answer.json["uuid"]}'
        self.wait_for(answer.json['uuid'], status='active')
        self.expect(202, self.demo.put(
            f'{path}/states/provision', sample('server-rebuild-request')))
        self.wait_for(answer.json['uuid'], status='active')
        self.expect(202, self.admin.put(
            f'{path}/states/lock', sample('server-lock-request')))
        self.put_state(answer.json['uuid'], 'lock', 'lock-reason-request')
        self.make_sample(name='web-2')
        self.assert_sample('servers-detail-response',
                           self.demo.get('/v1/servers/detail?limit=1'))

    def test_every_sample_is_used_here(self):
        source = pathlib.Path(__file__).read_text(encoding='utf-8')
        for path in SAMPLES.iterdir():
            self.assertIn(f"'{path.stem}'", source)

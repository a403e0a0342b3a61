# SPDX-License-Identifier: Apache-2.0
import io
import json
import pathlib
import subprocess
import sys
import tempfile

import openstack
import testtools
from keystoneauth1 import fixture
from keystoneauth1 import session as keystone_session
from keystoneauth1.identity import v3

from moganclient.sdk.v1 import _proxy
from moganclient.tests import server
from moganclient.tests.unit import base
from moganclient.v1 import client


class TestClouds(base.ServerTest):

    def test_a_vendor_hook_adds_the_service(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = pathlib.Path(directory.name) / 'clouds.yaml'
        path.write_text(json.dumps({'clouds': {'example': {
            'auth_type': 'none', 'auth': {'endpoint': self.server.endpoint},
            'vendor_hook': 'moganclient.sdk:vendor_hook'}}}))
        config = openstack.config.OpenStackConfig(config_files=[str(path)])
        connection = openstack.connection.Connection(
            config=config.get_one('example'))
        self.assertIsInstance(connection.baremetal_compute, _proxy.Proxy)
        connection.baremetal_compute.get_instance(base.UUID)
        self.assertEqual(1, len(self.asked()))


class TestCatalog(base.ServerTest):
    """A Keystone whose catalog has the service."""

    def answer(self, request):
        if request.path.startswith('/v3'):
            token = fixture.V3Token()
            token.set_project_scope()
            token.add_service('baremetal_compute', name='mogan') \
                .add_standard_endpoints(public=f'{self.server.endpoint}/v1',
                                        region='one')
            return server.Answer(201, token, {'X-Subject-Token': 'secret'})
        return super().answer(request)

    def test_the_endpoint_is_the_catalogs(self):
        session = keystone_session.Session(v3.Password(
            auth_url=f'{self.server.endpoint}/v3', username='u',
            password='p', user_domain_id='default', project_id='p'))
        one = client.Client(session=session).server.get(base.UUID)
        self.assertEqual('web', one.name)
        self.assertEqual([('POST', '/v3/auth/tokens'),
                          ('GET', f'/v1/instances/{base.UUID}')],
                         self.asked())
        self.assertEqual('secret',
                         self.server.requests[-1].headers['x_auth_token'])


class TestClient(base.ServerTest):

    def test_a_token_and_an_endpoint_are_enough(self):
        made = client.Client(f'{self.server.endpoint}/v1', 'secret')
        made.server.set_lock_state(base.UUID, True)
        made.server.set_lock_state(base.UUID, False)
        made.server.set_power_state(base.UUID, 'on')
        self.assertEqual(
            ['lock', 'unlock', 'power'],
            [path.rpartition('/')[2] for _, path in self.asked()])
        self.assertEqual({'secret'}, {
            request.headers['x_auth_token']
            for request in self.server.requests})

    def test_a_server_is_created_with_what_is_given(self):
        made = client.Client(self.server.endpoint)
        self.answers[:] = [server.Answer(201, base.instance())]
        made.server.create('web', 'i', 'f', [{'net_id': 'n'}],
                           userdata='#!/bin/sh', key_name='k', min_count=None)
        [request] = self.server.requests
        self.assertEqual(('/v1/servers', {'server': {
            'name': 'web', 'image_uuid': 'i', 'flavor_uuid': 'f',
            'networks': [{'net_id': 'n'}], 'user_data': 'IyEvYmluL3No',
            'key_name': 'k'}}), (request.path, request.body))

    def test_the_arguments_of_a_server_come_as_they_did(self):
        made = client.Client(self.server.endpoint)
        made.server.create('web', 'i', 'f', [], None, 'zone', {'a': '1'},
                           io.BytesIO(b'#!/bin/sh'), None, 'k', 1, 1, None,
                           {'root_gb': 1})
        self.assertEqual({
            'name': 'web', 'image_uuid': 'i', 'flavor_uuid': 'f',
            'availability_zone': 'zone',
            'metadata': {'a': '1'}, 'user_data': 'IyEvYmluL3No',
            'key_name': 'k', 'partitions': {'root_gb': 1},
            }, self.server.requests[-1].body)
        for wish in ({'files': {'/a': 'b'}}, {'hint': {'group': 'g'}},
                     {'min_count': 2}, {'max_count': 2}):
            self.assertRaises(ValueError, made.server.create, 'web', 'i',
                              'f', **wish)

    def test_every_manager_lists_and_finds(self):
        pages = {'/v1/flavors': {'flavors': [{'uuid': '1', 'name': 'a'}]},
                 '/v1/nodes/detail': {'nodes': [{'name': 'a'}]},
                 '/v1/availability_zones': {'availability_zones': ['a']},
                 '/v1/instances': {'instances': [{'name': 'a'}]},
                 '/v1/instances/detail': {'instances': [{'name': 'a'}]},
                 '/v1/manageable_servers': {
                     'manageable_servers': [{'name': 'a'}]}}
        self.answer = lambda request: server.Answer(200, pages[request.path])
        made = client.Client(self.server.endpoint)
        for manager in (made.flavor, made.node, made.availability_zone,
                        made.server, made.manageable_server):
            self.assertEqual(['a'], [one.name for one in manager.list()])
            self.assertEqual('a', manager.find(name='a').name)
            self.assertEqual([], manager.findall(name='b'))

    def test_somewhere_it_has_to_be(self):
        self.assertRaises(ValueError, client.Client)


class TestImports(testtools.TestCase):

    def test_the_package_imports_nothing_of_others(self):
        done = subprocess.run(
            [sys.executable, '-c',
             'import sys, moganclient.sdk; print(*sys.modules)'],
            capture_output=True, text=True, check=True)
        heavy = {'openstack', 'keystoneauth1', 'requests', 'osc_lib',
                 'importlib.metadata'}
        self.assertEqual(set(), heavy & set(done.stdout.split()))

# SPDX-License-Identifier: Apache-2.0
import contextlib
import socket

from keystoneauth1 import exceptions as keystone

from moganclient import exceptions
from moganclient.tests import server
from moganclient.tests.unit import base

LOST = server.Answer(None)
AWAY = server.refusal(503, **{'Retry-After': '0'})


class TestRetries(base.ServerTest):

    def repeatable(self):
        return (lambda: self.service.get_instance(base.UUID),
                lambda: self.service.lock_instance(base.UUID),
                lambda: self.service.unlock_instance(base.UUID),
                lambda: self.service.delete_instance(base.UUID))

    def test_what_is_the_same_twice_is_repeated(self):
        for call in self.repeatable():
            for trouble in (LOST, AWAY):
                self.server.requests.clear()
                self.answers[:] = [trouble]
                call()
                self.assertEqual(2, len(self.asked()), trouble)
                self.assertEqual(1, len(set(self.asked())))

    def test_what_is_not_is_sent_once_whatever_is_configured(self):
        service = self.server.connect(
            baremetal_compute_connect_retries=5,
            baremetal_compute_status_code_retries=5).baremetal_compute
        for call in (
                lambda: service.create_instance(name='web'),
                lambda: service.create_flavor(name='small'),
                lambda: service.manage_server(name='web'),
                lambda: service.update_instance(base.UUID, name='new'),
                lambda: service.rebuild_instance(base.UUID, base.UUID),
                lambda: service.set_instance_power_state(base.UUID, 'on')):
            for trouble, error in ((LOST, keystone.ConnectFailure),
                                   (AWAY, exceptions.ServiceUnavailable)):
                self.server.requests.clear()
                self.answers[:] = [trouble]
                self.assertRaises(error, call)
                self.assertEqual(1, len(self.asked()))

    def test_there_is_an_end_of_it(self):
        self.answers[:] = [AWAY] * 20
        error = self.assertRaises(exceptions.ServiceUnavailable,
                                  self.service.get_instance, base.UUID)
        self.assertEqual('no', str(error))
        self.assertEqual(4, len(self.asked()))

    def test_the_configuration_says_how_often(self):
        service = self.server.connect(
            baremetal_compute_status_code_retries=0).baremetal_compute
        self.answers[:] = [AWAY]
        self.assertRaises(exceptions.ServiceUnavailable,
                          service.get_instance, base.UUID)
        self.assertEqual(1, len(self.asked()))

    def test_nobody_waits_for_an_hour(self):
        self.answers[:] = [server.refusal(503, **{'Retry-After': '3600'})]
        self.assertRaises(exceptions.ServiceUnavailable,
                          self.service.get_instance, base.UUID)
        self.assertEqual(1, len(self.asked()))

    def test_nobody_there_is_said(self):
        with socket.create_server(('127.0.0.1', 0)) as free:
            port = free.getsockname()[1]
        service = self.server.connect(
            f'http://127.0.0.1:{port}',
            baremetal_compute_connect_retries=0).baremetal_compute
        self.assertRaises(keystone.ConnectFailure, service.get_instance,
                          base.UUID)


class TestPaths(base.ServerTest):

    def test_an_endpoint_may_end_in_the_version_or_not(self):
        for ending in ('', '/', '/v1', '/v1/'):
            self.server.requests.clear()
            service = self.server.connect(
                self.server.endpoint + ending).baremetal_compute
            service.get_instance(base.UUID)
            service.lock_instance(base.UUID, 'disk')
            path = f'/v1/instances/{base.UUID}'
            # And nobody asks what versions there are.
            self.assertEqual([('GET', path), ('PUT', f'{path}/states/lock')],
                             self.asked())
        self.assertEqual({'lock': {'reason': 'disk'}},
                         self.server.requests[-1].body)

    def test_a_name_or_uuid_is_one_part_of_a_path(self):
        calls = (
            self.service.get_instance, self.service.delete_instance,
            self.service.get_flavor, self.service.delete_flavor,
            self.service.get_keypair, self.service.delete_keypair,
            self.service.lock_instance, self.service.unlock_instance,
            self.service.instance_states,
            lambda name: list(self.service.instance_actions(name)))
        for call in calls:
            self.server.requests.clear()
            self.answers[:] = [server.refusal(404)]
            with contextlib.suppress(exceptions.NotFound):
                call('a?b#c%20;\xfc')
            [(_, path)] = self.asked()
            self.assertIn('/a?b#c%20;\xfc', path.encode('latin-1').decode())
            self.server.requests.clear()
            for name in ('', '.', '..', '../keypairs/k', 'a/b'):
                self.assertRaises(exceptions.NotFound, call, name)
            self.assertEqual([], self.asked())

    def test_the_uuid_is_as_the_service_writes_it(self):
        one = self.service.get_instance(base.UUID.upper())
        self.assertEqual((base.UUID, base.UUID), (one.id, one.uuid))


class TestPatches(base.ServerTest):

    def patch(self, one, **attrs):
        self.server.requests.clear()
        self.service.update_instance(one, **attrs)
        [request] = self.server.requests
        return request.body

    def test_of_what_is_known_only_what_differs_is_sent(self):
        self.answers[:] = [server.Answer(200, base.instance(
            metadata={'a': '1', 'b/~': '2', 'c': '3'}))]
        one = self.service.get_instance(base.UUID)
        self.assertEqual([
            {'op': 'remove', 'path': '/metadata/b~1~0'},
            {'op': 'add', 'path': '/metadata/a', 'value': '4'},
            ], self.patch(one, name='web', metadata={'a': '4', 'c': '3'}))

    def test_of_a_uuid_everything_is_sent(self):
        self.assertEqual([
            {'op': 'add', 'path': '/description', 'value': None},
            {'op': 'add', 'path': '/metadata', 'value': {'a': '1'}},
            ], self.patch(base.UUID, description=None, metadata={'a': '1'}))

    def test_nothing_to_change_is_no_patch(self):
        one = self.service.get_instance(base.UUID)
        self.server.requests.clear()
        self.service.update_instance(one, name='web')
        self.assertEqual(['GET'], [method for method, _ in self.asked()])

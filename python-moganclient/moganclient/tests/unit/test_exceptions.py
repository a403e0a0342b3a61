# SPDX-License-Identifier: Apache-2.0
import copy
import pickle

from openstack import exceptions as sdk

from moganclient import exceptions
from moganclient.common import exceptions as old
from moganclient.tests import server
from moganclient.tests.unit import base

LOCK = {'state': 'unlocking', 'since': '2026-11-24T09:39:31.996000Z',
        'reason': 'disk swap',
        'release': f'PUT /v1/instances/{base.UUID}/states/unlock'}


class TestExceptions(base.ServerTest):

    def refused(self, answer):
        self.answers[:] = [answer]
        try:
            self.service.create_instance(name='web')
        except sdk.HttpException as error:
            return error
        raise AssertionError('nothing was raised')

    def test_the_text_is_the_services(self):
        for status, kind, general in (
                (400, exceptions.BadRequest, sdk.BadRequestException),
                (401, exceptions.Unauthorized, sdk.HttpException),
                (403, exceptions.Forbidden, sdk.ForbiddenException),
                (404, exceptions.NotFound, sdk.NotFoundException),
                (409, exceptions.Conflict, sdk.ConflictException),
                (418, exceptions.HTTPClientError, sdk.HttpException),
                (500, exceptions.InternalServerError, sdk.HttpException),
                (507, exceptions.HttpServerError, sdk.HttpException)):
            error = self.refused(server.refusal(
                status, 'the reason', **{'X-OpenStack-Request-ID': 'req-1'}))
            self.assertIs(kind, type(error))
            self.assertIsInstance(error, general)
            self.assertEqual(('the reason', status, 'req-1'), (
                str(error), error.status_code, error.request_id))

    def test_a_lock_tells_what_it_is(self):
        error = self.refused(server.refusal(
            409, 'locked', LOCK | {'by': 'admin'}))
        self.assertIs(exceptions.InstanceLocked, type(error))
        self.assertEqual(
            ('locked', 'unlocking', 'admin', 'disk swap', LOCK['since'],
             LOCK['release'], base.UUID),
            (str(error), error.state, error.holder, error.reason, error.since,
             error.release, error.instance_id))
        error = self.refused(server.refusal(409, 'locked', LOCK))
        self.assertIsNone(error.holder)
        old = {key: value for key, value in LOCK.items() if key != 'state'}
        self.assertIsNone(
            self.refused(server.refusal(409, 'locked', old)).state)

    def test_an_answer_of_somebody_else_is_an_error_still(self):
        for body in ({'error': 'text'}, {'error': {'lock': 1}}, {}, [], 'x'):
            error = self.refused(server.Answer(409, body))
            self.assertIs(exceptions.Conflict, type(error), body)

    def test_the_old_names_are_those_that_are_raised(self):
        self.assertIs(exceptions.NotUnique, old.NoUniqueMatch)
        error = self.refused(server.refusal(403))
        self.assertIsInstance(error, old.Forbidden)
        self.assertIsInstance(error, old.HttpError)
        self.assertIsInstance(error, old.ClientException)
        # Scripts import what is never raised as well.
        self.assertTrue(issubclass(old.Gone, old.HTTPClientError))
        self.assertTrue(issubclass(old.CommandError, Exception))

    def test_each_goes_to_another_process(self):
        locked = self.refused(server.refusal(
            409, 'locked', LOCK | {'by': 'admin'}))
        seen = self.service.get_instance(base.UUID)
        for error in (locked, self.refused(server.refusal(404)),
                      exceptions.NotTheService('x'),
                      exceptions.NotUnique('x', ['a']),
                      exceptions.WaitTimeout('x', seen),
                      exceptions.InstanceFailed('x', seen)):
            for same in (copy.copy(error),
                         pickle.loads(  # noqa: S301 - its own
                             pickle.dumps(error))):
                self.assertEqual((type(error), str(error)),
                                 (type(same), str(same)))
                self.assertEqual(getattr(error, 'holder', None),
                                 getattr(same, 'holder', None))

    def test_whoever_is_not_the_service_is_found_out(self):
        for call in (
                lambda: self.service.lock_instance(base.UUID),
                lambda: self.service.delete_instance(base.UUID),
                lambda: self.service.get_instance(base.UUID),
                lambda: self.service.instance_states(base.UUID),
                lambda: self.service.create_instance(name='web'),
                lambda: self.service.update_instance(base.UUID, name='new'),
                lambda: self.service.get_keypair('laptop'),
                lambda: list(self.service.instances())):
            for answer in (server.Answer(200, 'Log in'), server.Answer(200),
                           server.Answer(200, {'x': 1}),
                           server.Answer(200, [])):
                self.answers[:] = [answer]
                error = self.assertRaises(exceptions.NotTheService, call)
                self.assertIn(self.server.endpoint, str(error))

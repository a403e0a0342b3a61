# SPDX-License-Identifier: Apache-2.0
from openstack import exceptions as sdk

from moganclient import exceptions
from moganclient.common import exceptions as old
from moganclient.tests import server
from moganclient.tests.unit import base

LOCK = {'since': '2026-11-24T09:39:31.996000Z', 'reason': 'disk swap',
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
            ('locked', 'admin', 'disk swap', LOCK['since'], LOCK['release'],
             base.UUID),
            (str(error), error.holder, error.reason, error.since,
             error.release, error.instance_id))
        error = self.refused(server.refusal(409, 'locked', LOCK))
        self.assertIsNone(error.holder)

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

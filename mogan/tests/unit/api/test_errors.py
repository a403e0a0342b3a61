# SPDX-License-Identifier: Apache-2.0
"""Every answer that is an error has one form."""

import json
import logging

import fixtures
import wsme.exc
from oslotest import base
from webob import exc

from mogan import exception
from mogan.api import serialization
from mogan.api.middleware import errors
from mogan.context import RequestContext

SECRET = 'password of the database'


class TestErrors(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger(
            'mogan.api.middleware.errors', level=logging.INFO))
        self.context = RequestContext(overwrite=False)

    def call(self, application, **environ):
        sent = []
        body = b''.join(errors.Errors(application)(
            {'REQUEST_METHOD': 'GET', 'mogan.context': self.context}
            | environ, lambda *head: sent.append(head)))
        [(status, headers, *_)] = sent
        return status, dict(headers), body

    def answer(self, error, **environ):
        """Return the answer to a request that ends with an error."""
        def application(*_):
            raise error
        status, headers, body = self.call(application, **environ)
        return status, headers, self.checked(status, headers, body)

    def checked(self, status, headers, body):
        self.assertEqual('application/json', headers['Content-Type'])
        self.assertEqual(str(len(body)), headers['Content-Length'])
        value = json.loads(body)
        self.assertEqual(['error'], list(value))
        error = value['error']
        self.assertEqual(status, f'{error["code"]} {error["title"]}')
        self.assertIsInstance(error['message'], str)
        self.assertTrue(error['message'])
        return error

    def test_what_goes_well_passes_untouched(self):
        def application(_, start_response):
            start_response('202 Accepted', [('X-Other', 'kept')])
            return [b'body']
        self.assertEqual(('202 Accepted', {'X-Other': 'kept'}, b'body'),
                         self.call(application))

    def test_errors_of_our_own_say_what_they_have_to_say(self):
        for error, expected in (
                (exception.InstanceNotFound(uuid='x'),
                 ('404 Not Found', 'Instance x not found.')),
                (exception.Invalid(place='$.name', fault='is missing'),
                 ('400 Bad Request', '$.name: is missing')),
                (exception.Conflict('No.'), ('409 Conflict', 'No.'))):
            status, _, sent = self.answer(error)
            self.assertEqual(expected, (status, sent['message']))
        self.assertEqual('', self.log.output)

    def test_their_headers_and_fields_are_sent(self):
        _, headers, _ = self.answer(exception.EngineUnavailable())
        self.assertEqual('1', headers['Retry-After'])
        status, headers, _ = self.answer(
            exception.MethodNotAllowed('PUT', ['GET', 'POST']))
        self.assertEqual(('405 Method Not Allowed', 'GET, POST'),
                         (status, headers['Allow']))
        for state, ending in (('locked', False), ('unlocking', True)):
            _, headers, sent = self.answer(exception.InstanceLocked(
                'x', state=state, ending=ending, since=None, reason='disk',
                holder='h', project_id='p'))
            self.assertEqual((state, 'disk'), (
                sent['lock']['state'], sent['lock']['reason']))
            self.assertNotIn('by', sent['lock'])
            self.assertEqual(ending, 'Retry-After' in headers)

    def test_nothing_unexpected_gets_out_but_into_the_log(self):
        for error in (RuntimeError(SECRET), KeyError(SECRET),
                      exc.HTTPConflict(SECRET), OSError(SECRET)):
            status, headers, sent = self.answer(error)
            self.assertEqual('500 Internal Server Error', status)
            self.assertNotIn(SECRET, json.dumps([headers, sent]))
            self.assertIn(self.context.request_id, sent['message'])
            self.assertIn(SECRET, self.log.output)
            self.assertIn('Traceback', self.log.output)

    def test_the_cause_of_what_is_away_is_in_the_log(self):
        error = exception.DatabaseUnavailable()
        error.__cause__ = OSError(SECRET)
        status, _, sent = self.answer(error)
        self.assertEqual('503 Service Unavailable', status)
        self.assertNotIn(SECRET, sent['message'])
        self.assertIn(SECRET, self.log.output)

    def test_only_a_change_may_have_been_recorded(self):
        for method, unknown in (('GET', False), ('HEAD', False),
                                ('POST', True), ('PUT', True),
                                ('PATCH', True), ('DELETE', True)):
            _, headers, sent = self.answer(exception.DatabaseUnavailable(),
                                           REQUEST_METHOD=method)
            self.assertEqual(unknown, 'recorded' in sent['message'], method)
            self.assertEqual('1', headers['Retry-After'])

    def test_too_deep_a_nesting_is_the_callers_fault(self):
        status, _, _ = self.answer(RecursionError())
        self.assertEqual('400 Bad Request', status)

    def test_wsmes_faults_are_the_callers_cut_short(self):
        status, _, sent = self.answer(wsme.exc.InvalidInput(
            'name', 'x' * 10_000, 'too long'))
        self.assertEqual('400 Bad Request', status)
        self.assertLess(len(sent['message']), 300)

    def test_foreign_answers_are_put_into_our_words(self):
        for code in (400, 401, 403, 404, 405, 406, 409, 410, 413, 431, 503):
            page = exc.status_map[code](SECRET if code == 401 else '')
            page.headers['X-Other'] = 'dropped'
            status, headers, body = self.call(
                lambda environ, start, page=page: page(environ, start),
                HTTP_ACCEPT='text/html')
            self.checked(status, headers, body)
            self.assertEqual(code, int(status[:3]))
            self.assertNotIn('X-Other', headers)
            self.assertNotIn(SECRET.encode(), body)

    def test_what_a_client_needs_of_them_is_kept(self):
        page = exc.HTTPUnauthorized(headers={
            'WWW-Authenticate': 'Keystone uri="https://k.example"'})
        _, headers, _ = self.call(page)
        self.assertEqual('Keystone uri="https://k.example"',
                         headers['WWW-Authenticate'])
        _, headers, _ = self.call(exc.HTTPServiceUnavailable(
            headers={'Retry-After': '30'}))
        self.assertEqual('30', headers['Retry-After'])

    def test_a_page_of_pecan_keeps_its_detail(self):
        page = exc.HTTPGone('It was here.')
        _, _, body = self.call(page, **{'pecan.original_exception': page})
        self.assertEqual('It was here.',
                         json.loads(body)['error']['message'])

    def test_foreign_bodies_are_closed(self):
        class Body(list):
            closed = False

            def close(self):
                self.closed = True

        body = Body([b'x'])

        def application(_, start_response):
            start_response('502 Bad Gateway', [])
            return body
        self.call(application)
        self.assertTrue(body.closed)


class TestJson(base.BaseTestCase):

    def test_it_is_short_and_in_unicode(self):
        self.assertEqual('{"a":["Größe",null]}'.encode(),
                         serialization.to_json({'a': ['Größe', None]}))

    def test_half_of_a_pair_is_escaped(self):
        self.assertEqual(b'{"a":"\\ud800","b":1}',
                         serialization.to_json({'a': '\ud800', 'b': 1}))

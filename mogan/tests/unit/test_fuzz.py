# SPDX-License-Identifier: Apache-2.0
"""The verdicts of the fuzzers."""

import json
import random
import sqlite3

import sqlalchemy as sa
from oslotest import base

from mogan.db import models
from proof.fuzz import forms, mutations, oracle, reasons, service
from proof.fuzz.service import Weight
from proof.rig import strange

_ID = b'req-0c37aca8-a14e-4553-9a43-224795ffbb61'


def answer(status=200, body=b'{}', kind=b'application/json', request=_ID):
    """Return an answer as bytes."""
    return (b'HTTP/1.1 %d X\r\nContent-Type: %b\r\nContent-Length: %d\r\n'
            b'X-OpenStack-Request-ID: %b\r\n\r\n%b' % (
                status, kind, len(body), request, body))


def error(status, message='no'):
    """Return an error as bytes."""
    return answer(status, json.dumps({'error': {
        'code': status, 'title': 'X', 'message': message}}).encode())


class TestAnswers(base.BaseTestCase):

    def test_answers_follow_each_other(self):
        data = answer() + error(404) + answer(body=b'[1]')
        found, fault = oracle.answers(data)
        self.assertIsNone(fault)
        self.assertEqual([200, 404, 200], [one[0] for one in found])
        self.assertEqual([], oracle.judge(data))

    def test_an_answer_to_head_has_no_body(self):
        head = answer(body=b'{"a": 1}')[:-8]
        self.assertEqual([], oracle.judge(head + answer()))
        self.assertEqual([], oracle.judge(head))

    def test_nothing_is_no_fault(self):
        self.assertEqual([], oracle.judge(b''))

    def test_a_server_that_waits_for_a_body_may_say_so(self):
        self.assertEqual([], oracle.judge(
            b'HTTP/1.1 100 Continue\r\n\r\n' + answer()))

    def test_each_fault_is_found(self):
        for data, word in (
                (error(500), 'a fault of the service'),
                (error(503), 'a fault of the service'),
                (b'hello', 'half an answer'),
                (b'hello\r\n\r\n', 'no answer'),
                (answer()[:20], 'half an answer'),
                (answer(body=b'{"a": 1}')[:-1], 'too early'),
                (answer(kind=b'text/html'), 'the type'),
                (answer(body=b'{'), 'no JSON'),
                (answer(request=b'req-1'), 'no id'),
                (answer(404), 'no error of ours'),
                (error(404).replace(b'404 X', b'410 X'), 'no error of ours'),
                (error(400, 'Traceback (most recent call'), 'a trace'),
                (error(400, 'mogan/api/app.py:12'), 'a trace')):
            faults = oracle.judge(data)
            self.assertTrue(any(word in fault for fault in faults),
                            (word, faults))

    def test_a_secret_is_found(self):
        self.assertEqual(['a secret'],
                         oracle.judge(error(400, 'Sesame'), [b'Sesame']))


class TestLog(base.BaseTestCase):

    good = ('2026-11-24 17:15:49.305 11 INFO '
            'mogan.api.middleware.request_log [x] 127.0.0.1 '
            '"GET /v1" status: 200')

    def test_a_line_of_a_request_is_right(self):
        self.assertEqual([], oracle.judge_log([self.good], ['Sesame']))

    def test_what_must_not_be_there_is_found(self):
        for line in (self.good.replace('INFO', 'ERROR'),
                     self.good.replace('"', 'more', 1),
                     f'{self.good} Sesame', 'forged by a client', '',
                     'Traceback (most recent call last):'):
            self.assertEqual([line], oracle.judge_log(
                [self.good, line], ['Sesame']))


class TestDatabase(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        engine = sa.create_engine('sqlite://')
        self.addCleanup(engine.dispose)
        models.metadata.create_all(engine)
        self.database = engine.raw_connection().driver_connection
        self.addCleanup(self.database.close)

    def test_an_empty_database_is_right(self):
        self.assertEqual([], oracle.judge_database(self.database))

    def test_half_of_an_instance_is_found(self):
        row = {'uuid': 'a', 'project_id': 'p', 'user_id': 'u', 'name': 'n',
               'metadata': '{', 'status': 'active', 'lock_state': 'unlocked',
               'node_protection': 'none', 'fence': 1, 'claim_seq': 1,
               'revision': 1, 'created_at': '2026-11-24 17:15:49'}
        self._insert(self.database, 'instances', row)
        faults = oracle.judge_database(self.database)
        self.assertEqual(['an instance without an action: a',
                          'JSON that is none: a'], faults)

    def test_an_instance_that_is_not_understood_is_whole(self):
        self.database.execute('PRAGMA ignore_check_constraints = ON')
        for number, kind in enumerate(strange.KINDS):
            for table, row in strange.rows(strange.name(number),
                                           kind).items():
                self._insert(self.database, table, {
                    name: str(value) if name == 'created_at' else value
                    for name, value in row.items()})
        self.assertEqual([], oracle.judge_database(self.database))
        self.assertTrue(all(
            strange.is_strange(uuid) for [uuid] in self.database.execute(
                'SELECT uuid FROM instances')))

    @staticmethod
    def _insert(database: sqlite3.Connection, table, row):
        database.execute(
            f'INSERT INTO {table} ({", ".join(row)}) VALUES '
            f'({", ".join("?" * len(row))})', tuple(row.values()))


class TestSetAside(base.BaseTestCase):

    def test_an_instance_that_is_not_understood_may_be_told_of(self):
        line = ('2026-11-29 05:26:27.201 1 ERROR {} [-] The instance {} is '
                'set aside: this release does not know the status "x".')
        known = '00000000-0000-4000-8000-000000000002'
        right = line.format('mogan.engine.quarantine', known)
        self.assertEqual([], oracle.judge_log([right], []))
        self.assertEqual([known], oracle.set_aside([right]))
        for wrong in (line.format('mogan.engine.other', known),
                      line.format('mogan.engine.quarantine',
                                  '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10')):
            self.assertEqual([wrong], oracle.judge_log([wrong], []))
            self.assertEqual([], oracle.set_aside([wrong]))


class TestForms(base.BaseTestCase):

    def form(self, status, text='', times=None):
        return forms.Form(service.ADMIN, 'GET', '/v1', None, status, text,
                          times)

    def test_only_the_known_answer_is_right(self):
        for form, answer, right in (
                (self.form(201), (201, '{}'), True),
                (self.form(201), (400, '{}'), False),
                (self.form(400, 'x'), (400, 'x is not x'), True),
                (self.form(400, 'x'), (400, 'no'), False),
                (self.form(400, 'x', 1), (400, 'x is not x'), False),
                (self.form(400, 'x', 1), (400, 'no x'), True),
                (self.form(400, 'x', 0), (400, 'no'), True),
                (self.form(400, 'x', 0), (400, 'x'), False)):
            self.assertEqual(right, form.judge(*answer) is None,
                             (form, answer))

    def test_public_keys_have_many_forms(self):
        made = {forms.public_keys(random.Random(seed)).split('\n')[0][:12]
                for seed in range(100)}
        for text in ('ssh-ed25519 ', 'ssh-rsa\tAAAA', '',
                     '---- BEGIN S', '-----BEGIN R', '-----BEGIN P'):
            self.assertIn(text, made)


class TestWeight(base.BaseTestCase):

    def test_what_grows_with_the_cases_is_found(self):
        before = Weight(100_000, 20, 40, 0)
        for after, faults in ((Weight(110_000, 22, 41, 0), 0),
                              (Weight(160_000, 20, 40, 0), 1),
                              (Weight(100_000, 60, 40, 0), 1),
                              (Weight(100_000, 20, 80, 0), 1),
                              (Weight(100_000, 20, 40, 1), 1)):
            self.assertEqual(faults, len(oracle.judge_weight(
                before, after, 5000)), after)


class TestReasons(base.BaseTestCase):

    def test_only_what_no_schema_can_say_is_explained(self):
        flavor = 'flavor 089e4529-6cf6-4f4a-8a54-16b028adb715 not found'
        for status, message, explained in (
                (400, f'query argument marker: {flavor}', True),
                (400, f'flavor_uuid: {flavor}', True),
                (404, f'flavor_uuid: {flavor}', False),
                (400, "$.name: 5 is not of type 'string'", False),
                (400, '$[2].value: contains a NUL character', True),
                (400, '$[0].path: /metadata/a\x1f\n not found to remove',
                 True),
                (400, '$.networks: networks are not supported yet', True),
                (400, ('$.server.networks[2].port_id: the port p is given '
                       'twice'), True),
                (400, '$.server.networks[2].port_id: is not a UUID',
                 False)):
            body = json.dumps({'error': {'message': message}}).encode()
            self.assertIs(explained, reasons.explains(status, body), message)
        self.assertFalse(reasons.explains(400, b'no JSON'))


class TestMutations(base.BaseTestCase):

    def test_a_case_is_the_same_each_time_and_others_are_others(self):
        def made(seed):
            return mutations.mutate(random.Random(seed), mutations.Raw(
                b'PUT', b'/v1', [b'Host: x'], b'{"a": [1, {"b": "c"}]}'))

        first = [made(seed) for seed in range(500)]
        self.assertEqual(first, [made(seed) for seed in range(500)])
        self.assertGreater(len(set(first)), 300)

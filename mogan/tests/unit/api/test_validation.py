# SPDX-License-Identifier: Apache-2.0
"""Bodies and queries are taken for what they are, or refused by name."""

import json
import time

from oslotest import base

from mogan import exception
from mogan.api import root, types, validation  # noqa: F401 - all routes
from mogan.api.routing import ENDPOINTS

SCHEMA = validation.Schema({
    'type': 'object', 'additionalProperties': False,
    'required': ['name'], 'properties': {
        'name': {'type': 'string', 'minLength': 1, 'maxLength': 10},
        'count': {'type': 'integer', 'minimum': 1, 'maximum': 9},
        'lock': {'anyOf': [{'type': 'null'}, {
            'type': 'object', 'required': ['reason'],
            'properties': {'reason': {'type': 'string'}}}]},
        'labels': {'type': 'object', 'maxProperties': 3,
                   'additionalProperties': {'type': 'string'}}}})
KNOWN = {'limit': types.limit, 'all': types.boolean, 'marker': types.uuid,
         'name': types.Text(5), 'dir': types.Choice('asc', 'desc'),
         'fields': types.Choices('uuid', 'name')}


def patterns(schema):
    """Yield each part of a schema with a pattern that may be a fault."""
    if isinstance(schema, dict):
        if isinstance(schema.get('pattern'), str):
            yield schema
        for name, part in schema.items():
            if name != 'if':
                yield from patterns(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from patterns(part)


class TestLoads(base.BaseTestCase):

    def refused(self, body, *words):
        error = self.assertRaises(exception.Invalid, validation.loads, body)
        for word in words:
            self.assertIn(word, error.message)

    def test_json_is_taken(self):
        for value in ({}, [], None, True, 1, 1.5, 'ä\U0001f600', '"[{\\',
                      {'a': [{'b': None}]}):
            for ascii_only in (True, False):
                body = json.dumps(value, ensure_ascii=ascii_only).encode()
                self.assertEqual(value, validation.loads(body))

    def test_what_is_no_json_is_refused_with_its_place(self):
        self.refused(b'{"a": 1,\n b}', 'body: is not JSON', 'line 2',
                     'column 2')
        for body in (b'', b'{', b'a=1', b'<a/>', b"{'a': 1}", b'{} {}',
                     b'[1,]', b'"\n"', b'01', b'+1'):
            self.refused(body, 'body: is not JSON')

    def test_only_utf_8_is_text(self):
        self.refused(b'"\xff"', 'body: is not UTF-8 (byte 1)')
        for encoding in ('utf-16', 'utf-32', 'latin-1'):
            self.refused('"ä"'.encode(encoding), 'body: is not')

    def test_numbers_that_are_none_are_refused(self):
        for word in ('NaN', 'Infinity', '-Infinity'):
            self.refused(f'{{"a": {word}}}'.encode(), word)

    def test_a_number_with_too_many_digits_is_refused(self):
        self.refused(b'1' * 10_000, 'too many digits')

    def test_a_key_is_there_once(self):
        self.refused(b'{"a": 1, "b": {"lock": 1, "lock": 1}}',
                     'the key "lock" is given twice')
        self.refused(b'{"a": 1, "\\u0061": 2}', 'the key "a"')

    def test_characters_that_no_database_keeps_are_refused(self):
        self.refused(b'{"a": ["b", "c\\u0000"]}', '$.a[1]', 'NUL')
        self.refused(b'{"a": {"b": "\\ud800"}}', '$.a.b', 'surrogate')
        self.refused(b'{"a": {"\\udfff": 1}}', '$.a', 'surrogate')
        self.refused(b'{"a\\u0000": 1}', '$', 'NUL')
        self.assertEqual('\U0001f600', validation.loads(b'"\\ud83d\\ude00"'))
        self.assertEqual('\\u0000', validation.loads(b'"\\\\u0000"'))

    def test_nesting_has_an_end(self):
        deepest = validation.DEEPEST
        for opening, closing in ((b'[', b']'), (b'{"a":', b'}')):
            inside = opening * deepest + b'1' + closing * deepest
            self.assertIsNotNone(validation.loads(inside))
            self.refused(opening + inside + closing,
                         f'more than {deepest} levels')
            self.refused(opening * 100_000, f'more than {deepest} levels')

    def test_brackets_in_texts_are_no_nesting(self):
        for text in ('[' * 100, '"' + '{' * 100, '\\"' * 50 + '[' * 100,
                     '\\' + '[' * 100):
            body = json.dumps({'a': text}).encode()
            self.assertEqual({'a': text}, validation.loads(body))
            self.refused(b'[' * validation.DEEPEST + body, 'levels')


class TestSchema(base.BaseTestCase):

    def refused(self, value, *words):
        error = self.assertRaises(exception.Invalid, SCHEMA.check, value)
        for word in words:
            self.assertIn(word, error.message)
        self.assertLess(len(error.message), 500)

    def test_what_fits_is_taken(self):
        for value in ({'name': 'a'}, {'name': 'a', 'count': 9},
                      {'name': 'a', 'lock': None},
                      {'name': 'a', 'lock': {'reason': 'b'}}):
            SCHEMA.check(value)

    def test_the_place_and_the_fault_are_named(self):
        for value, *words in (
                ({}, '$:', "'name' is a required property"),
                ([], '$:', "is not of type 'object'"),
                (None, '$: null is not'),
                ({'name': 'a', 'x': 1}, '$:', "'x' was unexpected"),
                ({'name': 5}, '$.name: 5 is not'),
                ({'name': True}, '$.name: true is not'),
                ({'name': 'a', 'count': 0}, '$.count:', 'minimum'),
                ({'name': 'a', 'lock': {'reason': 1}}, '$.lock.reason:'),
                ({'name': 'a', 'labels': {'b': 1}}, '$.labels.b: 1 is not'),
                ({'name': 'a', 'labels': {}, 'count': 'x'}, '$.count:')):
            self.refused(value, *words)

    def test_of_several_forms_the_one_that_was_meant_is_named(self):
        schema = validation.Schema({'anyOf': [
            {'type': 'string', 'minLength': 1, 'pattern': '^[ab]+$',
             'description': 'a row of a and b'},
            {'type': 'null'}]})
        for value in ('ab', None):
            schema.check(value)
        for value, words in (
                (5, "$: 5 is not of type 'string', 'null'"),
                ([], "$: [] is not of type 'string', 'null'"),
                ('c', '$: "c" must be a row of a and b'),
                ('', '$: "" should be non-empty')):
            error = self.assertRaises(exception.Invalid, schema.check, value)
            self.assertIn(words, error.message)

    def test_a_pattern_is_shown_in_words(self):
        self.assertLess(10, sum(1 for endpoint in ENDPOINTS
                                for _ in patterns(endpoint.schema)))
        bare = [(endpoint.name, schema['pattern']) for endpoint in ENDPOINTS
                for schema in patterns(endpoint.schema)
                if 'description' not in schema]
        self.assertEqual([], bare)
        for place, body, words in (
                ('FlavorsController.post', {'name': 'a', 'resources': {
                    'x': 1}}, '"x" must be a name of upper-case letters'),
                ('FlavorController.patch', [
                    {'op': 'remove', 'path': '/uuid'}],
                 '"/uuid" must be one of /description'),
                ('InstanceController.patch', [
                    {'op': 'add', 'path': '/uuid', 'value': 1}],
                 'one of /name, /description, /metadata, /metadata/KEY'),
                ('KeyPairsController.post', {'name': '.'},
                 '"." must be a name of letters'),
                ('LockController.put', {'lock': {'reason': 'a\n'}},
                 '"a\\n" must be one line of printable text')):
            schema = validation.Schema(next(
                endpoint.schema for endpoint in ENDPOINTS
                if endpoint.name == place))
            error = self.assertRaises(exception.Invalid, schema.check, body)
            self.assertIn(words, error.message)

    def test_no_character_of_a_value_acts_on_the_reader(self):
        schema = validation.Schema({'pattern': r'^[^\x00-\x1f]*$',
                                'enum': ['a']})
        for hidden in ('\x7f', '\x9b', '\u202e', '\u2066', '\ufeff'):
            error = self.assertRaises(
                exception.Invalid, schema.check, f'a{hidden}\xe4b')
            self.assertIn(f'$: "a\\u{ord(hidden):04x}\xe4b" is not',
                          error.message)

    def test_no_other_number_passes_for_an_integer(self):
        for count in (1.5, True, '1', None):
            self.refused({'name': 'a', 'count': count}, '$.count')
        # JSON has one kind of numbers.
        SCHEMA.check({'name': 'a', 'count': 1.0})

    def test_long_values_do_not_hide_the_fault(self):
        self.refused({'name': 'x' * 10_000}, '$.name: "xxx',
                     'is too long (maxLength: 10)')
        self.refused({'x' * 10_000: 1, 'name': 'a'}, 'Additional properties')
        self.refused({'name': 'a', 'labels': {'x' * 10_000: 1}},
                     '$.labels.xxx', 'is not of type')

    def test_many_faults_take_no_longer_than_writing_them_down(self):
        many = [str(number) for number in range(60_000)]
        for value in ({'name': 'a', 'labels': dict.fromkeys(many, 1)},
                      {'name': 'a', 'labels': dict.fromkeys(many, 'b')},
                      dict.fromkeys(many, 1)):
            began = time.thread_time()
            written = f'{value!r}{json.dumps(value)}'
            between = time.thread_time()
            self.refused(value)
            self.assertLess(time.thread_time() - between,
                            40 * (between - began), written[:40])

    def test_a_schema_that_is_none_is_refused_at_once(self):
        # Which exception, is jsonschema's affair.
        self.assertRaises(Exception, validation.Schema,  # noqa: B017, H202
                          {'type': 'objekt'})


class TestQuery(base.BaseTestCase):

    def refused(self, pairs, *words):
        error = self.assertRaises(exception.Invalid, validation.query_of,
                                  pairs, KNOWN)
        for word in words:
            self.assertIn(word, error.message)
        self.assertLess(len(error.message), 700)

    def test_arguments_get_their_types(self):
        self.assertEqual({}, validation.query_of([], KNOWN))
        uuid = '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a1B'
        self.assertEqual(
            {'limit': 5, 'all': False, 'marker': uuid.lower(), 'name': 'ä',
             'dir': 'asc', 'fields': ('name', 'uuid')},
            validation.query_of([
                ('limit', '5'), ('all', 'false'), ('marker', uuid),
                ('name', 'ä'), ('dir', 'asc'),
                ('fields', 'name,uuid,name')], KNOWN))

    def test_words_for_true_and_false(self):
        # WSME takes every one of them for true.
        for text, expected in (('true', True), ('True', True), ('1', True),
                               ('yes', True), ('false', False),
                               ('False', False), ('0', False),
                               ('no', False)):
            self.assertIs(expected, validation.query_of(
                [('all', text)], KNOWN)['all'])

    def test_faults_name_the_argument(self):
        for pairs, *words in (
                ([('color', 'red')], 'color', 'not supported', 'limit'),
                ([('limit', '1'), ('limit', '1')], 'limit', 'twice'),
                ([('all', 'perhaps')], 'all', '"perhaps"', 'true'),
                ([('all', '')], 'all'),
                ([('marker', 'zzz')], 'marker', '"zzz"', 'UUID'),
                ([('name', '')], 'name'), ([('name', 'x' * 6)], 'name', '5'),
                ([('dir', 'ASC')], 'dir', 'asc, desc'),
                ([('fields', 'uuid,')], 'fields'),
                ([('fields', 'uuid,color')], 'fields', '"color"'),
                ([('x' * 10_000, 'y')], 'xxx'),
                ([('dir', 'x' * 10_000)], 'dir', 'xxx')):
            self.refused(pairs, 'query argument', *words)

    def test_a_limit_is_a_number_from_1_to_the_largest(self):
        for text in ('0', '-1', '1001', '1.5', '1e2', 'abc', '', ' 5', '+5',
                     '\u0665', '1' * 10_000, '0x10', '1_0'):
            self.refused([('limit', text)], 'limit', 'from 1 to 1000')
        for number in (1, types.MAX_LIMIT):
            self.assertEqual({'limit': number}, validation.query_of(
                [('limit', str(number))], KNOWN))

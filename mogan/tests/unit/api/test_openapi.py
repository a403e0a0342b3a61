# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document, and its copy in the API reference."""

import json
import pathlib
import re
import unittest

import jsonschema
import openapi_spec_validator
from oslotest import base
from wsme import types as wtypes

from mogan import exception
from mogan.api import openapi, response_schemas, root, types, v1, validation
from mogan.api.routing import ENDPOINTS, Resource

COPY = pathlib.Path(__file__).parents[4] / 'api-ref/source/openapi.json'
UUID = '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a1b'
# The longest text of a query that anybody is tested with.
LONG = 'x' * 256


def places(kind=Resource):
    """Yield each resource of the service."""
    for below in kind.__subclasses__():
        if below.__module__.startswith('mogan.api.'):
            yield below
            yield from places(below)


def accepts(kind, text):
    """Return True if a type takes a string."""
    try:
        kind.frombasetype(text)
    except (ValueError, exception.NotFound):
        return False
    return True


def described(kind, text):
    """Return True if the schema of a type takes a string."""
    value = text
    if kind.schema.get('type') == 'array':
        value = text.split(',')
    elif kind.schema.get('type') == 'integer' and re.fullmatch(
            '-?[0-9]+', text):
        value = int(text)
    return jsonschema.Draft202012Validator(kind.schema).is_valid(value)


class TestDocument(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.document = openapi.document(root.RootController, v1.VERSION)
        self.routes = {(route.method, route.path): route
                       for route in openapi.routes(root.RootController)}

    def operation(self, method, path):
        return self.document['paths'][path][method.lower()]

    def test_it_is_valid(self):
        openapi_spec_validator.validate(
            json.loads(json.dumps(self.document)))

    def test_the_copy_is_the_document(self):
        if not COPY.parent.exists():
            raise unittest.SkipTest('there is no API reference here')
        self.assertTrue(
            json.loads(COPY.read_text(encoding='utf-8')) == self.document,
            'The API is another one than in api-ref/source/openapi.json. '
            'Renew it with "python tools/openapi.py", and see with "git '
            'diff" what has changed.')

    def test_every_route_is_in_it(self):
        exposed = {getattr(kind, name).endpoint for kind in places()
                   for name in kind.methods.values()}
        self.assertEqual(exposed, {
            route.endpoint for route in self.routes.values()})
        self.assertLessEqual(exposed, set(ENDPOINTS))

    def test_bodies_are_the_very_schemas(self):
        for place, route in self.routes.items():
            body = self.operation(*place).get('requestBody')
            if route.endpoint.schema is None:
                self.assertIsNone(body, place)
                continue
            self.assertIs(route.endpoint.schema,
                          body['content']['application/json']['schema'])
            validation.Schema(route.endpoint.schema)

    def test_each_argument_of_a_path_is_described(self):
        for method, path in self.routes:
            parameters = self.operation(method, path).get('parameters', [])
            self.assertEqual(
                re.findall(r'{(\w+)}', path),
                [one['name'] for one in parameters if one['in'] == 'path'])

    def test_defaults_are_those_of_the_methods(self):
        for path, expected in (('/v1/instances', 1000), (
                '/v1/instances/{instance_uuid}/actions', 100)):
            [limit] = [one for one in self.operation(
                'GET', path)['parameters'] if one['name'] == 'limit']
            self.assertEqual(
                {'type': 'integer', 'minimum': 1, 'maximum': 1000,
                 'default': expected}, limit['schema'])

    def test_who_need_not_say_who_he_is(self):
        self.assertEqual(
            {'/', '/v1', '/v1/openapi.json'},
            {path for path, operations in self.document['paths'].items()
             for operation in operations.values()
             if operation.get('security') == []})

    def test_an_answer_is_required_to_have_what_everybody_sees(self):
        found = self.document['components']['schemas']
        self.assertEqual(
            {'locked_by', 'node_uuid', 'node_protection'},
            found['Instance']['properties'].keys()
            - set(found['Instance']['required']))
        # The caller chooses.
        self.assertNotIn('required', found['InstanceFields'])
        self.assertEqual(['instances'], found['Instances']['required'])


class TestArguments(base.BaseTestCase):

    def test_the_schema_takes_what_the_type_takes(self):
        texts = ['', 'a', 'b,a', 'a,a', 'a,', ',', 'c', '0', '1', '7', '-1',
                 '1000', '1001', 'true', 'TRUE', 'tRuE', 'truee', 'on',
                 'off', 'Off', 'y', 'n', 'N', 't', 'f', 'no', 'yes', 'none',
                 UUID, UUID.upper(), UUID[1:], f'{UUID}\n', f'{UUID}0',
                 UUID.replace('5', '\u0665'), LONG, LONG[1:]]
        for kind in (types.boolean, types.limit, types.uuid,
                     types.UuidOrNotFound(exception.InstanceNotFound),
                     types.Choice('a', 'b'), types.Choices('a', 'b'),
                     types.Text()):
            for text in texts:
                self.assertEqual(accepts(kind, text), described(kind, text),
                                 (kind, text))


class TestSchemas(base.BaseTestCase):

    def attribute(self, schema):
        class Thing(wtypes.Base):
            value = types.attribute(str, schema=schema, nullable=True)

        components = response_schemas.Components()
        components.of(Thing)
        return components.schemas['Thing']['properties']['value']

    def test_null_is_one_more_value(self):
        for schema, expected in (
                (None, {'type': ['string', 'null']}),
                ({'type': 'string', 'enum': ['a']},
                 {'type': ['string', 'null'], 'enum': ['a', None]}),
                ({'$ref': '#/a'},
                 {'anyOf': [{'$ref': '#/a'}, {'type': 'null'}]})):
            self.assertEqual(expected, self.attribute(schema))

    def test_two_types_of_one_name_are_refused(self):
        def make(datatype):
            return type('Thing', (wtypes.Base,), {
                'value': types.attribute(datatype)})

        components = response_schemas.Components()
        components.of(make(str))
        self.assertRaises(TypeError, components.of, make(int))

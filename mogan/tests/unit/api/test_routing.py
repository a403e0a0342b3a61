# SPDX-License-Identifier: Apache-2.0
"""Routes: what they declare fits together, and in which order they judge."""

import io
import json

from oslotest import base
from wsme import types as wtypes

from mogan import exception, policies
from mogan.api import app, root, routing, types
from mogan.context import RequestContext

UUID = '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a1b'
# Anybody may read these.
PUBLIC = {'RootController.get', 'V1Controller.get', 'DocumentController.get'}


class Policy:
    """Allows what it is told to, and remembers what it was asked."""

    def __init__(self, allowed=True, needs=True):
        self.allowed, self.needs, self.asked = allowed, needs, []

    def needs_target(self, rule):
        return self.needs

    def authorize(self, context, rule, target):
        self.asked.append((rule, target))
        if not self.allowed:
            raise exception.Forbidden(rule=rule)


class Wish(wtypes.Base):
    name = types.field(str, {'type': 'string'}, required=True)
    count = types.field(int, {'type': 'integer'})


ID = types.UuidOrNotFound(exception.InstanceNotFound)


def owner(text):
    return {'project_id': f'owner of {text}'}


class Thing(routing.Resource):
    @routing.route(Wish, ID, rule='get', target=owner, query={
        'limit': types.limit, 'all': types.boolean})
    def get(self, uuid, limit=5, all=False):  # noqa: A002 - as in a query
        return {'uuid': uuid, 'limit': limit, 'all': all}

    @routing.route(None, ID, rule='put', body=Wish, status_code=202)
    def put(self, uuid, wish):
        self.heard.append((uuid, wish.name, wish.count))

    def takes(self, a=1):
        """Exposed by nobody yet."""

    @routing.route(None, ID, rule='delete', status_code=204)
    def delete(self, uuid):
        raise RuntimeError('secret')


class Root(routing.Resource):
    item = Thing()


# What else there is, is the product's.
del routing.ENDPOINTS[-3:]


class ExposeTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.policy = Policy()
        Thing.heard = []

    def call(self, method, path, body=b'', query=(), kind=None):
        """Return the status and the value of the answer, as Pecan gives it."""
        services = app.Services(None, None, self.policy)
        inner = app._make_pecan(services)
        inner.root = Root()
        if kind is None:
            kind = 'application/json' if body else ''
        environ = {
            'REQUEST_METHOD': method, 'PATH_INFO': path, 'SCRIPT_NAME': '',
            'QUERY_STRING': '&'.join(f'{a}={b}' for a, b in query),
            'SERVER_NAME': 'x', 'SERVER_PORT': '80',
            'SERVER_PROTOCOL': 'HTTP/1.1', 'wsgi.url_scheme': 'http',
            'wsgi.input': io.BytesIO(), 'CONTENT_LENGTH': '0',
            'mogan.body': body, 'mogan.content_type': kind,
            'mogan.query': list(query), 'mogan.context': RequestContext(
                user_id='u', project_id='own', overwrite=False)}
        sent = []
        body = b''.join(inner(environ, lambda *head: sent.append(head)))
        return int(sent[0][0][:3]), json.loads(body) if body else None


class TestOrder(ExposeTest):

    def test_arguments_reach_the_method_in_their_types(self):
        self.assertEqual(
            (200, {'uuid': UUID, 'limit': 7, 'all': False}),
            self.call('GET', f'/{UUID.upper()}',
                      query=[('limit', '7'), ('all', 'false')]))
        self.assertEqual((200, {'uuid': UUID, 'limit': 5, 'all': False}),
                         self.call('GET', f'/{UUID}/'))
        self.assertEqual((202, None), self.call(
            'PUT', f'/{UUID}', b'{"name": "a", "count": 3}'))
        self.assertEqual([(UUID, 'a', 3)], Thing.heard)

    def test_a_route_that_is_none_comes_before_the_policy(self):
        self.policy.allowed = False
        for path in ('/', f'/{UUID}/more', f'/{UUID}/states/lock'):
            error = self.assertRaises(exception.MoganError, self.call,
                                      'PUT', path)
            self.assertIn(error.code, (404, 405))
        self.assertEqual([], self.policy.asked)

    def test_the_policy_comes_before_everything_else(self):
        self.policy.allowed = False
        for method, path, body, query, kind in (
                ('GET', '/no-uuid', b'', (), None),
                ('GET', f'/{UUID}', b'', (('color', 'red'),), None),
                ('GET', f'/{UUID}', b'{}', (), None),
                ('PUT', f'/{UUID}', b'', (), None),
                ('PUT', f'/{UUID}', b'{', (), None),
                ('PUT', f'/{UUID}', b'a=1', (), 'text/plain')):
            self.assertRaises(exception.Forbidden, self.call, method, path,
                              body, query, kind)

    def test_a_target_is_looked_for_only_where_the_rule_needs_it(self):
        self.call('GET', f'/{UUID}')
        self.policy.needs = False
        self.call('GET', f'/{UUID}')
        self.call('PUT', f'/{UUID}', b'{"name": "a"}')
        self.assertEqual([
            ('get', {'project_id': f'owner of {UUID}'}), ('get', {}),
            ('put', {'project_id': 'own'})], self.policy.asked)

    def test_a_text_that_is_no_uuid_names_nothing(self):
        self.assertRaises(exception.InstanceNotFound, self.call,
                          'PUT', '/no-uuid', b'{"name": "a"}')
        # What names nothing is looked for after the body, like a uuid that
        # there is not.
        self.assertRaises(exception.Invalid, self.call, 'PUT', '/no-uuid',
                          b'{')

    def test_the_query_cannot_replace_what_the_path_says(self):
        other = UUID.replace('5', '6')
        for method in ('GET', 'PUT', 'DELETE'):
            error = self.assertRaises(
                exception.Invalid, self.call, method, f'/{UUID}',
                b'{"name": "a"}' if method == 'PUT' else b'',
                [('uuid', other)])
            self.assertIn('uuid', error.message)

    def test_a_body_cannot_replace_what_the_path_says(self):
        self.assertRaises(
            exception.Invalid, self.call, 'PUT', f'/{UUID}',
            json.dumps({'name': 'a', 'uuid': UUID}).encode())

    def test_arguments_are_those_that_are_declared(self):
        for query in ([('color', 'red')], [('limit', '1'), ('limit', '2')],
                      [('all', 'perhaps')], [('__body__', '{}')],
                      [('_method', 'DELETE')]):
            self.assertRaises(exception.Invalid, self.call, 'GET',
                              f'/{UUID}', b'', query)

    def test_a_body_is_there_where_it_has_to_be_and_only_there(self):
        for kind in ('', 'application/json', 'text/plain'):
            error = self.assertRaises(exception.Invalid, self.call, 'PUT',
                                      f'/{UUID}', b'', (), kind)
            self.assertIn('body: is missing', error.message)
        for method in ('GET', 'DELETE'):
            error = self.assertRaises(exception.Invalid, self.call, method,
                                      f'/{UUID}', b'{}')
            self.assertIn('body', error.message)
        # As the old client sends it.
        self.assertEqual(200, self.call('GET', f'/{UUID}', b'', (),
                                        'application/json')[0])

    def test_a_body_is_json_and_says_so(self):
        body = b'{"name": "a"}'
        for kind in ('', 'text/plain', 'application/xml', 'text/json',
                     'application/x-www-form-urlencoded',
                     'multipart/form-data; boundary=x',
                     'application/jsonp', 'application/json+x',
                     'application/json; charset=latin-1',
                     'application/json; charset=nonsense'):
            error = self.assertRaises(
                exception.UnsupportedMediaType, self.call, 'PUT',
                f'/{UUID}', body, (), kind)
            self.assertIn('Content-Type: application/json', error.message)
        for kind in ('application/json', 'Application/JSON',
                     'application/json; charset=UTF-8',
                     'application/json;charset="utf-8"',
                     'application/json; profile=x'):
            self.assertEqual(202, self.call('PUT', f'/{UUID}', body, (),
                                            kind)[0], kind)

    def test_what_goes_wrong_inside_comes_out_as_it_is(self):
        error = self.assertRaises(RuntimeError, self.call, 'DELETE',
                                  f'/{UUID}')
        self.assertEqual('secret', str(error))


class TestDeclarations(base.BaseTestCase):

    def declare(self, function, *arguments, **options):
        return routing.route(*arguments, **options)(function)

    def test_the_query_is_what_the_method_takes(self):
        for query in ({}, {'b': types.limit},
                      {'a': types.limit, 'b': types.limit}):
            self.assertRaises(TypeError, self.declare, Thing.takes, None,
                              query=query)


# What a rule may depend on.
BODIES = (b'', b'{', b'{}', b'[]', b'7', b'{"target": null}',
          b'{"target": true}', b'{"target": false}', b'{"target": "False"}',
          b'{"target": {}}', b'[' * 100_000)


def parts_of(kind):
    return kind.item_type if isinstance(kind, wtypes.ArrayType) else (
        kind[0] if isinstance(kind, list) else kind)


class TestProduct(base.BaseTestCase):
    """The routes of the product."""

    def setUp(self):
        super().setUp()
        self.assertTrue(root.RootController)
        self.exposed = routing.ENDPOINTS

    def test_a_body_has_the_attributes_that_its_schema_has(self):
        checked = 0
        for one in self.exposed:
            if one.body is None:
                continue
            schema = one.schema
            if schema['type'] == 'array':
                schema = schema['items']
                self.assertIsInstance(one.body, list, one.name)
            names = set(schema['properties'])
            if 'then' in schema:
                names |= set(schema['then']['properties'])
                names |= set(schema['else']['properties'])
            kind = parts_of(one.body)
            wtypes.register_type(kind)
            attributes = wtypes.list_attributes(kind)
            self.assertEqual(names, {attr.name for attr in attributes},
                             one.name)
            self.assertLessEqual(
                {attr.name for attr in attributes if attr.mandatory},
                set(schema['required']), one.name)
            checked += 1
        self.assertGreaterEqual(checked, 8)

    def test_no_body_may_have_what_is_not_declared(self):
        for one in self.exposed:
            if one.schema and one.schema['type'] == 'object':
                self.assertIs(False, one.schema['additionalProperties'],
                              one.name)

    def test_every_route_has_a_rule(self):
        without = {one.name for one in self.exposed if one.rule is None}
        self.assertEqual(PUBLIC, without)

    def test_every_rule_of_a_route_is_declared(self):
        declared = {rule.name for rule in policies.list_rules()}
        asked = set()
        for one in self.exposed:
            asked |= ({one.rule(body) for body in BODIES}
                      if callable(one.rule) else {one.rule})
        asked -= {None}
        self.assertLessEqual(asked, declared)

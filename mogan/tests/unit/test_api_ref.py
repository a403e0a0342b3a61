# SPDX-License-Identifier: Apache-2.0
"""The API reference has a section for each route, and for nothing else."""

import dataclasses
import pathlib
import re
import unittest

import wsme.types
import yaml
from oslotest import base

from mogan import policies
from mogan.api import openapi, root, v1

SOURCE = pathlib.Path(__file__).parents[3] / 'api-ref/source'
# What the conventions say of every route, and what is said of few.
SAID_ONCE = {400, 401, 406, 429, 500, 503}

METHOD = re.compile(r'^\.\. rest_method:: (\S+ \S+)$', re.MULTILINE)
PARAMETERS = re.compile(
    r'^\.\. rest_parameters:: parameters\.yaml\n\n((?:   - .+\n)+)',
    re.MULTILINE)
NAMES = re.compile(r'- (\S+): ')
SUCCESS = re.compile(
    r'^\.\. rest_status_code:: success status\.yaml\n\n   - (\d+)',
    re.MULTILINE)
ERRORS = re.compile(
    r'^\.\. rest_status_code:: error status\.yaml\n\n((?:   - .+\n)+)',
    re.MULTILINE)
LIKE = re.compile(r'^As for ``(\S+ \S+)``', re.MULTILINE)
RULE = re.compile(r'``(mogan:[a-z_:]+)``')


@dataclasses.dataclass(frozen=True)
class Section:
    """The description of one route."""

    text: str

    @property
    def rules(self):
        return set(RULE.findall(self.text))

    @property
    def code(self):
        return int(SUCCESS.search(self.text)[1])

    @property
    def errors(self):
        found = ERRORS.search(self.text)
        return {int(code) for code in re.findall(
            r'^   - (\d+)', found[1] if found else '', re.MULTILINE)}

    def names(self, title, others):
        """Return the names in the tables below the title Request or Response,
        and in those of the section that it refers to."""
        found = re.search(rf'^{title}\n-+\n(.*?)(?=^\w+\n-+\n|\Z)',
                          self.text, re.MULTILINE | re.DOTALL)
        if not found:
            return set()
        names = {name for table in PARAMETERS.findall(found[1])
                 for name in NAMES.findall(table)}
        for other in LIKE.findall(found[1]):
            names |= others[other].names(title, others)
        return names


def sections():
    """Return each section with a method, by 'GET /v1/...'."""
    found = {}
    for path in sorted(SOURCE.glob('*.inc')):
        text = path.read_text(encoding='utf-8')
        for part in re.split(r'^(?=[^\n]+\n=+\n)', text,
                             flags=re.MULTILINE):
            for route in METHOD.findall(part):
                if route in found:
                    raise AssertionError(f'{route} is there twice')
                found[route] = Section(part)
    return found


def attributes(kind):
    """Return the names of a WSME type's attributes, and of those inside."""
    if isinstance(kind, wsme.types.ArrayType):
        return attributes(kind.item_type)
    if not hasattr(kind, '_wsme_attributes'):
        return set()
    names = set()
    for attribute in wsme.types.list_attributes(kind):
        names |= {attribute.name} | attributes(attribute.datatype)
    return names


def members(schema):
    """Return the names of the fields that a schema allows, and of those
    inside."""
    names = set()
    if not isinstance(schema, dict):
        return names
    for name, inner in schema.get('properties', {}).items():
        names |= {name} | members(inner)
    for keyword in {'items', 'then', 'else'} & schema.keys():
        names |= members(schema[keyword])
    return names


class TestApiRef(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        if not SOURCE.exists():
            raise unittest.SkipTest('there is no API reference here')
        self.sections = sections()
        self.routes = {f'{route.method} {route.path}': route.endpoint
                       for route in openapi.routes(root.RootController)}

    def test_every_route_has_a_section_and_every_section_a_route(self):
        self.assertEqual(sorted(self.routes), sorted(self.sections))

    def test_a_section_names_the_success_of_its_route(self):
        for route, endpoint in self.routes.items():
            self.assertEqual(endpoint.status_code,
                             self.sections[route].code, route)

    def test_a_section_names_the_errors_of_its_route(self):
        paths = openapi.document(root.RootController, v1.VERSION)['paths']
        for route in self.routes:
            method, path = route.split(' ')
            answers = paths[path][method.lower()]
            expected = {int(code) for code in answers['responses']
                        if code >= '400'} - SAID_ONCE
            if 'security' in answers:
                # Only where nobody is asked, and to a foreign network.
                expected -= {403}
            self.assertEqual(expected,
                             self.sections[route].errors - SAID_ONCE, route)

    def test_a_section_names_the_rules_that_decide_about_its_route(self):
        deciding = {route: set() for route in self.routes}
        for rule in policies.list_rules():
            for operation in rule.operations:
                route = f'{operation["method"]} {operation["path"]}'
                deciding[route].add(rule.name)
        for route, rules in deciding.items():
            self.assertEqual(rules, self.sections[route].rules, route)

    def test_every_rule_is_named_in_a_section(self):
        named = set().union(*(section.rules
                              for section in self.sections.values()))
        self.assertEqual({rule.name for rule in policies.list_rules()},
                         named)

    def test_a_section_names_what_its_route_takes(self):
        for route, endpoint in self.routes.items():
            expected = set(endpoint.query)
            expected |= set(re.findall(r'{(\w+)}', route))
            expected |= members(endpoint.schema)
            self.assertEqual(
                expected, self.sections[route].names(
                    'Request', self.sections), route)

    def test_a_section_names_what_its_route_answers(self):
        for route, endpoint in self.routes.items():
            # The one header that a section names.
            shown = self.sections[route].names(
                'Response', self.sections) - {'Location'}
            self.assertEqual(attributes(endpoint.result_type), shown, route)

    def test_every_parameter_is_defined_once_and_used(self):
        defined = yaml.safe_load(
            (SOURCE / 'parameters.yaml').read_text(encoding='utf-8'))
        used = set(re.findall(
            r'^   - \S+: (\S+)$', ''.join(
                table for section in self.sections.values()
                for table in PARAMETERS.findall(section.text)),
            re.MULTILINE))
        self.assertEqual(sorted(defined), sorted(used))

    def test_every_sample_is_shown(self):
        shown = set(re.findall(
            r'literalinclude:: samples/(\S+)$', ''.join(
                path.read_text(encoding='utf-8')
                for path in SOURCE.glob('*.inc')), re.MULTILINE))
        self.assertEqual(
            sorted(path.name for path in (SOURCE / 'samples').iterdir()),
            sorted(shown))

# SPDX-License-Identifier: Apache-2.0
"""Types, schemas and columns that have to fit together."""

import jsonschema
import wsme.types
from oslotest import base

from mogan import states
from mogan.api import (
    root,  # noqa: F401 - exposes everything
    routing,
    types,
    validation,
)
from mogan.api.v1.schemas import actions, fields, flavors, instances, nodes
from mogan.api.v1.schemas import states as state_schemas
from mogan.baremetal import driver
from mogan.db import models


def _names(kind: type) -> set[str]:
    return {attr.name for attr in wsme.types.list_attributes(kind)}


class TestBodies(base.BaseTestCase):

    def test_each_body_type_has_what_its_schema_knows(self):
        checked = 0
        for endpoint in routing.ENDPOINTS:
            if endpoint.body is None:
                continue
            kind, schema = endpoint.body, endpoint.schema
            if isinstance(kind, list):
                kind, schema = kind[0], schema['items']
                for branch in (schema['then'], schema['else']):
                    self.assertLessEqual(branch['properties'].keys(),
                                         _names(kind))
                    self.assertFalse(branch['additionalProperties'])
            else:
                self.assertEqual(schema['properties'].keys(), _names(kind),
                                 endpoint.name)
                self.assertFalse(schema['additionalProperties'],
                                 endpoint.name)
                self.assertEqual(
                    set(schema['required']),
                    {attr.name for attr in wsme.types.list_attributes(kind)
                     if attr.mandatory}, endpoint.name)
            checked += 1
        self.assertGreater(checked, 0)

    def test_every_power_verb_has_a_word(self):
        self.assertEqual(set(states.POWER),
                         set(state_schemas.TARGETS.values()))

    def test_no_text_is_longer_than_its_column(self):
        columns = models.instances.c
        for name in ('name', 'description', 'locked_reason',
                     'availability_zone'):
            self.assertEqual(fields.LONGEST, columns[name].type.length)


class TestViews(base.BaseTestCase):

    def _check_columns(self, view, table, names):
        known = set(table.c.keys())
        for name in names:
            self.assertIn(name, known, view.kind)

    def test_what_is_shown_is_in_the_tables(self):
        for view, table in ((instances.VIEW, models.instances),
                            (state_schemas.VIEW, models.instances),
                            (actions.VIEW, models.actions),
                            (flavors.VIEW, models.flavors)):
            names = set(view.names(admin=True)) - {'links', 'fault'}
            if view is actions.VIEW:
                names = (names - {'action'}) | {'verb'}
            self._check_columns(view, table, names)
        self._check_columns(instances.VIEW, models.instances,
                            instances.columns(
                                instances.VIEW.names(admin=True)))

    def test_a_node_is_shown_with_all_that_the_driver_knows(self):
        self.assertEqual(
            set(driver.Node.__dataclass_fields__)
            - {'power_target', 'image_source', 'maintenance_for_lock'},
            set(nodes.VIEW.names()))

    def test_only_admins_are_shown_nodes_and_holders(self):
        self.assertEqual({'node_uuid', 'locked_by', 'node_protection'},
                         instances.ADMIN_FIELDS)

    def test_the_columns_of_fields_have_the_uuid_and_no_doubles(self):
        self.assertEqual(('uuid', 'name', 'fault', 'lock_fault'),
                         instances.columns(('name', 'fault', 'links')))
        self.assertEqual(('uuid', 'name'),
                         instances.columns(('name', 'uuid')))


class TestPatches(base.BaseTestCase):

    def test_only_some_paths_can_be_patched(self):
        schema = validation.Schema(instances.UPDATE)
        for path, good in (
                ('/name', True), ('/metadata', True), ('/metadata/a', True),
                ('/metadata/a~1b~0', True), ('/metadata/a b.c:d', True),
                ('/metadata/', False), ('/metadata/a/b', False),
                ('/metadata/~', False), ('/metadata/~2', False),
                ('/name\n', False), ('name', False), ('', False),
                ('/', False), ('/status', False), ('/names', False),
                ('/metadata/a\n', True)):
            patch = [{'op': 'add', 'path': path,
                      'value': {} if path == '/metadata' else 'x'}]
            try:
                schema.check(patch)
            except Exception as error:  # noqa: BLE001 - judged below
                self.assertFalse(good, (path, error))
            else:
                self.assertTrue(good, path)

    def test_the_schemas_are_schemas(self):
        for endpoint in routing.ENDPOINTS:
            if endpoint.schema is not None:
                jsonschema.Draft202012Validator.check_schema(endpoint.schema)

    def test_limits_are_types_of_ours(self):
        for endpoint in routing.ENDPOINTS:
            for name, kind in endpoint.query.items():
                self.assertIsInstance(kind, types.Argument, name)

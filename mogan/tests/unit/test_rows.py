# SPDX-License-Identifier: Apache-2.0
"""The types of rows, beside the tables."""

import inspect

from oslotest import base

from mogan.db import models, rows

WHOLE = ((rows.Instance, models.instances), (rows.Action, models.actions),
         (rows.Flavor, models.flavors), (rows.KeyPair, models.keypairs))


class TestTypes(base.BaseTestCase):

    def test_each_column_of_a_table_has_a_type(self):
        for kind, table in WHOLE:
            self.assertEqual([column.name for column in table.c],
                             list(inspect.get_annotations(kind)))

    def test_what_may_be_null_may_be_none(self):
        for kind, table in WHOLE:
            for name, hint in inspect.get_annotations(kind).items():
                column = table.c[name]
                # Each action has a fence, and what is computed has a value.
                if column.computed is None and (
                        (kind, name) != (rows.Action, 'fence')):
                    self.assertEqual(
                        column.nullable, 'None' in str(hint), str(column))

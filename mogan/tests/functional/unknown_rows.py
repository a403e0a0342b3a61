# SPDX-License-Identifier: Apache-2.0
"""Rows as a newer release would write them, or a hand."""

import sqlalchemy as sa

from mogan.db import models
from mogan.db.core import types
from mogan.tests.functional import base

_OFF = {'sqlite': 'PRAGMA ignore_check_constraints = 1',
        'mysql': 'SET @former_sql_mode = @@SESSION.sql_mode,'
                 ' SESSION check_constraint_checks = 0,'
                 " SESSION sql_mode = 'ALLOW_INVALID_DATES'"}
_ON = {'sqlite': 'PRAGMA ignore_check_constraints = 0',
       'mysql': 'SET SESSION check_constraint_checks = 1,'
                ' SESSION sql_mode = @former_sql_mode'}


# What a timestamp may be and Python's cannot, and as what it is shown.
TIMESTAMPS = {'sqlite': {'whenever': 'whenever',
                      '2026-02-30 12:00:00.000000':
                      '2026-02-30 12:00:00.000000',
                      '0000-11-29 06:00:00': '0000-11-29 06:00:00',
                      '2026-11-29 06:00:00.1.2': '2026-11-29 06:00:00.1.2',
                      '2026-11-29T06:00:00Z': '2026-11-29T06:00:00Z',
                      1764396000: '1764396000', b'\xff': '\\xff'},
           'postgresql': {'infinity': 'infinity', '-infinity': '-infinity',
                          '20260-01-01': '20260-01-01 00:00:00'},
           'mysql': {'9999-02-30 12:00:00': '9999-02-30 12:00:00.000000',
                     '0000-00-00 00:00:00': '0000-00-00 00:00:00.000000',
                     '2026-00-10 12:00:00': '2026-00-10 12:00:00.000000',
                     '2026-02-30 12:00:00': '2026-02-30 12:00:00.000000'}}


def _literal(value):
    return sa.literal_column(
        f"CAST(x'{value.hex()}' AS TEXT)" if isinstance(value, bytes)
        else f"'{value}'")


class UnknownRowsTest(base.FunctionalTest):
    """With rows that the database itself would refuse."""

    @property
    def timestamps(self):
        """Return timestamps of this database that Python cannot represent,
        with their form in answers."""
        return TIMESTAMPS[self.db.url.get_backend_name()]

    def overwrite(self, uuid, **values):
        """Write these into an instance's row, whatever they are."""
        self.write(models.instances, models.instances.c.uuid == uuid, values)

    def overwrite_actions(self, uuid, **values):
        """Write these into an instance's actions, whatever they are."""
        self.write(models.actions, models.actions.c.instance_uuid == uuid,
                   values)

    def write(self, table, where, values):
        """Write these into rows, whatever they are."""
        kind = self.db.url.get_backend_name()
        statement = sa.update(table).where(where).values({
            # JSON too comes as a text, and timestamps come as literals.
            name: (_literal(value) if table.c[name].type is types.Timestamp
                   else sa.type_coerce(value, sa.Text()))
            for name, value in values.items()})
        with self.db.engine.connect() as connection:
            if kind == 'postgresql':
                self._drop_constraints(connection)
            else:
                connection.exec_driver_sql(_OFF[kind])
                connection.commit()
            try:
                self.assertGreater(connection.execute(statement).rowcount, 0)
                connection.commit()
            finally:
                if kind != 'postgresql':
                    connection.rollback()
                    connection.exec_driver_sql(_ON[kind])

    def _drop_constraints(self, connection):
        names = connection.scalars(sa.text(
            "SELECT conname FROM pg_constraint WHERE contype = 'c'"
            " AND conrelid = 'instances'::regclass")).all()
        for name in names:
            connection.execute(sa.text(
                f'ALTER TABLE instances DROP CONSTRAINT {name}'))
        connection.commit()
        if names:
            self.addCleanup(self._add_constraints, frozenset(names))

    def _add_constraints(self, names):
        # The same database serves the next test.
        self.deployment.stop_engines()
        with self.db.engine.begin() as connection:
            for table in reversed(models.metadata.sorted_tables):
                connection.execute(table.delete())
            for constraint in list(models.instances.constraints):
                if str(constraint.name) in names or (
                        f'ck_instances_{constraint.name}' in names):
                    connection.execute(sa.schema.AddConstraint(
                        constraint, isolate_from_table=False))

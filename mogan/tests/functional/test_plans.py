# SPDX-License-Identifier: Apache-2.0
"""Query plans of the lists: by an index that has the rows in their order, on
the first page and on a deep one."""

import functools
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from oslo_utils import uuidutils

from mogan.db import actions, instances, listing, models
from mogan.tests.functional import base
from mogan.tests.support import backends

_FLAVOR = 'a0000000-0000-0000-0000-000000000000'
_NODE = 'b0000000-0000-0000-0000-{:012}'
_COLUMNS = ('uuid', 'name')
_SHAPES: list[dict[str, Any]] = [
    {}, {'status': 'active'}, {'flavor_uuid': _FLAVOR}, {'locked': False},
    {'locked': True}, {'sort_key': 'name'}, {'sort_key': 'status'},
    {'descending': True}, {'sort_key': 'name', 'descending': True},
    {'status': 'active', 'sort_key': 'status'},
]


class TestPlans(base.FunctionalTest):

    engines = 0

    def setUp(self):
        super().setUp()
        uuids = self.put_rows(*(
            {'status': ('active', 'stopped')[number % 2],
             'lock_state': ('unlocked', 'locked')[number % 3 == 0],
             'name': f'n{number % 7}',
             'flavor_uuid': _FLAVOR if number % 5 else base.NOWHERE,
             'node_uuid': _NODE.format(number)} for number in range(120)))
        self.middle = uuids[60]
        self._analyze('instances')

    def _analyze(self, table: str) -> None:
        """Let the planner know the rows of a table."""
        # SQLite has no statistics unless somebody asks for them.
        if backends.NAME != 'sqlite':
            word = 'TABLE ' if backends.NAME == 'mariadb' else ''
            with self.db.engine.begin() as connection:
                connection.execute(sa.text(f'ANALYZE {word}{table}'))

    def _plans(self, wanted: listing.Listing) -> list[tuple[str, str]]:
        return self._plans_of(lambda: listing.page(self.db, wanted))

    def _plans_of(self, read: Callable[[], Any], words: str = 'ORDER BY',
                  ) -> list[tuple[str, str]]:
        """Return each statement with this text, with its query plan."""
        statements: list[Any] = []

        def remember(*event: Any) -> None:
            _, _, statement, parameters, *_ = event
            if words in statement:
                statements.append((statement, parameters))

        sa.event.listen(self.db.engine, 'before_cursor_execute', remember)
        try:
            read()
        finally:
            sa.event.remove(self.db.engine, 'before_cursor_execute',
                            remember)
        explain = ('EXPLAIN QUERY PLAN ' if backends.NAME == 'sqlite'
                   else 'EXPLAIN ')
        with self.db.engine.connect() as connection:
            if backends.NAME == 'postgresql':
                # A table of this size is read whole otherwise.
                for method in ('seqscan', 'bitmapscan'):
                    connection.execute(sa.text(
                        f'SET LOCAL enable_{method} = off'))
            return [(statement, '\n'.join(
                ' '.join(map(str, row)) for row in
                connection.exec_driver_sql(explain + statement, parameters)))
                for statement, parameters in statements]

    def test_no_list_is_sorted_or_read_whole(self):
        for project_id in ('demo', None):
            for shape in _SHAPES:
                for marker in (None, self.middle):
                    wanted = listing.Listing(
                        project_id=project_id, limit=10, columns=_COLUMNS,
                        marker=marker, **shape)
                    plans = self._plans(wanted)
                    self.assertTrue(plans)
                    for statement, plan in plans:
                        self._check(plan, f'{wanted}\n{statement}\n{plan}')

    def _check(self, plan: str, where: str) -> None:
        for word in ('TEMP B-TREE', 'SCAN instances', 'filesort',
                     'Sort Key', 'Seq Scan', ' ALL '):
            self.assertNotIn(word, plan, where)
        self.assertRegex(plan, 'ix_instances_|pk_instances', where)

    def test_a_node_is_found_by_its_index(self):
        [(statement, plan)] = self._plans(listing.Listing(
            project_id=None, limit=10, columns=_COLUMNS,
            node_uuid=_NODE.format(7)))
        self.assertIn('ix_instances_node_uuid_id', plan, statement)

    def test_those_on_nodes_are_read_by_their_nodes(self):
        for after in (('', 0), (_NODE.format(60), 61)):
            [(statement, plan)] = self._plans_of(functools.partial(
                instances.on_nodes, self.db, after=after, limit=10))
            where = f'{statement}\n{plan}'
            self._check(plan, where)
            self.assertIn('ix_instances_node_uuid_id', plan, where)

    def test_what_is_due_is_found_by_when_it_is(self):
        with self.db.writer() as connection:
            connection.execute(sa.insert(models.actions), [{
                'uuid': uuidutils.generate_uuid(), 'verb': 'lock',
                'instance_uuid': base.NOWHERE, 'arguments': {},
                'user_id': 'demo', 'attempts': 0, 'times': 1,
                'created_at': base.now(), 'finished_at': base.now()}
                for _ in range(120)])
        self._analyze('actions')
        for read in (functools.partial(actions.bring_forward, self.db),
                     functools.partial(actions.due, self.db, 10, 30.0)):
            [(statement, plan), *_] = self._plans_of(read, 'next_at')
            where = f'{statement}\n{plan}'
            self.assertIn('ix_actions_next_at', plan, where)
            for word in ('SCAN a', 'Seq Scan', ' ALL '):
                self.assertNotIn(word, plan, where)

    def test_a_page_begins_at_its_marker(self):
        [(_, plan)] = self._plans(listing.Listing(
            project_id='demo', limit=10, columns=_COLUMNS,
            marker=self.middle))
        if backends.NAME == 'sqlite':
            self.assertIn('project_id=? AND id>?', plan)


class TestColumns(base.FunctionalTest):

    engines = 0

    def test_a_list_reads_only_what_it_shows(self):
        self.put_row()
        rows, _ = listing.page(self.db, listing.Listing(
            project_id='demo', limit=10, columns=_COLUMNS))
        self.assertEqual(_COLUMNS, rows[0]._fields)
        self.assertLess(len(_COLUMNS), len(models.instances.c))

# SPDX-License-Identifier: Apache-2.0
"""The database as the migrations leave it."""

import alembic.autogenerate
import alembic.runtime.migration
import oslo_db.exception
import sqlalchemy as sa

from mogan import states
from mogan.db import actions, migrations, models, revisions
from mogan.db.core import clock
from mogan.states import EVERY_STATUS, LOCKABLE, LockState
from mogan.tests.functional import base


class TestSchema(base.FunctionalTest):

    engines = 0

    def test_the_migrations_lead_to_the_models(self):
        with self.db.engine.connect() as connection:
            found = alembic.autogenerate.compare_metadata(
                alembic.runtime.migration.MigrationContext.configure(
                    connection, opts={'compare_type': True}),
                models.metadata)
        self.assertEqual([], found)
        self.assertEqual(revisions.head(), migrations.version(self.db))

    def test_an_upgrade_of_what_is_up_to_date_changes_nothing(self):
        uuid = self.put_row()
        migrations.upgrade(self.db)
        self.assertEqual('active', self.row(uuid)['status'])

    def test_a_newer_schema_is_left_alone(self):
        version = sa.table('alembic_version', sa.column('version_num'))
        with self.db.engine.begin() as connection:
            connection.execute(version.update().values(version_num='9999'))
        try:
            error = self.assertRaises(migrations.SchemaTooNew,
                                      migrations.upgrade, self.db)
        finally:
            with self.db.engine.begin() as connection:
                connection.execute(version.update().values(
                    version_num=revisions.head()))
        self.assertIn('9999', error.message)

    def test_the_database_refuses_to_destroy_what_is_locked(self):
        for lock_state in set(LockState) - {LockState.UNLOCKED}:
            for status in EVERY_STATUS - LOCKABLE:
                # Each database has a class of its own for this.
                error = self.assertRaises(
                    (oslo_db.exception.DBError, sa.exc.DatabaseError),
                    self.put_row, status, lock_state)
                self.assertIn('locked_is_not_destroyed', str(error))
            for status in LOCKABLE:
                self.put_row(status, lock_state)

    def test_no_other_value_gets_into_a_state_column(self):
        for column, values in (('status', states.Status),
                               ('lock_state', states.LockState),
                               ('node_protection', states.NodeProtection)):
            for value in values:
                self.put_row(**{'status': 'active', column: value})
            strange = 'unlocking' if column == 'status' else 'active'
            error = self.assertRaises(
                (oslo_db.exception.DBError, sa.exc.DatabaseError),
                self.put_row, **{column: strange})
            self.assertIn(f'ck_instances_{column}', str(error))

    def test_the_checks_are_those_of_the_models(self):
        inspector = sa.inspect(self.db.engine)
        for table in models.metadata.sorted_tables:
            self.assertEqual(
                {one.name for one in table.constraints
                 if isinstance(one, sa.CheckConstraint)},
                {one['name'] for one in
                 inspector.get_check_constraints(table.name)})

    def test_the_columns_of_the_indexes_follow_by_themselves(self):
        instances = models.instances
        uuid = self.put_row()
        for change, wanted in (
                ({'lock_state': 'locking'}, (True, False)),
                ({'lock_state': 'unlocked'}, (False, False)),
                ({'deleted_at': clock.NOW}, (False, True))):
            with self.db.writer() as connection:
                connection.execute(sa.update(instances).where(
                    instances.c.uuid == uuid).values(change))
            row = self.row(uuid)
            self.assertEqual(wanted, (row['locked'], row['deleted']))

    def test_every_character_can_be_kept(self):
        name = 'wéb-\N{GRINNING FACE}'
        uuid = self.put_row(name=name, metadata={'k': name})
        row = self.row(uuid)
        self.assertEqual((name, {'k': name}), (row['name'], row['metadata']))

    def test_what_others_say_is_kept_as_far_as_it_can_be(self):
        with self.db.writer() as connection:
            connection.execute(sa.insert(models.actions).values(
                uuid='u', instance_uuid='i', verb='lock', arguments={},
                user_id='admin', attempts=0, times=1, created_at=clock.NOW,
                error='\0\ud800' + 70_000 * '\N{GRINNING FACE}'))
        [action] = actions.history(self.db, 'i', limit=1)
        self.assertEqual(' ?' + 3998 * '\N{GRINNING FACE}', action.error)

    def test_an_answered_request_survives_a_power_loss(self):
        query = {'sqlite': 'PRAGMA synchronous',
                 'mysql': 'SELECT @@GLOBAL.innodb_flush_log_at_trx_commit',
                 'postgresql': 'SHOW synchronous_commit',
                 }[self.db.url.get_backend_name()]
        with self.db.reader() as connection:
            setting = connection.execute(sa.text(query)).scalar_one()
        self.assertIn(str(setting), {'2', '1', 'on'})

# SPDX-License-Identifier: Apache-2.0
"""The way from one schema to the next."""

import os
import sys

import oslo_db.exception
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from mogan import states
from mogan.cmd import dbsync
from mogan.db import migrations, models, revisions
from mogan.db.core import clock
from mogan.db.migrations import locking, steps
from mogan.tests.functional import schemas
from mogan.tests.functional.schemas import MigrationTest
from mogan.tests.support import backends

_CONF = """\
[database]
connection = {url}
"""


class TestBrokenOff(MigrationTest):

    def fresh(self):
        with self.database() as db:
            migrations.upgrade(db)
            return schemas.describe(db)

    def kill_again_and_again(self, db):
        """Upgrade in one process after the other, each of which is killed
        before the next change that was not done; counts them."""
        changes, killed, before = 1, 0, schemas.describe(db)
        while schemas.upgrade_until_killed(db, changes):
            killed += 1
            found = schemas.describe(db)
            # What a transaction has undone takes one change more.
            changes = changes + 1 if found == before else 2
            before = found
        return killed

    def test_an_upgrade_that_is_killed_anywhere_can_be_run_again(self):
        wanted = self.fresh()
        with self.database() as db:
            # Each table and index, and the revisions.
            self.assertGreater(self.kill_again_and_again(db), 30)
            self.assertEqual(wanted, schemas.describe(db))
            self.assertEqual(revisions.head(), migrations.version(db))

    def test_rows_outlive_an_upgrade_that_is_killed(self):
        instances = models.instances
        rows = sa.select(instances.c.id, instances.c.uuid).order_by(
            instances.c.id)
        with self.database() as db:
            migrations.upgrade(db, '0003')
            self.put(db, 'kept')
            self.assertTrue(schemas.upgrade_until_killed(db, 2))
            # The old service goes on in between.
            self.put(db, 'late')
            self.kill_again_and_again(db)
            with db.engine.connect() as connection:
                self.assertEqual([(1, 'kept'), (2, 'late')],
                                 connection.execute(rows).all())
            found = schemas.describe(db)
        self.assertEqual(self.fresh(), found)

    def test_tables_of_somebody_else_are_left_alone(self):
        with self.database() as db:
            with db.engine.begin() as connection:
                connection.execute(sa.text(
                    'CREATE TABLE flavors (uuid VARCHAR(36), taste INTEGER)'))
            error = self.assertRaises(steps.SchemaError, migrations.upgrade,
                                      db)
            self.assertIn('flavors', error.message)
            self.assertIn('it has no column id', error.message)


class TestSeveralAtOnce(MigrationTest):

    def test_each_of_four_upgrades_succeeds(self):
        with self.database() as db:
            config = self.directory / 'mogan.conf'
            config.write_text(_CONF.format(
                url=db.url.render_as_string(hide_password=False)))
            db.dispose()
            wanted = f'The database has the revision {revisions.head()}.'
            running = [self.command(config, number) for number in range(4)]
            for number, child in enumerate(running):
                _, status = os.waitpid(child, 0)
                said = (self.directory / f'{number}').read_text()
                self.assertEqual((0, wanted),
                                 (status, said.splitlines()[-1]), said)
                self.assertNotIn('Traceback', said)
            found = schemas.describe(db)
        with self.database() as db:
            migrations.upgrade(db)
            self.assertEqual(schemas.describe(db), found)

    def command(self, config, number):
        """mogan-dbsync in a process of its own; returns its id."""
        child = os.fork()
        if not child:
            status = 1
            try:
                with (self.directory / f'{number}').open('w') as said:
                    os.dup2(said.fileno(), 1)
                    os.dup2(said.fileno(), 2)
                    sys.stdout = sys.stderr = said
                    sys.argv = ['mogan-dbsync', '--config-file', str(config),
                                'upgrade']
                    status = dbsync.main()
            finally:
                os._exit(status)
        return child

    def test_who_waits_too_long_says_so(self):
        with self.database() as db, locking.alone(db):
            error = self.assertRaises(locking.UpgradeUnderWay,
                                      migrations.upgrade, db, wait=0)
        self.assertIn('Another upgrade', error.message)

    def test_the_lock_goes_with_its_owner(self):
        with self.database() as db:
            self.assertTrue(schemas.upgrade_until_killed(db, 1))
            migrations.upgrade(db, wait=60)


class TestStateDomains(MigrationTest):

    def test_values_that_no_release_wrote_stop_the_upgrade(self):
        with self.database() as db:
            migrations.upgrade(db, '0003')
            self.put(db, 'good')
            strange = {f'bad-{number}': 'unlocking' for number in range(7)}
            for uuid, status in strange.items():
                self.put(db, uuid, status=status)
            self.put(db, 'worse', node_protection='off')
            error = self.assertRaises(steps.UnknownValues,
                                      migrations.upgrade, db)
            self.assertIn('8 values of instances', error.message)
            self.assertIn("status 'unlocking' of bad-0", error.message)
            self.assertLess(len(error.message), 400)
            self.assertNotIn('\n', error.message)
            self.assertEqual('0003', migrations.version(db))

            # The old services go on, and so does the upgrade.
            self.put(db, 'late')
            instances = models.instances
            with db.engine.begin() as connection:
                connection.execute(sa.update(instances).values(
                    status='error', node_protection='none'))
            migrations.upgrade(db)
            with db.engine.connect() as connection:
                found = connection.execute(sa.select(
                    instances.c.uuid, instances.c.locked).order_by(
                        instances.c.id)).all()
            self.assertEqual(
                [(uuid, False) for uuid in (
                    'good', *strange, 'worse', 'late')], found)

    def test_a_domain_can_be_widened(self):
        wider = {'status': frozenset(
            {'identifying', *(status.value for status in states.Status)})}
        with self.database() as db:
            migrations.upgrade(db)
            self.put(db, 'before')
            for _ in range(2):
                with db.engine.begin() as connection, Operations.context(
                        MigrationContext.configure(connection)):
                    steps.restrict('instances', wider)
            self.put(db, 'after', status='identifying')
            for values in ({'status': 'dancing'}, {'lock_state': 'open'}):
                self.assertRaises(
                    (sa.exc.DBAPIError, oslo_db.exception.DBError),
                    self.put, db, 'bad', **values)

    # Other databases look at once.
    if backends.NAME == 'postgresql':
        def test_postgresql_has_looked_at_every_row(self):
            with self.database() as db:
                migrations.upgrade(db)
                with db.engine.connect() as connection:
                    self.assertEqual(0, connection.execute(sa.text(
                        'SELECT count(*) FROM pg_constraint'
                        ' WHERE NOT convalidated')).scalar_one())


class TestPorts(MigrationTest):

    def ports(self, db):
        vifs = models.vifs
        with db.engine.connect() as connection:
            return connection.execute(sa.select(
                vifs.c.instance_uuid, vifs.c.position, vifs.c.net_id,
                vifs.c.port_id).order_by(vifs.c.id)).all()

    def test_the_oldest_instance_has_the_port(self):
        with self.database() as db:
            migrations.upgrade(db, '0004')
            both = [{'net_id': 'n'}, {'port_id': 'p'}]
            self.put(db, 'plain')
            self.put(db, 'gone', networks=both, deleted_at=clock.NOW)
            self.put(db, 'first', networks=both)
            self.put(db, 'second', networks=[*both, {'port_id': 'q'}])
            migrations.upgrade(db)
            expected = [('first', 0, 'n', None), ('first', 1, None, 'p'),
                        ('second', 0, 'n', None), ('second', 1, None, None),
                        ('second', 2, None, 'q')]
            self.assertEqual(expected, self.ports(db))

            # As after an upgrade that was killed in the middle.
            vifs = models.vifs
            with db.engine.begin() as connection:
                connection.execute(sa.delete(vifs).where(
                    vifs.c.instance_uuid == 'first'))
                connection.execute(sa.text(
                    "UPDATE alembic_version SET version_num = '0004'"))
            migrations.upgrade(db)
            self.assertEqual(sorted(expected), sorted(self.ports(db)))

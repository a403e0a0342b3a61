# SPDX-License-Identifier: Apache-2.0
"""Services on a database that has not been upgraded, or that a newer release
has."""


import alembic.operations
import alembic.runtime.migration
import fixtures
import sqlalchemy as sa

from mogan.db import migrations, models, revisions, schema
from mogan.db.core.engine import Database
from mogan.db.migrations import steps
from mogan.tests.functional import base
from mogan.tests.support import backends
from mogan.tests.support.client import Client
from mogan.tests.support.files import temporary_directory
from mogan.tests.support.processes import eventually

_VERSION = sa.table('alembic_version', sa.column('version_num'))


class OutdatedSchemaTest(base.FunctionalTest):
    """An API, and perhaps an engine, on a database of their own."""

    engines = 0

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger(
            format='%(levelname)s %(message)s'))
        made = backends.chosen().no_schema(temporary_directory(self))
        self.empty = made.__enter__()
        self.addCleanup(made.__exit__, None, None, None)
        self.own = self.connect()
        self.api = Client(self.deployment.make_application(db=self.own),
                          'admin')

    def connect(self):
        """Return the database as a service opens it."""
        db = Database(self.empty.url.render_as_string(hide_password=False))
        self.addCleanup(db.dispose)
        db.gate = schema.Gate(db)
        return db

    def set_revision(self, revision):
        with self.empty.engine.begin() as connection:
            connection.execute(_VERSION.update().values(version_num=revision))

    def refused(self, text):
        """Requests of any kind, and the health, tell of the same fault."""
        for answer in (self.api.get('/v1/flavors'),
                       self.api.delete(f'/v1/instances/{base.NOWHERE}'),
                       self.api.get('/healthcheck')):
            self.expect(503, answer)
            self.assertEqual('10', answer.headers['retry-after'])
            self.assertIn(text, answer.json['error']['message'])

    def lines(self, text):
        return [line for line in self.log.output.splitlines() if text in line]

    def listed(self):
        return self.api.get('/v1/flavors').status == 200


class TestForgottenUpgrade(OutdatedSchemaTest):

    def test_requests_are_refused_until_it_is_done(self):
        self.refused('is empty')
        migrations.upgrade(self.empty, '0003')
        eventually(lambda: 'has the revision 0003' in self.api.get(
            '/v1/flavors').json['error']['message'])
        self.refused('run mogan-dbsync upgrade')
        self.assertEqual(2, len(self.lines('run mogan-dbsync upgrade')))
        self.assertNotIn('Traceback', self.log.output)

        migrations.upgrade(self.empty)
        eventually(self.listed)
        self.expect(200, self.api.get('/healthcheck'))

    def test_the_engine_waits_for_it(self):
        self.deployment.start_engine(db=self.own)
        self.addCleanup(self.deployment.stop_engines)
        eventually(lambda: self.lines('run mogan-dbsync upgrade'))
        # A message comes meanwhile.
        self.deployment.engines[0].hurry(base.NOWHERE)
        migrations.upgrade(self.empty)
        eventually(self.listed)
        # MariaDB shows each revision on the way.
        said = self.lines('run mogan-dbsync upgrade')
        self.assertEqual(len(set(said)), len(said))
        self.assertNotIn('Traceback', self.log.output)
        self.assertEqual([], self.lines('is away'))
        self.assertEqual([], self.lines('has to wait'))

        flavor = self.expect(201, self.api.post('/v1/flavors', {
            'name': 'small', 'resources': {base.SMALL: 1}})).json['uuid']
        uuid = self.expect(201, self.api.post('/v1/instances', {
            'name': 'web', 'flavor_uuid': flavor,
            'image_uuid': base.IMAGE})).json['uuid']
        eventually(lambda: self.api.get(f'/v1/instances/{uuid}').json,
                   until=lambda seen: seen['status'] == 'active')

    def test_a_database_that_was_put_back_is_noticed(self):
        migrations.upgrade(self.empty)
        eventually(self.listed)
        with self.empty.engine.begin() as connection:
            models.metadata.drop_all(connection)
            connection.execute(_VERSION.delete())
        self.refused('is empty')
        migrations.upgrade(self.empty)
        # Without a request that would have it looked at.
        eventually(lambda: self.api.get('/healthcheck').status == 200)
        self.assertTrue(self.listed())

    def test_so_is_a_column_that_it_does_not_have(self):
        migrations.upgrade(self.empty)
        eventually(self.listed)
        self.set_revision('0003')
        with self.empty.engine.begin() as connection:
            connection.execute(sa.text(
                'ALTER TABLE flavors DROP COLUMN disabled'))
        self.refused('has the revision 0003')

    def test_a_defect_is_not_taken_for_it(self):
        migrations.upgrade(self.empty)
        eventually(self.listed)
        with self.empty.engine.begin() as connection:
            models.flavors.drop(connection)
        answer = self.api.get('/v1/flavors')
        self.assertNotIn('dbsync', str(answer.body))
        self.expect(200, self.api.get('/healthcheck'))


class TestNewerSchema(OutdatedSchemaTest):

    def test_the_services_go_on(self):
        migrations.upgrade(self.empty)
        self.set_revision('9999')
        for _ in range(3):
            self.expect(200, self.api.get('/v1/flavors'))
            self.expect(200, self.api.get('/healthcheck'))
        self.assertEqual(1, len(self.lines('9999')))
        self.assertTrue(self.lines('9999')[0].startswith('WARNING'))

    def test_one_that_they_cannot_work_with_is_refused(self):
        migrations.upgrade(self.empty)
        self.set_revision('9999')
        with self.empty.engine.begin() as connection:
            context = alembic.runtime.migration.MigrationContext.configure(
                connection)
            with alembic.operations.Operations.context(context):
                # Of a revision that is known, and of one that is not; an
                # upgrade that was killed is repeated.
                for revision, release in ((revisions.head(), '0.9.0'),
                                          ('9998', '7.0.0'),
                                          ('9998', '7.0.0')):
                    steps.require(revision, release)
        self.refused('install the release 7.0.0')
        self.assertEqual(1, len(self.lines('7.0.0')))

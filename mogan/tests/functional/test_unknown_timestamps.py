# SPDX-License-Identifier: Apache-2.0
"""A timestamp that Python cannot have is shown as the database has it, and
ends nothing."""

import itertools
import json

import fixtures
import sqlalchemy as sa

from mogan.db import actions, models, periodic
from mogan.db.core import types
from mogan.metrics import rows
from mogan.tests.functional import notifications, unknown_rows
from mogan.tests.support import backends
from mogan.tests.support.processes import eventually

SHOWN = ('created_at', 'updated_at', 'launched_at', 'locked_at')
TIMESTAMPS = [column.name for column in models.instances.c
           if column.type is types.Timestamp and column.name != 'deleted_at']
ACTION = [column.name for column in models.actions.c
          if column.type is types.Timestamp and column.name != 'next_at']


class TestShown(unknown_rows.UnknownRowsTest):

    engines = 0

    def test_an_instance_shows_it(self):
        uuid, other = self.put_row(), self.put_row()
        path = '/v1/instances?all_tenants=true&fields=uuid,'
        for column, (value, shown) in itertools.product(
                SHOWN, self.timestamps.items()):
            before = self.see(other)
            self.overwrite(uuid, **{column: value})
            self.assertEqual(shown, self.see(uuid)[column])
            for place in ('/v1/instances/detail?all_tenants=true',
                          '/v1/servers/detail?all_tenants=true',
                          f'{path}{column}'):
                answer = self.expect(200, self.admin.get(place)).json
                [found] = [value for name, value in answer.items()
                           if name != 'links']
                found = {one['uuid']: one for one in found}
                self.assertEqual(shown, found[uuid][column])
                self.assertEqual(before[column], found[other][column])
            self.expect(200, self.admin.get(f'/v1/instances/{uuid}/states'))

    def test_one_that_others_write_is_shown_alike(self):
        uuid = self.put_row()
        self.overwrite(uuid, created_at='2026-11-29 06:00:00')
        [listed] = self.expect(200, self.admin.get(
            '/v1/instances/detail?all_tenants=true')).json['instances']
        for seen in (listed, self.see(uuid)):
            self.assertEqual('2026-11-29T06:00:00.000000Z',
                             seen['created_at'])

    # Other databases refuse them.
    if backends.NAME == 'sqlite':
        def test_bytes_that_are_no_text_are_shown(self):
            uuid = self.put_row()
            for value, column in itertools.product(
                    ("CAST(x'ff61' AS TEXT)", "x'ff61'"),
                    ('name', 'description', 'created_at', 'metadata',
                     'fault')):
                with self.db.writer() as connection:
                    connection.exec_driver_sql(
                        f'UPDATE instances SET {column} = {value}')
                self.assertEqual('\\xffa', self.see(uuid)[column])
                [listed] = self.expect(200, self.admin.get(
                    '/v1/instances/detail?all_tenants=true')).json['instances']
                self.assertEqual('\\xffa', listed[column])

    def test_a_refusal_because_of_the_lock_shows_it(self):
        for value, shown in self.timestamps.items():
            uuid = self.put_row(lock_state='locked')
            self.overwrite(uuid, locked_at=value)
            for _ in range(2):
                answer = self.expect(
                    409, self.admin.delete(f'/v1/instances/{uuid}'))
                self.assertEqual(shown, answer.json['error']['lock']['since'])
            [action] = self.history(uuid)
            self.assertEqual(2, action['times'])

    def test_requests_are_answered_as_ever(self):
        for column, value in itertools.product(TIMESTAMPS, self.timestamps):
            uuid = self.put_row()
            self.overwrite(uuid, **{column: value})
            path = f'/v1/instances/{uuid}'
            self.expect(200, self.admin.patch(path, [
                {'op': 'replace', 'path': '/name', 'value': 'db'}]))
            self.ask(uuid, 'off')
            self.ask(uuid, 'lock')
            self.expect(202, self.admin.lock(uuid, 'other'))
            self.ask(uuid, 'unlock')
            self.expect(409, self.admin.delete(path))

    def test_an_action_shows_it(self):
        uuid = self.put_row()
        self.ask(uuid, 'lock')
        for column, (value, shown) in itertools.product(
                ('created_at', 'updated_at', 'finished_at'),
                self.timestamps.items()):
            self.overwrite_actions(uuid, **{column: value})
            [action] = self.history(uuid)
            self.assertEqual(shown, action[column])

    def test_a_flavor_and_a_key_pair_show_it(self):
        uuid = self.make_flavor()
        self.expect(201, self.admin.post('/v1/keypairs', {'name': 'mine'}))
        for value, shown in self.timestamps.items():
            for table in (models.flavors, models.keypairs):
                self.write(table, sa.true(), {'created_at': value})
            for place in (f'flavors/{uuid}', 'keypairs/mine'):
                answer = self.expect(200, self.admin.get(f'/v1/{place}'))
                self.assertEqual(shown, answer.json['created_at'])
            for kind in ('flavors', 'keypairs'):
                [one] = self.expect(
                    200, self.admin.get(f'/v1/{kind}')).json[kind]
                self.assertEqual(shown, one['created_at'])

    def test_the_status_command_and_the_metrics_tell(self):
        uuid = self.put_row()
        self.ask(uuid, 'lock')
        for column, value in itertools.product(ACTION, self.timestamps):
            self.overwrite_actions(uuid, **{column: value})
            [action] = actions.unfinished(self.db, limit=10)
            self.assertEqual(uuid, action.instance_uuid)
            self.assertIn('mogan_unfinished_actions', [
                family.name for family in rows.Rows(self.db, 0).collect()])


class TestEngine(unknown_rows.UnknownRowsTest):

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger(
            'mogan.engine', nuke_handlers=False))

    def test_the_work_goes_on(self):
        uuid = self.make_instance()
        for column, value in itertools.product(TIMESTAMPS, self.timestamps):
            if column == 'claim_until':
                continue
            self.overwrite(uuid, **{column: value})
            self.ask(uuid, 'lock')
            self.wait_for(uuid, lock_state='locked')
            self.ask(uuid, 'unlock')
            self.wait_for(uuid, lock_state='unlocked')
            self.ask(uuid, 'rebuild')
            self.wait_for(uuid, status='active')
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        self.assertNotIn('Traceback', self.log.output)

    def test_a_claim_until_such_a_moment_is_taken_over(self):
        uuid = self.make_instance()
        eventually(lambda: self.row(uuid)['claim_by'] is None)
        # Claims of an unknown end run out after a lease.
        for value in list(self.timestamps)[:2]:
            self.overwrite(uuid, claim_by='gone', claim_until=value)
            self.ask(uuid, 'lock')
            self.wait_for(uuid, lock_state='locked')
            self.ask(uuid, 'unlock')
            self.wait_for(uuid, lock_state='unlocked')
        self.assertNotIn('Traceback', self.log.output)

    def test_a_round_due_at_such_a_moment_is_taken_over(self):
        self.stop_surveys()
        self.deployment.stop_engines()
        for value in list(self.timestamps)[:2]:
            periodic.register(self.db, 'survey')
            self.write(models.rounds, models.rounds.c.name == 'survey',
                       {'due_at': value})
            self.deployment.start_engine()
            eventually(lambda value=value: self.due() != value)
            self.deployment.stop_engines()
        self.assertNotIn('Traceback', self.log.output)

    def due(self):
        with self.db.reader() as connection:
            return connection.execute(sa.select(models.rounds.c.due_at).where(
                models.rounds.c.name == 'survey')).scalar_one()


class TestNotifications(unknown_rows.UnknownRowsTest,
                        notifications.NotificationsTest):

    engines = 0

    def test_the_others_are_published(self):
        for column, value in itertools.product(ACTION, self.timestamps):
            strange, other = self.put_row(), self.put_row()
            for uuid in (strange, other):
                self.ask(uuid, 'lock')
            self.overwrite_actions(strange, **{column: value})
            self.deployment.start_engine()
            self.stop_surveys()
            eventually(lambda other=other: self.published(other))
            self.deployment.stop_engines()

    def test_an_instance_that_has_it_is_published(self):
        for column, value in itertools.product(TIMESTAMPS, self.timestamps):
            uuid = self.put_row()
            self.ask(uuid, 'lock')
            [action] = self.history(uuid)
            self.overwrite(uuid, **{column: value})
            self.deployment.start_engine()
            self.stop_surveys()
            eventually(lambda uuid=action['uuid']: uuid in {
                message['payload']['action']['uuid']
                for message in self.received()})
            self.deployment.stop_engines()

    def published(self, uuid):
        return uuid in json.dumps(self.received())

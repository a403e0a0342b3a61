# SPDX-License-Identifier: Apache-2.0
"""Notifications of instances."""

import base64
import json
import pathlib
import threading
import unittest

import sqlalchemy as sa

from mogan.baremetal.simulated import faults
from mogan.db import models, outbox, periodic, purge
from mogan.db.core import clock
from mogan.notifications import events, schemas
from mogan.tests.functional import adoption, base, notifications, test_inputs
from mogan.tests.functional.test_api_samples import form
from mogan.tests.support import secrets
from mogan.tests.support.processes import eventually

SAMPLES = (pathlib.Path(__file__).parents[3]
           / 'doc/source/admin/notification-samples')


class TestEvents(notifications.NotificationsTest):

    def test_the_start_and_the_end_of_every_request_are_published(self):
        uuid = self.make_instance()
        for request, wanted in (
                ('lock', {'lock_state': 'locked'}),
                ('unlock', {'lock_state': 'unlocked'}),
                ('off', {'status': 'stopped'}), ('on', {'status': 'active'}),
                ('rebuild', {'status': 'active'})):
            self.ask(uuid, request)
            self.wait_for(uuid, **wanted)
        self.expect(200, self.demo.patch(f'/v1/instances/{uuid}', [
            {'op': 'replace', 'path': '/name', 'value': 'db'}]))
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        self.assertEqual(
            [f'{verb}.{phase}' for verb in (
                'create', 'lock', 'unlock', 'power', 'power', 'rebuild',
                'update', 'delete') for phase in ('start', 'end')],
            self.names())
        messages = self.received()
        self.assert_each_published(messages)
        self.assert_in_order(messages)

    def test_they_tell_who_asked_for_what(self):
        uuid = self.make_instance()
        answer = self.admin.lock(uuid, 'disk swap')
        self.wait_for(uuid, lock_state='locked')
        start, end = self.all_received()[-2:]
        for message in (start, end):
            self.assertEqual('mogan-engine:here', message['publisher_id'])
            self.assertEqual('INFO', message['priority'])
            payload = message['payload']
            self.assertEqual(
                ('admin', 'admin', answer.headers['x-openstack-request-id']),
                (payload['user_id'], payload['project_id'],
                 payload['request_id']))
            self.assertEqual({'reason': 'disk swap'},
                             payload['action']['arguments'])
            self.assertEqual('disk swap',
                             payload['instance']['locked_reason'])

    def test_the_instance_is_what_an_administrator_sees(self):
        uuid = self.make_instance(metadata={'rack': '7'})
        self.lock(uuid)
        published = self.all_received()[-1]['payload']['instance']
        shown = self.see(uuid)
        self.assertIsNone(published.pop('deleted_at'))
        self.assertEqual({name: shown[name] for name in published}, published)

    def test_nothing_else_leaves_the_service(self):
        self.make_instance()
        allowed = {*events.INSTANCE, 'fault'}
        for message in self.all_received():
            payload = message['payload']
            self.assertEqual(allowed, set(payload['instance']))
            self.assertEqual({*events.ACTION, 'arguments'},
                             set(payload['action']))
            self.assertLessEqual(set(payload['action']['arguments']),
                                 set(events.ARGUMENTS))
        for word in ('user_data', 'ssh_keys', 'claim_by', 'token'):
            self.assertNotIn(word, allowed | set(events.ARGUMENTS))

    def test_what_an_instance_was_given_in_secret_is_not_in_them(self):
        uuid = self.make_instance(**test_inputs.GIVEN)
        self.ask(uuid, 'rebuild')
        self.wait_for(uuid, status='active')
        self.assertEqual([], secrets.find(
            {'user data': test_inputs.MARKER, 'a key': test_inputs.KEY,
             'a password': base64.b64encode(b'demo:demo').decode()},
            {'events': json.dumps(self.all_received()).encode()}))

    def test_a_refusal_because_of_a_lock_is_published_once(self):
        uuid = self.make_instance()
        self.lock(uuid, 'disk swap')
        for _ in range(3):
            self.expect(409, self.demo.delete(f'/v1/instances/{uuid}'))
        last = self.all_received()[-1]
        self.assertEqual('instance.delete.error', last['event_type'])
        self.assertEqual('refused', last['payload']['action']['outcome'])
        self.assertIn('disk swap', last['payload']['action']['error'])
        self.expect(409, self.demo.delete(f'/v1/instances/{uuid}'))
        self.assertEqual(1, self.names().count('delete.error'))
        self.assert_each_published(self.received())

    def test_a_failure_is_published_with_its_reason(self):
        self.hardware.add_fault(faults.Fault('break', 'deploy'))
        uuid = self.ask_for_instance()
        seen = self.wait_for(uuid, status='error')
        payload = self.all_received()[-1]['payload']
        self.assertEqual(['create.start', 'create.error'], self.names())
        self.assertEqual(seen['fault']['message'],
                         payload['action']['error'])
        self.assertEqual(seen['fault'], payload['instance']['fault'])

    def test_each_failure_is_an_error_of_its_kind(self):
        uuid = self.make_instance()
        for request, call, verb in (('off', 'power', 'power'),
                                    ('rebuild', 'rebuild', 'rebuild')):
            self.hardware.add_fault(faults.Fault('fail', call))
            self.ask(uuid, request)
            last = self.all_received()[-1]
            self.assertEqual(f'instance.{verb}.error', last['event_type'])
            self.assertEqual('failed', last['payload']['action']['outcome'])
            self.assertIn('scripted', last['payload']['action']['error'])

    def test_what_another_request_has_taken_the_place_of_ends(self):
        self.hardware.add_fault(faults.Fault('hang', 'protect', seconds=0.3))
        uuid = self.make_instance()
        self.ask(uuid, 'lock')
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        messages = self.all_received()
        self.assert_each_published(messages)
        self.assert_in_order(messages)
        [error] = [message['payload'] for message in messages
                   if message['event_type'] == 'instance.lock.error']
        self.assertEqual('superseded', error['action']['outcome'])

    def test_what_changes_nothing_is_not_published(self):
        uuid = self.make_instance()
        self.lock(uuid)
        published = self.names()
        self.expect(202, self.admin.lock(uuid))
        self.expect(409, self.demo.rebuild(uuid, base.OTHER_IMAGE))
        self.assertEqual([*published, 'rebuild.error'], self.names())


class TestAdoptions(notifications.NotificationsTest, adoption.AdoptionTest):

    def test_an_adoption_is_published(self):
        self.fault('unavailable', 'adopt')
        uuid = self.adopt()
        self.wait_for(uuid, status='active')
        published = self.all_received()
        self.assertEqual(['adopt.start', 'adopt.end'], self.names())
        self.assertEqual(
            self.node_uuid,
            published[-1]['payload']['instance']['node_uuid'])

    def test_one_that_cannot_be_taken_over_is_an_error(self):
        self.fault('fail', 'adopt')
        self.adopt()
        eventually(lambda: self.names()[1:])
        self.assertEqual(['adopt.start', 'adopt.error'], self.names())


class TestRuns(notifications.NotificationsTest):

    engines = 0

    def test_engines_share_the_work_and_each_request_is_published(self):
        uuids = [self.ask_for_instance() for _ in range(3)]
        for _ in range(2):
            self.deployment.start_engine()
        for uuid in uuids:
            self.wait_for(uuid, status='active')
        for _ in range(5):
            for request in ('lock', 'unlock', 'lock', 'unlock'):
                for uuid in uuids:
                    self.ask(uuid, request)
            for uuid in uuids:
                self.wait_for(uuid, lock_state='unlocked')
        messages = self.all_received()
        self.assert_each_published(messages)
        self.assert_in_order(messages)
        # No engine has died: nobody hears anything twice.
        self.assertEqual(len(messages), len({
            message['message_id'] for message in messages}))

    def test_one_engine_at_a_time_tells_for_all(self):
        periodic.register(self.db, 'notifications')
        self.assertTrue(periodic.acquire(self.db, 'notifications', 3600))
        self.deployment.start_engine()
        uuid = self.make_instance()
        # It is at it still.
        periodic.extend(self.db, 'notifications', 3600)
        self.lock(uuid)
        self.assertEqual([], self.received())
        periodic.extend(self.db, 'notifications', 0)
        self.assertEqual(4, len(self.all_received()))

    def test_what_waits_is_counted(self):
        self.assertEqual((0, 0.0), outbox.backlog(self.db))
        for _ in range(2):
            self.ask_for_instance()
        self.assertEqual(2, outbox.backlog(self.db).actions)
        eventually(lambda: outbox.backlog(self.db).seconds > 0)
        self.assertEqual([], self.received())
        self.deployment.start_engine()
        self.assertEqual(4, len(self.all_received()))

    def test_a_page_that_is_full_leaves_what_came_later_for_the_next(self):
        uuid = self.put_row()
        rows = [self.action(uuid, seconds, ended) for seconds, ended in (
            (-50, -10), (-40, -39), (-30, -20))]
        found = outbox.page(self.db, 2)
        self.assertEqual(rows[:2], [row.uuid for row in found])
        self.assertEqual(
            [(rows[0], 'start'), (rows[1], 'start')],
            [(event.action.uuid, event.phase)
             for event in events.in_order(found, more=True)])
        self.assertEqual(
            [(0, 'start'), (1, 'start'), (1, 'end'), (2, 'start'),
             (2, 'end'), (0, 'end')],
            [(rows.index(event.action.uuid), event.phase) for event
             in events.in_order(outbox.page(self.db, 9), more=False)])

    def action(self, instance_uuid, created, finished, unpublished=1):
        """Insert an action that was done these seconds from now; returns its
        uuid."""
        uuid = f'{created}'
        with self.db.writer() as connection:
            connection.execute(sa.insert(models.actions).values(
                uuid=uuid, instance_uuid=instance_uuid, verb='lock',
                arguments={}, user_id='admin', outcome='done', attempts=0,
                times=1, created_at=clock.from_now(created),
                finished_at=clock.from_now(finished),
                unpublished=unpublished))
        return uuid

    def test_a_purge_waits_until_all_is_published(self):
        uuid = self.put_row(deleted_at=base.now().replace(year=2020))
        for number, unpublished in ((-90_003, 1), (-90_002, 2),
                                    (-90_001, None)):
            self.action(uuid, number, number, unpublished)
        self.assertEqual(0, purge.deleted_instances(self.db, 1, 9,
                                                    published=True))
        self.assertEqual(1, purge.finished_actions(self.db, 1, 9,
                                                   published=True))
        self.assertEqual(0, purge.finished_actions(self.db, 1, 9,
                                                   published=True))
        outbox.mark(self.db, started=(), ended=[
            row.id for row in outbox.page(self.db, 9)])
        self.assertEqual(3, purge.deleted_instances(self.db, 1, 9,
                                                    published=True))

    def test_a_purge_without_notifications_waits_for_nothing(self):
        uuid = self.put_row(deleted_at=base.now().replace(year=2020))
        self.action(uuid, -90_000, -90_000)
        self.assertEqual(2, purge.deleted_instances(self.db, 1, 9))


class TestOff(base.FunctionalTest):

    def test_nothing_is_written_and_nothing_runs(self):
        uuid = self.make_instance()
        self.lock(uuid)
        self.expect(409, self.demo.delete(f'/v1/instances/{uuid}'))
        with self.db.reader() as connection:
            self.assertEqual({None}, set(connection.execute(
                sa.select(models.actions.c.unpublished)).scalars()))
        self.assertNotIn('publish', {
            thread.name for thread in threading.enumerate()})


class TestTurnedOn(notifications.NotificationsTest):

    engines = 0

    def test_what_was_before_is_not_published(self):
        old = self.deployment.make_application(db=self.db)
        self.deployment.application, new = old, self.deployment.application
        self.demo = self.deployment.client('demo')
        self.ask_for_instance()
        self.deployment.application = new
        self.demo = self.deployment.client('demo')
        uuid = self.ask_for_instance()
        self.deployment.start_engine()
        eventually(lambda: 'create.end' in self.names())
        self.assertEqual({uuid}, {
            message['payload']['instance']['uuid']
            for message in self.all_received()})


class TestSamples(notifications.NotificationsTest):

    def setUp(self):
        if not SAMPLES.exists():
            raise unittest.SkipTest('there are no guides here')
        super().setUp()

    def test_the_schemas_that_are_handed_out_are_those_of_the_code(self):
        self.assertEqual(
            {f'{event}.json' for event in schemas.EVENTS},
            {path.name for path in schemas.DIRECTORY.iterdir()})
        for event in schemas.EVENTS:
            self.assertEqual(
                schemas.of(event), notifications.schema(event).schema,
                f'{event}: tools/notifications.py has not been run')

    def test_the_samples_are_what_is_published(self):
        uuid = self.make_instance(name='billing', metadata={'rack': '7'})
        self.expect(202, self.admin.lock(uuid, 'disk swap'))
        self.wait_for(uuid, lock_state='locked')
        self.expect(409, self.demo.delete(f'/v1/instances/{uuid}'))
        self.hardware.add_fault(faults.Fault('break', 'deploy'))
        failed = self.ask_for_instance(name='web')
        self.wait_for(failed, status='error')
        received = {message['event_type']: message
                 for message in self.all_received()}
        samples = sorted(SAMPLES.iterdir())
        self.assertNotEqual([], samples)
        for path in samples:
            sample = json.loads(path.read_text(encoding='utf-8'))
            self.assertEqual(path.stem, sample['event_type'])
            notifications.schema(path.stem).validate(sample['payload'])
            self.assertEqual(self.form(sample), self.form(received[path.stem]),
                             path)

    @staticmethod
    def form(message):
        # How far the instance had got when the message was made is chance,
        # and what may be null is in the schema.
        instance = message['payload'].pop('instance')
        return form(message), sorted(instance)

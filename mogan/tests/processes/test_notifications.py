# SPDX-License-Identifier: Apache-2.0
"""Notifications by RabbitMQ while engines are killed and the broker is
unavailable."""

import contextlib
import json
import urllib.parse

import kombu
import sqlalchemy as sa

from mogan.db import models, outbox
from mogan.tests.functional import notifications
from mogan.tests.processes.test_services import ServicesTest
from mogan.tests.support import backends
from mogan.tests.support.processes import eventually
from mogan.tests.support.proxy import Proxy

OPTIONS = """\
[oslo_messaging_notifications]
driver = messagingv2
transport_url = {transport}
[notifications]
topics = {unique}_published
"""
QUEUE = f'{backends.UNIQUE}_published.info'


class NotificationsTest(notifications.Assertions, ServicesTest):
    """A queue at the real broker, behind a proxy."""

    def setUp(self):
        super().setUp()
        url = urllib.parse.urlsplit(backends.chosen().transport_url)
        self.broker = kombu.Connection(url._replace(scheme='amqp').geturl())
        self.addCleanup(self.broker.close)
        self.addCleanup(self.clear)
        self.proxy = Proxy(url.hostname, url.port or 5672)
        self.addCleanup(self.proxy.close)
        far = url._replace(netloc=url.netloc.rpartition('@')[0]
                           + f'@127.0.0.1:{self.proxy.port}').geturl()
        with self.config.open('a') as file:
            file.write(OPTIONS.format(transport=far,
                                      unique=backends.UNIQUE))
        self.messages = []

    def clear(self):
        with self.broker.channel() as channel:
            channel.queue_delete(QUEUE)

    def receive(self):
        """Return all messages so far."""
        with self.broker.channel() as channel:
            while True:
                try:
                    message = channel.basic_get(QUEUE, no_ack=True)
                except self.broker.channel_errors:
                    break   # nothing has been sent yet
                if message is None:
                    break
                body = message.body
                envelope = json.loads(body if isinstance(body, str)
                                      else bytes(body))
                message = json.loads(envelope['oslo.message'])
                notifications.schema(message['event_type']).validate(
                    message['payload'])
                self.messages.append(message)
        return self.messages

    def receive_all(self):
        """Return the messages, once none is pending."""
        eventually(self.pending, within=60,
                   until=lambda number: not number)
        return self.receive()

    def assert_all_published(self):
        messages = self.receive_all()
        self.assert_each_published(messages)
        self.assert_in_order(messages)
        # A message that comes twice is the same one.
        self.assertEqual(
            [message['payload']['event_id'] for message in messages],
            [message['message_id'] for message in messages])

    def begin(self):
        """Start everything; the path of an active instance."""
        self.start('api')
        self.engine = self.start('engine')
        eventually(self.answers, within=60)
        uuid = self.create()
        self.until(uuid, status='active')
        self.uuid = uuid
        return f'/v1/instances/{uuid}'

    def put(self, path, name):
        self.assertEqual(202, self.request(
            'admin', 'PUT', f'{path}/states/{name}', {name: None}).status)

    def kill_engine(self):
        self.engine.kill()


class TestNotifications(NotificationsTest):

    def test_a_broker_that_was_away_hears_everything_in_order(self):
        path = self.begin()
        self.receive_all()
        self.proxy.down()
        for _ in range(3):
            self.put(path, 'lock')
            self.until(self.uuid, lock_state='locked')
            self.assertEqual(409, self.request('demo', 'DELETE',
                                               path).status)
            self.put(path, 'unlock')
            self.until(self.uuid, lock_state='unlocked')
        eventually(lambda: 'Notifications cannot be' in self.log('engine'),
                   within=60)
        done = self.run_command('status', 'notifications', '--json')
        self.assertEqual(outbox.backlog(self.db).actions,
                         json.loads(done.stdout)['actions'])
        self.assertGreater(json.loads(done.stdout)['actions'], 6)
        done = self.run_command('status', 'notifications')
        self.assertIn('actions are pending', done.stdout)
        received = len(self.receive())
        self.proxy.up()
        self.assert_all_published()
        self.assertGreater(len(self.messages), received)
        self.assertNotIn('Traceback', self.log('engine'))

    def test_what_a_killed_engine_has_sent_comes_again_as_the_same(self):
        path = self.begin()
        self.receive_all()
        self.kill_engine()
        self.assertEqual(200, self.request('demo', 'PATCH', path, [
            {'op': 'replace', 'path': '/name', 'value': 'db'}]).status)
        before = len(self.receive())
        with self.marks_held():
            self.engine = self.start('engine')
            eventually(lambda: len(self.receive()), within=60,
                       until=lambda number: number == before + 2)
            self.kill_engine()
        self.assertEqual(1, self.pending())
        self.engine = self.start('engine')
        self.assert_all_published()
        sent = [message['message_id'] for message in self.messages[before:]]
        self.assertEqual(sent[:2], sent[2:])

    @contextlib.contextmanager
    def marks_held(self):
        """Nobody can mark what has been sent."""
        engine = sa.create_engine(self.db.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(
                sa.select(models.actions.c.id)
                .where(models.actions.c.unpublished.is_not(None))
                .with_for_update()).all()
            yield
            connection.rollback()


class TestFrozenBroker(NotificationsTest):

    def test_an_engine_stops_although_its_broker_says_nothing(self):
        path = self.begin()
        self.receive_all()
        self.proxy.freeze()
        self.put(path, 'lock')
        self.until(self.uuid, lock_state='locked')
        self.engine.terminate()
        self.assertEqual(0, self.engine.wait(60))
        self.proxy.thaw()
        self.engine = self.start('engine')
        self.assert_all_published()

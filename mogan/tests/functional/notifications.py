# SPDX-License-Identifier: Apache-2.0
"""A deployment that sends notifications, and what is received."""

import copy
import functools
import json
from typing import Any

import jsonschema
import sqlalchemy as sa
from oslo_config import cfg
from oslo_messaging.notify import _impl_test

from mogan.db import models, outbox
from mogan.db.core.engine import Database
from mogan.engine.publisher import Publisher
from mogan.notifications import bus, schemas
from mogan.tests.functional import base
from mogan.tests.support import deployment
from mogan.tests.support.processes import eventually

INTERVAL = 0.1  # seconds between two searches for pending ones


class NotifyingDeployment(deployment.Deployment):
    """One whose notifications go to a list in this process."""

    def configure(self) -> cfg.ConfigOpts:
        conf = super().configure()
        # Notifications are enabled before messages are set up.
        bus.enabled(conf)
        conf.set_override('driver', ['test'],
                          'oslo_messaging_notifications')
        return conf

    @functools.cached_property
    def notifying_db(self) -> Database:
        """Return the database as an API service with notifications opens
        it."""
        return Database(self.db.url.render_as_string(hide_password=False),
                        notifications=bus.enabled(self.conf))

    def make_application(self, *, db: Database | None = None,
                         transport: Any = None) -> Any:
        return super().make_application(db=db or self.notifying_db,
                                        transport=transport)

    def publisher(self) -> Publisher | None:
        return Publisher(self.db, bus.Bus(
            self.conf, 'mogan-engine:here', self.conf.notifications.topics),
            interval=INTERVAL)

    def close(self) -> None:
        super().close()
        self.notifying_db.dispose()


@functools.cache
def schema(event: str) -> Any:
    """Return the validator of an event's payload, from the published
    schema."""
    return jsonschema.Draft202012Validator(json.loads(
        (schemas.DIRECTORY / f'{event}.json').read_text(encoding='utf-8')))


class Assertions:
    """For a test case that has a database, `db`."""

    db: Database

    def pending(self) -> int:
        """Return the number of actions with pending notifications."""
        with self.db.reader() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(models.actions)
                .where(models.actions.c.unpublished.is_not(None))
            ).scalar_one()

    def assert_each_published(self, messages: list[dict[str, Any]]) -> None:
        """Check that each action has one start and one end, or is a refusal,
        and that each event has its id, however often it was sent."""
        with self.db.reader() as connection:
            actions = connection.execute(sa.select(models.actions)).all()
        found: dict[tuple[str, bool], set[str]] = {}
        for message in messages:
            payload = message['payload']
            found.setdefault(
                (payload['action']['uuid'],
                 message['event_type'].endswith('.start')),
                set()).add(payload['event_id'])
        wanted = {(action.uuid, started) for action in actions
                  for started in (True, False)
                  if not (started and action.outcome == 'refused')}
        self.assertEqual(wanted, set(found))
        ids = [one for several in found.values() for one in several]
        self.assertEqual(len(wanted), len(ids))
        self.assertEqual(len(wanted), len(set(ids)))

    def assert_in_order(self, messages: list[dict[str, Any]]) -> None:
        """Of each instance, things are first heard of as they happened."""
        heard: set[str] = set()
        last: dict[str, str] = {}
        for payload in (message['payload'] for message in messages):
            if payload['event_id'] in heard:
                continue
            heard.add(payload['event_id'])
            uuid = payload['instance']['uuid']
            self.assertLessEqual(last.get(uuid, ''), payload['occurred_at'])
            last[uuid] = payload['occurred_at']


class NotificationsTest(Assertions, base.FunctionalTest):
    """A test with a deployment that sends notifications."""

    def setUp(self) -> None:
        _impl_test.reset()
        super().setUp()

    def deploy(self) -> deployment.Deployment:
        return NotifyingDeployment(rules=self.rules)

    def received(self) -> list[dict[str, Any]]:
        """Return the messages so far, after validating each."""
        messages = [copy.deepcopy(message) for _, message, _, _
                    in _impl_test.NOTIFICATIONS]
        for message in messages:
            schema(message['event_type']).validate(message['payload'])
        return messages

    def all_received(self) -> list[dict[str, Any]]:
        """Return the messages, once none is pending and no work is
        unfinished."""
        eventually(self.pending, until=lambda number: not number)
        self.assertEqual(0, outbox.backlog(self.db).actions)
        return self.received()

    def names(self) -> list[str]:
        """Return the event types of all instances, in order."""
        return [message['event_type'].removeprefix('instance.')
                for message in self.all_received()]

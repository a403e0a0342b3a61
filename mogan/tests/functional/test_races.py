# SPDX-License-Identifier: Apache-2.0
"""Requests that meet: exactly one of those that exclude each other wins."""

import concurrent.futures
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from mogan.db import flavors, models
from mogan.tests.functional import base
from mogan.tests.support.client import Client
from mogan.tests.support.concurrency import at_once
from mogan.tests.support.processes import DEADLINE

_ROUNDS = 12
_EACH = 3  # requests of each kind in a round


class TestRaces(base.FunctionalTest):
    """Two API services, each with connections of its own."""

    engines = 0

    def setUp(self):
        super().setUp()
        applications = [
            self.deployment.application, self.deployment.make_application(
                db=self.deployment.another_database())]
        self.admins = [Client(one, 'admin') for one in applications]
        self.demos = [Client(one, 'demo') for one in applications]

    def _race(self, *kinds: Callable[[int], Any]) -> list[list[int]]:
        """Run the requests concurrently; returns the statuses of each kind."""
        answers = at_once(*(
            lambda kind=kind, number=number: kind(number).status
            for number in range(_EACH) for kind in kinds))
        return [sorted(answers[place::len(kinds)])
                for place in range(len(kinds))]

    def _lock(self, uuid: str) -> Callable[[int], Any]:
        return lambda number: self.admins[number % 2].lock(uuid)

    def _unlock(self, uuid: str) -> Callable[[int], Any]:
        return lambda number: self.admins[number % 2].unlock(uuid)

    def _delete(self, uuid: str) -> Callable[[int], Any]:
        return lambda number: self.demos[number % 2].delete(
            f'/v1/instances/{uuid}')

    def test_a_lock_and_a_delete_never_both_succeed(self):
        winners = set()
        for _ in range(_ROUNDS):
            uuid = self.put_row()
            locks, deletes = self._race(self._lock(uuid),
                                        self._delete(uuid))
            row = self.row(uuid)
            if row['status'] == 'deleting':
                winners.add('delete')
                self.assertEqual(([409] * _EACH, [204] * _EACH),
                                 (locks, deletes))
                self.assertEqual('unlocked', row['lock_state'])
            else:
                winners.add('lock')
                self.assertEqual(([202] * _EACH, [409] * _EACH),
                                 (locks, deletes))
                self.assertEqual('locking', row['lock_state'])
            accepted = [entry['action'] for entry in self.history(uuid)
                        if entry['outcome'] is None]
            self.assertEqual(1, len(accepted), accepted)
        self.assertTrue(winners)

    def test_a_lock_and_a_rebuild_never_both_succeed(self):
        for _ in range(_ROUNDS):
            uuid = self.put_row()
            locks, rebuilds = self._race(
                self._lock(uuid),
                lambda number, uuid=uuid: self.demos[number % 2].rebuild(
                    uuid, base.IMAGE))
            won = [status for status in locks + rebuilds if status == 202]
            if self.row(uuid)['status'] == 'rebuilding':
                self.assertEqual([409] * _EACH, locks)
                self.assertEqual(1, len(won), rebuilds)
            else:
                self.assertEqual([202] * _EACH, locks)
                self.assertEqual([409] * _EACH, rebuilds)

    def test_an_unlock_under_way_lets_no_delete_through(self):
        for _ in range(_ROUNDS):
            uuid = self.put_row('active', 'locked')
            unlocks, deletes = self._race(self._unlock(uuid),
                                          self._delete(uuid))
            self.assertEqual([202] * _EACH, unlocks)
            self.assertEqual([409] * _EACH, deletes)

    def test_of_several_power_requests_one_is_accepted(self):
        for _ in range(_ROUNDS):
            uuid = self.put_row()
            [statuses] = self._race(
                lambda number, uuid=uuid: self.demos[number % 2].put(
                    f'/v1/instances/{uuid}/states/power',
                    {'target': ['off', 'reboot'][number % 2]}))
            self.assertEqual([202, 409, 409], statuses)
            self.assertEqual(2, self.row(uuid)['fence'])

    def test_no_patch_of_another_key_is_lost(self):
        uuid = self.put_row()
        statuses = at_once(*(
            lambda number=number: self.demos[number % 2].patch(
                f'/v1/instances/{uuid}',
                [{'op': 'add', 'path': f'/metadata/key{number}',
                  'value': 'x'}]).status for number in range(6)))
        accepted = {f'key{number}' for number, status in enumerate(statuses)
                    if status == 200}
        self.assertEqual(accepted, self.row(uuid)['metadata'].keys())
        self.assertLessEqual(set(statuses), {200, 409})
        self.assertEqual(len(accepted), self.row(uuid)['revision'])

    def test_no_instance_is_left_without_its_flavor(self):
        for _ in range(_ROUNDS):
            flavor = self.make_flavor()
            [[created], [deleted]] = [[status] for status in at_once(
                lambda flavor=flavor: self.demos[0].post('/v1/instances', {
                    'name': 'web', 'flavor_uuid': flavor,
                    'image_uuid': base.IMAGE}).status,
                lambda flavor=flavor: self.admins[1].delete(
                    f'/v1/flavors/{flavor}').status)]
            self.assertIn((created, deleted), {(201, 409), (400, 204)})
            self.expect(200 if deleted == 409 else 404,
                        self.admin.get(f'/v1/flavors/{flavor}'))

    def test_a_flavor_cannot_go_while_an_instance_of_it_is_created(self):
        flavor = self.make_flavor()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            with self.db.writer() as connection:
                connection.execute(sa.insert(models.instances),
                                   self.describe_row(flavor_uuid=flavor))
                flavors.lock_row(connection, flavor, hidden=False)
                delete = pool.submit(
                    self.admins[1].delete, f'/v1/flavors/{flavor}')
                # It waits for the end of this transaction.
                self.assertRaises(TimeoutError, delete.result, 0.3)
            self.expect(409, delete.result(DEADLINE))


class TestRacesWithAnEngine(base.FunctionalTest):

    engines = 2

    def test_whoever_wins_is_carried_out(self):
        flavor = self.make_flavor()
        for _ in range(4):
            uuid = self.make_instance(flavor_uuid=flavor)
            path = f'/v1/instances/{uuid}'
            lock, delete = at_once(
                lambda uuid=uuid: self.admin.lock(uuid).status,
                lambda path=path: self.demo.delete(path).status)
            self.assertIn((lock, delete), {(202, 409), (409, 204)})
            if lock == 202:
                self.wait_for(uuid, lock_state='locked')
                self.assertTrue(self.node_of(uuid).protected)
                self.expect(202, self.admin.unlock(uuid))
                self.wait_for(uuid, lock_state='unlocked')
                self.expect(204, self.demo.delete(path))
            self.wait_until_gone(uuid)

# SPDX-License-Identifier: Apache-2.0
"""Other transactions on the same rows: what a request has waited for
counts, and nobody waits without an end."""

import concurrent.futures
import contextlib
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import oslo_db.exception
import sqlalchemy as sa
from oslo_utils import uuidutils

from mogan.db import claims, models
from mogan.db.core.engine import Database
from mogan.tests.functional import base
from mogan.tests.functional.database_faults import BOUND, FaultTest
from mogan.tests.functional.test_races import at_once
from mogan.tests.support import backends
from mogan.tests.support.client import Answer, Client
from mogan.tests.support.processes import eventually

I = models.instances  # noqa: E741 - as the product names it
A = models.actions


class RivalTest(FaultTest):
    """Another transaction holds what a request needs.

    `reach`: arguments of the address that the service uses.
    """

    reach: dict[str, str] = {}  # noqa: RUF012 - read only

    def setUp(self):
        super().setUp()
        self.near = {
            name: Client(self.application(self.server_url(**self.reach)),
                         name) for name in ('admin', 'demo')}
        pool = concurrent.futures.ThreadPoolExecutor(4)
        self.addCleanup(pool.shutdown)
        self.start = pool.submit

    @contextlib.contextmanager
    def rival(self) -> Iterator[sa.Connection]:
        """Run a concurrent transaction, which is rolled back unless
        committed."""
        with self.db.engine.connect() as connection:
            yield connection
            connection.rollback()

    def change(self, rival: sa.Connection, uuid: str, **values: Any) -> None:
        """Change the row as another service would."""
        changed = rival.execute(sa.update(I).where(
            I.c.uuid == uuid).values(fence=I.c.fence + 1, **values))
        self.assertEqual(1, changed.rowcount)

    def wait_until_held(self, uuid: str) -> None:
        """Until some transaction has changed the row."""
        query = (sa.select(I.c.id).where(I.c.uuid == uuid)
                 .with_for_update(nowait=True))

        def held() -> bool:
            with self.rival() as other:
                try:
                    other.execute(query)
                except Exception as error:  # noqa: BLE001 - one for each
                    self.assertIn('lock', str(error).lower())
                    return True
            return False

        eventually(held)

    def wait_until_waiting(self, future: Any) -> None:
        """Until a request has come as far as it can; there is nothing to
        look at that all databases have."""
        done, _ = concurrent.futures.wait([future], 0.5)
        self.assertFalse(done)


class TestRivals(RivalTest):
    """A request judges the row that it has waited for, not one it has read
    before."""

    def _race(self, change: dict[str, Any],
              request: Callable[[str], Answer]) -> Answer:
        uuid = self.put_row()
        with self.rival() as rival:
            self.change(rival, uuid, **change)
            future = self.start(request, uuid)
            self.wait_until_waiting(future)
            rival.commit()
        return future.result(BOUND)

    def test_a_delete_sees_the_lock_that_it_has_waited_for(self):
        answer = self._race(
            {'lock_state': 'locked', 'locked_at': base.now(),
             'locked_by': 'admin', 'locked_reason': 'disk swap'},
            lambda uuid: self.near['demo'].delete(f'/v1/instances/{uuid}'))
        self.expect(409, answer)
        self.assertEqual('disk swap', answer.json['error']['lock']['reason'])

    def test_a_lock_sees_the_delete_that_it_has_waited_for(self):
        answer = self._race(
            {'status': 'deleting'},
            self.near['admin'].lock)
        self.expect(409, answer)
        self.assertIn('deleting', answer.message)

    def test_a_claim_sees_the_request_that_it_has_waited_for(self):
        uuid = self.put_row()
        db = Database(self.server_url(**self.reach))
        self.addCleanup(db.dispose)
        with self.rival() as rival:
            self.change(rival, uuid, lock_state='locking',
                        locked_at=base.now(), locked_by='admin',
                        lock_action=base.NOWHERE)
            rival.execute(sa.insert(A).values(
                uuid=base.NOWHERE, instance_uuid=uuid, verb='lock',
                arguments={}, fence=2, user_id='admin', attempts=0, times=1,
                created_at=base.now(), next_at=base.now()))
            future = self.start(claims.take, db, uuid, 'one', 30.0)
            self.wait_until_waiting(future)
            rival.commit()
        work = future.result(BOUND)
        self.assertEqual('locking', work.row.lock_state)
        self.assertEqual(['lock'], [one.verb for one in work.actions])

    def test_one_of_a_lock_and_a_delete_wins(self):
        for _ in range(6):
            uuid = self.put_row()
            statuses = at_once(*(call for _ in range(3) for call in (
                lambda uuid=uuid: self.near['admin'].lock(uuid).status,
                lambda uuid=uuid: self.near['demo'].delete(
                    f'/v1/instances/{uuid}').status)))
            self.assertIn((set(statuses[::2]), set(statuses[1::2])),
                          [({202}, {409}), ({409}, {204})], statuses)
            self.assertEqual(2, self.row(uuid)['fence'])


class TestDeadlocks(RivalTest):
    """The transaction is undone, and begun again from its start."""

    def _deadlock(self, **change: Any) -> tuple[str, Answer]:
        while True:
            # The database chooses whom it undoes; in the end the service.
            with contextlib.suppress(oslo_db.exception.DBDeadlock):
                return self._meet(**change)

    def _meet(self, **change: Any) -> tuple[str, Answer]:
        uuid = self.put_row()
        self.ask(uuid, 'off', 'demo')
        with self.rival() as rival:
            # Much to undo makes the other one the victim.
            rival.execute(sa.update(A).values(attempts=A.c.attempts + 1))
            for _ in range(40):
                rival.execute(sa.insert(A).values(
                    uuid=uuidutils.generate_uuid(), verb='update',
                    instance_uuid=base.NOWHERE, arguments={}, user_id='',
                    attempts=0, times=1, created_at=base.now()))
            future = self.start(self.near['demo'].delete,
                                f'/v1/instances/{uuid}')
            self.wait_until_held(uuid)
            self.change(rival, uuid, **change)
            rival.commit()
        return uuid, future.result(BOUND)

    def test_a_request_that_is_still_possible_is_accepted(self):
        uuid, answer = self._deadlock(name='db')
        self.expect(204, answer)
        row, actions = self.kept(uuid)
        self.assertEqual(['power_off', 'delete'],
                         [action['verb'] for action in actions])
        self.assertEqual(('superseded', None),
                         tuple(action['outcome'] for action in actions))
        self.assertEqual((row['status_action'], row['fence']),
                         (actions[1]['uuid'], actions[1]['fence']))

    def test_a_request_that_is_not_possible_any_more_is_refused(self):
        uuid, answer = self._deadlock(
            lock_state='locked', locked_at=base.now(), locked_by='admin')
        self.expect(409, answer)
        row, actions = self.kept(uuid)
        self.assertEqual(('powering-off', 'locked'),
                         (row['status'], row['lock_state']))
        self.assertEqual([None, 'refused'],
                         [action['outcome'] for action in actions])


class TestPausedProcess(RivalTest):
    """A process stands still between its statements, as one does that is
    stopped, and holds a row."""

    def test_nobody_waits_for_it_for_long(self):
        uuid = self.put_row()
        other = Database(self.server_url())
        self.addCleanup(other.dispose)
        with other.engine.connect() as paused:
            self.change(paused, uuid, name='held')
            self.expect(202, self.within(
                BOUND, lambda: self.near['admin'].lock(uuid)))
            # It wakes, and learns that it had lost its turn.
            self.assertRaises(oslo_db.exception.DBConnectionError,
                              paused.commit)
            paused.invalidate()
        self.assertEqual('web', self.row(uuid)['name'])

    def test_who_waits_is_told_so_and_not_forgotten(self):
        uuid = self.put_row()
        with self.rival() as rival:
            # Somebody's own client, which the service cannot hurry.
            if backends.NAME == 'postgresql':
                rival.execute(sa.text(
                    'SET idle_in_transaction_session_timeout = 0'))
            else:
                rival.execute(sa.text(
                    'SET SESSION idle_transaction_timeout = 0'))
            self.change(rival, uuid, name='held')
            self.expect_unavailable(self.within(
                BOUND, lambda: self.near['admin'].lock(uuid)))
        self.expect(202, self.near['admin'].lock(uuid))


def _at(level: str, **reach: str) -> type[TestRivals]:
    """Return the concurrent transactions with another isolation level."""
    return type(f'TestRivals{level.title().replace(" ", "")}',
                (TestRivals,), {'reach': reach, '__module__': __name__})


def _levels() -> list[type[TestRivals]]:
    names = ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
    if backends.NAME == 'postgresql':
        return [_at(name, options='-c default_transaction_isolation='
                    + name.lower().replace(' ', '\\ ')) for name in names]
    return [_at(name, init_command='SET SESSION TRANSACTION ISOLATION '
                f'LEVEL {name}') for name in names] + [
        # What newer versions do by default.
        _at('SNAPSHOT', init_command='SET SESSION '
            'innodb_snapshot_isolation = ON')]


def load_tests(loader: Any, tests: Any, pattern: Any) -> Any:  # noqa: ARG001
    """Return the suites of the backend of this run; SQLite has no row
    locks."""
    if backends.NAME == 'sqlite':
        return unittest.TestSuite()
    return unittest.TestSuite(
        loader.loadTestsFromTestCase(suite) for suite in (
            *_levels(), TestDeadlocks, TestPausedProcess))

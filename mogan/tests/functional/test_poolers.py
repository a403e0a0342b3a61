# SPDX-License-Identifier: Apache-2.0
"""PgBouncer between the services and PostgreSQL, which gives each transaction
whatever connection is free: no statement may rely on what an earlier one has
left behind there."""

import collections
import concurrent.futures
import pathlib
import random
import select
import socket
import threading
import unittest
from typing import Any

import sqlalchemy as sa

from mogan import exception, states
from mogan.cmd.checks import database
from mogan.db import migrations, models, revisions
from mogan.db.core.engine import Database
from mogan.tests.functional import base
from mogan.tests.functional.database_faults import BOUND, FaultTest
from mogan.tests.support import backends
from mogan.tests.support.client import Answer, Client
from mogan.tests.support.deployment import Deployment
from mogan.tests.support.poolers import PgBouncer
from mogan.tests.support.processes import eventually
from mogan.tests.support.proxy import Proxy

I = models.instances  # noqa: E741 - as the product names it
A = models.actions

_REQUESTS = 10_000
_CLIENTS = 6
_INSTANCES = 12
# Conflicts with what others ask for at the same time are answers like any
# other; whatever was deleted meanwhile is not there.
_LOST = {404, 409}


class PoolerTest(FaultTest):

    nodes = 4

    def deploy(self) -> Deployment:
        deployment = Deployment(rules=self.rules, nodes=self.nodes)
        # It is there for as long as the engines are.
        self.pooler = PgBouncer(deployment.db.url)
        self.addCleanup(self.pooler.close)
        self.pooler.start()
        self.pooled_url = self.pooler.url.render_as_string(
            hide_password=False)
        return deployment

    def pooled(self) -> Database:
        """Return the database through the pooler, as another process sees
        it."""
        db = Database(self.pooled_url)
        self.addCleanup(db.dispose)
        return db


class Mixture:
    """Random requests of one client, each answer checked by itself."""

    def __init__(self, number: int, application: Any, flavor: str,
                 uuids: list[str]) -> None:
        self._random = random.Random(number)
        self._admin = Client(application, 'admin')
        self._demo = Client(application, 'demo')
        self._flavor = flavor
        self._uuids = uuids
        self._number = number
        self._count = 0
        self.statuses: collections.Counter[str] = collections.Counter()
        self.faults: list[str] = []

    def run(self, requests: int) -> None:
        """Make so many requests."""
        for _ in range(requests):
            self._count += 1
            ask = self._random.choice((
                self._lock, self._unlock, self._delete, self._read,
                self._patch, self._patch, self._list, self._create))
            ask(self._random.choice(self._uuids))

    def _expect(self, answer: Answer, statuses: set[int],
                fits: Any = None) -> None:
        self.statuses[answer.status] += 1
        if answer.status not in statuses:
            self.faults.append(f'{answer.status} {answer.body!r}')
        elif answer.status in {200, 201} and not fits(answer.json):
            self.faults.append(f'another one: {answer.body!r}')

    def _lock(self, uuid: str) -> None:
        self._expect(self._admin.lock(uuid), {202, *_LOST})

    def _unlock(self, uuid: str) -> None:
        # The first one is locked all the time.
        if uuid == self._uuids[0]:
            return
        self._expect(self._admin.unlock(uuid), {202, *_LOST})

    def _delete(self, uuid: str) -> None:
        locked = uuid == self._uuids[0]
        self._expect(self._demo.delete(f'/v1/instances/{uuid}'),
                     {409} if locked else {204, *_LOST})

    def _read(self, uuid: str) -> None:
        self._expect(
            self._demo.get(f'/v1/instances/{uuid}'), {200, 404},
            lambda seen: seen['uuid'] == uuid
            and seen['status'] in set(states.Status)
            and seen['lock_state'] in set(states.LockState))

    def _patch(self, uuid: str) -> None:
        name = f'{self._number}-{self._count}'
        self._expect(
            self._admin.patch(f'/v1/instances/{uuid}', [
                {'op': 'replace', 'path': '/description', 'value': name}]),
            {200, *_LOST}, lambda seen: seen['uuid'] == uuid)

    def _list(self, uuid: str) -> None:
        del uuid
        self._expect(
            self._demo.get('/v1/instances/detail?limit=5'), {200},
            lambda seen: all(one['status'] in set(states.Status)
                             for one in seen['instances']))

    def _create(self, uuid: str) -> None:
        """Put a new one in the place of one that is gone."""
        place = self._uuids.index(uuid)
        if self._demo.get(f'/v1/instances/{uuid}').status != 404:
            return
        name = f'{self._number}-{self._count}'
        answer = self._demo.post('/v1/instances', {
            'name': name, 'flavor_uuid': self._flavor,
            'image_uuid': base.IMAGE})
        self._expect(answer, {201}, lambda seen: seen['name'] == name)
        if answer.status == 201:
            self._uuids[place] = answer.json['uuid']


class TestMixedRequests(PoolerTest):

    # On a machine that is busy with other things.
    TIMEOUT_SCALING_FACTOR = 5
    nodes = 3 * _INSTANCES

    def test_nothing_is_mixed_up(self):
        for _ in range(2):
            self.deployment.start_engine(db=self.pooled())
        flavor = self.make_flavor()
        uuids = [self.ask_for_instance(flavor_uuid=flavor)
                 for _ in range(_INSTANCES)]
        for uuid in uuids:
            self.wait_for(uuid, status='active')
        self.lock(uuids[0])
        applications = [self.application(self.pooled_url) for _ in range(2)]
        clients = [Mixture(number, applications[number % 2], flavor, uuids)
                   for number in range(_CLIENTS)]
        with concurrent.futures.ThreadPoolExecutor(_CLIENTS) as pool:
            for future in [pool.submit(client.run, _REQUESTS // _CLIENTS)
                           for client in clients]:
                future.result()
        statuses = sum((client.statuses for client in clients),
                       collections.Counter())
        for client in clients:
            self.assertEqual([], client.faults[:5], statuses)
        for status in (200, 201, 202, 204, 409):
            self.assertGreater(statuses[status], 20, statuses)
        eventually(self.unsettled, until=lambda seen: not seen,
                   within=60)
        self.assertEqual([], self.strange())
        self.assertEqual('locked', self.see(uuids[0])['lock_state'])

    def unsettled(self) -> list[Any]:
        with self.db.reader() as connection:
            return connection.execute(sa.select(
                A.c.verb, A.c.instance_uuid, A.c.error).where(
                    A.c.outcome.is_(None))).all()

    def strange(self) -> list[Any]:
        """Rows that no code of the service can have written."""
        with self.db.reader() as connection:
            return [row for row in connection.execute(sa.select(
                I.c.uuid, I.c.status, I.c.lock_state))
                if row.status not in set(states.Status)
                or row.lock_state not in set(states.LockState)]


class TestSettings(PoolerTest):
    """The limits of a transaction go with it."""

    engines = 0
    limits = sa.text("SELECT current_setting('lock_timeout'),"
                     " current_setting('idle_in_transaction_session_timeout')")

    def seen(self, transaction: Any) -> tuple[str, str]:
        with transaction() as connection:
            return tuple(connection.execute(self.limits).one())

    def test_they_hold_within_a_transaction_of_the_service_only(self):
        for db in (self.db, self.pooled()):
            # A first connection is not like those that follow.
            for _ in range(3):
                self.assertEqual(('8s', '5s'), self.seen(db.writer))
                self.assertEqual(('0', '0'), self.seen(db.reader))
                self.assertEqual(('8s', '5s'), self.seen(db.engine.begin))

    def test_they_are_not_left_behind_for_others(self):
        db = self.pooled()
        for _ in range(8):
            self.assertEqual(('8s', '5s'), self.seen(db.writer))
        other = sa.create_engine(self.pooled_url, poolclass=sa.NullPool,
                                 connect_args={'prepare_threshold': None})
        for _ in range(8):
            self.assertEqual(('0', '0'), self.seen(other.connect))

    def test_they_cost_no_exchange_of_their_own(self):
        uuid = self.put_row()
        trace = pathlib.Path(self.deployment.directory) / 'trace'
        with self.db.writer() as connection:
            driver = connection.connection.driver_connection
        with trace.open('w') as file:
            driver.pgconn.trace(file.fileno())
            with self.db.writer() as connection:
                self.assertIs(driver, connection.connection.driver_connection)
                connection.execute(sa.update(I).where(
                    I.c.uuid == uuid).values(name='db'))
            driver.pgconn.untrace()
        text = trace.read_text()
        # BEGIN, UPDATE, COMMIT; a statement is prepared by one more.
        self.assertEqual(3, text.count('ReadyForQuery'), text)

    def test_one_that_stands_still_is_ended(self):
        uuid = self.put_row()
        with self.pooled().engine.connect() as paused:
            paused.execute(sa.update(I).where(I.c.uuid == uuid).values(
                name='held'))
            self.expect(202, self.within(BOUND, lambda: self.admin.lock(uuid)))
            paused.invalidate()
        self.assertEqual('web', self.row(uuid)['name'])


class TestPooler(PoolerTest):

    engines = 0

    def test_the_schema_is_made_through_it(self):
        db = Database(self.pooled_url, time_limits=False)
        self.addCleanup(db.dispose)
        for _ in range(3):
            migrations.upgrade(db)
        self.assertEqual(revisions.head(), migrations.version(db))

    def test_it_is_reported(self):
        session = PgBouncer(self.db.url, pool_mode='session')
        self.addCleanup(session.close)
        session.start()
        for url in (self.pooled_url,
                    session.url.render_as_string(hide_password=False)):
            found = database._pooler(Database(url))
            self.assertEqual(database.Code.WARNING, found.code)
            self.assertIn('PgBouncer is supported', found.details)
        self.assertEqual(database.Code.SUCCESS,
                         database._pooler(self.db).code)

    def test_one_that_knows_no_transactions_is_told_of(self):
        uuid = self.put_row()
        statement = PgBouncer(self.db.url, pool_mode='statement')
        self.addCleanup(statement.close)
        statement.start()
        url = statement.url.render_as_string(hide_password=False)
        far = Client(self.application(url), 'admin')
        self.expect_unavailable(far.lock(uuid))
        self.assertRaises(exception.DatabaseUnavailable,
                          database._pooler, Database(url))

    def test_a_server_that_is_away_behind_it_is_away(self):
        uuid = self.put_row()
        server = Proxy(self.db.url.host or '127.0.0.1',
                       self.db.url.port or 5432)
        self.addCleanup(server.close)
        pooler = PgBouncer(self.db.url.set(host='127.0.0.1',
                                           port=server.port))
        self.addCleanup(pooler.close)
        pooler.start()
        far = Client(self.application(pooler.url.render_as_string(
            hide_password=False)), 'admin')
        path = f'/v1/instances/{uuid}'
        self.expect(200, far.get(path))
        self.expect(202, far.lock(uuid))
        server.down()
        for answer in (far.get(path), far.lock(uuid)):
            self.expect_unavailable(answer)
        server.up()
        eventually(
            lambda: {far.get(path).status,
                     far.lock(uuid).status},
            until=lambda seen: seen == {200, 202}, within=3 * BOUND)

    def test_one_that_is_killed_costs_no_promise(self):
        uuid = self.put_row()
        far = Client(self.application(self.pooled_url), 'admin')
        self.expect(200, far.get(f'/v1/instances/{uuid}'))
        self.pooler.kill()
        for answer in (far.get(f'/v1/instances/{uuid}'),
                       far.lock(uuid)):
            self.expect_unavailable(answer)
        self.pooler.start()
        self.expect(202, far.lock(uuid))
        self.assertEqual('locking', self.row(uuid)['lock_state'])


class TestPlanner(FaultTest):

    def found(self, **settings: str) -> Any:
        return database._planner(Database(self.server_url(
            options=' '.join(f'-c {name}={value}'
                             for name, value in settings.items()))))

    def test_what_makes_lists_slow_is_named_with_its_remedy(self):
        for name, good, bad in (
                ('random_page_cost', '1.1', '4'),
                ('plan_cache_mode', 'auto', 'force_generic_plan')):
            found = self.found(**{name: good})
            self.assertEqual(database.Code.SUCCESS, found.code, found.details)
            found = self.found(**{name: bad})
            self.assertEqual(database.Code.WARNING, found.code)
            self.assertIn(f'{name} is {bad}', found.details)
            self.assertRegex(found.details, f'ALTER ROLE .* SET {name} = ')


class TestPoolerOfMariaDB(FaultTest):
    """One whose sessions are not those of the server."""

    def test_it_is_reported(self):
        near = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(near.close)
        thread = threading.Thread(target=self.serve, args=(near,))
        thread.start()
        self.addCleanup(thread.join)
        db = Database(self.db.url.set(
            host='127.0.0.1', port=near.getsockname()[1]).render_as_string(
                hide_password=False))
        found = database._pooler(db)
        db.dispose()
        self.assertEqual(database.Code.WARNING, found.code)
        self.assertIn('none is tested', found.details)
        self.assertEqual(database.Code.SUCCESS,
                         database._pooler(self.db).code)

    def serve(self, near: socket.socket) -> None:
        """Hand on one connection, under another number."""
        client, _ = near.accept()
        server = socket.create_connection(
            (self.db.url.host or '127.0.0.1', self.db.url.port or 3306))
        with client, server:
            greeting = bytearray(server.recv(65_536))
            # The number comes after the text of the version.
            greeting[greeting.index(0, 5) + 1] ^= 1
            client.sendall(greeting)
            while True:
                for end in select.select([client, server], [], [])[0]:
                    data = end.recv(65_536)
                    if not data:
                        return
                    (server if end is client else client).sendall(data)


def load_tests(loader: unittest.TestLoader, *_: Any) -> unittest.TestSuite:
    """Return those of the database server of this run."""
    classes = {
        'postgresql': [TestMixedRequests, TestSettings, TestPooler,
                       TestPlanner],
        'mariadb': [TestPoolerOfMariaDB],
    }.get(backends.NAME, [])
    return unittest.TestSuite(map(loader.loadTestsFromTestCase, classes))

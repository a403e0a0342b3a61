# SPDX-License-Identifier: Apache-2.0
"""Primaries that are replaced by their replica while they live on: nothing
is acknowledged by the one that is no primary any more."""

import concurrent.futures
import functools
import os
import pathlib
import tempfile
import unittest
import unittest.mock
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from oslo_db import options

from mogan import exception
from mogan.api.middleware import health
from mogan.cmd.checks import database
from mogan.db import migrations, models, secrets
from mogan.db.core.engine import Database
from mogan.tests.functional import base
from mogan.tests.functional.database_faults import BOUND, FaultTest
from mogan.tests.support import backends, replicas, servers
from mogan.tests.support.client import Answer, Client
from mogan.tests.support.processes import Family, eventually
from mogan.tests.support.proxy import Proxy

I = models.instances  # noqa: E741 - as the product names it

# Seconds after which a commit that hangs is given up, in these tests.
_SILENCE = 3
# A test's own is closed to others.
_TEMPORARY = tempfile.gettempdir()


def _upgrade(url: str) -> None:
    db = Database(url)
    migrations.upgrade(db)
    db.dispose()


@functools.cache
def _template() -> pathlib.Path:
    """Return the files of a server that has the schema."""
    return servers.template(
        f'pair-{backends.NAME}',
        functools.partial(replicas.make_template, backends.NAME, _upgrade))


class PairTest(FaultTest):
    """An API service, `far`, reaches the primary through a proxy that new
    connections are led elsewhere by; `near` always has the replica."""

    def setUp(self):
        super().setUp()
        missing = replicas.missing(backends.NAME)
        if missing and not os.environ.get('CI'):
            self.skipTest(f'not installed: {", ".join(missing)}')
        directory = tempfile.TemporaryDirectory(prefix='mogan-pair-',
                                                dir=_TEMPORARY)
        self.addCleanup(directory.cleanup)
        path = pathlib.Path(directory.name)
        # The servers run as somebody else.
        path.chmod(0o755)
        family = Family(path)
        self.addCleanup(family.close)
        self.pair = replicas.PAIRS[backends.NAME](family, path)
        self.pair.start(_template())
        if backends.NAME == 'mariadb':
            # In other formats its log has statements that change nothing,
            # and a commit waits for the replica to have them.
            self.pair.primary.run("SET GLOBAL binlog_format = 'ROW'",
                                  database=None)
        self.db = self.database(self.pair.primary.url)
        self.proxy = Proxy('127.0.0.1', self.pair.primary.port)
        self.addCleanup(self.proxy.close)
        far_url = sa.make_url(self.pair.primary.url).set(
            port=self.proxy.port)
        if backends.NAME == 'mariadb':
            far_url = far_url.update_query_dict(
                {'read_timeout': str(_SILENCE)})
        self.far_db = self.database(far_url.render_as_string(
            hide_password=False))
        with unittest.mock.patch('mogan.db.core.timeouts.ANSWER', _SILENCE):
            self.assertIsNotNone(self.far_db.engine)
        self.far = self.client(self.far_db)

    def database(self, url: str) -> Database:
        db = Database(url)
        self.addCleanup(db.dispose)
        return db

    def client(self, db: Database) -> Client:
        return Client(self.deployment.make_application(db=db), 'admin')

    def turn(self, promote: Callable[[], None]) -> None:
        """Replace the primary: new connections lead to the other one."""
        promote()
        self.proxy.turn('127.0.0.1', self.pair.replica.port)
        self.new = self.database(self.pair.replica.url)
        self.near = self.client(self.new)

    def delete_by_the_new_one(self, uuid: str) -> None:
        """Unlock and delete an instance at the new primary."""
        with self.new.writer() as connection:
            connection.execute(sa.update(I).where(I.c.uuid == uuid).values(
                lock_state='unlocked', locked_at=None, locked_by=None))
        self.expect(204, self.near.delete(f'/v1/instances/{uuid}'))

    def expect_never_locked(self, uuid: str) -> Answer:
        """Expect that no lock request is acknowledged, however often it is
        made, and that in the end it is refused with the reason."""
        path = f'/v1/instances/{uuid}'
        answer = eventually(
            lambda: self.far.lock(uuid), within=3 * BOUND,
            until=lambda answer: answer.status != 503)
        self.expect(409, answer)
        self.assertIn('deleting', answer.message)
        self.assertEqual('deleting', self.near.get(path).json['status'])
        return answer


class TestVerdicts(PairTest):
    """The instance is locked in the eyes of the old primary, and being
    deleted by word of the new one."""

    def _locked(self) -> str:
        uuid = self.put_row(lock_state='locked')
        # One kept for reading, and none for writing.
        self.expect(200, self.far.get(f'/v1/instances/{uuid}'))
        return uuid

    def test_after_a_planned_one_a_reader_decides_nothing(self):
        uuid = self._locked()
        self.turn(self.pair.switch_over)
        self.delete_by_the_new_one(uuid)
        self.expect(409, self.far.lock(uuid))
        self.expect_never_locked(uuid)

    def test_after_an_unplanned_one_a_reader_decides_nothing(self):
        uuid = self._locked()
        self.turn(self.pair.promote)
        self.delete_by_the_new_one(uuid)
        self.expect(409, self.far.lock(uuid))
        self.expect_never_locked(uuid)

    def _cut_off(self, kept: str) -> str:
        """Partition the old primary, which keeps running, with a pooled write
        connection to it."""
        uuid = self.put_row(lock_state=kept)
        request = 'lock' if kept == 'locked' else 'unlock'
        self.expect(202, self.far.put(
            f'/v1/instances/{uuid}/states/{request}', {request: None}))
        self.expect(200, self.far.get(f'/v1/instances/{uuid}'))
        self.assertTrue(self.far_db._writers._kept)
        self.turn(self.pair.promote)
        return uuid

    def test_what_changes_nothing_is_not_acknowledged_by_a_former_one(self):
        uuid = self._cut_off('locked')
        self.delete_by_the_new_one(uuid)
        self.expect_unavailable(self.far.lock(uuid))
        self.expect_never_locked(uuid)

    def test_nothing_is_refused_by_a_former_one(self):
        uuid = self._cut_off('unlocked')
        with self.db.engine.connect() as connection:
            # What it is to the old one.
            self.assertEqual('active', connection.execute(sa.select(
                I.c.status).where(I.c.uuid == uuid)).scalar_one())
        with self.new.writer() as connection:
            connection.execute(sa.update(I).where(I.c.uuid == uuid).values(
                status='stopped'))
        # An active one cannot be turned on; this one can.
        answer = eventually(
            lambda: self.far.power(uuid, 'on'), within=3 * BOUND,
            until=lambda answer: answer.status != 503)
        self.expect(202, answer)


class TestReaders(PairTest):

    def test_one_that_is_always_busy_finds_the_new_primary(self):
        uuid = self.put_row()
        path = f'/v1/instances/{uuid}'
        self.expect(200, self.far.get(path))
        self.turn(self.pair.switch_over)
        self.delete_by_the_new_one(uuid)
        eventually(lambda: self.far.get(path).json['status'],
                   until=lambda status: status == 'deleting')

    def test_a_server_that_only_reads_is_none(self):
        uuid = self.put_row()
        path = f'/v1/instances/{uuid}'
        self.expect(200, self.far.get(path))
        self.pair.stop_writing()
        answer = eventually(
            lambda: self.far.get(path),
            until=lambda answer: answer.status != 200)
        self.expect_unavailable(answer)
        self.turn(self.pair.switch_over)
        self.expect(200, self.far.get(path))

    def test_a_write_whose_fate_is_unknown_ends_the_reading_there(self):
        uuid = self.put_row()
        path = f'/v1/instances/{uuid}'
        self.expect(202, self.far.lock(uuid))
        self.expect(200, self.far.get(path))
        self.turn(self.pair.promote)
        self.expect(202, self.near.unlock(uuid))
        self.assertEqual('locking',
                         self.far.get(path).json['lock_state'])
        self.expect_unavailable(self.far.lock(uuid))
        self.assertEqual('unlocking',
                         self.far.get(path).json['lock_state'])


class TestEngine(PairTest):

    def test_what_was_accepted_is_carried_out_on_the_new_primary(self):
        self.deployment.start_engine(db=self.far_db)
        flavor = self.expect(201, self.far.post('/v1/flavors', {
            'name': 'small', 'resources': {base.SMALL: 1}})).json['uuid']
        uuid = self.expect(201, self.far.post('/v1/instances', {
            'name': 'web', 'flavor_uuid': flavor,
            'image_uuid': base.IMAGE})).json['uuid']
        self._until(uuid, 'status', 'active')
        self.expect(202, self.far.lock(uuid))
        self._until(uuid, 'lock_state', 'locked')
        self.turn(self.pair.switch_over)
        answer = eventually(
            lambda: self.far.unlock(uuid), within=BOUND,
            until=lambda answer: answer.status != 503)
        self.expect(202, answer)
        self._until(uuid, 'lock_state', 'unlocked')

    def test_a_former_one_does_not_say_what_a_node_is_handed(self):
        uuid = self.put_row()
        self.expect(202, self.far.lock(uuid))
        self.assertIsNone(secrets.get(self.far_db, uuid))
        self.expect(200, self.far.get(f'/v1/instances/{uuid}'))
        self.turn(self.pair.promote)
        with self.new.writer() as connection:
            secrets.insert(connection, uuid, {'user_data': 'eA=='})
        found = eventually(
            lambda: self._given(uuid), within=3 * BOUND,
            until=lambda found: found != 'unknown')
        self.assertIsNotNone(found)
        self.assertEqual('eA==', found.user_data)

    def _given(self, uuid: str) -> Any:
        try:
            return secrets.get(self.far_db, uuid)
        except exception.DatabaseUnavailable:
            return 'unknown'

    def _until(self, uuid: str, name: str, value: str) -> None:
        eventually(
            lambda: self.far.get(f'/v1/instances/{uuid}').json.get(name),
            within=3 * BOUND, until=lambda seen: seen == value)


class TestChecks(PairTest):
    """Findings of the upgrade check and of the health check."""

    def test_an_account_that_writes_where_it_must_not_is_named(self):
        found = database._account(self.db)
        self.assertEqual(database.Code.SUCCESS, found.code, found.details)
        self.pair.primary.run(*{
            'postgresql': ['ALTER ROLE mogan SUPERUSER'],
            'mariadb': ['CREATE ROLE operator',
                        'GRANT SUPER, READ_ONLY ADMIN ON *.* TO operator',
                        'GRANT operator TO mogan@127.0.0.1',
                        'SET DEFAULT ROLE operator FOR mogan@127.0.0.1'],
        }[backends.NAME])
        found = database._account(self.database(self.pair.primary.url))
        self.assertEqual(database.Code.WARNING, found.code)
        self.assertIn({'postgresql': 'SUPERUSER', 'mariadb':
                       'READ_ONLY ADMIN, SUPER'}[backends.NAME],
                      found.details)

    def test_a_server_that_only_reads_is_not_healthy(self):
        conf = self.deployment.configure()
        options.set_defaults(conf, self.far_db.url.render_as_string(
            hide_password=False))
        check = health.Database(conf, {})
        self.assertTrue(check.healthcheck(0).available)
        self.pair.stop_writing()
        eventually(lambda: not check.healthcheck(0).available)
        for db in (self.db, self.database(self.pair.primary.url)):
            self.assertIn('only reads', str(eventually(
                lambda db=db: self._fault(db))))
        self.turn(self.pair.switch_over)
        eventually(lambda: check.healthcheck(0).available)

    def _fault(self, db: Database) -> BaseException | None:
        try:
            database._durability(db)
        except exception.DatabaseUnavailable as error:
            return error.__cause__
        return None


class TestHosts(PairTest):
    """Both servers in the address; the replica is the first."""

    def test_the_one_that_writes_is_chosen(self):
        uuid = self.put_row()
        hosts = ''.join(
            f'&host=127.0.0.1:{server.port}'
            for server in (self.pair.replica, self.pair.primary))
        db = self.database(f'postgresql+psycopg://mogan@/mogan?{hosts[1:]}')
        both = self.client(db)
        self.expect(202, both.lock(uuid))
        self.pair.switch_over()
        self.expect(202, both.unlock(uuid))
        self.assertEqual(self.pair.replica.port, [
            kept.driver.info.port for kept in db._writers._kept][-1])


class TestWarnings(PairTest):
    """A commit that is answered with a warning."""

    def test_one_whose_wait_for_the_replica_was_cancelled_is_unknown(self):
        uuid = self.put_row()
        self.pair.replica.kill()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            request = pool.submit(self.far.lock, uuid)
            eventually(lambda: self.pair.primary.run(
                'SELECT pg_cancel_backend(pid) FROM pg_stat_activity'
                " WHERE wait_event = 'SyncRep'"))
            answer = request.result(BOUND)
        self.expect_unavailable(answer)
        self.assertEqual('locking', self.row(uuid)['lock_state'])

    def test_other_notices_are_passed_over(self):
        uuid = self.put_row()
        self.pair.primary.run(
            'CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS'
            " $$BEGIN RAISE WARNING 'well'; RETURN NEW; END$$",
            'CREATE TRIGGER say BEFORE UPDATE ON instances FOR EACH ROW'
            ' EXECUTE FUNCTION say()')
        self.expect(202, self.far.lock(uuid))

    def test_one_at_the_end_of_the_transaction_counts(self):
        uuid = self.put_row()
        self.pair.primary.run(
            'CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS'
            " $$BEGIN RAISE WARNING 'well'; RETURN NEW; END$$",
            'CREATE CONSTRAINT TRIGGER say AFTER UPDATE ON instances'
            ' DEFERRABLE INITIALLY DEFERRED FOR EACH ROW'
            ' EXECUTE FUNCTION say()')
        self.expect_unavailable(self.far.lock(uuid))
        self.assertEqual('locking', self.row(uuid)['lock_state'])


def load_tests(loader: unittest.TestLoader, *_: Any) -> unittest.TestSuite:
    """Return those of the server of this run: SQLite has no replicas."""
    classes = [] if backends.NAME == 'sqlite' else [
        TestVerdicts, TestReaders, TestEngine, TestChecks]
    if backends.NAME == 'postgresql':
        classes += [TestHosts, TestWarnings]
    return unittest.TestSuite(map(loader.loadTestsFromTestCase, classes))

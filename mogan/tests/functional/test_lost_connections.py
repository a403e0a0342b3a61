# SPDX-License-Identifier: Apache-2.0
"""Connections to the database that break: nothing is acknowledged that is
not kept, and nothing is half done."""

import concurrent.futures
import unittest
from typing import Any

from mogan.db.core.engine import Database
from mogan.tests.functional import base
from mogan.tests.functional.database_faults import BOUND, FaultTest, ProxyTest
from mogan.tests.support import backends
from mogan.tests.support.client import Answer, Client
from mogan.tests.support.processes import eventually
from mogan.tests.support.proxy import CutPoint

# Seconds; an engine may run into it more than once.
_SILENT = 3 * BOUND
_READ = 'SET SESSION TRANSACTION READ ONLY'


class TestLostCommits(ProxyTest):
    """The connection breaks at the COMMIT: 503, and to ask again is safe."""

    # Request, status of the same request afterwards where the server had
    # not and where it had committed, what is so in the end.
    _CASES = (
        ('lock', 202, 202, {'lock_state': 'locked'}),
        ('unlock', 202, 202, {'lock_state': 'unlocked'}),
        ('reason', 202, 202, {'locked_reason': 'fan swap'}),
        ('off', 202, 409, {'status': 'stopped'}),
        ('rebuild', 202, 409, {'status': 'active',
                               'image_uuid': base.OTHER_IMAGE}),
        ('update', 200, 200, {'name': 'db'}),
        ('delete', 204, 204, None),
    )

    def _send(self, request: str, uuid: str) -> Answer:
        path = f'/v1/instances/{uuid}'
        match request:
            case 'delete':
                return self.far.delete(path)
            case 'update':
                return self.far.patch(path, [
                    {'op': 'replace', 'path': '/name', 'value': 'db'}])
        place, body = {
            'lock': ('lock', {'lock': None}),
            'reason': ('lock', {'lock': {'reason': 'fan swap'}}),
            'unlock': ('unlock', {'unlock': None}),
            'off': ('power', {'target': 'off'}),
            'rebuild': ('provision', {'target': 'rebuild',
                                      'image_uuid': base.OTHER_IMAGE}),
        }[request]
        return self.far.put(f'{path}/states/{place}', body)

    def _prepare(self, request: str) -> str:
        """Create an instance for the request, without an engine; returns
        its uuid."""
        self.deployment.start_engine()
        uuid = self.make_instance()
        if request in {'unlock', 'reason'}:
            self.lock(uuid)
        self.deployment.stop_engines()
        return uuid

    def _try(self, request: str, point: CutPoint, again: int,
             end: dict[str, Any] | None) -> None:
        uuid = self._prepare(request)
        before = self.kept(uuid)
        self.proxy.cut(point)
        self.expect_unavailable(self._send(request, uuid))
        self.assertEqual(1, self.proxy.cuts)
        after = self.kept(uuid)
        if point is CutPoint.BEFORE:
            self.assertEqual(before, after)
        else:
            self.assertEqual(1, len(after[1]) - len(before[1]))
            self.assertNotEqual(before[0], after[0])
        self.expect(again, self._send(request, uuid))
        self.deployment.start_engine()
        if end is None:
            self.wait_until_gone(uuid)
        else:
            self.wait_for(uuid, **end)
        eventually(lambda: {action['outcome'] for action in
                                 self.history(uuid)},
                        until=lambda seen: seen == {'done'})


def _add(request: str, retried: dict[CutPoint, int],
         end: dict[str, Any] | None) -> None:
    words = {CutPoint.BEFORE: 'that_was_not_heard',
             CutPoint.AFTER: 'that_was_not_answered'}
    for point, again in retried.items():
        def test(self: TestLostCommits, point: CutPoint = point,
                 again: int = again) -> None:
            self._try(request, point, again, end)

        test.__name__ = f'test_a_commit_of_{request}_{words[point]}'
        setattr(TestLostCommits, test.__name__, test)


for _request, _before, _after, _end in TestLostCommits._CASES:
    _add(_request, {CutPoint.BEFORE: _before, CutPoint.AFTER: _after}, _end)


class TestLostCreate(ProxyTest):
    """The one request that cannot be told from its repetition."""

    def _create(self) -> Answer:
        return self.far.post('/v1/instances', {
            'name': 'web', 'flavor_uuid': self.flavor,
            'image_uuid': base.IMAGE})

    def test_what_was_created_is_whole_or_is_not_there(self):
        self.flavor = self.make_flavor()
        self.deployment.start_engine()
        for point, number in ((CutPoint.BEFORE, 0), (CutPoint.AFTER, 1)):
            self.proxy.cut(point)
            answer = self._create()
            self.expect_unavailable(answer)
            self.assertIn('check the result before', answer.message)
            seen = self.admin.get('/v1/instances').json['instances']
            self.assertEqual(number, len(seen))
        self.wait_for(seen[0]['uuid'], status='active')


class TestEngineOnABadLine(ProxyTest):
    """Each fourth commit of the engine is lost, at either point."""

    def test_everything_is_carried_out_all_the_same(self):
        engine = self.deployment.start_engine(db=Database(self.far_url))
        self.proxy.cut_every(4)
        uuid = self.make_instance()
        self.lock(uuid, 'disk swap')
        self.assertTrue(self.node_of(uuid).protected)
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        self.ask(uuid, 'rebuild')
        self.wait_for(uuid, status='active', image_uuid=base.OTHER_IMAGE)
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        self.proxy.cut_every(None)
        self.assertGreater(self.proxy.cuts, 3)
        self.assertEqual({'done'}, {
            action['outcome'] for action in self.history(uuid)})
        effects = [entry.call for entry in self.hardware.journal()
                   if entry.outcome == 'effect']
        for call in ('deploy', 'rebuild', 'undeploy'):
            self.assertEqual(1, effects.count(call), effects)
        self.assertIn(engine, self.deployment.engines)


class TestDatabaseAway(ProxyTest):

    def _requests(self, client: Client, uuid: str) -> list[Answer]:
        path = f'/v1/instances/{uuid}'
        return [client.get(path), client.get('/v1/instances'),
                client.lock(uuid), client.delete(path),
                client.get('/v1/flavors')]

    def test_every_request_is_answered_at_once_and_works_again_later(self):
        uuid = self.put_row()
        self.proxy.down()
        for answer in self.within(
                5, lambda: self._requests(self.far, uuid)):
            self.expect_unavailable(answer)
        self.assertEqual('unlocked', self.row(uuid)['lock_state'])
        self.proxy.up()
        self.expect(202, self.far.lock(uuid))
        self.assertEqual('locking', self.row(uuid)['lock_state'])

    def test_a_service_that_starts_meanwhile_answers_and_works_later(self):
        uuid = self.put_row()
        self.proxy.down()
        far = Client(self.application(self.far_url), 'admin')
        for answer in self.within(BOUND, lambda: self._requests(far, uuid)):
            self.expect_unavailable(answer)
        self.proxy.up()
        self.expect(202, far.lock(uuid))

    def test_a_server_that_takes_connections_and_says_nothing(self):
        uuid = self.put_row()
        self.proxy.freeze()
        far = Client(self.application(self.far_url), 'admin')
        self.expect_unavailable(self.within(
            BOUND, lambda: far.lock(uuid)))
        self.proxy.thaw()
        self.expect(202, far.lock(uuid))

    def test_a_server_that_falls_silent(self):
        uuid = self.put_row()
        path = f'/v1/instances/{uuid}'
        # All kinds of connections are kept now.
        self.expect(202, self.far.lock(uuid))
        self.proxy.freeze()
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for answer in self.within(BOUND, lambda: list(pool.map(
                    lambda send: send(), (
                        lambda: self.far.get(path),
                        lambda: self.far.get('/v1/instances'),
                        lambda: self.far.unlock(uuid))))):
                self.expect_unavailable(answer)
        self.proxy.thaw()
        self.expect(202, self.far.lock(uuid))

    def test_a_dropped_connection_costs_no_request(self):
        uuid = self.put_row()
        self.proxy.drop()
        self.expect(202, self.far.lock(uuid))

    def test_an_engine_goes_on_when_it_is_back(self):
        self.deployment.start_engine(db=Database(self.far_url))
        uuid = self.make_instance()
        self.proxy.down()
        self.expect(202, self.admin.lock(uuid))
        self.assertEqual('locking', self.see(uuid)['lock_state'])
        self.proxy.up()
        self.wait_for(uuid, lock_state='locked')

    def test_an_engine_goes_on_when_its_connections_fall_silent(self):
        self.deployment.start_engine(db=Database(self.far_url))
        uuid = self.make_instance()
        self.proxy.strand()
        self.expect(202, self.admin.lock(uuid))
        eventually(lambda: self.see(uuid)['lock_state'],
                   within=_SILENT, until=lambda seen: seen == 'locked')

    def test_an_engine_can_start_before_the_database(self):
        self.proxy.down()
        self.deployment.start_engine(db=Database(self.far_url))
        uuid = self.ask_for_instance()
        self.proxy.up()
        self.wait_for(uuid, status='active')


class TestServerThatOnlyReads(FaultTest):
    """As one that is none of the writers any more after a fail-over."""

    def setUp(self):
        super().setUp()
        self.statement, self.query = {
            'mysql': (_READ, {'init_command': _READ}),
            'postgresql': (
                'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
                {'options': '-c default_transaction_read_only=on'}),
        }[self.db.url.get_backend_name()]

    def test_whoever_writes_is_told_to_come_again(self):
        uuid = self.put_row()
        path = f'/v1/instances/{uuid}'
        far = Client(self.application(self.server_url(**self.query)),
                     'admin')
        for answer in (far.lock(uuid), far.delete(path)):
            self.expect_unavailable(answer)
        self.assertEqual(('unlocked', 'active'), (
            self.row(uuid)['lock_state'], self.row(uuid)['status']))

    def test_one_that_was_a_writer_costs_no_request(self):
        uuid = self.put_row()
        db = Database(self.server_url())
        self.addCleanup(db.dispose)
        far = Client(self.deployment.make_application(db=db), 'admin')
        self.expect(202, far.lock(uuid))
        self.expect(200, far.get(f'/v1/instances/{uuid}'))
        old = db._writers._kept + db._readers._kept
        for kept in old:
            with kept.driver.cursor() as cursor:
                cursor.execute(self.statement)
            kept.driver.commit()
        self.expect(202, far.unlock(uuid))
        self.assertEqual('unlocking', self.row(uuid)['lock_state'])
        # What it shows is old, too.
        self.assertGreater(len(old), 1)
        self.assertTrue(all(kept.connection.closed for kept in old))


def load_tests(loader: Any, tests: Any, pattern: Any) -> Any:  # noqa: ARG001
    """Return all of these if there is a server to connect to."""
    return unittest.TestSuite() if backends.NAME == 'sqlite' else tests

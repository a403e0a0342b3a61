# SPDX-License-Identifier: Apache-2.0
"""HAProxy between the services and a database, which changes over to another
server."""

import unittest
from typing import Any

from mogan.cmd.checks import database
from mogan.db.core.engine import Database
from mogan.tests.functional.database_faults import BOUND, FaultTest
from mogan.tests.support import backends
from mogan.tests.support.client import Answer, Client
from mogan.tests.support.poolers import HAProxy
from mogan.tests.support.processes import eventually
from mogan.tests.support.proxy import Proxy


class TestChangeover(FaultTest):
    """HAProxy leads to one of two servers."""

    engines = 0

    def setUp(self):
        super().setUp()
        usual, check = {
            'mysql': (3306, 'mysql-check'), 'postgresql': (
                5432, 'pgsql-check')}[self.db.url.get_backend_name()]
        server = (self.db.url.host or '127.0.0.1', self.db.url.port or usual)
        self.first, self.second = Proxy(*server), Proxy(*server)
        self.proxy = HAProxy(
            *[('127.0.0.1', end.port) for end in (self.first, self.second)],
            check=f'option {check} user {self.db.url.username}')
        self.addCleanup(self.first.close)
        self.addCleanup(self.second.close)
        self.addCleanup(self.proxy.close)
        self.proxy.start()
        self.url = self.db.url.set(
            host='127.0.0.1', port=self.proxy.port).render_as_string(
                hide_password=False)
        self.far = Client(self.application(self.url), 'admin')
        self.uuid = self.put_row()

    def requests(self) -> list[Answer]:
        path = f'/v1/instances/{self.uuid}'
        return [self.far.get(path), self.far.lock(self.uuid),
                self.far.put(f'{path}/states/unlock', {'unlock': None}),
                self.far.get('/v1/instances')]

    def until_served(self) -> set[int]:
        """Return the statuses until all requests are served."""
        seen: set[int] = set()

        def served() -> bool:
            statuses = {answer.status for answer in self.requests()}
            seen.update(statuses)
            return statuses == {200, 202}

        eventually(served, within=3 * BOUND)
        return seen

    def test_the_services_follow(self):
        self.assertLessEqual(self.until_served(), {200, 202, 503})
        self.second.down()
        self.first.down()
        for answer in self.requests():
            self.expect_unavailable(answer)
        self.second.up()
        self.assertLessEqual(self.until_served(), {200, 202, 503})
        # Nobody stays behind with the one that was there meanwhile.
        self.first.up()
        eventually(lambda: not self.second._links, within=BOUND)
        self.assertLessEqual(self.until_served(), {200, 202, 503})

    def test_a_server_that_hangs_is_left(self):
        self.until_served()
        self.first.freeze()
        self.assertLessEqual(self.until_served(), {200, 202, 503})
        self.first.thaw()

    def test_it_is_no_pooler(self):
        self.until_served()
        self.assertEqual(database.Code.SUCCESS,
                         database._pooler(Database(self.url)).code)


def load_tests(loader: Any, tests: Any, pattern: Any) -> Any:  # noqa: ARG001
    """Return all of these if there is a server to connect to."""
    return unittest.TestSuite() if backends.NAME == 'sqlite' else tests

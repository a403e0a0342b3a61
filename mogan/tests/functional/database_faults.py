# SPDX-License-Identifier: Apache-2.0
"""Steps shared by the tests of databases that fail."""

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from mogan.db import models
from mogan.db.core.engine import Database
from mogan.tests.functional import base
from mogan.tests.support.client import Answer, Client
from mogan.tests.support.proxy import Proxy

A = models.actions

# Longer than any request may take, whatever the database does.
BOUND = 20.0


class FaultTest(base.FunctionalTest):
    """One whose instances are rows; engines are started where needed."""

    engines = 0

    def expect_unavailable(self, answer: Answer) -> None:
        """Expect 503 with Retry-After, and nothing else."""
        self.expect(503, answer)
        self.assertIn('retry-after', answer.headers)

    def within(self, seconds: float, call: Callable[[], Any]) -> Any:
        """Return the result of a call, which has to end in time."""
        began = time.monotonic()
        result = call()
        self.assertLess(time.monotonic() - began, seconds)
        return result

    def kept(self, uuid: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return all that the database has of an instance."""
        with self.db.reader() as connection:
            return self.row(uuid), [
                dict(row._mapping) for row in connection.execute(
                    sa.select(A).where(A.c.instance_uuid == uuid)
                    .order_by(A.c.id))]

    def server_url(self, **query: str) -> str:
        """Return the URL of the database, with these arguments."""
        return self.db.url.update_query_dict(query).render_as_string(
            hide_password=False)

    def application(self, url: str, **options: Any) -> Any:
        """Return another API service, which connects to the database like
        this."""
        db = Database(url, **options)
        self.addCleanup(db.dispose)
        return self.deployment.make_application(db=db)


class ProxyTest(FaultTest):
    """With an API service behind a network that fails."""

    def setUp(self):
        super().setUp()
        url = self.db.url
        self.proxy = Proxy(url.host or '127.0.0.1', url.port or {
            'mysql': 3306, 'postgresql': 5432}[url.get_backend_name()])
        self.addCleanup(self.proxy.close)
        self.far_url = url.set(
            host='127.0.0.1', port=self.proxy.port).render_as_string(
                hide_password=False)
        self.far_application = self.application(self.far_url)
        self.far = Client(self.far_application, 'admin')
        self.expect(200, self.far.get('/v1/instances'))

# SPDX-License-Identifier: Apache-2.0
"""A database without room for a request: 503, one line, and all goes on once
there is room."""

import fixtures
import sqlalchemy as sa

from mogan.tests.functional.base import FunctionalTest
from mogan.tests.support import backends

_MOST = 2 ** 31 - 2


# It takes the limit of a file of SQLite.
if backends.NAME == 'sqlite':
    class TestFullDisk(FunctionalTest):

        engines = 0

        def limit(self, pages):
            """Let the file grow no further, where there are no `pages`."""
            with self.db.writer() as connection:
                if pages is None:
                    pages = connection.execute(
                        sa.text('PRAGMA page_count')).scalar_one()
                connection.execute(sa.text(f'PRAGMA max_page_count = {pages}'))

        def test_requests_are_told_to_come_again(self):
            flavor = self.make_flavor()
            self.limit(None)
            log = self.useFixture(fixtures.FakeLogger())
            for number in range(2000):
                answer = self.admin.post('/v1/flavors', {
                    'name': f'flavor-{number}', 'description': 'x' * 255,
                    'resources': {'CUSTOM_SMALL': 1}})
                if answer.status != 201:
                    break
            self.expect(503, answer)
            self.assertIn('retry-after', answer.headers)
            self.expect(200, self.admin.get(f'/v1/flavors/{flavor}'))
            lines = [line for line in log.output.splitlines()
                     if 'full' in line]
            self.assertEqual(1, len(lines), lines)
            self.assertNotIn('Traceback', log.output)
            self.limit(_MOST)
            self.make_flavor()

# SPDX-License-Identifier: Apache-2.0
"""Steps shared by the tests of wrong requests."""

from typing import Any

import sqlalchemy as sa

from mogan.db import models
from mogan.tests.functional import base

# Bodies that are wrong wherever a body is wanted.
NO_BODIES: dict[str, tuple[Any, int, str]] = {
    'none': (None, 400, 'is missing'),
    'empty': (b'', 400, 'body'),
    'spaces': (b'  \n', 400, 'body'),
    'no JSON': (b'{"lock": nul}', 400, 'not JSON'),
    'half': (b'{"lock": ', 400, 'not JSON'),
    'two': (b'{"lock": null} {"lock": null}', 400, 'not JSON'),
    'a number': (b'7', 400, '$'),
    'a text': (b'"lock"', 400, '$'),
    'null': (b'null', 400, '$'),
    'a list in a list': (b'[[]]', 400, '$'),
    'NaN': (b'{"lock": NaN}', 400, 'NaN'),
    'Infinity': (b'{"lock": -Infinity}', 400, 'Infinity'),
    'a key twice': (b'{"lock": null, "lock": null}', 400, 'twice'),
    'no UTF-8': (b'{"lock": "\xff\xfe"}', 400, 'UTF-8'),
    'UTF-16': ('{"lock": null}'.encode('utf-16'), 400, 'UTF-8'),
    'a byte order mark': (b'\xef\xbb\xbf{"lock": null}', 400, 'JSON'),
    'deep lists': (b'[' * 100_000, 400, 'deep'),
    'deep objects': (b'{"a":' * 50_000, 400, 'deep'),
    'a long number': (b'9' * 10_000, 400, ''),
    'too large': (b'{"lock": "' + b'x' * (1 << 20) + b'"}', 413, 'bytes'),
}


class BadInputTest(base.FunctionalTest):
    """Nothing that is sent changes anything."""

    engines = 0

    def setUp(self):
        super().setUp()
        self.uuid = self.put_row()
        self.before = self._everything()

    def _everything(self) -> list[Any]:
        with self.db.reader() as connection:
            return [connection.execute(sa.select(table)).all()
                    for table in models.metadata.sorted_tables]

    def _send(self, method: str, path: str, body: Any = None,
              headers: dict[str, str] | None = None) -> Any:
        return self.admin.request(method, path.format(uuid=self.uuid), body,
                                  headers)

    def _check(self, status: int, words: str, answer: Any,
               case: Any) -> None:
        case = f'{str(case)[:300]}: {answer.status} {answer.body[:500]!r}'
        self.assertEqual(status, answer.status, case)
        self.assertEqual('application/json',
                         answer.headers['content-type'].split(';')[0], case)
        error = answer.json['error']
        self.assertLessEqual({'code', 'title', 'message'}, error.keys())
        self.assertEqual(status, error['code'], case)
        self.assertIn(words, error['message'], case)
        self.assertLess(len(error['message']), 1000, case)
        self.assertIn('x-openstack-request-id', answer.headers, case)
        self.assertEqual(self.before, self._everything(), case)

    def _check_no_json(self, *requests: tuple[str, str]) -> None:
        for method, path in requests:
            for name, (body, status, words) in NO_BODIES.items():
                self._check(status, words, self._send(method, path, body),
                            (name, method, path))

    def _check_bodies(self, table: list[tuple[str, str, Any, str]]) -> None:
        for method, path, body, words in table:
            self._check(400, words, self._send(method, path, body),
                        (method, path, body))

    def _check_places(self, table: list[tuple[str, str, int, str]]) -> None:
        for method, path, status, words in table:
            self._check(status, words, self._send(method, path),
                        (method, path))

    def _check_methods(self, table: list[tuple[str, str, str]]) -> None:
        for method, path, allowed in table:
            answer = self._send(method, path)
            self._check(405, '', answer, (method, path))
            self.assertEqual(allowed, answer.headers['allow'],
                             (method, path))

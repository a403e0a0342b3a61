# SPDX-License-Identifier: Apache-2.0
"""The least that an answer needs: bare WSGI callables on bare drivers.

Each answers what the service answers, and leaves what it leaves in the
database; `fairness` proves it.  But they know nobody, check nothing and
write no log.
"""

import abc
import json
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import psycopg
import pymysql
import sqlalchemy as sa

from benchmarks import data
from benchmarks.databases import Place

# What the service shows of an instance to its owner.
_COLUMNS: Final = (
    'uuid', 'name', 'description', 'project_id', 'user_id', 'status',
    'power_state', 'availability_zone', 'flavor_uuid', 'image_uuid',
    'metadata', 'key_name', 'partitions', 'networks', 'locked', 'lock_state',
    'locked_at', 'locked_reason', 'fault', 'created_at', 'updated_at',
    'launched_at')
_JSON: Final = ('metadata', 'partitions', 'networks')
_MOMENTS: Final = ('locked_at', 'created_at', 'updated_at', 'launched_at')
_SELECT: Final = (  # made of the names above
    f'SELECT {", ".join(_COLUMNS)} FROM instances')  # noqa: S608
_READ: Final = f'{_SELECT} WHERE uuid = ? AND deleted_at IS NULL'
_LIST: Final = (f'{_SELECT} WHERE project_id = ? AND deleted = false '
                'ORDER BY id LIMIT 100')
_LOCK: Final = """
UPDATE instances SET lock_state = 'locking', lock_action = ?,
    lock_fault = NULL, locked_at = NOW, locked_by = ?, locked_reason = ?,
    fence = fence + 1, updated_at = NOW
WHERE uuid = ? AND deleted_at IS NULL AND lock_state = 'unlocked'
    AND status NOT IN ('building', 'rebuilding', 'deleting')"""
_RECORD: Final = """
INSERT INTO actions (uuid, instance_uuid, verb, arguments, user_id,
    project_id, request_id, fence, attempts, times, created_at, next_at)
VALUES (?, ?, 'lock', '{}', ?, ?, ?,
    (SELECT fence FROM instances WHERE uuid = ?), 0, 1, NOW, NOW)"""

_BASE: Final = 'http://127.0.0.1:6688'


class Driver(abc.ABC):
    """A bare driver of databases."""

    mark = '%s'
    now: str

    def __init__(self, place: Place) -> None:
        self._url = sa.make_url(place.url)
        self._local = threading.local()

    def statement(self, text: str) -> str:
        """Return a statement in the dialect of this database."""
        return text.replace('?', self.mark).replace('NOW', self.now)

    @property
    def connection(self) -> Any:
        """Return the thread's own connection, in autocommit mode."""
        try:
            return self._local.connection
        except AttributeError:
            self._local.connection = self.connect()
            return self._local.connection

    @abc.abstractmethod
    def connect(self) -> Any:
        """Return a connection as durable as the service's."""

    def moment(self, value: Any) -> str:
        """Return a timestamp as it is shown."""
        return f'{value.isoformat()}Z'

    def rows(self, statement: str, *values: Any) -> Sequence[Any]:
        """Return the rows of a query."""
        cursor = self.connection.cursor()
        cursor.execute(statement, values)
        return cursor.fetchall()

    def write(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        """Run statements, each of which changes one row, in one
        transaction."""
        cursor = self.connection.cursor()
        cursor.execute('BEGIN')
        for statement, values in statements:
            cursor.execute(statement, values)
            assert cursor.rowcount == 1
        cursor.execute('COMMIT')

    def _where(self) -> dict[str, Any]:
        url = self._url
        found = {'host': url.host, 'port': url.port, 'user': url.username,
                 'password': url.password}
        return {name: value for name, value in found.items() if value}


class Sqlite(Driver):
    mark = '?'
    now = "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        # As in the service: its one writer at a time waits without polling.
        self._turn = threading.Lock()

    def connect(self) -> Any:
        connection = sqlite3.connect(
            str(self._url.database), isolation_level=None,
            check_same_thread=False)
        for pragma in ('busy_timeout=10000', 'journal_mode=WAL',
                       'synchronous=FULL'):
            connection.execute(f'PRAGMA {pragma}')
        return connection

    def moment(self, value: Any) -> str:
        return f'{value.replace(" ", "T")}Z'

    def write(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        with self._turn:
            super().write(*statements)


class Mariadb(Driver):
    now = 'UTC_TIMESTAMP(6)'

    def connect(self) -> Any:
        return pymysql.connect(database=self._url.database, autocommit=True,
                               charset='utf8mb4', **self._where())


class Postgresql(Driver):
    now = "(statement_timestamp() AT TIME ZONE 'UTC')"

    def connect(self) -> Any:
        return psycopg.connect(dbname=self._url.database, autocommit=True,
                               **self._where())


_DRIVERS: Final[dict[str, type[Driver]]] = {
    'sqlite': Sqlite, 'mariadb': Mariadb, 'postgresql': Postgresql}

Start = Callable[..., Any]


class Baseline(abc.ABC):
    """A WSGI application for one kind of request."""

    def __init__(self, place: Place) -> None:
        self.driver = _DRIVERS[place.kind](place)

    @abc.abstractmethod
    def __call__(self, environ: dict[str, Any],
                 start_response: Start) -> Iterable[bytes]:
        """Answer."""

    def shown(self, row: Sequence[Any]) -> dict[str, Any]:
        """Return an instance as the service shows it."""
        shown = dict(zip(_COLUMNS, row, strict=True))
        for name in _JSON:
            if shown[name] is not None:
                shown[name] = json.loads(shown[name])
        shown['networks'] = shown['networks'] or []
        shown['locked'] = bool(shown['locked'])
        for name in _MOMENTS:
            if shown[name] is not None:
                shown[name] = self.driver.moment(shown[name])
        path = f'instances/{shown["uuid"]}'
        shown['links'] = [{'rel': 'self', 'href': f'{_BASE}/v1/{path}'},
                          {'rel': 'bookmark', 'href': f'{_BASE}/{path}'}]
        return shown


def _answer(value: Any, start_response: Start) -> Iterable[bytes]:
    body = json.dumps(value).encode()
    start_response('200 OK', [('Content-Type', 'application/json'),
                              ('Content-Length', str(len(body)))])
    return [body]


class ReadOne(Baseline):
    """R: one SELECT by uuid and json.dumps."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._statement = self.driver.statement(_READ)

    def __call__(self, environ: dict[str, Any],
                 start_response: Start) -> Iterable[bytes]:
        [row] = self.driver.rows(self._statement,
                                 environ['PATH_INFO'][-36:])
        return _answer(self.shown(row), start_response)


class ReadMany(Baseline):
    """L: one SELECT of 100 rows and json.dumps."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._statement = self.driver.statement(_LIST)

    def __call__(self, environ: dict[str, Any],
                 start_response: Start) -> Iterable[bytes]:
        page = [self.shown(row) for row in self.driver.rows(
            self._statement, data.PROJECTS[0])]
        following = (f'{_BASE}{environ["PATH_INFO"]}?'
                     f'{environ["QUERY_STRING"]}&marker={page[-1]["uuid"]}')
        return _answer({'instances': page, 'next': following},
                       start_response)


class Lock(Baseline):
    """W: the two statements of a lock in one durable transaction."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._lock = self.driver.statement(_LOCK)
        self._record = self.driver.statement(_RECORD)

    def __call__(self, environ: dict[str, Any],
                 start_response: Start) -> Iterable[bytes]:
        environ['wsgi.input'].read(int(environ['CONTENT_LENGTH']))
        instance = environ['PATH_INFO'].split('/')[3]
        action, user = str(uuid.uuid4()), 'admin'
        self.driver.write(
            (self._lock, (action, user, None, instance)),
            (self._record, (action, instance, user, user,
                            f'req-{action}', instance)))
        start_response('202 Accepted', [('Content-Length', '0')])
        return []


BASELINES: Final[dict[str, type[Baseline]]] = {
    'R': ReadOne, 'L': ReadMany, 'W': Lock}

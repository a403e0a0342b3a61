# SPDX-License-Identifier: Apache-2.0
"""Database servers from the distribution's binaries, which may be stopped
and killed.  They listen on 127.0.0.1 only."""

import abc
import contextlib
import pathlib
import random
import signal
from typing import Any, Final

import psycopg
import pymysql

from mogan.tests.support import processes
from mogan.tests.support.processes import Family
from mogan.tests.support.servers import Server

NAME: Final = 'mogan'
_POSTGRESQL: Final = pathlib.Path('/usr/lib/postgresql')


class Database(Server, abc.ABC):
    """A database server with an empty database and its owner."""

    grace = 20
    unprivileged = True
    url: str
    _data: pathlib.Path

    def start(self) -> None:
        """Start it, without waiting for it."""
        command, environment = self._command()
        self.begin(command, **environment)

    @abc.abstractmethod
    def _command(self) -> tuple[list[str], dict[str, str]]:
        """Return the command that runs it, and its environment."""

    @abc.abstractmethod
    def prepare(self) -> None:
        """Make the files that it starts from."""

    def copy_files(self, source: pathlib.Path) -> None:
        """Take the files of a server that was stopped, to start from them."""
        processes.run(['cp', '-a', str(source), str(self._data)])

    def copy_files_to(self, target: pathlib.Path) -> None:
        """Copy its files; it has to be stopped."""
        processes.run(['cp', '-a', str(self._data), str(target)])

    @abc.abstractmethod
    def create_database(self) -> None:
        """Make the database and its owner, once the server answers."""

    @abc.abstractmethod
    def connect(self, database: str | None = NAME) -> Any:
        """Return an administrator's connection (DB-API), in autocommit
        mode."""

    @abc.abstractmethod
    def drop_connections(self) -> int:
        """End the services' connections; returns how many there were."""

    def kill_session(self, rng: random.Random) -> None:
        """Kill what carries one connection; all of the server where that
        is one process."""
        del rng
        self.kill()

    def run(self, *statements: str, database: str | None = NAME,
            ) -> list[tuple]:
        """Run statements; returns the last one's rows."""
        rows: list[tuple] = []
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                    rows = list(cursor.fetchall()) if (
                        cursor.description) else []
        finally:
            connection.close()
        return rows

    def answers(self) -> bool:
        try:
            return bool(self.run('SELECT 1', database=None))
        except (pymysql.MySQLError, psycopg.Error, OSError):
            return False


class MariaDB(Database):
    name = 'mariadb'

    def __init__(self, family: Family, directory: pathlib.Path,
                 **options: Any) -> None:
        super().__init__(family, directory, **options)
        self.url = f'mysql+pymysql://{NAME}:{NAME}@127.0.0.1:{self.port}/{NAME}'
        self._data = self.directory / 'data'
        self.socket = self.directory / 'socket'

    def prepare(self) -> None:
        processes.run([
            processes.program('mariadb-install-db'), '--no-defaults',
            f'--datadir={self._data}', '--skip-test-db',
            # One that starts removes what others have in a shared one.
            f'--tmpdir={self.directory}',
            '--auth-root-authentication-method=normal'],
            cwd=self.directory, environment=self._environment,
            **processes.account())

    def _command(self) -> tuple[list[str], dict[str, str]]:
        # Everything else as it is by default: it has to be safe so.
        return [processes.program('mariadbd'), '--no-defaults',
                f'--datadir={self._data}', f'--port={self.port}',
                f'--tmpdir={self.directory}',
                '--bind-address=127.0.0.1', '--skip-name-resolve',
                '--max-connections=400',
                f'--socket={self.socket}',
                f'--pid-file={self.directory}/pid'], self._environment

    @property
    def _environment(self) -> dict[str, str]:
        # A server that starts removes the temporary tables of others.
        return {'TMPDIR': str(self.directory)}

    def create_database(self) -> None:
        self.run(f'CREATE DATABASE {NAME}', *self.users(), database=None)

    def users(self) -> tuple[str, ...]:
        """Return the statements that create the service's account, with no
        more privileges than it needs: an administrator could write to a
        read-only server."""
        return (f"CREATE USER {NAME}@127.0.0.1 IDENTIFIED BY '{NAME}'",
                f'GRANT ALL ON {NAME}.* TO {NAME}@127.0.0.1')

    def connect(self, database: str | None = NAME) -> Any:
        return pymysql.connect(
            unix_socket=str(self.socket), user='root',
            database=database, autocommit=True, connect_timeout=5,
            read_timeout=20)

    def drop_connections(self) -> int:
        dropped = 0
        connection = self.connect(None)
        try:
            with connection.cursor() as cursor:
                cursor.execute('SELECT id FROM information_schema.processlist'
                               " WHERE user = 'mogan'")
                for number, in cursor.fetchall():
                    with contextlib.suppress(pymysql.MySQLError):
                        # It may have gone by itself.
                        cursor.execute(f'KILL {number}')
                        dropped += 1
        finally:
            connection.close()
        return dropped


class PostgreSQL(Database):
    name = 'postgresql'
    # SIGTERM waits for all sessions to end by themselves.
    signal = signal.SIGINT

    def __init__(self, family: Family, directory: pathlib.Path,
                 **options: Any) -> None:
        super().__init__(family, directory, **options)
        self.url = f'postgresql+psycopg://{NAME}@127.0.0.1:{self.port}/{NAME}'
        self._data = self.directory / 'data'
        found = sorted(_POSTGRESQL.glob('*/bin'))
        self._binaries = found[-1] if found else pathlib.Path('/usr/bin')

    def prepare(self) -> None:
        processes.run([
            str(self._binaries / 'initdb'), '-D', str(self._data),
            '--auth=trust', '--username=postgres', '--encoding=UTF8',
            '--locale=C'], cwd=self.directory, **processes.account())

    def _command(self) -> tuple[list[str], dict[str, str]]:
        return [str(self._binaries / 'postgres'), '-D', str(self._data),
                '-p', str(self.port), '-k', str(self.directory),
                '-c', 'listen_addresses=127.0.0.1',
                '-c', 'max_connections=400'], {}

    def create_database(self) -> None:
        self.run(f'CREATE ROLE {NAME} LOGIN',
                 f'CREATE DATABASE {NAME} OWNER {NAME}', database=None)

    def connect(self, database: str | None = NAME) -> Any:
        return psycopg.connect(
            host='127.0.0.1', port=self.port, user='postgres',
            dbname=database or 'postgres', autocommit=True,
            connect_timeout=5)

    def drop_connections(self) -> int:
        return len(self.run(
            'SELECT pg_terminate_backend(pid) FROM pg_stat_activity'
            " WHERE usename = 'mogan'", database=None))

    def kill_session(self, rng: random.Random) -> None:
        # The server then throws away all sessions and recovers.
        rows = self.run('SELECT pid FROM pg_stat_activity'
                        " WHERE usename = 'mogan'", database=None)
        if rows:
            processes.send(rng.choice(rows)[0], signal.SIGKILL)

    def kill(self) -> None:
        # Or the sessions would go on without it for a moment.
        descendants = list(self._descendants())
        super().kill()
        for pid in descendants:
            processes.send(pid, signal.SIGKILL)
        processes.eventually(
            lambda: not any(map(processes.alive, descendants)), 30,
            'the sessions of PostgreSQL end')


DATABASES: Final[dict[str, type[Database]]] = {
    'mariadb': MariaDB, 'postgresql': PostgreSQL}


def programs(database: str) -> list[str]:
    """Return the programs of a database server."""
    if database == MariaDB.name:
        return ['mariadb-install-db', 'mariadbd']
    found = sorted(_POSTGRESQL.glob('*/bin/initdb'))
    return [str(found[-1]) if found else 'initdb']

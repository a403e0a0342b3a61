# SPDX-License-Identifier: Apache-2.0
"""A broker and databases of the rig's own, from the distribution's
binaries, in directories of their own: so that they may be stopped and
killed.  They listen on 127.0.0.1 only.
"""

import abc
import contextlib
import os
import pathlib
import random
import shutil
import signal
from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pymysql

from proof.rig import processes
from proof.rig.processes import Child, Family, RigError

NAME: Final = 'mogan'
_START: Final = 90
_RABBITMQ: Final = '/usr/lib/rabbitmq/bin'
_POSTGRESQL: Final = pathlib.Path('/usr/lib/postgresql')
_SYSTEM: Final = '/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin'


class Server(abc.ABC):
    """One server process, which can be ended and started again."""

    name: str

    def __init__(self, family: Family, directory: pathlib.Path) -> None:
        self.port = processes.free_port()
        self._family = family
        self._directory = directory / self.name
        processes.give(self._directory)
        self._child: Child | None = None

    @abc.abstractmethod
    def _command(self) -> tuple[list[str], dict[str, str]]:
        """The command that runs the server, and its environment."""

    @abc.abstractmethod
    def answers(self) -> bool:
        """Whether it can be worked with."""

    def start(self) -> None:
        """Start it, without waiting for it."""
        if self._child is not None:
            self._family.forget(self._child)
        command, environment = self._command()
        self._child = self._family.start(
            self.name, command, environment=environment,
            cwd=self._directory, **processes.account())

    def wait(self) -> None:
        """Wait until it answers."""
        processes.eventually(self._answers_or_ended, _START, self.name)

    def _answers_or_ended(self) -> bool:
        if self._child is None or self._child.ended():
            raise RigError(f'{self.name} has ended; see its log')
        return self.answers()

    def running(self) -> bool:
        """Whether its process is there."""
        return not self._child.ended()

    def stop(self) -> None:
        """End it in peace, or not, where that takes long."""
        self._child.signal(signal.SIGTERM)
        self._child.wait(20)
        self._child.kill()

    def kill(self) -> None:
        """End it as a power loss of the process would."""
        self._child.kill()

    def pause(self) -> None:
        """Stop all of its processes where they are."""
        self._child.signal_group(signal.SIGSTOP)
        for pid in self._descendants():
            processes.send(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        for pid in self._descendants():
            processes.send(pid, signal.SIGCONT)
        self._child.signal_group(signal.SIGCONT)

    def _descendants(self) -> Iterator[int]:
        # PostgreSQL gives each of its processes a group.
        yield from self._child.children()


class Broker(Server):
    """RabbitMQ."""

    name = 'rabbitmq'

    def __init__(self, family: Family, directory: pathlib.Path) -> None:
        super().__init__(family, directory)
        self._mapper_port = processes.free_port()
        self._distribution = processes.free_port()
        # Another one than the host's, which other brokers use.
        self._mapper = family.start(
            'epmd', ['epmd', '-port', str(self._mapper_port), '-address',
                     '127.0.0.1'], **processes.account())
        self.url = f'rabbit://guest:guest@127.0.0.1:{self.port}/'

    def _command(self) -> tuple[list[str], dict[str, str]]:
        home = self._directory
        configuration = home / 'rabbitmq.conf'
        configuration.write_text(
            f'listeners.tcp.1 = 127.0.0.1:{self.port}\n'
            'vm_memory_high_watermark.absolute = 512MB\n'
            'disk_free_limit.absolute = 50MB\n')
        return [f'{_RABBITMQ}/rabbitmq-server'], {
            'HOME': str(home), 'RABBITMQ_CONFIG_FILE': str(configuration),
            'RABBITMQ_NODENAME': f'mogan-rig-{self.port}@localhost',
            'RABBITMQ_NODE_PORT': str(self.port),
            'RABBITMQ_DIST_PORT': str(self._distribution),
            'RABBITMQ_MNESIA_BASE': str(home / 'data'),
            'RABBITMQ_LOG_BASE': str(home / 'log'),
            'RABBITMQ_LOGS': '-',
            'RABBITMQ_ENABLED_PLUGINS_FILE': str(home / 'plugins'),
            'RABBITMQ_PID_FILE': str(home / 'pid'),
            'RABBITMQ_CONF_ENV_FILE': '/dev/null',
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS':
                '+sbwt none +sbwtdcpu none +sbwtdio none +S 2:2'
                ' -kernel inet_dist_use_interface {127,0,0,1}',
            'ERL_EPMD_PORT': str(self._mapper_port),
            'ERL_EPMD_ADDRESS': '127.0.0.1',
            # So that the process is the broker, and not a shell.
            'RUNNING_UNDER_SYSTEMD': 'true'}

    def answers(self) -> bool:
        return processes.listens(self.port)


class Database(Server):
    """A database server with an empty database and its owner."""

    url: str

    @abc.abstractmethod
    def prepare(self) -> None:
        """Make the files that it starts from."""

    @abc.abstractmethod
    def furnish(self) -> None:
        """Make the database and its owner, once the server answers."""

    @abc.abstractmethod
    def connect(self, database: str | None = NAME) -> Any:
        """An administrator's connection (DB-API), which commits by
        itself."""

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

    def __init__(self, family: Family, directory: pathlib.Path) -> None:
        super().__init__(family, directory)
        self.url = f'mysql+pymysql://{NAME}:{NAME}@127.0.0.1:{self.port}/{NAME}'
        self._data = self._directory / 'data'

    def prepare(self) -> None:
        processes.run([
            _program('mariadb-install-db'), '--no-defaults',
            f'--datadir={self._data}', '--skip-test-db',
            '--auth-root-authentication-method=normal'],
            cwd=self._directory, **processes.account())

    def _command(self) -> tuple[list[str], dict[str, str]]:
        # Everything else as it is by default: it has to be safe so.
        return [_program('mariadbd'), '--no-defaults',
                f'--datadir={self._data}', f'--port={self.port}',
                '--bind-address=127.0.0.1', '--skip-name-resolve',
                '--max-connections=400',
                f'--socket={self._directory}/socket',
                f'--pid-file={self._directory}/pid'], {}

    def furnish(self) -> None:
        self.run(f'CREATE DATABASE {NAME}',
                 f"CREATE USER {NAME}@127.0.0.1 IDENTIFIED BY '{NAME}'",
                 f'GRANT ALL ON {NAME}.* TO {NAME}@127.0.0.1', database=None)

    def connect(self, database: str | None = NAME) -> Any:
        return pymysql.connect(
            unix_socket=f'{self._directory}/socket', user='root',
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

    def __init__(self, family: Family, directory: pathlib.Path) -> None:
        super().__init__(family, directory)
        self.url = f'postgresql+psycopg://{NAME}@127.0.0.1:{self.port}/{NAME}'
        self._data = self._directory / 'data'
        found = sorted(_POSTGRESQL.glob('*/bin'))
        self._binaries = found[-1] if found else pathlib.Path('/usr/bin')

    def prepare(self) -> None:
        processes.run([
            str(self._binaries / 'initdb'), '-D', str(self._data),
            '--auth=trust', '--username=postgres', '--encoding=UTF8',
            '--locale=C'], cwd=self._directory, **processes.account())

    def _command(self) -> tuple[list[str], dict[str, str]]:
        return [str(self._binaries / 'postgres'), '-D', str(self._data),
                '-p', str(self.port), '-k', str(self._directory),
                '-c', 'listen_addresses=127.0.0.1',
                '-c', 'max_connections=400'], {}

    def furnish(self) -> None:
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

    def stop(self) -> None:
        # SIGTERM waits for all sessions to end by themselves.
        self._child.signal(signal.SIGINT)
        self._child.wait(20)
        self.kill()


DATABASES: Final[dict[str, type[Database]]] = {
    'mariadb': MariaDB, 'postgresql': PostgreSQL}


def _program(name: str) -> str:
    found = _find(name)
    if found is None:
        raise RigError(f'{name} is not installed')
    return found


def _find(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join(
        (os.environ.get('PATH', ''), _SYSTEM)))


def missing(database: str) -> list[str]:
    """The programs that a run on a database needs and that are not
    there."""
    wanted = [f'{_RABBITMQ}/rabbitmq-server', 'epmd']
    if database == MariaDB.name:
        wanted += ['mariadb-install-db', 'mariadbd']
    elif not any(_POSTGRESQL.glob('*/bin/initdb')):
        wanted.append('initdb')
    return [name for name in wanted if _find(name) is None]

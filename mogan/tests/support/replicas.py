# SPDX-License-Identifier: Apache-2.0
"""A primary and its synchronous replica, each a server of its own.

No commit is answered before the replica has it, however long that takes: a
primary that has lost its replica for good lives on, and its commits hang.
"""

import abc
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any, Final

import pymysql

from mogan.tests.support import databases, processes
from mogan.tests.support.processes import Family

# A test's own is closed to others.
_TEMPORARY: Final = tempfile.gettempdir()
_WITHIN: Final = 120.0
# Milliseconds; semi-synchronous replication would then go on without the
# replica, and without a word.
_NEVER: Final = 24 * 3_600_000
# Seconds; longer than the service's own transactions may wait for a row.
_LOCK_WAIT: Final = 15
# The copy is not logged, and may hold rows that the constraints forbid.
_COPYING: Final = ('SET SESSION sql_log_bin = 0,'
                   ' check_constraint_checks = 0')
# MariaDB's account for the replica.
_REPLICA: Final = (
    'CREATE USER replica@127.0.0.1',
    'GRANT REPLICATION SLAVE ON *.* TO replica@127.0.0.1')
_DATA: Final = 'data'
# MariaDB's code for a lock that could not be had in time.
_LOCKED_OUT: Final = 1205


class Pair(abc.ABC):
    """A primary and its replica, of which either can be made to change.

    `current` is the one that counts: the primary, and from its promotion on
    the replica.
    """

    primary: databases.Database
    replica: databases.Database

    def __init__(self, family: Family, directory: pathlib.Path) -> None:
        self._family = family
        self._directory = directory
        self._members = 0
        self.primary = self._member()
        self.replica = self._member()
        self.current = self.primary

    def start(self, template: pathlib.Path | None = None) -> None:
        """Start both; returns when each commit waits for the replica.

        Both begin as copies of the template's server, if one is given.
        """
        if template is not None:
            self._copy(template)
            self._attach()
            return
        self.primary.prepare()
        self.primary.start()
        self.primary.wait()
        self._set_up()
        self._follow()

    def _copy(self, template: pathlib.Path) -> None:
        """Start both from the same files."""
        members = self.primary, self.replica
        for member in members:
            member.copy_files(template / _DATA)
        self._announce_primary()
        for member in members:
            member.start()
        for member in members:
            member.wait()

    @abc.abstractmethod
    def stop_writing(self) -> None:
        """Let the primary only read."""

    @abc.abstractmethod
    def wait_until_equal(self) -> None:
        """Wait until the replica has all that the primary has."""

    def promote(self) -> None:
        """Make a primary of the replica, with all that it has got."""
        self._promote()
        self.current = self.replica

    def switch_over(self) -> None:
        """Hand over as planned: the primary lives on, and only reads."""
        self.stop_writing()
        self.wait_until_equal()
        self.promote()

    def drop(self) -> None:
        """Kill the old primary; the promoted one is by itself then."""
        self.primary.kill()
        self.primary.forget()
        self.primary = self.current

    def replace(self) -> None:
        """Make a new replica, so that it can be done again."""
        self.replica = self._member()
        self._follow()

    def _next(self) -> int:
        self._members += 1
        return self._members

    @abc.abstractmethod
    def _member(self) -> databases.Database:
        """Return a server without files."""

    @abc.abstractmethod
    def _set_up(self) -> None:
        """Make the database and its users on the first primary."""

    @abc.abstractmethod
    def _follow(self) -> None:
        """Make a synchronous replica of the primary from nothing."""

    @abc.abstractmethod
    def _announce_primary(self) -> None:
        """Tell the replica, which has not started, which its primary is."""

    @abc.abstractmethod
    def _attach(self) -> None:
        """Let a replica that has all of the primary follow it."""

    @abc.abstractmethod
    def _promote(self) -> None:
        """Make a primary of the replica."""


class _PostgreSQLMember(databases.PostgreSQL):
    def _command(self) -> tuple[list[str], dict[str, str]]:
        command, environment = super()._command()
        # So that a replica soon follows again.
        return [*command, '-c', 'wal_retrieve_retry_interval=200ms'], (
            environment)

    def follow(self, port: int) -> None:
        """Let the next start be that of a replica of the server on this
        port, of which it has a copy."""
        for name, text in (
                ('standby.signal', ''),
                ('postgresql.auto.conf',
                 f"primary_conninfo = '{_address(port)}'\n")):
            path = self._data / name
            path.write_text(text)
            processes.give(path)

    def copy(self, port: int) -> None:
        """Make its files from the server on this port."""
        processes.run([
            str(self._binaries / 'pg_basebackup'), '-D', str(self._data),
            '--write-recovery-conf', '--checkpoint=fast', '--no-sync',
            '--dbname', _address(port)], cwd=self.directory,
            **processes.account())


def _address(port: int) -> str:
    """Return the primary's address, as libpq reads it."""
    return (f'host=127.0.0.1 port={port} user=postgres'
            ' application_name=replica')


class PostgreSQLPair(Pair):
    """PostgreSQL with streaming replication."""

    primary: _PostgreSQLMember
    replica: _PostgreSQLMember

    def _member(self) -> _PostgreSQLMember:
        return _PostgreSQLMember(self._family, self._directory,
                                 name=f'postgresql-{self._next()}')

    def _set_up(self) -> None:
        self.primary.create_database()

    def _follow(self) -> None:
        self.replica.copy(self.primary.port)
        self.replica.start()
        self.replica.wait()
        self._attach()

    def _announce_primary(self) -> None:
        self.replica.follow(self.primary.port)

    def _attach(self) -> None:
        # After the copy, which would take it over.
        self._configure("synchronous_standby_names = 'replica'")
        processes.eventually(lambda: _value(
            self.primary, 'SELECT sync_state FROM pg_stat_replication',
        ) == 'sync', _WITHIN, 'the replica is synchronous')

    def stop_writing(self) -> None:
        self._configure('default_transaction_read_only = on')

    def wait_until_equal(self) -> None:
        processes.eventually(lambda: _value(
            self.primary, 'SELECT replay_lsn >= pg_current_wal_lsn()'
            ' FROM pg_stat_replication'), _WITHIN,
            'the replica has caught up')

    def _promote(self) -> None:
        self.replica.run('SELECT pg_promote()', database=None)

    def _configure(self, setting: str) -> None:
        self.primary.run(f'ALTER SYSTEM SET {setting}',
                         'SELECT pg_reload_conf()', database=None)


class _MariaDBMember(databases.MariaDB):
    """`writes` and `waits` are for its next start: as a primary, and as one
    whose commits wait for a replica."""

    def __init__(self, family: Family, directory: pathlib.Path,
                 number: int) -> None:
        super().__init__(family, directory, name=f'mariadb-{number}')
        self._number = number
        self._template = directory / 'mariadb-template'
        self.writes = False
        self.waits = False

    def _command(self) -> tuple[list[str], dict[str, str]]:
        command, environment = super()._command()
        return [*command, f'--server-id={self._number}',
                f'--log-bin={self._data}/log', '--log-slave-updates',
                '--sync-binlog=1', '--gtid-strict-mode',
                f'--read-only={int(not self.writes)}',
                '--rpl-semi-sync-slave-enabled=1',
                f'--rpl-semi-sync-master-enabled={int(self.waits)}',
                '--rpl-semi-sync-master-wait-point=AFTER_SYNC',
                f'--rpl-semi-sync-master-timeout={_NEVER}'], environment

    def prepare(self) -> None:
        # To make the files takes longer than to copy them.
        if self._template.exists():
            source, target = self._template, self._data
        else:
            super().prepare()
            source, target = self._data, self._template
        processes.run(['cp', '-a', str(source), str(target)])

    def create_database(self) -> None:
        # Each has its users: a dump holds none.
        self.run('SET SESSION sql_log_bin = 0',
                 f'CREATE DATABASE {databases.NAME}',
                 *self.users(), *_REPLICA, database=None)

    def copy(self, other: databases.MariaDB) -> None:
        """Take over what the service has in another one, and where in its
        log that is."""
        dump = self.directory / 'dump'
        processes.run([
            processes.program('mariadb-dump'), '--no-defaults', '--user=root',
            f'--socket={other.socket}', '--single-transaction',
            '--master-data=1', '--gtid', f'--result-file={dump}',
            '--databases', databases.NAME], **processes.account())
        processes.run([
            processes.program('mariadb'), '--no-defaults', '--user=root',
            f'--socket={self.socket}', '--abort-source-on-error',
            f'--init-command={_COPYING}',
            f'--execute=source {dump}'], **processes.account())


class MariaDBPair(Pair):
    """MariaDB with semi-synchronous replication by GTID."""

    primary: _MariaDBMember
    replica: _MariaDBMember

    def _member(self) -> _MariaDBMember:
        return _MariaDBMember(self._family, self._directory, self._next())

    def _set_up(self) -> None:
        self._release(self.primary)
        self.primary.create_database()

    def _follow(self) -> None:
        self.replica.prepare()
        self.replica.start()
        self.replica.wait()
        self.replica.create_database()
        self.replica.copy(self.primary)
        self._attach()

    def _announce_primary(self) -> None:
        """Do nothing: _attach tells it."""

    def _attach(self) -> None:
        if not self.primary.writes:
            self._release(self.primary)
        self.replica.run(
            "CHANGE MASTER TO master_host = '127.0.0.1',"
            f" master_port = {self.primary.port}, master_user = 'replica',"
            ' master_connect_retry = 1, master_use_gtid = slave_pos',
            'START SLAVE', database=None)
        # Before, each commit would wait for it.
        processes.eventually(
            lambda: self._status('Rpl_semi_sync_master_clients') == '1',
            _WITHIN, 'the replica follows')
        self.primary.waits = True
        self.primary.run('SET GLOBAL rpl_semi_sync_master_enabled = ON',
                         database=None)
        self.wait_until_equal()
        processes.eventually(
            lambda: self._status('Rpl_semi_sync_master_status') == 'ON',
            _WITHIN, 'the replica is synchronous')

    def stop_writing(self) -> None:
        processes.eventually(self._stopped_writing, _WITHIN,
                             'the primary only reads')
        self.primary.writes = False

    def _stopped_writing(self) -> bool:
        """Make the primary read-only; returns whether that succeeded.

        It waits for writers and blocks new ones, for which the others may
        wait: hence the timeout.
        """
        try:
            self.primary.run(f'SET SESSION lock_wait_timeout = {_LOCK_WAIT}',
                             'SET GLOBAL read_only = 1', database=None)
        except pymysql.OperationalError as error:
            if error.args[0] != _LOCKED_OUT:
                raise
            return False
        return True

    def wait_until_equal(self) -> None:
        self._apply(_value(self.primary, 'SELECT @@gtid_binlog_pos'))

    def _promote(self) -> None:
        self.replica.run('STOP SLAVE IO_THREAD', database=None)
        self._apply(_field(self.replica, 'SHOW SLAVE STATUS',
                           'Gtid_IO_Pos'))
        self.replica.run('STOP SLAVE', 'RESET SLAVE ALL', database=None)
        self._release(self.replica)

    def _release(self, member: _MariaDBMember) -> None:
        member.writes = True
        member.run('SET GLOBAL read_only = 0', database=None)

    def _apply(self, position: str) -> None:
        processes.eventually(
            lambda: _value(self.replica, 'SELECT MASTER_GTID_WAIT('
                           f"'{position}', 5)") == 0,
            _WITHIN, f'the replica has applied {position}')

    def _status(self, name: str) -> str:
        return _field(self.primary, f"SHOW STATUS LIKE '{name}'", 'Value')


PAIRS: Final[dict[str, type[PostgreSQLPair | MariaDBPair]]] = {
    'mariadb': MariaDBPair, 'postgresql': PostgreSQLPair}


def make_template(database: str, fill: Callable[[str], object],
                  target: pathlib.Path) -> None:
    """Make the files that pairs can start from; `fill` gets the URL of a
    server with an empty database."""
    with tempfile.TemporaryDirectory(prefix='mogan-template-',
                                     dir=_TEMPORARY) as name:
        directory = pathlib.Path(name)
        # The server runs as somebody else.
        directory.chmod(0o755)
        family = Family(directory)
        try:
            # It writes no log: a replica has nothing to catch up on.
            server = databases.DATABASES[database](family, directory)
            server.prepare()
            server.start()
            server.wait()
            server.create_database()
            if database == databases.MariaDB.name:
                server.run(*_REPLICA, database=None)
            fill(server.url)
            server.stop()
            server.copy_files_to(target / _DATA)
        finally:
            family.close()


def missing(database: str) -> list[str]:
    """Return the missing programs that such a pair needs."""
    tools = {'postgresql': ['pg_basebackup'],
             'mariadb': ['mariadb-dump', 'mariadb']}
    return [name for name in databases.programs(database) + tools[database]
            if processes.find(name) is None]


def _value(server: databases.Database, query: str) -> Any:
    rows = server.run(query, database=None)
    return rows[0][0] if rows else None


def _field(server: databases.Database, statement: str, name: str) -> Any:
    """Return one column of a row whose columns are known by name only."""
    connection = server.connect(None)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            names = [column[0] for column in cursor.description]
            return cursor.fetchone()[names.index(name)]
    finally:
        connection.close()

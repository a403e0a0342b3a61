# SPDX-License-Identifier: Apache-2.0
"""A SQLite file that threads and processes of one host share."""

import contextlib
import dataclasses
import os
import pathlib
import sqlite3
import stat
import threading
import time
import urllib.parse
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mogan.baremetal import driver

# SQLite keeps its locks of a file in the process's memory.  A child that
# inherits them takes the file for locked, and holds no lock of its own while
# its parent removes the write-ahead log: so nothing may be open in a fork.
_databases: Final['weakref.WeakSet[Database]'] = weakref.WeakSet()


@dataclasses.dataclass(frozen=True, slots=True)
class Schema:
    """The mark of our files, and the statements that set up an empty one;
    `upgrades` bring a file of the version that they are under to the next
    one."""

    what: str
    application_id: int
    version: int
    statements: Sequence[str]
    upgrades: Mapping[int, Sequence[str]] = dataclasses.field(
        default_factory=dict)


@dataclasses.dataclass(slots=True)
class _Process:
    """The connections and locks of one process."""

    pid: int = dataclasses.field(default_factory=os.getpid)
    idle: list[sqlite3.Connection] = dataclasses.field(default_factory=list)
    opened: set[sqlite3.Connection] = dataclasses.field(default_factory=set)
    # SQLite lets waiting writers sleep, and wakes them in no order.
    writer: threading.Lock = dataclasses.field(default_factory=threading.Lock)


class Database:
    """Transactions on the file, opened at the first one.

    `timeout`: seconds that a transaction waits for the others; the wait is
    over, one way or the other, within this time.  Errors of SQLite come out
    as driver.Unavailable, a commit's as driver.OutcomeUnknown.  A process
    may fork while no transaction is under way.
    """

    def __init__(self, path: str | os.PathLike[str], schema: Schema, *,
                 timeout: float = 10.0) -> None:
        self.path = pathlib.Path(path)
        self._schema = schema
        # One half for the other threads, one for the other processes.
        self._wait = timeout / 2
        self._process = _Process()
        self._closed = threading.Event()
        _databases.add(self)

    def check(self) -> None:
        """See that this process can write the file, or could make it.

        Nothing is changed, an older file stays as it is.  Raises
        driver.Unavailable.
        """
        directory = self.path.absolute().parent
        if not os.access(directory, os.W_OK | os.X_OK, effective_ids=True):
            raise driver.Unavailable(f'{self.path}: nothing can be made '
                                     f'in its directory')
        if not self.path.exists():
            return
        try:
            with contextlib.closing(self._connect('rw')) as connection:
                connection.execute('BEGIN')
                version = self._recognise(connection)
                connection.execute('COMMIT')
                # SQLite opens what cannot be written, and begins there.
                connection.execute('BEGIN IMMEDIATE')
                connection.execute(f'PRAGMA user_version = {version}')
                connection.execute('ROLLBACK')
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection on which each SELECT sees one snapshot."""
        if self._closed.is_set():
            raise driver.Unavailable(f'{self.path} has been closed')
        process = self._here()
        try:
            connection = process.idle.pop()
        except IndexError:
            connection = self._open(process)
        stale = False
        try:
            yield connection
        except sqlite3.Error as error:
            if _is_read_only(error):
                # So is each that was opened before the file's owner was
                # set right, and stays so.
                stale = True
                self.close_idle()
            raise self._unavailable(error) from error
        finally:
            if stale or self._closed.is_set() or connection.in_transaction:
                _discard(process, connection)
            else:
                process.idle.append(connection)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run a transaction, durable when the block has ended."""
        with self._write_lock(), self.reading() as connection:
            try:
                connection.execute('BEGIN IMMEDIATE')
                yield connection
            except BaseException:
                _roll_back(connection)
                raise
            try:
                connection.execute('COMMIT')
            except sqlite3.Error as error:
                _roll_back(connection)
                raise driver.OutcomeUnknown(
                    f'{self.path}: {error}') from error

    def close(self) -> None:
        """Close what is idle now, and what is in use when it is given
        back."""
        self._closed.set()
        self.close_idle()

    def close_idle(self) -> None:
        """Close what is idle; the next transaction opens it again."""
        process = self._process
        while process.pid == os.getpid() and process.idle:
            with contextlib.suppress(IndexError):
                _discard(process, process.idle.pop())

    def _here(self) -> _Process:
        if self._process.pid != os.getpid():
            if self._process.opened:
                raise driver.Unavailable(
                    f'{self.path} was in use when this process was forked')
            self._process = _Process()
        return self._process

    @contextlib.contextmanager
    def _write_lock(self) -> Iterator[None]:
        writer = self._here().writer
        if not writer.acquire(timeout=self._wait):
            raise driver.Unavailable(
                f'{self.path}: no write lock within {self._wait} s')
        try:
            yield
        finally:
            writer.release()

    def _open(self, process: _Process) -> sqlite3.Connection:
        try:
            if os.geteuid() == 0:
                make_file(self.path)
            connection = self._connect('rwc')
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error
        process.opened.add(connection)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute('PRAGMA synchronous = FULL')
            self._prepare(connection)
        except sqlite3.Error as error:
            _discard(process, connection)
            raise self._unavailable(error) from error
        except driver.DriverError:
            _discard(process, connection)
            raise
        return connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        place = urllib.parse.quote(os.fspath(self.path.absolute()))
        return sqlite3.connect(
            f'file:{place}?mode={mode}', uri=True, timeout=self._wait,
            isolation_level=None, check_same_thread=False)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # In one transaction, or another process makes the file meanwhile.
        connection.execute('BEGIN')
        version = self._recognise(connection)
        connection.execute('COMMIT')
        if version == self._schema.version:
            return
        self._use_wal(connection)
        connection.execute('BEGIN IMMEDIATE')
        version = self._recognise(connection)
        if version != self._schema.version:
            for statement in self._steps(version):
                connection.execute(statement)
            connection.execute(
                f'PRAGMA application_id = {self._schema.application_id}')
            connection.execute(
                f'PRAGMA user_version = {self._schema.version}')
        connection.execute('COMMIT')

    def _steps(self, version: int) -> Iterator[str]:
        if not version:
            yield from self._schema.statements
            return
        for older in range(version, self._schema.version):
            yield from self._schema.upgrades[older]

    def _recognise(self, connection: sqlite3.Connection) -> int:
        """Return the version of the file, if it is ours; 0 if it is empty."""
        [[owner]] = connection.execute('PRAGMA application_id')
        [[version]] = connection.execute('PRAGMA user_version')
        [[tables]] = connection.execute('SELECT count(*) FROM sqlite_master')
        if not (owner or version or tables):
            return 0
        if owner != self._schema.application_id:
            raise driver.Unavailable(
                f'{self.path} is not {self._schema.what}')
        known = {*self._schema.upgrades, self._schema.version}
        if version not in known:
            raise driver.Unavailable(
                f'{self.path} has version {version}, which this code does '
                f'not know: it knows version {self._schema.version}')
        return int(version)

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        # The change of the mode does not heed the busy timeout.
        deadline = time.monotonic() + self._wait
        while True:
            try:
                connection.execute('PRAGMA journal_mode = WAL')
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def _unavailable(self,
                     error: OSError | sqlite3.Error) -> driver.Unavailable:
        why = error.strerror if isinstance(error, OSError) else error
        return driver.Unavailable(f'{self.path}: {why}')


def make_file(path: pathlib.Path, mode: int = 0o644) -> None:
    """Make an empty file where there is none; if root does, for the owner
    of the directory.  Raises OSError."""
    try:
        # To close a file would end SQLite's locks of it.
        os.mknod(path, stat.S_IFREG | mode)
    except FileExistsError:
        return
    if os.geteuid() == 0:
        owner = path.absolute().parent.stat()
        # Who owns the directory may have put a link in its place.
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _is_read_only(error: sqlite3.Error) -> bool:
    # The module's own errors have no code; the low byte is the kind.
    code = getattr(error, 'sqlite_errorcode', 0)
    return code & 0xFF == sqlite3.SQLITE_READONLY


def _roll_back(connection: sqlite3.Connection) -> None:
    # Where this fails, the connection is still in its transaction and is
    # not used again.
    with contextlib.suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute('ROLLBACK')


def _discard(process: _Process, connection: sqlite3.Connection) -> None:
    process.opened.discard(connection)
    connection.close()


def _before_fork() -> None:
    for opened in list(_databases):
        opened.close_idle()


os.register_at_fork(before=_before_fork)

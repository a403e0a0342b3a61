# SPDX-License-Identifier: Apache-2.0
"""Checks of the database: its schema, its settings and its clock."""

import datetime
import re
import time
from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from oslo_upgradecheck import upgradecheck

from mogan.cmd import database
from mogan.db.core import clock
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

Code = upgradecheck.Code
Result = upgradecheck.Result

# Seconds; a synchronised clock is far closer.
_GAP = 2.0
# What each database has to be set to for an answered request to survive a
# power loss: the statement that tells, the values that are good, and the
# name of the setting.
_DURABLE: dict[str, tuple[tuple[str, frozenset[str], str], ...]] = {
    'sqlite': (
        ('PRAGMA synchronous', frozenset({'2', '3'}), 'synchronous=FULL'),
    ),
    'mysql': (
        ('SELECT @@GLOBAL.innodb_flush_log_at_trx_commit',
         frozenset({'1', '3'}), 'innodb_flush_log_at_trx_commit=1'),
        # After a crash, what is not in the binary log is rolled back, except
        # where InnoDB writes down the commit as well.
        (('SELECT CASE WHEN @@GLOBAL.log_bin = 0'
          ' OR @@GLOBAL.innodb_flush_log_at_trx_commit = 3 THEN 1'
          ' ELSE @@GLOBAL.sync_binlog END'),
         frozenset({'1'}), 'sync_binlog=1'),
    ),
    'postgresql': (
        ('SHOW synchronous_commit',
         frozenset({'on', 'remote_write', 'remote_apply'}),
         'synchronous_commit=on'),
        ('SHOW fsync', frozenset({'on'}), 'fsync=on'),
    ),
}

# How a database names the session that answers, and how its driver knows the
# one that it has opened. In this form a pooler sends the statement on.
_SESSIONS: Final[dict[str, tuple[str, Callable[[Any], int]]]] = {
    'mysql': ('SELECT 0 + CONNECTION_ID()', lambda driver: driver.thread_id()),
    'postgresql': ('SELECT pg_backend_pid()',
                   lambda driver: driver.info.backend_pid),
}
# MariaDB's handshake has no more of a number.
_BITS: Final = 0xFFFF_FFFF
_GUIDE: Final = ('see "Replication, failover and poolers" in the deployment '
                 'guide')
# What lets an account of MariaDB or MySQL write to a server that only reads,
# such as a primary that has been replaced.
_POWERS: Final = frozenset({
    'SUPER', 'READ_ONLY ADMIN', 'READ ONLY ADMIN', 'CONNECTION_ADMIN',
    'ALL PRIVILEGES'})
_GLOBAL: Final = re.compile(r'GRANT (.+) ON \*\.\* TO ')
# As much as a page in order costs, or hardly more.
_RANDOM: Final = 1.1
# What the planner of PostgreSQL needs: the parameter, a good value, whether
# another one is as good, and what others lead to.
_PLANNER: Final[tuple[tuple[str, str, Callable[[str], bool], str], ...]] = (
    ('random_page_cost', '1', lambda value: float(value) <= _RANDOM,
     'a page of a list may read the rows of other projects'),
    ('plan_cache_mode', 'auto', lambda value: value != 'force_generic_plan',
     'a page of a list is planned as if it had any length'),
)


def _schema(db: Database) -> Result:
    database.check_schema(db)
    return Result(Code.SUCCESS)


@retried
def _durability(db: Database) -> Result:
    faults = []
    with db.reader() as connection:
        for query, good, name in _DURABLE[db.url.get_backend_name()]:
            value = str(connection.execute(sa.text(query)).scalar_one())
            if value not in good:
                faults.append(f'{value} found where {name} is needed')
    if not faults:
        return Result(Code.SUCCESS)
    return Result(Code.FAILURE, 'An acknowledged lock could be lost in a '
                                f'crash of the database: '
                                f'{"; ".join(faults)}.')


@retried
def _clocks(db: Database) -> Result:
    """Compare the clocks of this host and the database.

    A worker measures its lease on its own clock: both have to run alike, and a
    gap is the sign of an unsynchronised clock.
    """
    [(theirs,)] = db.read(sa.select(clock.NOW))
    gap = abs(time.time() - theirs.replace(tzinfo=datetime.UTC).timestamp())
    if gap <= _GAP:
        return Result(Code.SUCCESS)
    return Result(Code.WARNING, f"This host's clock and the database's are "
                                f'{gap:.1f} seconds apart: synchronise both '
                                f'with NTP.')


@retried
def _account(db: Database) -> Result:
    with db.reader() as connection:
        powers = _powers(connection)
    if not powers:
        return Result(Code.SUCCESS)
    return Result(Code.WARNING, 'The account of [database] connection has '
                                f'{", ".join(powers)}: it could go on '
                                'writing to a former primary that is '
                                'read-only. Use an account without it; '
                                f'{_GUIDE}.')


def _powers(connection: sa.Connection) -> list[str]:
    if connection.dialect.name == 'sqlite':
        return []
    if connection.dialect.name == 'postgresql':
        value = connection.execute(sa.text('SHOW is_superuser')).scalar_one()
        return ['SUPERUSER'] if value == 'on' else []
    # Those of its roles come with it.
    grants = connection.execute(sa.text('SHOW GRANTS')).scalars()
    return sorted({
        name for grant in grants if (found := _GLOBAL.match(grant))
        for name in found[1].split(', ') if name in _POWERS})


@retried
def _pooler(db: Database) -> Result:
    kind = db.url.get_backend_name()
    if kind not in _SESSIONS:
        return Result(Code.SUCCESS)
    query, known = _SESSIONS[kind]
    with db.reader() as connection:
        answers = connection.execute(sa.text(query)).scalar_one()
        opened = known(connection.connection.driver_connection)
    if answers & _BITS == opened & _BITS:
        return Result(Code.SUCCESS)
    tested = ('PgBouncer is supported' if kind == 'postgresql'
              else 'none is tested with MariaDB')
    return Result(Code.WARNING, 'There is a pooler between this host and the '
                                f'database. {tested}: {_GUIDE}.')


@retried
def _planner(db: Database) -> Result:
    if db.url.get_backend_name() != 'postgresql':
        return Result(Code.SUCCESS)
    with db.reader() as connection:
        role = connection.execute(sa.text(
            'SELECT quote_ident(current_user)')).scalar_one()
        faults = [
            f'{name} is {value}, and {effect}: ALTER ROLE {role} SET {name} '
            f'= {wanted}' for name, wanted, good, effect in _PLANNER
            if not good(value := connection.execute(sa.text(
                f'SHOW {name}')).scalar_one())]
    if not faults:
        return Result(Code.SUCCESS)
    return Result(Code.WARNING, f'{"; ".join(faults)}.')


def _opened(check: Callable[[Database], Result]) -> Callable[[Any], Result]:
    """Turn a check of a database into one of the configured database."""
    def run(_: Any) -> Result:
        try:
            with database.opened() as db:
                return check(db)
        except database.Unusable as error:
            return Result(Code.FAILURE, str(error))
    return run


CHECKS: Final = (
    ('Schema', _opened(_schema)),
    ('Durability', _opened(_durability)),
    ('Clocks', _opened(_clocks)),
    ('Account', _opened(_account)),
    ('Pooler', _opened(_pooler)),
    ('Query planner', _opened(_planner)),
)

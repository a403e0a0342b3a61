# SPDX-License-Identifier: Apache-2.0
"""One upgrade of a database at a time."""

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Final

import sqlalchemy as sa
import sqlalchemy.exc
from oslo_log import log

from mogan import exception
from mogan.db.core.engine import Database

LOG = log.getLogger(__name__)

# Seconds to wait for another upgrade, and between two tries.
WAIT: Final = 600.0
_INTERVAL: Final = 0.2
# Of a database of PostgreSQL: "mogan".
_KEY: Final = 0x6d6f67616e


class UpgradeUnderWay(exception.MoganError):
    template = ('Another upgrade of the database is under way, and has not '
                'ended within {seconds:g} seconds.')


@contextlib.contextmanager
def alone(db: Database, wait: float = WAIT) -> Iterator[sa.Connection]:
    """Provide a connection in a transaction that excludes other upgrades.

    The lock ends with the connection, whatever becomes of the process. Where
    the database has transactions for DDL, the upgrade is atomic. Raises
    UpgradeUnderWay.
    """
    lock = _LOCKS[db.url.get_backend_name()]
    with db.engine.connect() as connection:
        try:
            with connection.begin():
                deadline = time.monotonic() + wait
                logged = False
                while not lock(connection):
                    if time.monotonic() > deadline:
                        raise UpgradeUnderWay(seconds=wait)
                    if not logged:
                        LOG.info('Waiting for another upgrade of the '
                                 'database')
                        logged = True
                    time.sleep(_INTERVAL)
                yield connection
        finally:
            # MariaDB's lock outlives the transaction.
            connection.invalidate()


def _postgresql(connection: sa.Connection) -> bool:
    # A pooler may give the session to somebody else after the transaction.
    if not connection.execute(sa.text(
            f'SELECT pg_try_advisory_xact_lock({_KEY})')).scalar_one():
        return False
    # The role's limits are for the services.
    connection.execute(sa.text(
        "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN"
        " ('lock_timeout', 'statement_timeout',"
        " 'idle_in_transaction_session_timeout')"))
    return True


def _mysql(connection: sa.Connection) -> bool:
    # Of the whole server, and its name is short.
    name = hashlib.sha256((connection.engine.url.database or '').encode())
    return connection.execute(sa.text('SELECT GET_LOCK(:name, 0)'), {
        'name': f'mogan-{name.hexdigest()[:32]}'}).scalar_one() == 1


def _sqlite(connection: sa.Connection) -> bool:
    # In place of the BEGIN that a reader may share.
    connection.exec_driver_sql('END')
    try:
        connection.exec_driver_sql('BEGIN IMMEDIATE')
    except sqlalchemy.exc.OperationalError as error:
        connection.exec_driver_sql('BEGIN')
        if 'database is locked' not in str(error):
            raise
        return False
    return True


_LOCKS: Final[dict[str, Callable[[sa.Connection], bool]]] = {
    'postgresql': _postgresql, 'mysql': _mysql, 'sqlite': _sqlite}

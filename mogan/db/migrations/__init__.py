# SPDX-License-Identifier: Apache-2.0
"""The schema's way from one release to the next, by alembic.

Each revision only adds what the code before it can live with, so that old
and new services run side by side during an upgrade.
"""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import alembic.command
import alembic.config
import alembic.runtime.migration
import alembic.util.exc
import sqlalchemy as sa

from mogan import exception
from mogan.db import revisions
from mogan.db.core.engine import Database
from mogan.db.migrations import locking, steps


class SchemaTooNew(exception.MoganError):
    template = ('The database has the revision {found}, which this release '
                'does not know: it belongs to a newer one.')


class RevisionError(exception.MoganError):
    """Alembic cannot do what it was asked for; the message is its own."""


def _config() -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option('script_location',
                           str(pathlib.Path(__file__).parent))
    return config


@contextlib.contextmanager
def _commands(connection: sa.Connection) -> Iterator[alembic.config.Config]:
    config = _config()
    config.attributes['connection'] = connection
    try:
        yield config
    except alembic.util.exc.CommandError as error:
        raise RevisionError(str(error)) from error


def version(db: Database) -> str | None:
    """Return the revision of the database, or None where it is empty."""
    with db.engine.connect() as connection:
        return _version(connection)


def _version(connection: sa.Connection) -> str | None:
    return alembic.runtime.migration.MigrationContext.configure(
        connection).get_current_revision()


def upgrade(db: Database, revision: str = 'head', *,
            wait: float = locking.WAIT) -> None:
    """Bring the schema to a revision, once another upgrade has ended.

    `wait` is in seconds.  May be run again wherever it was broken off.
    Raises SchemaTooNew, RevisionError, locking.UpgradeUnderWay,
    steps.SchemaError.
    """
    with locking.alone(db, wait) as connection:
        found = _version(connection)
        if found is not None and found not in revisions.known():
            raise SchemaTooNew(found=found)
        with _commands(connection) as config:
            alembic.command.upgrade(config, revision)
    if db.url.get_backend_name() == 'postgresql':
        with locking.alone(db, wait) as connection:
            steps.validate(connection)


def new_revision(db: Database, message: str, *, autogenerate: bool) -> Any:
    """Write a new revision's file.  Raises RevisionError."""
    with db.engine.connect() as connection, _commands(connection) as config:
        return alembic.command.revision(config, message=message,
                                        autogenerate=autogenerate)

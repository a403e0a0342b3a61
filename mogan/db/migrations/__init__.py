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
import alembic.script

from mogan import exception
from mogan.db.engine import Database


class SchemaTooNew(exception.MoganError):
    template = ('The database has the revision {found}, which this release '
                'does not know: it belongs to a newer one.')


def _config() -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option('script_location',
                           str(pathlib.Path(__file__).parent))
    return config


def _script() -> alembic.script.ScriptDirectory:
    return alembic.script.ScriptDirectory.from_config(_config())


@contextlib.contextmanager
def _connected(db: Database) -> Iterator[alembic.config.Config]:
    config = _config()
    with db.engine.connect() as connection:
        config.attributes['connection'] = connection
        yield config
        connection.commit()


def head() -> str:
    """The revision that this release works with."""
    revision = _script().get_current_head()
    if revision is None:
        raise LookupError('there is no revision')
    return revision


def version(db: Database) -> str | None:
    """The database's revision; none where it is empty."""
    with db.engine.connect() as connection:
        return alembic.runtime.migration.MigrationContext.configure(
            connection).get_current_revision()


def check_known(db: Database) -> str | None:
    """The database's revision.  Raises SchemaTooNew."""
    found = version(db)
    known = {revision.revision for revision in _script().walk_revisions()}
    if found is not None and found not in known:
        raise SchemaTooNew(found=found)
    return found


def upgrade(db: Database, revision: str = 'head') -> None:
    """Bring the schema to a revision.  Raises SchemaTooNew."""
    check_known(db)
    with _connected(db) as config:
        alembic.command.upgrade(config, revision)


def new_revision(db: Database, message: str, *, autogenerate: bool) -> Any:
    """Write a new revision's file."""
    with _connected(db) as config:
        return alembic.command.revision(config, message=message,
                                        autogenerate=autogenerate)

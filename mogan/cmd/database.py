# SPDX-License-Identifier: Apache-2.0
"""The configured database, for commands that report its errors in one line."""

import contextlib
from collections.abc import Iterator

import oslo_db.exception
import sqlalchemy.exc

from mogan import exception
from mogan.conf import CONF
from mogan.db import migrations, schema
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried


class Unusable(Exception):
    """A command cannot continue; the text gives the reason."""


@contextlib.contextmanager
def opened(*, time_limits: bool = True,
           notifications: bool = False) -> Iterator[Database]:
    """Open the database that [database] configures. Raises Unusable."""
    try:
        db = Database.from_conf(CONF, time_limits=time_limits,
                                notifications=notifications)
    except (ValueError, sqlalchemy.exc.ArgumentError) as error:
        raise Unusable(f'[database] connection: {error}') from error
    db.gate = schema.Gate(db, trusting=True)
    try:
        yield db
    except exception.SchemaUnusable as error:
        raise Unusable(error.message) from error
    except (exception.DatabaseUnavailable,
            oslo_db.exception.DBError) as error:
        # Its own words are for a request that came over the network.
        raise Unusable(f'The database cannot be used: '
                       f'{_root(error)}') from error
    except exception.MoganError as error:
        raise Unusable(error.message) from error
    finally:
        db.dispose()


@retried
def check_schema(db: Database) -> None:
    """Check that the schema has the revision of this release.

    Raises SchemaUnusable, SchemaTooNew.
    """
    newer = schema.verify(db)
    if newer:
        raise migrations.SchemaTooNew(found=newer)


def _root(error: BaseException) -> BaseException:
    """Return the driver's own error, without the layers around it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error

# SPDX-License-Identifier: Apache-2.0
"""The configured database, for commands that say in one line what is wrong
with it."""

import contextlib
from collections.abc import Iterator

import oslo_db.exception
import sqlalchemy.exc

from mogan import exception
from mogan.conf import CONF
from mogan.db import migrations
from mogan.db.engine import Database, transaction


class Unusable(Exception):
    """A command cannot go on; the text says why."""


@contextlib.contextmanager
def opened(*, patient: bool = False,
           telling: bool = False) -> Iterator[Database]:
    """The database as [database] describes it.  Raises Unusable."""
    try:
        db = Database.from_conf(CONF, patient=patient, telling=telling)
    except (ValueError, sqlalchemy.exc.ArgumentError) as error:
        raise Unusable(f'[database] connection: {error}') from error
    try:
        yield db
    except (exception.DatabaseUnavailable,
            oslo_db.exception.DBError) as error:
        # Its own words are for a request that came over the network.
        raise Unusable(f'The database cannot be used: '
                       f'{_root(error)}') from error
    except exception.MoganError as error:
        raise Unusable(error.message) from error
    finally:
        db.dispose()


@transaction
def check_schema(db: Database) -> None:
    """See that it has the revision of this release.  Raises Unusable, and
    SchemaTooNew."""
    found, head = migrations.check_known(db), migrations.head()
    if found != head:
        words = f'has the revision {found}' if found else 'is empty'
        raise Unusable(f'The database {words}, this release needs {head}: '
                       f'run mogan-dbsync upgrade.')


def _root(error: BaseException) -> BaseException:
    """What the driver said, without what each layer above has added."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error

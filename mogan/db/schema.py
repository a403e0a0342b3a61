# SPDX-License-Identifier: Apache-2.0
"""The schema check: keeps services from a database that has not been
upgraded."""

import contextlib
import threading
import time
from typing import Any, Final

import oslo_db.exception
import sqlalchemy as sa
import sqlalchemy.exc
from oslo_log import log

from mogan import exception
from mogan.db import models, revisions
from mogan.db.core.engine import Database
from mogan.fault_log import FaultLog

LOG = log.getLogger(__name__)

_INTERVAL: Final = 1.0  # seconds between two checks of an unusable schema

_VERSION: Final[sa.Select[Any]] = sa.select(
    sa.column('version_num')).select_from(sa.table('alembic_version'))
_DEMANDS: Final = sa.select(models.compatibility.c.revision,
                            models.compatibility.c.release)


def verify(db: Database) -> str | None:
    """See that this release can work with the schema.

    Returns the revision where it is a newer one.  Raises SchemaUnusable.
    """
    known, found = revisions.known(), _revision(db)
    if found == known[-1]:
        return None
    if found is None or found in known:
        words = f'has the revision {found}' if found else 'is empty'
        raise exception.SchemaUnusable(
            f'{words}, this release needs {known[-1]}: run mogan-dbsync '
            'upgrade')
    for revision, release in db.read(_DEMANDS):
        if revision not in known:
            raise exception.SchemaUnusable(
                f'has the revision {found}, this release knows {known[-1]} '
                f'and cannot work with it: install the release {release} or '
                'a newer one')
    return found


def _revision(db: Database) -> str | None:
    with db.reader() as connection:
        # The error of a table that is missing would be logged as a defect.
        if not sa.inspect(connection).has_table('alembic_version'):
            return None
        return connection.execute(_VERSION).scalar()


class Gate:
    """Verifies the schema before the first access to a database, and again
    where a table or a column turns out to be missing.

    While the schema is unusable, accesses end in SchemaUnusable, and the
    log says so once in a while.  `trusting`: only the second, for commands,
    which end with the error.
    """

    def __init__(self, db: Database, *, trusting: bool = False) -> None:
        self._db = db
        self._trusting = trusting
        self._usable = trusting
        self._lock = threading.Lock()
        self._fault = ''
        self._look_at = 0.0
        self._log = FaultLog('Waiting for the database',
                                 'The schema of the database is usable')
        self._warned = False
        self._watching = False
        # Later it would hold up a request.
        revisions.known()

    @property
    def fault(self) -> str:
        """Return the reason why the schema is unusable, as far as is known."""
        return self._fault

    def enter(self) -> None:
        """Raise SchemaUnusable where the schema is known to be unusable."""
        if not self._usable:
            self._verify()

    def doubt(self) -> None:
        """Verify the schema once more.  Raises SchemaUnusable."""
        with self._lock:
            if self._usable:
                self._usable, self._look_at = False, 0.0
        try:
            self._verify()
        except exception.SchemaUnusable:
            if not self._trusting:
                self.watch()
            raise

    def watch(self) -> None:
        """Verify the schema in the background, until it is usable: whoever
        asks the service for its health causes no access."""
        with self._lock:
            if self._watching:
                return
            self._watching = True
        threading.Thread(target=self._watch, daemon=True,
                         name='schema').start()

    def _watch(self) -> None:
        while not self._usable:
            # A database that is away is for others to report.
            with contextlib.suppress(exception.SchemaUnusable,
                                     oslo_db.exception.DBError,
                                     sqlalchemy.exc.SQLAlchemyError):
                self._verify()
            if not self._usable:
                time.sleep(_INTERVAL)
        self._watching = False

    def _verify(self) -> None:
        with self._lock:
            if not self._usable and time.monotonic() >= self._look_at:
                self._ask()
            if self._usable:
                return
        raise exception.SchemaUnusable(self._fault)

    def _ask(self) -> None:
        try:
            newer = verify(self._db)
        except exception.SchemaUnusable as error:
            self._fault = error.fault
            self._look_at = time.monotonic() + _INTERVAL
            if not self._trusting:
                self._log.failed(error.message)
            return
        self._usable, self._fault = True, ''
        self._log.succeeded()
        if newer and not self._warned:
            self._warned = True
            LOG.warning('The database has the revision %s of a newer '
                        'release: going on with it', newer)

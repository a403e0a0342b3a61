# SPDX-License-Identifier: Apache-2.0
"""Accesses that are retried where the database undid them."""

import functools
from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec, TypeVar

import oslo_db.api
import oslo_db.exception
import sqlalchemy.exc

from mogan import exception
from mogan.db.core import error_codes
from mogan.db.core.connections import LostMeanwhile
from mogan.db.core.engine import Database

P = ParamSpec('P')
R = TypeVar('R')

_RETRIES: Final = 8
_RETRY_INTERVAL: Final = 0.02  # seconds


def _doubt_schema(db: Database, error: Exception) -> None:
    """Raise SchemaUnusable where the schema is the reason of an error."""
    if db.gate is not None and error_codes.lacks_something(error):
        db.gate.doubt()


def _ran_into_another(error: Exception) -> bool:
    """Return whether the database rolled the transaction back because of
    another one, or nothing was read; oslo.db knows only the deadlocks among
    these."""
    if isinstance(error, oslo_db.exception.DBDeadlock):
        # It counts those in who have waited long for a row.
        return error_codes.code(error) != error_codes.LOCK_WAIT
    return isinstance(error, oslo_db.exception.DBConsistencyError
                      | LostMeanwhile)


def retried(function: Callable[Concatenate[Database, P], R],
            ) -> Callable[Concatenate[Database, P], R]:
    """Run a function of a database again where the database undid it.

    Raises DatabaseUnavailable where the database is away or it is unknown
    whether a commit happened: that is never tried again here.
    """
    again = oslo_db.api.wrap_db_retry(
        retry_interval=_RETRY_INTERVAL, max_retries=_RETRIES,
        max_retry_interval=1, jitter=True,
        exception_checker=_ran_into_another)(function)

    def wrapper(db: Database, /, *args: P.args,
                **kwargs: P.kwargs) -> R:
        try:
            if db.gate is not None:
                db.gate.enter()
            return again(db, *args, **kwargs)
        except (oslo_db.exception.DBConnectionError,
                oslo_db.exception.DBDeadlock,
                oslo_db.exception.DBConsistencyError,
                oslo_db.exception.DBNonExistentDatabase,
                oslo_db.exception.CantStartEngineError,
                sqlalchemy.exc.OperationalError,
                sqlalchemy.exc.InterfaceError,
                sqlalchemy.exc.TimeoutError) as error:
            _doubt_schema(db, error)
            raise exception.DatabaseUnavailable from error
        except (oslo_db.exception.DBError,
                sqlalchemy.exc.ProgrammingError) as error:
            _doubt_schema(db, error)
            raise
    functools.update_wrapper(wrapper, function)
    return wrapper


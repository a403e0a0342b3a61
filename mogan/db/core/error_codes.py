# SPDX-License-Identifier: Apache-2.0
"""Errors of database servers by their codes.

oslo.db recognizes them by English messages, and a server may translate its
own (`lc_messages`).
"""

from typing import Any, Final

import oslo_db.exception
import sqlalchemy.exc
from oslo_db.sqlalchemy import exc_filters

# MariaDB's error for a row that another transaction holds for too long.
LOCK_WAIT: Final = 1205
_DUPLICATE: Final = frozenset({'23505', 1062})
_DEADLOCK: Final = frozenset({'40P01', 1213})
# What was read has changed since: PostgreSQL calls it a serialization
# failure.
_CHANGED: Final = frozenset({'40001', 1020})
# What is not written: the server or the transaction only reads.
_READ_ONLY: Final = frozenset({'25006', 1290, 1792})
# A table or a column is missing.
_MISSING: Final = frozenset({'42P01', '42703', 1146, 1054})


def code(error: Any) -> str | int | None:
    """Return the code of a server's error: an SQLSTATE of PostgreSQL, a
    number of MariaDB."""
    cause = getattr(getattr(error, 'inner_exception', error), 'orig', None)
    first: Any = next(iter(getattr(cause, 'args', ())), None)
    found: str | int | None = (first if isinstance(first, int)
                               else getattr(cause, 'sqlstate', None))
    return found


def only_reads(error: Exception) -> bool:
    """Return whether an error is the refusal of a read-only server."""
    return code(error) in _READ_ONLY


def lacks_something(error: Exception) -> bool:
    """Return whether a table or a column is missing."""
    text = str(getattr(getattr(error, 'inner_exception', error), 'orig', None))
    return ('no such table' in text or 'no such column' in text
            or 'has no column named' in text
            or code(error) in _MISSING)


def _wrap(error: Any, *_: Any) -> None:
    found = code(error)
    if found in _DUPLICATE:
        raise oslo_db.exception.DBDuplicateEntry(inner_exception=error)
    if found in _DEADLOCK:
        raise oslo_db.exception.DBDeadlock(error)
    if found in _CHANGED:
        raise oslo_db.exception.DBConsistencyError(error)


for _dialect in ('postgresql', 'mysql', 'mariadb'):
    exc_filters.filters(_dialect, sqlalchemy.exc.DBAPIError, '')(_wrap)

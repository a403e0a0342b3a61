# SPDX-License-Identifier: Apache-2.0
"""The database's clock: the only one that decides about claims.

Times are UTC without a zone, with fractions of a second.  On PostgreSQL the
start of the statement counts: `now()` would be the start of the transaction,
and `clock_timestamp()` keeps an index from being used.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import expression

from mogan.db.core import types


class from_now(expression.FunctionElement):  # noqa: N801 - an SQL function
    """Now, or `seconds` (a number or a bound parameter) from now."""

    type = types.Timestamp
    inherit_cache = True
    name = 'from_now'

    def __init__(self, seconds: Any = 0) -> None:
        super().__init__(expression.literal(seconds, sa.Float())
                         if isinstance(seconds, int | float) else seconds)


@compiles(from_now, 'sqlite')
def _sqlite(element: from_now, compiler: Any, **kw: Any) -> str:
    # Six digits, as bound values are stored: times are compared as text.
    seconds = compiler.process(element.clauses, **kw)
    return (f"(strftime('%Y-%m-%d %H:%M:%f', 'now', ({seconds}) || "
            f"' seconds') || '000')")


@compiles(from_now, 'postgresql')
def _postgresql(element: from_now, compiler: Any, **kw: Any) -> str:
    seconds = compiler.process(element.clauses, **kw)
    return (f"((statement_timestamp() AT TIME ZONE 'UTC') + "
            f"make_interval(secs => CAST({seconds} AS double precision)))")


@compiles(from_now, 'mysql')
@compiles(from_now, 'mariadb')
def _mysql(element: from_now, compiler: Any, **kw: Any) -> str:
    # Microseconds, rounded: an interval of seconds drops the fraction.
    seconds = compiler.process(element.clauses, **kw)
    return (f'(UTC_TIMESTAMP(6) + INTERVAL '
            f'CAST(({seconds}) * 1000000 AS SIGNED) MICROSECOND)')


class Now(expression.FunctionElement):
    """The current time, without the arithmetic."""

    type = types.Timestamp
    inherit_cache = True
    name = 'now'


@compiles(Now, 'sqlite')
def _sqlite_now(element: Now, compiler: Any, **kw: Any) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')"


@compiles(Now, 'postgresql')
def _postgresql_now(element: Now, compiler: Any, **kw: Any) -> str:
    return "(statement_timestamp() AT TIME ZONE 'UTC')"


@compiles(Now, 'mysql')
@compiles(Now, 'mariadb')
def _mysql_now(element: Now, compiler: Any, **kw: Any) -> str:
    return 'UTC_TIMESTAMP(6)'


NOW = Now()


class readable(expression.FunctionElement):  # noqa: N801 - an SQL function
    """A condition on timestamps: null, or one that Python can represent, which
    excludes `infinity` of PostgreSQL, zero dates of MariaDB, and other text of
    SQLite."""

    type = sa.Boolean()
    inherit_cache = True
    name = 'readable'


@compiles(readable, 'sqlite')
def _sqlite_readable(element: readable, compiler: Any, **kw: Any) -> str:
    value = compiler.process(element.clauses, **kw)
    # With the fraction it would be rounded; a day that the month does not
    # have becomes one of the next.
    rest = f'substr({value}, 20)'
    return (f"({value} IS NULL OR coalesce("
            f"substr({value}, 1, 4) >= '0001' AND "
            f"datetime(substr({value}, 1, 19), '+0 days')"
            f" = substr({value} || ' 00:00:00', 1, 19)"
            f" AND ({rest} = '' OR {rest} GLOB '.[0-9]*'"
            f" AND substr({rest}, 2) NOT GLOB '*[^0-9]*'), 0))")


@compiles(readable, 'postgresql')
def _postgresql_readable(element: readable, compiler: Any,
                         **kw: Any) -> str:
    value = compiler.process(element.clauses, **kw)
    return (f"({value} IS NULL OR {value} BETWEEN '0001-01-01'"
            " AND '9999-12-31 23:59:59.999999')")


@compiles(readable, 'mysql')
@compiles(readable, 'mariadb')
def _mysql_readable(element: readable, compiler: Any, **kw: Any) -> str:
    value = compiler.process(element.clauses, **kw)
    return (f'({value} IS NULL'
            f' OR {value} + INTERVAL 0 SECOND IS NOT NULL)')

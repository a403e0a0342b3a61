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

from mogan.db import models


class moment(expression.FunctionElement):  # noqa: N801 - an SQL function
    """Now, or `seconds` (a number or a bound parameter) from now."""

    type = models.Moment
    inherit_cache = True
    name = 'moment'

    def __init__(self, seconds: Any = 0) -> None:
        super().__init__(expression.literal(seconds, sa.Float())
                         if isinstance(seconds, int | float) else seconds)


@compiles(moment, 'sqlite')
def _sqlite(element: moment, compiler: Any, **kw: Any) -> str:
    # Six digits, as bound values are stored: times are compared as text.
    seconds = compiler.process(element.clauses, **kw)
    return (f"(strftime('%Y-%m-%d %H:%M:%f', 'now', ({seconds}) || "
            f"' seconds') || '000')")


@compiles(moment, 'postgresql')
def _postgresql(element: moment, compiler: Any, **kw: Any) -> str:
    seconds = compiler.process(element.clauses, **kw)
    return (f"((statement_timestamp() AT TIME ZONE 'UTC') + "
            f"make_interval(secs => CAST({seconds} AS double precision)))")


@compiles(moment, 'mysql')
@compiles(moment, 'mariadb')
def _mysql(element: moment, compiler: Any, **kw: Any) -> str:
    # Microseconds, rounded: an interval of seconds drops the fraction.
    seconds = compiler.process(element.clauses, **kw)
    return (f'(UTC_TIMESTAMP(6) + INTERVAL '
            f'CAST(({seconds}) * 1000000 AS SIGNED) MICROSECOND)')


class Now(expression.FunctionElement):
    """The present moment, without the arithmetic."""

    type = models.Moment
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

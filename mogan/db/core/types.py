# SPDX-License-Identifier: Apache-2.0
"""Column types, alike on every database."""

import json
from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, sqlite

from mogan import timestamps

# Characters of what somebody else said.
_LONGEST: Final = 4000

# SQLite numbers rows by itself only in a column of the type INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
LongText = sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb')


class Json(sa.types.TypeDecorator):
    """A JSON value in a text column, alike on every database."""

    impl = LongText
    cache_ok = True

    # In place of process_...: one call less for each value of each row.
    def bind_processor(self, dialect: Any) -> Callable[[Any], str | None]:
        return _to_text

    def result_processor(self, dialect: Any, coltype: Any,
                         ) -> Callable[[str | None], Any]:
        return _from_text


def _to_text(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


class Unparsed(str):
    """A string that should have been JSON, or a timestamp, as it is in the
    row."""

    __slots__ = ()


class _SqliteTimestamp(sqlite.DATETIME):
    """A timestamp of SQLite's, which takes any value for one."""

    cache_ok = True

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        process: Any = super().bind_processor(dialect)
        return lambda value: (str(value) if isinstance(value, str)
                              else process(value))

    def result_processor(self, dialect: Any, coltype: Any,
                         ) -> Callable[[Any], Any]:
        return _to_timestamp


def _to_timestamp(value: Any) -> Any:
    if value is None:
        return None
    timestamp = timestamps.parse(value)
    return _unparsed(value) if timestamp is None else timestamp


def _unparsed(value: Any) -> Unparsed:
    # A column of SQLite takes bytes for a string.
    return Unparsed(value.decode('utf-8', 'backslashreplace')
                    if isinstance(value, bytes) else value)


# MariaDB drops fractions of a second unless told otherwise.
Timestamp = (sa.DateTime()
          .with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')
          .with_variant(_SqliteTimestamp(), 'sqlite'))


def _from_text(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # One such value must not take a whole page of rows with it.
        return _unparsed(text)


class ExternalText(sa.types.TypeDecorator):
    """Text from outside, with the characters that every database can store."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None,
                           dialect: Any) -> str | None:
        if value is None:
            return None
        return (value[:_LONGEST].replace('\0', ' ')
                .encode('utf-8', 'replace').decode())

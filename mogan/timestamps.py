# SPDX-License-Identifier: Apache-2.0
"""Timestamps: UTC without a zone in the database, RFC 3339 in answers.

A row may hold one that Python cannot represent, `infinity` or the 30th of
February: such a value stays a string.
"""

import datetime
from typing import Any, Final

# Characters of one with all its digits.
_WHOLE: Final = 26
_from_text: Final = datetime.datetime.fromisoformat


def parse(value: Any) -> datetime.datetime | None:
    """Return the timestamp that a string is; None where it is not one."""
    try:
        found = _from_text(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is None else None


def show(value: Any) -> Any:
    """Return a timestamp as answers have it; any other value as it is."""
    if isinstance(value, str):
        # As `parse`, in place: a list has thousands of these.
        try:
            found = _from_text(value)
        except ValueError:
            return value
        if found.tzinfo is not None:
            return value
        if len(value) == _WHOLE:
            return f'{value[:10]}T{value[11:]}Z'
        value = found
    if isinstance(value, datetime.datetime):
        return f'{value.isoformat("T", "microseconds")}Z'
    return str(value) if isinstance(value, int | float) else value


def seconds(since: Any, now: datetime.datetime) -> float:
    """Return the seconds between two timestamps; 0 where the first is not
    one."""
    if not isinstance(since, datetime.datetime):
        return 0.0
    return (now - since).total_seconds()

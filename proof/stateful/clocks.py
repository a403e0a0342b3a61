# SPDX-License-Identifier: Apache-2.0
"""The one time that a run knows: the database's, the engines' and the
hardware's.  It stands still until it is told to go on."""

import datetime
from typing import Any, Final

import sqlalchemy as sa

from mogan.db import claims

_BEGIN: Final = 1_750_000_000.0     # some second of the year 2025


class Clock:
    """Seconds since the epoch, like `time.time`."""

    def __init__(self) -> None:
        self._now = _BEGIN
        self._boottime = claims.boottime

    def __call__(self) -> float:
        return self._now

    @property
    def now(self) -> datetime.datetime:
        """Now, as the database keeps it."""
        return _timestamp(self._now)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        # Whole milliseconds, which is what SQLite's clock shows.
        self._now = round(self._now + seconds, 3)

    def reset(self) -> None:
        """Begin anew."""
        self._now = _BEGIN

    def install(self, engine: sa.Engine) -> None:
        """Become the clock of a SQLite database, and of the engines."""
        sa.event.listen(engine, 'connect', self._set_function)
        claims.boottime = self

    def remove(self) -> None:
        """Give the engines their own clock back."""
        claims.boottime = self._boottime

    def _set_function(self, connection: Any, record: Any) -> None:
        connection.create_function('strftime', 3, self._strftime)
        connection.create_function('strftime', 2, self._strftime)

    def _strftime(self, shape: str, start: str,
                  modifier: str = '0 seconds') -> str:
        seconds, unit = modifier.split()
        assert (shape, start, unit) == (
            '%Y-%m-%d %H:%M:%f', 'now', 'seconds')
        return _timestamp(self._now + float(seconds)).isoformat(
            ' ', 'milliseconds')


def _timestamp(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(
        round(seconds, 3), datetime.UTC).replace(tzinfo=None)

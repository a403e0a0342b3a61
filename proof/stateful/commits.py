# SPDX-License-Identifier: Apache-2.0
"""Commits that fail, with nobody knowing whether they were made."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa


class Commits:
    """All commits of one database; `struck` counts those that failed."""

    def __init__(self, engine: sa.Engine) -> None:
        self._left: int | None = None
        self._made = False
        self.struck = 0
        self._commit = engine.dialect.do_commit
        engine.dialect.do_commit = self._do_commit

    def strike(self, behind: int, *, made: bool) -> None:
        """Fail one commit, behind so many others; it is made all the same,
        or it is not."""
        self._left, self._made = behind, made

    def spare(self) -> None:
        """Fail none."""
        self._left = None

    @contextlib.contextmanager
    def spared(self) -> Iterator[None]:
        """Fail none in this block."""
        left, self._left = self._left, None
        yield
        self._left = left

    def _do_commit(self, connection: Any) -> None:
        if self._left is None or self._left > 0:
            if self._left is not None:
                self._left -= 1
            self._commit(connection)
            return
        self._left = None
        self.struck += 1
        if self._made:
            self._commit(connection)
        else:
            connection.rollback()
        raise sqlite3.OperationalError('disk I/O error')

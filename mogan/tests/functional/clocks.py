# SPDX-License-Identifier: Apache-2.0
"""The database's clock, as far as the rows can tell."""

import datetime

import sqlalchemy as sa

from mogan.db import models
from mogan.db.core import types
from mogan.db.core.engine import Database

_SHIFT = {
    'sqlite': "strftime('%Y-%m-%d %H:%M:%f', {}, '{:+f} seconds') || '000'",
    'postgresql': '{} + make_interval(secs => {:+f})',
    'mysql': '{} + INTERVAL {:f} SECOND'}
BACK = datetime.timedelta(minutes=-10)


def step(db: Database, by: datetime.timedelta = BACK) -> None:
    """Let the clock step: a database knows its own time by nothing else
    than the times that it has kept, so they move the other way."""
    shift = _SHIFT[db.url.get_backend_name()]
    with db.writer() as connection:
        for table in models.metadata.sorted_tables:
            changes = [
                f'{column.name} = '
                f'{shift.format(column.name, -by.total_seconds())}'
                for column in table.columns if column.type is types.Timestamp]
            if changes:
                connection.execute(sa.text(
                    f'UPDATE {table.name} SET {", ".join(changes)}'))

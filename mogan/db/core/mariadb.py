# SPDX-License-Identifier: Apache-2.0
"""Connections to MariaDB."""

from typing import Any

import sqlalchemy as sa

from mogan.db.core import timeouts


def tune(engine: sa.Engine) -> None:
    """Let no transaction wait, or be waited for, without an end."""
    engine.dialect.skip_autocommit_rollback = True

    @sa.event.listens_for(engine, 'connect')
    def _set_up(connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            # MySQL, which does not know the second one, ignores it.
            cursor.execute(
                'SET SESSION innodb_lock_wait_timeout ='
                f' {timeouts.ROW}'
                f' /*M! , idle_transaction_timeout = {timeouts.IDLE} */')

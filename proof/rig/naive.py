# SPDX-License-Identifier: Apache-2.0
"""A Mogan that does it the usual way: read the row, decide in Python, then
write without a condition.

For comparison only.  `python -m proof.rig.naive api ...` starts mogan-api
in this manner; everything else is as in the product.
"""

import dataclasses
import functools
import importlib
import sys
from typing import Any

import sqlalchemy as sa

import mogan.cmd  # noqa: F401 - chooses the threads before anything else
from mogan import states
from mogan.context import RequestContext
from mogan.db import actions, instances
from mogan.db.core import sqlite
from mogan.db.core.engine import Database


def begin(db: Database, context: RequestContext, uuid: str,
          verb: states.Verb, arguments: dict[str, Any] | None = None, *,
          operate_locked: bool = False) -> bool:
    """Accept a request as `mogan.db.instances.begin` does, by the same
    table, but check first and then write."""
    row = instances.get(db, uuid)
    verdict = states.judge(
        verb, states.Status(row.status), states.LockState(row.lock_state),
        has_node=row.node_uuid is not None, operate_locked=operate_locked)
    action = actions.describe(context, uuid, verb, arguments or {},
                              notify=db.notifications)
    if isinstance(verdict, states.Refused):
        with db.writer() as connection:
            error = instances._refuse(  # noqa: SLF001
                connection, row, action, verdict)
        raise error
    if isinstance(verdict, states.Unchanged):
        return False
    return instances._follow(  # noqa: SLF001
        db, _unguarded(verdict), action, operate_locked) is True


@functools.cache
def _unguarded(arrow: states.Arrow) -> states.Arrow:
    """Return the same change without its conditions on the row."""
    every = (states.EVERY_STATUS if arrow.column is states.Column.STATUS
             else states.EVERY_LOCK_STATE)
    return dataclasses.replace(
        arrow, sources=every, statuses=states.EVERY_STATUS,
        lock_states=states.EVERY_LOCK_STATE, needs_node=False)


def _ignore_checks(engine: sa.Engine) -> None:
    """On SQLite a constraint cannot be dropped; it can be overlooked."""
    @sa.event.listens_for(engine, 'connect')
    def _overlook(connection: Any, _record: Any) -> None:
        connection.execute('PRAGMA ignore_check_constraints = ON')


def main() -> int:
    """Run one of Mogan's commands with the change."""
    name = sys.argv.pop(1)
    instances.begin = begin
    tune = sqlite.tune

    def tune_and_ignore(engine: sa.Engine) -> None:
        tune(engine)
        _ignore_checks(engine)

    sqlite.tune = tune_and_ignore
    command = importlib.import_module(f'mogan.cmd.{name}')
    return command.main()


if __name__ == '__main__':
    sys.exit(main())

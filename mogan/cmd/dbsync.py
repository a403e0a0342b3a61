# SPDX-License-Identifier: Apache-2.0
"""mogan-dbsync: the schema's upgrade, and the removal of old history."""

import argparse
import contextlib
import sys
from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from mogan.cmd import database, launch
from mogan.conf import CONF
from mogan.db import migrations, purge
from mogan.db.engine import Database, transaction
from mogan.notifications import bus

_BATCH = 1000


@transaction
def _upgrade(db: Database) -> None:
    migrations.upgrade(db, CONF.command.revision)
    print(f'The database has the revision {migrations.version(db)}.')


@transaction
def _version(db: Database) -> None:
    print(migrations.version(db) or 'The database is empty.')


def _revision(db: Database) -> None:
    script = migrations.new_revision(
        db, CONF.command.message,
        autogenerate=CONF.command.autogenerate)
    print(script.path)


def _purge(db: Database) -> None:
    database.check_schema(db)
    days, told = CONF.command.days, bus.telling(CONF)
    removed = 0
    for remove in (purge.deleted_instances, purge.finished_actions):
        while rows := remove(db, days, _BATCH, told=told):
            removed += rows
    print(f'{removed} rows older than {days:g} days were removed.')


def _days(text: str) -> float:
    with contextlib.suppress(ValueError):
        days = float(text)
        if 0 <= days < float('inf'):
            return days
    raise argparse.ArgumentTypeError(f'{text!r} is no number of days')


def _commands(subparsers: Any) -> None:
    def add(name: str, run: Callable[[Database], None], text: str) -> Any:
        parser = subparsers.add_parser(name, help=text, description=text)
        parser.set_defaults(run=run)
        return parser

    add('upgrade', _upgrade, 'Bring the schema to a revision.').add_argument(
        'revision', nargs='?', default='head',
        help='the revision; the newest one by default')
    add('version', _version, 'Print the revision of the schema.')
    revision = add('revision', _revision,
                   'Write the file of a new revision (for developers).')
    revision.add_argument('-m', '--message', required=True,
                          help='what the revision does')
    revision.add_argument(
        '--autogenerate', action='store_true',
        help="derive the steps from the models' difference to the database")
    add('purge', _purge,
        'Remove deleted instances and ended actions that are old.',
        ).add_argument('--days', type=_days, default=90.0,
                       help='older than so many days; 90 by default')


def main() -> int:
    """Run one of the commands."""
    CONF.register_cli_opt(cfg.SubCommandOpt(
        'command', title='Commands', handler=_commands,
        help='what to do'))
    launch.prepare()
    try:
        with database.opened(patient=True) as db:
            CONF.command.run(db)
    except database.Unusable as error:
        return launch.complain(error)
    return 0


if __name__ == '__main__':
    sys.exit(main())

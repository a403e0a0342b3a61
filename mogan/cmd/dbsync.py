# SPDX-License-Identifier: Apache-2.0
"""mogan-dbsync: schema upgrades, and the removal of old history."""

import argparse
import contextlib
import sys
from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from mogan.cmd import database, launch
from mogan.conf import CONF
from mogan.db import migrations, purge
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried
from mogan.notifications import bus

_BATCH = 1000


@retried
def _upgrade(db: Database) -> None:
    migrations.upgrade(db, CONF.command.revision)
    print(f'The database has the revision {migrations.version(db)}.')


@retried
def _version(db: Database) -> None:
    print(migrations.version(db) or 'The database is empty.')


def _revision(db: Database) -> None:
    script = migrations.new_revision(
        db, CONF.command.message,
        autogenerate=CONF.command.autogenerate)
    print(script.path)


def _purge(db: Database) -> None:
    database.check_schema(db)
    days, published = CONF.command.days, bus.enabled(CONF)
    removed = 0
    for remove in (purge.deleted_instances, purge.finished_actions):
        while rows := remove(db, days, _BATCH, published=published):
            removed += rows
    print(f'Removed {removed} rows older than {days:g} days.')


def _days(text: str) -> float:
    with contextlib.suppress(ValueError):
        days = float(text)
        if 0 <= days < float('inf'):
            return days
    raise argparse.ArgumentTypeError(f'{text!r} is not a number of days')


def _commands(subparsers: Any) -> None:
    def add(name: str, run: Callable[[Database], None], text: str) -> Any:
        parser = subparsers.add_parser(name, help=text, description=text)
        parser.set_defaults(run=run)
        return parser

    add('upgrade', _upgrade, 'Upgrade the schema.').add_argument(
        'revision', nargs='?', default='head',
        help='target revision (default: the newest)')
    add('version', _version, 'Print the revision of the schema.')
    revision = add('revision', _revision,
                   'Create the file of a new revision (for developers).')
    revision.add_argument('-m', '--message', required=True,
                          help='description of the revision')
    revision.add_argument(
        '--autogenerate', action='store_true',
        help='generate the steps that turn the database into the models')
    add('purge', _purge,
        'Remove old rows of deleted instances and finished actions.',
        ).add_argument('--days', type=_days, default=90.0,
                       help='minimum age in days (default: 90)')


@launch.command
def main() -> int:
    """Run a subcommand."""
    CONF.register_cli_opt(cfg.SubCommandOpt(
        'command', title='Commands', handler=_commands,
        help='subcommand to run'))
    launch.prepare()
    try:
        with database.opened(time_limits=False) as db:
            CONF.command.run(db)
    except database.Unusable as error:
        return launch.complain(error)
    return 0


if __name__ == '__main__':
    sys.exit(main())

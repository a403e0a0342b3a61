# SPDX-License-Identifier: Apache-2.0
"""mogan-status: upgrade checks, and the work that is still unfinished."""

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import prettytable
from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from mogan import timestamps
from mogan.cmd import database, launch, statedir
from mogan.cmd.checks import database as database_checks
from mogan.cmd.checks import options, policies, services
from mogan.conf import CONF
from mogan.db import actions, outbox


class Checks(upgradecheck.UpgradeCommands):
    """The checks of `mogan-status upgrade check`."""

    _upgrade_checks = (
        *options.CHECKS, *database_checks.CHECKS, *services.CHECKS,
        *policies.CHECKS)


def _list_actions() -> int:
    """Print the accepted requests that are not finished."""
    wanted = CONF.command
    with database.opened() as db:
        found = actions.unfinished(db, limit=wanted.limit,
                                   older=wanted.older)
    rows = [{
        # Below zero where the database's clock has gone back.
        'age': max(0, round(
            timestamps.seconds(action.created_at, action.now))),
        'verb': action.verb, 'instance': action.instance_uuid,
        'attempts': action.attempts, 'error': action.error,
        'request': action.request_id} for action in found]
    if wanted.json:
        print(json.dumps(rows))
        return 0
    table = prettytable.PrettyTable(
        ['Age (s)', 'Verb', 'Instance', 'Failed attempts', 'Last error',
         'Request'], align='l', max_width=60)
    table.add_rows([['' if value is None else value
                     for value in row.values()] for row in rows])
    print(table)
    return 0


def _show_backlog() -> int:
    """Print how many notifications are pending."""
    with database.opened() as db:
        found = outbox.backlog(db)
    if CONF.command.json:
        print(json.dumps(found._asdict()))
    elif not found.actions:
        print('No notifications are pending.')
    else:
        print(f'Notifications of {found.actions} actions are pending, the '
              f'oldest for {found.seconds:.0f} seconds.')
    return 0


def _commands(subparsers: Any) -> None:
    def add(parent: Any, name: str, run: Callable[[], int],
            text: str) -> Any:
        parser = parent.add_parser(name, help=text, description=text)
        parser.add_argument('--json', action='store_true',
                            help='print JSON instead of a table')
        parser.set_defaults(run=run)
        return parser

    upgrade = subparsers.add_parser('upgrade', help='Upgrade checks.')
    add(upgrade.add_subparsers(required=True), 'check', Checks().check,
        'Check the requirements of this release. Exit status: 0 for '
        'success, 1 for a warning, 2 for a failure.')
    listing = add(subparsers, 'actions', _list_actions,
                  'List the unfinished actions, oldest first.')
    listing.add_argument('--older', type=float, default=0, metavar='SECONDS',
                         help='minimum age in seconds')
    listing.add_argument('--limit', type=int, default=1000,
                         help='maximum number of rows (default: %(default)s)')
    add(subparsers, 'notifications', _show_backlog,
        'Show the number of actions with pending notifications.')


@launch.command
def main() -> int:
    """Run a subcommand."""
    CONF.register_cli_opt(cfg.SubCommandOpt(
        'command', title='Commands', handler=_commands,
        help='subcommand to run'))
    # Where the checks look for --json.
    upgradecheck.CONF = CONF
    try:
        statedir.prepare()
        status: int = CONF.command.run()
        sys.stdout.flush()
    except (database.Unusable, statedir.StateDirError) as error:
        return launch.complain(error)
    except BrokenPipeError:
        # What reads our output has seen enough (head, less).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # As of any program that such an end kills.
        return 128 + signal.SIGPIPE
    return status


if __name__ == '__main__':
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""mogan-status: whether this release can run on what it finds, and what it
has not finished yet."""

import contextlib
import datetime
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import prettytable
import sqlalchemy as sa
from oslo_config import cfg
from oslo_policy import _checks
from oslo_upgradecheck import common_checks, upgradecheck

from mogan import baremetal, policy
from mogan.baremetal.driver import DriverError
from mogan.baremetal.simulated import SimulatedDriver
from mogan.cmd import database, launch
from mogan.conf import CONF
from mogan.db import actions, clock, outbox
from mogan.db.engine import Database, transaction

# Seconds; a well kept clock is far closer.
_GAP = 2.0
# How one rule speaks of another.
_REFERENCE: Final = re.compile(r'\brule:([^\s()]+)')

Code = upgradecheck.Code
Result = upgradecheck.Result

# What each database has to be set to for an answered request to survive a
# power loss: the statement that tells, the values that are good, and the
# name of the setting.
_DURABLE: dict[str, tuple[tuple[str, frozenset[str], str], ...]] = {
    'sqlite': (
        ('PRAGMA synchronous', frozenset({'2', '3'}), 'synchronous=FULL'),
    ),
    'mysql': (
        ('SELECT @@GLOBAL.innodb_flush_log_at_trx_commit',
         frozenset({'1', '3'}), 'innodb_flush_log_at_trx_commit=1'),
        # After a crash, what is not in the binary log is rolled back, except
        # where InnoDB writes down the commit as well.
        (('SELECT CASE WHEN @@GLOBAL.log_bin = 0'
          ' OR @@GLOBAL.innodb_flush_log_at_trx_commit = 3 THEN 1'
          ' ELSE @@GLOBAL.sync_binlog END'),
         frozenset({'1'}), 'sync_binlog=1'),
    ),
    'postgresql': (
        ('SHOW synchronous_commit',
         frozenset({'on', 'remote_write', 'remote_apply'}),
         'synchronous_commit=on'),
        ('SHOW fsync', frozenset({'on'}), 'fsync=on'),
    ),
}


def _schema(db: Database) -> Result:
    database.check_schema(db)
    return Result(Code.SUCCESS)


@transaction
def _durability(db: Database) -> Result:
    faults = []
    with db.reader() as connection:
        for query, good, name in _DURABLE[db.url.get_backend_name()]:
            value = str(connection.execute(sa.text(query)).scalar_one())
            if value not in good:
                faults.append(f'{value} found where {name} is needed')
    if not faults:
        return Result(Code.SUCCESS)
    return Result(Code.FAILURE, 'An acknowledged lock could be lost in a '
                                f'crash of the database: '
                                f'{"; ".join(faults)}.')


@transaction
def _clocks(db: Database) -> Result:
    """A worker reckons its lease on its own clock: both have to run alike,
    and a gap is the sign of a clock that nobody keeps."""
    with db.reader() as connection:
        theirs = connection.execute(sa.select(clock.NOW)).scalar_one()
    gap = abs(time.time() - theirs.replace(tzinfo=datetime.UTC).timestamp())
    if gap <= _GAP:
        return Result(Code.SUCCESS)
    return Result(Code.WARNING, f"This host's clock and the database's are "
                                f'{gap:.1f} seconds apart: keep both with '
                                f'NTP.')


def _policies(conf: Any) -> Result:
    """A misspelt rule is no error for the services: they ask for the rule
    as it is spelt in the code."""
    try:
        policy.Policy(conf)
        enforcer = policy.get_enforcer(conf)
        enforcer.load_rules(force_reload=True)
    except policy.PolicyFileError as error:
        return Result(Code.FAILURE, str(error))
    used = {name: set(_REFERENCE.findall(str(check)))
            for name, check in enforcer.rules.items()}
    faults = [f'{name} is a rule that nothing asks for'
              for name in enforcer.file_rules.keys()
              - enforcer.registered_rules.keys() - set().union(
                  *used.values())]
    faults += [f'{name} speaks of the rule {other}, which is not there'
               for name, others in used.items()
               for other in others - enforcer.rules.keys()]
    # The library takes it for one that nobody passes.
    faults += [f'{name} cannot be understood'
               for name, rule in enforcer.file_rules.items()
               if isinstance(rule.check, _checks.FalseCheck)
               and rule.check_str != '!']
    if not faults:
        return Result(Code.SUCCESS)
    return Result(Code.FAILURE, 'Something is misspelt in the policy '
                                f'files: {"; ".join(sorted(faults))}.')


class Checks(upgradecheck.UpgradeCommands):
    """The checks of `mogan-status upgrade check`."""

    def _with_database(self, check: Callable[[Database], Result]) -> Result:
        try:
            with database.opened() as db:
                return check(db)
        except database.Unusable as error:
            return Result(Code.FAILURE, str(error))

    def _schema(self) -> Result:
        return self._with_database(_schema)

    def _durability(self) -> Result:
        return self._with_database(_durability)

    def _clocks(self) -> Result:
        return self._with_database(_clocks)

    def _driver(self) -> Result:
        try:
            with contextlib.closing(baremetal.load(CONF)) as driver:
                if isinstance(driver, SimulatedDriver):
                    # A look would make the file, for whoever runs this.
                    driver.inventory.check()
                else:
                    driver.check()
        except (ValueError, OSError, RuntimeError, DriverError) as error:
            return Result(Code.FAILURE, str(error))
        return Result(Code.SUCCESS)

    def _policies(self) -> Result:
        return _policies(CONF)

    _upgrade_checks = (
        ('Schema', _schema),
        ('Durability', _durability),
        ('Clocks', _clocks),
        ('Hardware driver', _driver),
        ('Policy file', (common_checks.check_policy_json, {'conf': CONF})),
        ('Policies', _policies),
    )


def _list_actions() -> int:
    """Print the accepted requests that are not done."""
    wanted = CONF.command
    with database.opened() as db:
        found = actions.unfinished(db, limit=wanted.limit,
                                   older=wanted.older)
    rows = [{
        'age': round((action.now - action.created_at).total_seconds()),
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
    """Print how much there is that others have still to be told."""
    with database.opened() as db:
        found = outbox.backlog(db)
    if CONF.command.json:
        print(json.dumps(found._asdict()))
    elif not found.actions:
        print('No action waits to be told of.')
    else:
        print(f'{found.actions} actions wait to be told of, the first since '
              f'{found.seconds:.0f} seconds.')
    return 0


def _commands(subparsers: Any) -> None:
    def add(parent: Any, name: str, run: Callable[[], int],
            text: str) -> Any:
        parser = parent.add_parser(name, help=text, description=text)
        parser.add_argument('--json', action='store_true',
                            help='print JSON instead of a table')
        parser.set_defaults(run=run)
        return parser

    upgrade = subparsers.add_parser('upgrade', help='before an upgrade')
    add(upgrade.add_subparsers(required=True), 'check', Checks().check,
        'Check what this release needs: 0 where all is well, 1 for a '
        'warning, 2 for a failure.')
    listing = add(subparsers, 'actions', _list_actions,
                  'List the accepted requests that are not done, the oldest '
                  'first.')
    listing.add_argument('--older', type=float, default=0, metavar='SECONDS',
                         help='only those of at least this age')
    listing.add_argument('--limit', type=int, default=1000,
                         help='at most so many (default: %(default)s)')
    add(subparsers, 'notifications', _show_backlog,
        'Tell how many actions others have still to be told of.')


def main() -> int:
    """Run one of the commands."""
    CONF.register_cli_opt(cfg.SubCommandOpt(
        'command', title='Commands', handler=_commands,
        help='what to do'))
    launch.prepare()
    # Where the checks look for --json.
    upgradecheck.CONF = CONF
    try:
        status: int = CONF.command.run()
        sys.stdout.flush()
    except database.Unusable as error:
        return launch.complain(error)
    except BrokenPipeError:
        # What reads our output has seen enough (head, less).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # As of any program that such an end kills.
        return 128 + signal.SIGPIPE
    return status


if __name__ == '__main__':
    sys.exit(main())

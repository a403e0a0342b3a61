# SPDX-License-Identifier: Apache-2.0
"""Race and break a whole deployment, and judge what came of it."""

import argparse
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn

from mogan.tests.support import broker, databases, processes
from mogan.tests.support.databases import DATABASES
from mogan.tests.support.processes import SetupError
from proof.rig.report import Plan, Report, total
from proof.rig.run import race
from proof.rig.services import OURS, VARIANTS
from proof.rig.topologies import FAULTS, TOPOLOGIES

# Seconds that a run may take longer than it was asked for.
_GRACE = 600


def main() -> int:
    """Run as the command line says; 1 where anything was wrong."""
    arguments = _parse()
    processes.exit_on_signals()
    signal.signal(signal.SIGALRM, _late)
    databases = list(DATABASES) if arguments.ci else [arguments.database]
    reports = [_run(plan) for database in databases
               for plan in plans(arguments, database)]
    done = [report for report in reports if isinstance(report, Report)]
    if len(done) > 1:
        print(total(done), flush=True)
    return 0 if all(
        _right(report) if isinstance(report, Report) else report
        for report in reports) else 1


def plans(arguments: argparse.Namespace, database: str) -> Iterator[Plan]:
    """Yield the runs on one database, one for each topology."""
    seed = (secrets.randbelow(10**9) if arguments.seed is None
            else arguments.seed)
    faults = _faults(arguments.faults)
    names = [name for name, way in TOPOLOGIES.items()
             if arguments.topology in {'all', name}
             and (faults is None or not faults or way.faults & set(faults))]
    if arguments.variant is not OURS:
        # It is there to show that the rig finds something.
        names = names[:1]
    shares = sum(TOPOLOGIES[name].share for name in names)
    for name in names:
        part = TOPOLOGIES[name].share / shares
        yield Plan(
            database, name, seed, arguments.variant,
            TOPOLOGIES[name].short if arguments.ci
            else arguments.seconds * part,
            arguments.operations and int(arguments.operations * part),
            faults, arguments.keep, arguments.clients,
            int(arguments.most if arguments.operations
                else TOPOLOGIES[name].short + arguments.seconds))


def _run(plan: Plan) -> Report | bool:
    """Run a plan; return its report, or whether it is right that there is
    none for want of a program."""
    absent = (_missing(plan.database)
              + TOPOLOGIES[plan.topology].missing(plan.database))
    if absent:
        # As the tests do: a run that counts has to have everything.
        needed = os.environ.get('CI', '').lower() in {'1', 'true'}
        print(f'{"FAILED" if needed else "skipped"}: on {plan.database}, '
              f'{plan.topology}, for want of {", ".join(absent)}')
        return not needed
    print(f'{plan.words()}', flush=True)
    signal.alarm(plan.most + _GRACE)
    report = race(plan)
    signal.alarm(0)
    print(report, flush=True)
    return report


def _missing(database: str) -> list[str]:
    """Return the programs that a run needs and that are not there."""
    return [name for name in (*broker.PROGRAMS,
                              *databases.programs(database))
            if processes.find(name) is None]


def _right(report: Report) -> bool:
    plan = report.plan
    if plan.variant is not OURS:
        # It is there to show that the rig finds something.
        return report.verdict.broken > 0
    if not report.right:
        print(f'FAILED with the seed {plan.seed} on {plan.database}, '
              f'{plan.topology}; everything is in {report.directory}')
    return report.right


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m proof.rig', description='Start two API and two '
        'engine processes on a database and a broker of their own, let '
        'many clients race for a few instances while things go wrong, and '
        'judge every answer and every call to the hardware. All on '
        '127.0.0.1; everything that was started is ended.')
    parser.add_argument('--database', choices=DATABASES, default='mariadb')
    length = parser.add_mutually_exclusive_group()
    length.add_argument('--seconds', type=float, default=60,
                        help='how long the clients race (default: '
                             '%(default)s)')
    length.add_argument('--operations', type=int,
                        help='until there were so many requests')
    length.add_argument('--ci', action='store_true',
                        help='on each database, '
                             + ', '.join(f'{way.short:g} seconds {name}'
                                         for name, way in TOPOLOGIES.items()))
    parser.add_argument('--topology', choices=('all', *TOPOLOGIES),
                        default='all',
                        help='how the services reach the database; the time '
                             'is shared among all of them (default: '
                             '%(default)s)')
    parser.add_argument('--most', type=float, default=7200,
                        help='with --operations: seconds after which it '
                             'ends all the same')
    parser.add_argument('--seed', type=int,
                        help='of all dice (default: a new one)')
    parser.add_argument('--faults', default='all',
                        help='all, none, or a list of: '
                             + ', '.join(sorted(FAULTS)))
    parser.add_argument('--variant', type=VARIANTS.__getitem__, default=OURS,
                        metavar='{' + ','.join(VARIANTS) + '}',
                        help='naive: check, then write, for comparison')
    parser.add_argument('--clients', type=int, default=8)
    parser.add_argument('--keep', action='store_true',
                        help='keep logs and histories of a run without '
                             'violations too')
    return parser.parse_args()


def _faults(text: str) -> list[str] | None:
    if text == 'all':
        return None
    names = [] if text == 'none' else text.split(',')
    unknown = set(names) - FAULTS
    if unknown:
        raise SystemExit(f'no such faults: {", ".join(sorted(unknown))}')
    return names


def _late(_number: int, _frame: object) -> NoReturn:
    raise SetupError('the run does not come to its end')


if __name__ == '__main__':
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)

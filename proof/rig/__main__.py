# SPDX-License-Identifier: Apache-2.0
"""Race and break a whole deployment, and judge what came of it."""

import argparse
import contextlib
import os
import secrets
import signal
import sys
from typing import NoReturn

from proof.rig.processes import RigError
from proof.rig.run import BLOWS, Plan, Report, race
from proof.rig.servers import DATABASES, missing
from proof.rig.services import OURS, VARIANTS

# One run of --ci, on each database.
_CI_SECONDS = 120
# Seconds that a run may take longer than it was asked for.
_GRACE = 600


def main() -> int:
    """Run as the command line says; 1 where anything was wrong."""
    arguments = _parse()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    signal.signal(signal.SIGALRM, _late)
    seconds = arguments.seconds
    databases = [arguments.database]
    if arguments.ci:
        seconds, databases = _CI_SECONDS, list(DATABASES)
    seed = (secrets.randbelow(10**9) if arguments.seed is None
            else arguments.seed)
    right = True
    for database in databases:
        if absent := missing(database):
            # As the tests do: a run that counts has to have everything.
            needed = os.environ.get('CI', '').lower() in {'1', 'true'}
            print(f'{"FAILED" if needed else "skipped"}: on {database}, for '
                  f'want of {", ".join(absent)}')
            right = right and not needed
            continue
        plan = Plan(database, seed, arguments.variant, seconds,
                    arguments.operations, _blows(arguments.faults),
                    arguments.keep, arguments.clients)
        print(f'{plan.words()}', flush=True)
        signal.alarm(int(seconds or arguments.most) + _GRACE)
        report = race(plan)
        signal.alarm(0)
        print(report, flush=True)
        right = _right(report, plan) and right
    return 0 if right else 1


def _right(report: Report, plan: Plan) -> bool:
    if plan.variant is not OURS:
        # It is there to show that the rig finds something.
        return report.verdict.broken > 0
    if not report.right:
        print(f'FAILED with the seed {plan.seed} on {plan.database}; '
              f'everything is in {report.directory}')
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
                        help=f'{_CI_SECONDS} seconds on each database')
    parser.add_argument('--most', type=float, default=7200,
                        help='with --operations: seconds after which it '
                             'ends all the same')
    parser.add_argument('--seed', type=int,
                        help='of all dice (default: a new one)')
    parser.add_argument('--faults', default='all',
                        help='all, none, or a list of: '
                             + ', '.join(sorted(BLOWS)))
    parser.add_argument('--variant', type=VARIANTS.__getitem__, default=OURS,
                        metavar='{' + ','.join(VARIANTS) + '}',
                        help='naive: check, then write, for comparison')
    parser.add_argument('--clients', type=int, default=8)
    parser.add_argument('--keep', action='store_true',
                        help='keep logs and histories of a run without '
                             'violations too')
    return parser.parse_args()


def _blows(text: str) -> list[str] | None:
    if text == 'all':
        return None
    names = [] if text == 'none' else text.split(',')
    unknown = set(names) - BLOWS
    if unknown:
        raise SystemExit(f'no such faults: {", ".join(sorted(unknown))}')
    return names


def _interrupted(number: int, _frame: object) -> NoReturn:
    raise SystemExit(f'ended by signal {number}')


def _late(_number: int, _frame: object) -> NoReturn:
    raise RigError('the run does not come to its end')


if __name__ == '__main__':
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)

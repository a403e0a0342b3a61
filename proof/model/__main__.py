# SPDX-License-Identifier: Apache-2.0
"""Command line of the model; ends with 1 where something is broken."""

import argparse
import sys
import textwrap
import time
from collections.abc import Sequence

from proof.model import agreement, steps
from proof.model.explorer import Explorer, Result
from proof.model.mutants import MUTANTS
from proof.model.rules import CLAIMS, FENCING, Bounds, Rules
from proof.model.words import describe

SCOPE = """\
In every run: any number of requests and repairs, in any order; a worker
begins at any time or never, so that nudges, lost, doubled or late, add
nothing; it dies or pauses at each of its places, its lease ends at any time,
calls fail, hang, land late, or take effect without an answer; work on the
node fails; outsiders undeploy and unprotect. One node. With N engines,
besides the worker that holds the claim, N - 1 calls are on their way of
workers that have lost it or have died. Stopped stands for no state of its own;
a reboot, where power is in the run, for all changes of power that wait for no
operating system, a soft one for those that do; with the clock, the database's
goes back under any claim, as often as it likes; with foreign protection,
outsiders protect the node as well, for reasons of their own. A second
instance comes when the node is free, and its own work meets no mishaps."""
# What `all` explores.
RUNS = (
    Bounds(), Bounds(engines=3, late=2), Bounds(instances=2),
    Bounds(power=True), Bounds(clock=True), Bounds(foreign=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of these arguments; returns the exit status."""
    options = _parse(arguments)
    began = time.monotonic()
    worst = 0
    if options.command in ('all', 'agree'):
        worst |= _agree()
    if options.command in ('all', 'explore'):
        print(SCOPE)
        runs = RUNS if options.command == 'all' else [_bounds(options)]
        drivers = ((FENCING, CLAIMS) if options.command == 'all'
                   else [options.driver])
        for driver in drivers:
            for bounds in runs:
                worst |= _explore(driver, bounds)
    if options.command in ('all', 'mutants'):
        worst |= _mutants(verbose=options.verbose, part=options.name)
    print(f'{time.monotonic() - began:.0f} s in all')
    return worst


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m proof.model',
        description='Explore every state that the lock protocol can get '
                    'into, and every protocol with one rule less.')
    parser.set_defaults(verbose=False, name='')
    commands = parser.add_subparsers(dest='command', required=True)
    commands.add_parser('agree', help='compare with the code what is copied')
    explore = commands.add_parser('explore', help='explore the protocol')
    explore.add_argument('--engines', type=int, choices=(1, 2, 3), default=2)
    explore.add_argument('--instances', type=int, choices=(1, 2), default=1)
    explore.add_argument('--driver', choices=(FENCING, CLAIMS),
                         default=FENCING)
    explore.add_argument('--power', action='store_true',
                         help='with changes of power')
    explore.add_argument('--clock', action='store_true',
                         help="with a database's clock that goes back")
    explore.add_argument('--foreign', action='store_true',
                         help='with outsiders who protect the node')
    mutants = commands.add_parser(
        'mutants', help='drop each rule in turn; -v tells what happens then')
    mutants.add_argument('-v', '--verbose', action='store_true')
    mutants.add_argument('name', nargs='?', default='',
                         help='only those with this in their name')
    commands.add_parser('all', help='all of these')
    return parser.parse_args(arguments)


def _bounds(options: argparse.Namespace) -> Bounds:
    return Bounds(engines=options.engines, late=options.engines - 1,
                  instances=options.instances, power=options.power,
                  clock=options.clock, foreign=options.foreign)


def _agree() -> int:
    try:
        counts = {'requests': agreement.check_requests(),
                  'driver calls': agreement.check_calls()}
    except agreement.Disagreement as error:
        print(f'THE MODEL IS NOT THE CODE: {error}')
        return 1
    print('model and code agree:', ', '.join(
        f'{count} {name}' for name, count in counts.items()))
    print(f"{steps.count(Rules())} ways through the engine's own steps",
          flush=True)
    return 0


def _explore(driver: str, bounds: Bounds) -> int:
    rules = Rules(driver=driver)
    result = Explorer(rules, bounds).run()
    instances = 'instance' if bounds.instances == 1 else 'instances'
    print(f'\n{driver}, {bounds.engines} engines, {bounds.instances} '
          f'{instances}{", power" if bounds.power else ""}'
          f'{", clock" if bounds.clock else ""}'
          f'{", foreign protection" if bounds.foreign else ""}: '
          f'{result.states} states, {result.steps} steps, '
          f'depth {result.depth}, {result.seconds:.0f} s, '
          f'{result.megabytes} MiB', flush=True)
    if result.broken:
        _show(result)
        return 1
    if result.unreached:
        print(f'    NOT REACHED: {", ".join(result.unreached)}')
        return 1
    print('    nothing is broken; from each state a settled one is reached; '
          'each status\n    was met with each lock state, each verb with '
          'each of its ends')
    return 0


def _show(result: Result) -> None:
    for number, line in enumerate(describe(result), 1):
        print(textwrap.fill(line, 78, initial_indent=f'    {number:2} ',
                            subsequent_indent='       '))


def _mutants(*, verbose: bool, part: str) -> int:
    worst = 0
    counts = {'caught': 0, 'redundant': 0, 'WRONG': 0}
    for mutant in MUTANTS:
        if part not in mutant.name:
            continue
        result = mutant.run(Rules())
        verdict = ('WRONG' if bool(result.broken) == bool(mutant.redundant)
                   else 'redundant' if mutant.redundant else 'caught')
        counts[verdict] += 1
        worst |= verdict == 'WRONG'
        print(f'\n{verdict}: {mutant.name} ({result.states} states, '
              f'{result.seconds:.1f} s)')
        if not result.broken:
            print(f'     nothing breaks: {mutant.redundant}', flush=True)
        elif verbose:
            _show(result)
        else:
            print(f'     {result.broken} (after {len(result.path) - 1} '
                  f'steps)', flush=True)
    print('\nmutants:', ', '.join(
        f'{count} {verdict}' for verdict, count in counts.items()))
    return worst


if __name__ == '__main__':
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Plays so many examples of so many steps, from a seed that it prints."""

import argparse
import collections
import random
import sys
import time

import hypothesis
from hypothesis import stateful

from proof.stateful.machine import Machine
from proof.stateful.planted import DEFECTS
from proof.stateful.world import World


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m proof.stateful', description=__doc__)
    parser.add_argument('--examples', type=int, default=500)
    parser.add_argument('--steps', type=int, default=50)
    parser.add_argument('--seed', type=int,
                        default=random.SystemRandom().randrange(2 ** 32))
    parser.add_argument('--planted', action='store_true',
                        help='put defects into the product, one at a time, '
                             'and see that each is found')
    return parser.parse_args()


def play(*, examples: int, steps: int, seed: int,
         shrink: bool = True) -> 'collections.Counter[str]':
    """Returns what has happened how often.

    Raises what a step or a check raised, after printing the shortest
    sequence of steps that was found for it.
    """
    phases = [hypothesis.Phase.generate]
    if shrink:
        phases.append(hypothesis.Phase.shrink)
    settings = hypothesis.settings(
        max_examples=examples, stateful_step_count=steps, deadline=None,
        database=None, derandomize=False, phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck))
    Machine.world = World()
    try:
        stateful.run_state_machine_as_test(
            hypothesis.seed(seed)(Machine), settings=settings)
    finally:
        Machine.world.close()
    return Machine.world.counts


def find_planted(*, examples: int, steps: int, seed: int) -> int:
    """Returns how many of the planted defects were missed."""
    missed = 0
    for name, planted in DEFECTS.items():
        Machine.played = 0
        try:
            with planted():
                play(examples=examples, steps=steps, seed=seed, shrink=False)
        except Exception as error:  # noqa: BLE001 - each is a find
            print(f'{name}: found in example {Machine.played}: '
                  f'{type(error).__name__}: {str(error)[:150]}', flush=True)
        else:
            print(f'{name}: NOT FOUND in {examples} examples', flush=True)
            missed += 1
    print(f'{len(DEFECTS) - missed} of {len(DEFECTS)} planted defects found')
    return missed


def main() -> int:
    options = _parse()
    print(f'seed {options.seed}', flush=True)
    if options.planted:
        return find_planted(examples=options.examples, steps=options.steps,
                            seed=options.seed)
    started = time.monotonic()
    try:
        counts = play(examples=options.examples, steps=options.steps,
                      seed=options.seed)
    except BaseException:
        print(f'failed with --seed {options.seed} '
              f'--examples {options.examples} --steps {options.steps}',
              file=sys.stderr)
        raise
    for what, times in sorted(counts.items()):
        print(f'{times:8} {what}')
    print(f'{options.examples} examples of {options.steps} steps in '
          f'{time.monotonic() - started:.0f} s: no violation')
    return 0


if __name__ == '__main__':
    sys.exit(main())

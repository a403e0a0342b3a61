# SPDX-License-Identifier: Apache-2.0
"""Plays so many examples of so many steps, from a seed that it prints."""

import argparse
import collections
import random
import sys
import time
from typing import Final

import hypothesis
from hypothesis import stateful

from proof.stateful.defects import DEFECTS
from proof.stateful.machine import Machine
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


# Hypothesis varies what it has seen once it has seen so many: after these,
# six of seven examples would be another one with a step or two changed.
_BATCH: Final = 10


class Failed(Exception):
    """A step or a check raised; the seed and the number of examples that
    come to it at once."""


def play(*, examples: int, steps: int, seed: int,
         shrink: bool = True) -> 'collections.Counter[str]':
    """Run random histories; returns the number of each event.

    Raises Failed, after printing the shortest sequence of steps that was
    found for what a step or a check raised.
    """
    phases = [hypothesis.Phase.generate]
    if shrink:
        phases.append(hypothesis.Phase.shrink)
    Machine.world = World()
    try:
        for begin in range(0, examples, _BATCH):
            number = min(_BATCH, examples - begin)
            settings = hypothesis.settings(
                max_examples=number, stateful_step_count=steps,
                deadline=None, database=None, phases=phases,
                report_multiple_bugs=False,
                suppress_health_check=list(hypothesis.HealthCheck))
            try:
                stateful.run_state_machine_as_test(
                    hypothesis.seed(seed)(Machine), settings=settings)
            except Exception as error:
                raise Failed(f'--seed {seed} --examples {number} '
                             f'--steps {steps}') from error
            seed += 1
    finally:
        Machine.world.close()
    return Machine.world.counts


def find_defects(*, examples: int, steps: int, seed: int) -> int:
    """Run the injected defects; returns the number of those not found."""
    missed = 0
    for name, inject in DEFECTS.items():
        Machine.played = 0
        try:
            with inject():
                play(examples=examples, steps=steps, seed=seed, shrink=False)
        except Failed as error:
            cause = error.__cause__
            print(f'{name}: found in example {Machine.played}: '
                  f'{type(cause).__name__}: {str(cause)[:150]}', flush=True)
        else:
            print(f'{name}: NOT FOUND in {examples} examples', flush=True)
            missed += 1
    print(f'{len(DEFECTS) - missed} of {len(DEFECTS)} injected defects found')
    return missed


def main() -> int:
    options = _parse()
    print(f'seed {options.seed}', flush=True)
    if options.planted:
        return find_defects(examples=options.examples, steps=options.steps,
                            seed=options.seed)
    started = time.monotonic()
    counts = play(examples=options.examples, steps=options.steps,
                  seed=options.seed)
    for what, times in sorted(counts.items()):
        print(f'{times:8} {what}')
    print(f'{options.examples} examples of {options.steps} steps in '
          f'{time.monotonic() - started:.0f} s: no violation')
    return 0


if __name__ == '__main__':
    sys.exit(main())

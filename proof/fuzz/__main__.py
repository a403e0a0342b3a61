# SPDX-License-Identifier: Apache-2.0
"""Sends so many requests to a service of its own, from a seed that it
prints: first those that schemathesis makes of the OpenAPI document, then
bytes that are hardly requests."""

import argparse
import contextlib
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time
from typing import Final

from mogan.tests.support.processes import Family, exit_on_signals
from proof.fuzz import conform, defects, oracle, raw
from proof.fuzz.names import DEFECT
from proof.fuzz.service import ADMIN, MEMBER, Service

# Of all cases, those that the document makes; each persona has its part.
_SHARE: Final = 0.6
_PERSONAS: Final = (ADMIN, MEMBER)
# Cases of one persona beside its examples of each operation, and cases for
# each of these, as measured.
_FIXED: Final = 1300
_PER_EXAMPLE: Final = 140
# Bytes that the service is warm after.
_WARM: Final = 1000


def main() -> int:
    """Run as the command line says; 1 where anything was wrong."""
    options = _parse()
    exit_on_signals()
    print(f'seed {options.seed}', flush=True)
    if options.planted:
        return _find_defects(options)
    return 1 if _run(options) else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m proof.fuzz', description=__doc__)
    parser.add_argument('--cases', type=int, default=10_000)
    parser.add_argument('--seed', type=int,
                        default=random.SystemRandom().randrange(2 ** 32))
    parser.add_argument('--only', choices=('document', 'bytes'),
                        help='one of the two')
    parser.add_argument('--planted', action='store_true',
                        help='put defects into the service, one at a time, '
                             'and see that each is found')
    return parser.parse_args()


def _find_defects(options: argparse.Namespace) -> int:
    missed = 0
    for name in defects.DEFECTS:
        os.environ[DEFECT] = name
        faults = _run(options, 'proof.fuzz.defects', quiet=True)
        missed += not faults
        first = faults[0][:300] if faults else 'NOT FOUND'
        print(f'{name}: {len(faults)} faults: {first}', flush=True)
    print(f'{len(defects.DEFECTS) - missed} of {len(defects.DEFECTS)} '
          'injected defects found')
    return missed


def _run(options: argparse.Namespace, module: str = 'mogan.cmd.standalone',
         *, quiet: bool = False) -> list[str]:
    """Print what was wrong; everything is kept where it lies then."""
    place = pathlib.Path(tempfile.mkdtemp(prefix='mogan-fuzz-'))
    family = Family(place)
    try:
        service = Service(family, place)
        service.start(module)
        faults = _fuzz(service, options, quiet=quiet)
    finally:
        family.close()
    for fault in [] if quiet else faults:
        print(f'FAULT: {fault}')
    if faults and not quiet:
        print(f'{len(faults)} faults with the seed {options.seed}; '
              f'everything is in {place}')
    else:
        shutil.rmtree(place)
    return faults


def _fuzz(service: Service, options: argparse.Namespace, *,
          quiet: bool) -> list[str]:
    began = time.monotonic()
    faults, sent = [], 0
    if options.only != 'bytes':
        sent, faults = _by_document(service, options, quiet=quiet)
    fuzzer = raw.Fuzzer(service, conform.recorded(service), options.seed)
    # The document's own part grows with its routes.
    left = (0 if options.only == 'document'
            else max(options.cases - sent, options.cases // 4))
    warm = min(_WARM, left // 2)
    fuzzer.run(warm)
    before = service.weigh()
    fuzzer.run(left - warm)
    outcome = fuzzer.outcome
    faults += outcome.faults
    if not service.running():
        return [*faults, 'the service has ended by itself']
    after = service.weigh()
    faults += oracle.judge_weight(before, after, left - warm)
    if not service.ends():
        faults.append('the service does not end when it is asked to')
    with contextlib.closing(service.database()) as database:
        faults += oracle.judge_database(database)
    if not quiet:
        print(f'bytes: {outcome.cases} cases; answers: '
              + ', '.join(f'{status}: {times}' for status, times
                          in sorted(outcome.statuses.items())))
        print(f'after {warm} of them: {before}\nat the end:  {after}')
        print(f'{sent + outcome.cases} cases in '
              f'{time.monotonic() - began:.0f} s: {len(faults)} faults',
              flush=True)
    return faults


def _by_document(service: Service, options: argparse.Namespace, *,
                 quiet: bool) -> tuple[int, list[str]]:
    examples = int(options.cases * _SHARE / len(_PERSONAS) - _FIXED
                   ) // _PER_EXAMPLE
    faults, sent = [], 0
    for persona in _PERSONAS:
        done = conform.run(service, persona, seed=options.seed,
                           examples=examples)
        sent += done.cases
        faults += [f'as {persona.name}: {failure}'
                   for failure in done.failures]
        if not quiet:
            print(f'document: {done.cases} cases as {persona.name}, '
                  f'{len(done.failures)} kinds of faults', flush=True)
            if done.failures:
                print(done.text)
    return sent, faults


if __name__ == '__main__':
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)

# SPDX-License-Identifier: Apache-2.0
"""Run test suites with stestr, one after the other, and count the results.

A run fails where a test fails, where it ran no test, where it takes longer
than --minutes, and, with CI=true in the environment, where a test is skipped.
The sums, and the names of what failed, are appended to the file that
MOGAN_TEST_TALLY names.
"""

import argparse
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import NamedTuple

import testtools
from stestr.repository import abstract, util

NO_MATCH = 1    # stestr's exit status where a pattern matches nothing
SHOWN = 20
STESTR = pathlib.Path(sys.executable).with_name('stestr')
# Each environment of tox records its own runs: two may go on at once.
RECORDS = os.environ.get('TOX_ENV_DIR', '.')


class Counts(NamedTuple):
    passed: int
    failed: int
    skipped: int


def parse(argv):
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog='What follows a -- goes to stestr run: a pattern, --failing.')
    parser.add_argument('suites', nargs='+', metavar='suite',
                        help='a directory of tests')
    parser.add_argument('--minutes', type=float, default=25,
                        help='time limit of one run (default: %(default)s)')
    # What CI has cores for.
    parser.add_argument('--concurrency', type=int, default=2,
                        help='number of workers (default: %(default)s)')
    at = argv.index('--') if '--' in argv else len(argv)
    options = parser.parse_args(argv[:at])
    options.arguments = argv[at + 1:]
    return options


def latest_run():
    """Return the last run that stestr recorded, None where there is none."""
    try:
        return util.get_repo_open(repo_url=RECORDS).get_latest_run()
    except (abstract.RepositoryNotFound, KeyError):
        return None


@contextlib.contextmanager
def process_group(command):
    """Start a command; nothing that it started outlives the block."""
    child = subprocess.Popen(command, process_group=0)
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def run(suite, options):
    """Run one suite; return stestr's exit status, None for out of time."""
    command = [STESTR, '--test-path', suite, '--repo-url', RECORDS,
               'run', '--concurrency', str(options.concurrency),
               *options.arguments]
    with process_group(command) as child:
        try:
            return child.wait(options.minutes * 60)
        except subprocess.TimeoutExpired:
            return None


def count(recorded):
    """Return the counts of a recorded run, and remarks: which tests failed,
    and why tests were skipped."""
    summary = testtools.StreamSummary()
    summary.startTestRun()
    try:
        recorded.get_test().run(summary)
    finally:
        summary.stopTestRun()
    failed = sorted(
        [test.id() for test, _ in summary.errors + summary.failures]
        + [test.id() for test in summary.unexpectedSuccesses])
    skipped = len(summary.skipped)
    reasons = sorted({str(reason) for _, reason in summary.skipped})
    return (
        Counts(summary.testsRun - len(failed) - skipped, len(failed), skipped),
        [f'failed: {name}' for name in failed[:SHOWN]]
        + [f'skipped: {reason}' for reason in reasons[:SHOWN]])


def judge(status, recorded, options):
    """Return the counts of a run, and what is wrong with it."""
    faults = []
    if status is None:
        faults.append(f'stopped after {options.minutes:g} minutes')
    if recorded is None:
        if status == NO_MATCH and options.arguments:
            return Counts(0, 0, 0), ['no test matches']
        return Counts(0, 1, 0), [*faults, f'no test ran (stestr: {status})']
    counts, remarks = count(recorded)
    if status and not counts.failed:
        faults.append(f'stestr: exit status {status}')
    if faults:
        counts = counts._replace(failed=counts.failed + 1)
    return counts, faults + remarks


def tally(*lines):
    """Leave lines for whoever sums up the runs."""
    if name := os.environ.get('MOGAN_TEST_TALLY'):
        with pathlib.Path(name).open('a', encoding='utf-8') as file:
            print(*lines, sep='\n', file=file)


def run_counted(suite, options):
    """Run one suite, tell its counts and return them."""
    before, started = latest_run(), time.monotonic()
    status = run(suite, options)
    recorded = latest_run()
    if before and before.get_id() == recorded.get_id():
        recorded = None
    counts, remarks = judge(status, recorded, options)
    backend = os.environ.get('MOGAN_TEST_BACKEND')
    name = f'{suite}{" on " + backend if backend else ""}:'
    print(name, '{} passed, {} failed, {} skipped'.format(*counts),
          f'in {time.monotonic() - started:.0f} s', flush=True)
    for remark in remarks:
        print(f'    {remark}', flush=True)
    tally('{} {} {}'.format(*counts),
          *(f'{name} {remark}' for remark in remarks))
    return counts


def main(argv):
    options = parse(argv)
    total = Counts(*map(sum, zip(*(
        run_counted(suite, options) for suite in options.suites),
        strict=True)))
    forbidden = total.skipped if os.environ.get('CI') == 'true' else 0
    return 1 if total.failed or forbidden or not sum(total) else 0


if __name__ == '__main__':
    # So that the group is ended where this process is.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(1))
    sys.exit(main(sys.argv[1:]))

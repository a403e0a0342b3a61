# SPDX-License-Identifier: Apache-2.0
"""The options --wait and --timeout."""

import argparse
import contextlib
import shlex
import sys
import time

from osc_lib import exceptions as osc

from moganclient import exceptions

# Seconds: what is over sooner says nothing in a pipe, and what goes on
# unchanged says so again.
_QUIET = 30
_REMINDER = 60


def add_options(parser, seconds):
    """Add --wait and --timeout; `seconds`: its default."""
    parser.add_argument(
        '--wait', action='store_true',
        help='Wait for completion; fail if the work fails')
    parser.add_argument(
        '--timeout', type=_seconds, default=seconds, metavar='<seconds>',
        help=f'Maximum time to wait ({seconds} by default)')


def _seconds(text):
    with contextlib.suppress(ValueError):
        seconds = float(text)
        if 0 < seconds < float('inf'):
            return seconds
    raise argparse.ArgumentTypeError(f'{text} is not a valid timeout')


class Clock:
    """The deadline of all that a command waits for, in seconds."""

    def __init__(self, seconds):
        self._began = time.monotonic()
        self._end = self._began + seconds

    @property
    def elapsed(self):
        """Seconds since the waiting began."""
        return time.monotonic() - self._began

    @property
    def left(self):
        """Seconds until it ends."""
        return max(0.0, round(self._end - time.monotonic(), 1))


class Progress:
    """States and faults of an instance, written to standard error as they
    change, with the time elapsed.

    A terminal sees each of them, a pipe those of a wait that takes long.
    """

    def __init__(self, name, clock):
        self._name = name
        self._clock = clock
        self._last = None
        self._written_at = 0.0
        self._quiet = 0 if sys.stderr.isatty() else _QUIET

    def __call__(self, instance):
        fault = (instance.fault or {}).get('message')
        self.show(f'{instance.status}, {instance.lock_state}', fault)

    def show(self, state, fault=None):
        """Write a state that is not the last one still, and one that is
        after a while."""
        elapsed = self._clock.elapsed
        if elapsed < self._quiet or (
                (state, fault) == self._last
                and elapsed - self._written_at < _REMINDER):
            return
        self._last = state, fault
        self._written_at = elapsed
        why = f': {fault}' if fault else ''
        sys.stderr.write(f'{self._name}: {state} ({elapsed:.0f} s){why}\n')
        sys.stderr.flush()


class Interrupted(osc.CommandError):
    """Ctrl-C has interrupted the wait."""


@contextlib.contextmanager
def bounded(name, seconds):
    """Convert Ctrl-C and a timeout to errors which say that the request is
    still in progress."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            'Interrupted. The request is still in progress; see: openstack '
            f'baremetalcompute instance show {shlex.quote(name)}') from None
    except exceptions.WaitTimeout as error:
        raise osc.CommandError(
            f'Timed out after {seconds:g} s; the request is still in '
            'progress: '
            f'{_last_seen(error.instance)}') from error


def is_settled(instance):
    """Return True if no work on the instance's status is in progress."""
    return instance.status in {'active', 'stopped'}


def _last_seen(instance):
    if instance is None:
        return 'the service does not answer'
    fault = instance.fault or {}
    why = f': {fault["message"]}' if fault.get('message') else ''
    return (f'the instance {instance.id} is {instance.status} and '
            f'{instance.lock_state}{why}')

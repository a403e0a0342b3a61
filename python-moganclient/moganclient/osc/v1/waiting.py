# SPDX-License-Identifier: Apache-2.0
"""--wait: until what was asked for is done."""

import argparse
import contextlib
import shlex
import sys
import time

from osc_lib import exceptions as osc

from moganclient import exceptions


def add_options(parser, seconds):
    """--wait and --timeout, of so many seconds by default."""
    parser.add_argument(
        '--wait', action='store_true',
        help='Return once it is done, and with an error if it fails')
    parser.add_argument(
        '--timeout', type=_seconds, default=seconds, metavar='<seconds>',
        help=f'How long to wait at most ({seconds} by default)')


def _seconds(text):
    with contextlib.suppress(ValueError):
        seconds = float(text)
        if 0 < seconds < float('inf'):
            return seconds
    raise argparse.ArgumentTypeError(f'{text} is no time to wait')


class Clock:
    """The seconds that are left for all that a command waits for."""

    def __init__(self, seconds):
        self._end = time.monotonic() + seconds

    @property
    def left(self):
        return max(0.0, round(self._end - time.monotonic(), 1))


class Steps:
    """What an instance goes through, on the terminal, if there is one."""

    def __init__(self, name):
        self._name = name
        self._last = None
        self._shown = sys.stderr.isatty()

    def __call__(self, instance):
        self.say(f'{instance.status}, {instance.lock_state}')

    def say(self, step):
        """Show a step, unless it is the last one still."""
        if self._shown and step != self._last:
            sys.stderr.write(f'{self._name}: {step}\n')
            sys.stderr.flush()
        self._last = step


class Interrupted(osc.CommandError):
    """Ctrl-C has ended the waiting."""


@contextlib.contextmanager
def bounded(name, seconds):
    """Let Ctrl-C, and the time that was given, end the waiting, and tell
    what they do not end."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            'Interrupted. What was asked for goes on; see: openstack '
            f'baremetalcompute instance show {shlex.quote(name)}') from None
    except exceptions.WaitTimeout as error:
        raise osc.CommandError(
            f'Not done within {seconds:g} s, and going on: '
            f'{_last_seen(error.instance)}') from error


def is_settled(instance):
    """Whether no work on its status is under way."""
    return instance.status in {'active', 'stopped'}


def _last_seen(instance):
    if instance is None:
        return 'the service does not answer'
    fault = instance.fault or {}
    why = f': {fault["message"]}' if fault.get('message') else ''
    return (f'the instance {instance.id} is {instance.status} and '
            f'{instance.lock_state}{why}')

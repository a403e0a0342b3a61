# SPDX-License-Identifier: Apache-2.0
"""Progress of a wait: on a terminal all of it, in a pipe what takes long."""

import io
import types

import fixtures
import testtools

from moganclient.osc.v1 import waiting


class Terminal(io.StringIO):

    def isatty(self):
        return True


class TestProgress(testtools.TestCase):

    def lines(self, errors, *looks):
        """Return the lines that are written for looks at these times."""
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', errors))
        clock = types.SimpleNamespace(elapsed=0)
        progress = waiting.Progress('web-1', clock)
        for clock.elapsed, status, fault in looks:
            progress(types.SimpleNamespace(
                status=status, lock_state='unlocked',
                fault=fault and {'message': fault}))
        return errors.getvalue().splitlines()

    def test_a_terminal_sees_every_change(self):
        self.assertEqual([
            'web-1: building, unlocked (0 s)',
            'web-1: building, unlocked (2 s): No free node',
            'web-1: building, unlocked (4 s)',
            'web-1: active, unlocked (5 s)',
        ], self.lines(
            Terminal(), (0.2, 'building', None), (1, 'building', None),
            (2, 'building', 'No free node'), (3, 'building', 'No free node'),
            (4, 'building', None), (5, 'active', None)))

    def test_what_goes_on_says_so_each_minute(self):
        self.assertEqual(
            ['web-1: building, unlocked (0 s)',
             'web-1: building, unlocked (60 s)',
             'web-1: building, unlocked (120 s)'],
            self.lines(Terminal(), *(
                (seconds, 'building', None) for seconds in range(0, 180, 5))))

    def test_a_pipe_sees_what_takes_long(self):
        self.assertEqual(
            ['web-1: rebuilding, unlocked (30 s)',
             'web-1: rebuilding, unlocked (90 s)',
             'web-1: active, unlocked (100 s)'],
            self.lines(io.StringIO(), *(
                (seconds, 'rebuilding', None)
                for seconds in range(0, 100, 10)), (100, 'active', None)))

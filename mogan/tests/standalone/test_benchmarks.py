# SPDX-License-Identifier: Apache-2.0
"""The benchmarks run to their end; their figures are another matter."""

import json
import subprocess
import sys
import unittest

import testtools

from mogan.tests.standalone.test_documentation import ROOT

PATIENCE = 1200.0
# The first words of a figure of each.
MEASURED = ('list ', 'API worker', 'GET one / R, CPU', 'GET one / R, HTTP',
            'GET one, new connection')


class TestBenchmarks(testtools.TestCase):

    def test_all_of_them_run(self):
        if not (ROOT / 'benchmarks').exists():
            raise unittest.SkipTest('there are no benchmarks here')
        done = subprocess.run(
            [sys.executable, '-m', 'benchmarks', 'all', '--rows', '60000',
             '--rounds', '1', '--json'], cwd=ROOT, capture_output=True,
            text=True, timeout=PATIENCE, check=False)
        self.assertNotIn('Traceback', done.stderr)
        # A figure is over its goal where other work goes on.
        self.assertIn(done.returncode, {0, 1}, done.stderr)
        names = [figure['name'] for figure in json.loads(done.stdout)]
        for words in MEASURED:
            self.assertTrue(any(name.startswith(words) for name in names),
                            (words, names))

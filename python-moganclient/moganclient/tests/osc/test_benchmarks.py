# SPDX-License-Identifier: Apache-2.0
"""The benchmark of a command runs to its end."""

import testtools

from mogan.tests.support import benchmarks


class TestBenchmarks(testtools.TestCase):

    def test_the_cost_of_a_command_is_measured(self):
        self.assertEqual(
            ['instance lock - nothing'],
            [figure['name'] for figure in benchmarks.measure(
                'client', '--rounds', '1')])

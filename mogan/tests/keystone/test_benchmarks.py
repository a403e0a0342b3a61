# SPDX-License-Identifier: Apache-2.0
"""The benchmark beside a Keystone runs to its end."""

import testtools

from mogan.tests.support import benchmarks


class TestBenchmarks(testtools.TestCase):

    def test_the_cost_of_a_token_is_measured(self):
        names = {result['name'] for result in benchmarks.measure(
            'keystone', '--rounds', '1')}
        self.assertLessEqual({'a password, CPU',
                              'a token, in the process, CPU'}, names)

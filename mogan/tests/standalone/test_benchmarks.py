# SPDX-License-Identifier: Apache-2.0
"""The benchmarks run to their end; their results are another matter."""

import testtools

from mogan.tests.support import benchmarks

# The first words of a result of each.
MEASURED = ('list ', 'API worker', 'GET one / R, CPU', 'GET one / R, HTTP',
            'GET one, new connection')


class TestBenchmarks(testtools.TestCase):

    @testtools.skipUnless(benchmarks.available(), 'not a source tree')
    def test_all_of_them_run(self):
        names = [result['name'] for result in benchmarks.measure(
            'all', '--rows', '60000', '--rounds', '1')]
        for words in MEASURED:
            self.assertTrue(any(name.startswith(words) for name in names),
                            (words, names))

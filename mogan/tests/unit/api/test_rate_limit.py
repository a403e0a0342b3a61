# SPDX-License-Identifier: Apache-2.0
"""The rate limit of one caller."""

import json

from oslotest import base

from mogan.api.middleware import rate_limit
from mogan.tests.unit.api.test_app import AppTest


class TestBuckets(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.now = 1000.0

    def buckets(self, *arguments, **options):
        return rate_limit.Buckets(*arguments, clock=lambda: self.now,
                                  **options)

    def test_a_burst_is_taken_and_then_the_rate(self):
        buckets = self.buckets(10, 3)
        self.assertEqual([0, 0, 0], [buckets.take('a') for _ in range(3)])
        self.assertAlmostEqual(0.1, buckets.take('a'))
        # What was refused costs nothing.
        self.assertAlmostEqual(0.1, buckets.take('a'))
        self.now += 0.1001
        self.assertEqual(0, buckets.take('a'))
        self.assertGreater(buckets.take('a'), 0)
        self.now += 60
        self.assertEqual(3, sum(not buckets.take('a') for _ in range(9)))

    def test_each_key_has_a_bucket_of_its_own(self):
        buckets = self.buckets(1, 1)
        self.assertEqual(0, buckets.take('a'))
        self.assertEqual(0, buckets.take('b'))
        self.assertAlmostEqual(1, buckets.take('a'))

    def test_the_longest_unused_makes_room(self):
        buckets = self.buckets(1, 1, most=3)
        for key in 'abcd':
            buckets.take(key)
        self.assertEqual(3, len(buckets._full))
        self.assertEqual(0, buckets.take('a'))
        self.assertGreater(buckets.take('d'), 0)

    def test_a_network_of_ipv6_is_one_client(self):
        for one, other, same in (
                ('2001:db8::1', '2001:db8::ffff:2', True),
                ('2001:db8::1', '2001:db8:0:1::1', False),
                ('192.0.2.1', '192.0.2.2', False),
                ('::ffff:192.0.2.1', '192.0.2.1', True),
                ('::ffff:192.0.2.1', '::ffff:192.0.2.2', False),
                ('unix', 'x', False)):
            self.assertEqual(same, rate_limit.network(one)
                             == rate_limit.network(other), (one, other))


class RateTest(AppTest):

    def taken(self, number, path='/v1', **environ):
        """Return how many of the requests are accepted, and the last
        answer."""
        answers = [self.call(path, **environ) for _ in range(number)]
        return sum(status != 429 for status, _, _ in answers), answers[-1]


class TestOff(RateTest):

    def test_nothing_is_counted(self):
        self.assertEqual(300, self.taken(300)[0])


class TestByAddress(RateTest):

    settings = ('[rate_limit]', 'address_rate = 0.5', 'address_burst = 3')

    def test_an_address_is_told_when_to_come_again(self):
        taken, (status, headers, body) = self.taken(9)
        self.assertEqual((3, 429), (taken, status))
        self.assertEqual('2', headers['retry-after'])
        self.assertIn('x-openstack-request-id', headers)
        error = json.loads(body)['error']
        self.assertEqual((429, 'Too Many Requests'),
                         (error['code'], error['title']))
        self.assertIn('your address', error['message'])

    def test_others_and_load_balancers_are_not_counted_with_it(self):
        self.taken(9)
        self.assertEqual(3, self.taken(9, REMOTE_ADDR='127.0.0.2')[0])
        self.assertEqual(9, self.taken(9, '/healthcheck')[0])

    def test_it_comes_before_the_credentials(self):
        taken, (status, _, _) = self.taken(9, REMOTE_ADDR='192.0.2.1')
        self.assertEqual((3, 429), (taken, status))


class TestByUser(RateTest):

    settings = ('[rate_limit]', 'user_rate = 0.5', 'user_burst = 3')

    def test_a_user_is_one_from_everywhere(self):
        self.assertEqual(3, self.taken(9, '/v1/x')[0])
        taken, (status, _, body) = self.taken(
            9, '/v1/x', REMOTE_ADDR='127.0.0.2')
        self.assertEqual((0, 429), (taken, status))
        self.assertIn(b'your user', body)

# SPDX-License-Identifier: Apache-2.0
"""Keystone is away, hangs, or does not know our service: 503 until it is
back, and never 401 or 500."""

import concurrent.futures
import time

from mogan.api.middleware import auth
from mogan.api.middleware.auth import keystone
from mogan.tests.keystone import base
from mogan.tests.keystone.test_tokens import LIST
from mogan.tests.support.processes import eventually, free_port


class OutageTest(base.KeystoneTest):

    engines = 0
    disturbs = True

    def unavailable(self, answer):
        self.expect(503, answer)
        self.assertEqual({'code', 'title', 'message'},
                         answer.json['error'].keys())
        self.assertIn('identity service', answer.message)
        self.assertGreaterEqual(int(answer.headers['retry-after']), 1)
        self.assertNotIn('www-authenticate', answer.headers)

    def newcomer(self):
        """Return a client whose token the service has not seen."""
        return self.with_token(self.log_in('demo'))


class TestAway(OutageTest):

    def test_it_goes_and_comes_back_while_the_service_runs(self):
        known, unknown, later = (self.newcomer() for _ in range(3))
        self.expect(200, known.get(LIST))
        for end in (self.keystone.stop, self.keystone.kill):
            end()
            self.unavailable(unknown.get(LIST))
            self.unavailable(self.with_token('x').get(LIST))
            self.unavailable(self.with_token(
                self.deployment.token('demo'), service_token='x').get(LIST))
            # Who is known goes on; who brings nothing is asked to.
            self.expect(200, known.get(LIST))
            self.expect(401, self.anonymous.get(LIST))
            self.expect(200, self.anonymous.get('/healthcheck'))
            self.keystone.start()
            self.expect(200, later.get(LIST))
            self.expect(200, self.newcomer().get(LIST))
            self.expect(401, self.with_token('x').get(LIST))

    def test_the_service_starts_without_it(self):
        token = self.log_in('demo')
        self.keystone.stop()
        deployment = base.KeystoneDeployment(self.keystone, rules={},
                                             options={})
        self.addCleanup(deployment.close)
        holder = base.TokenClient(deployment.port, token)
        self.unavailable(holder.get(LIST))
        self.keystone.start()
        self.expect(200, holder.get(LIST))


class TestHanging(OutageTest):

    options = {'http_connect_timeout': 2}  # noqa: RUF012 - read only

    def test_the_threads_do_not_all_wait_for_it(self):
        known = self.newcomer()
        self.expect(200, known.get(LIST))
        tokens = [self.log_in('demo') for _ in range(24)]
        self.keystone.freeze()
        self.unavailable(self.newcomer_while_frozen(tokens.pop()))
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            began = time.monotonic()
            for answer in pool.map(self.newcomer_while_frozen, tokens):
                self.unavailable(answer)
                self.expect(200, known.get(LIST))
        # One of them has waited for it, and not one after the other.
        self.assertLess(time.monotonic() - began, 10)
        self.keystone.thaw()
        eventually(lambda: self.newcomer().get(LIST).status,
                   until=lambda status: status == 200)

    def newcomer_while_frozen(self, token):
        return self.with_token(token).get(LIST)


class TestStranger(OutageTest):
    """Keystone does not let our own service in."""

    def test_a_wrong_password_of_ours_is_not_the_callers_fault(self):
        holder = self.newcomer()
        path = f'/users/{self.keystone.id_of("user", "mogan")}'
        try:
            self.keystone.do('PATCH', path, {'user': {'password': 'new'}})
            self.unavailable(holder.get(LIST))
            # So does the upgrade check.
            error = self.assertRaises(auth.IdentityError,
                                      keystone.log_in, self.deployment.conf)
            self.assertIn('HTTP 401', str(error))
        finally:
            self.keystone.do('PATCH', path, {'user': {'password': 'mogan'}})
        # What is issued in the second of the change counts as older.
        eventually(lambda: holder.get(LIST).status,
                   until=lambda status: status == 200)
        keystone.log_in(self.deployment.conf)


class TestElsewhere(OutageTest):
    """Something else answers where Keystone should."""

    def test_a_page_that_is_not_found_says_nothing_of_the_token(self):
        holder = self.newcomer()
        self.keystone.stop()
        self.keystone.pretend()
        self.unavailable(holder.get(LIST))
        self.unavailable(self.with_token('x').get(LIST))
        self.keystone.stop()
        self.keystone.start()
        self.expect(200, holder.get(LIST))


class TestWithoutMemcached(base.KeystoneTest):
    """Nobody is where the tokens should be kept."""

    engines = 0
    options = {  # noqa: RUF012 - read only
        'memcached_servers': f'127.0.0.1:{free_port()}',
        'memcache_security_strategy': 'ENCRYPT',
        'memcache_secret_key': 'another-secret'}

    def test_keystone_is_asked_about_each_request(self):
        token = self.log_in('demo')
        holder = self.with_token(token)
        for _ in range(2):
            self.expect(200, holder.get(LIST))
        self.expect(401, self.with_token('x').get(LIST))
        self.keystone.revoke(token)
        self.expect(401, holder.get(LIST))

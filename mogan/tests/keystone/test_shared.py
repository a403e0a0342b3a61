# SPDX-License-Identifier: Apache-2.0
"""A test finds the shared Keystone as the first one did."""

import requests

from mogan.tests.keystone import base, server


class TestShared(base.KeystoneTest):

    engines = 0

    def test_what_a_test_has_changed_is_undone(self):
        keystone = self.keystone
        token = self.log_in('demo')
        path = f'/users/{keystone.id_of("user", "demo")}'
        keystone.do('PATCH', path, {'user': {'password': 'new'}})
        keystone.make('user', 'stranger', domain_id='default')
        self.assertRaises(AssertionError, self.log_in, 'demo')
        base.shared.restore()
        self.log_in('demo')
        self.assertEqual([], keystone.do(
            'GET', '/users?name=stranger')['users'])
        # The change of the password had ended it.
        answer = self.with_token(token).get('/v1/instances')
        self.expect(200, answer)
        self.assertIs(keystone, base.shared())

    def test_one_that_does_not_answer_cannot_be_restored(self):
        keystone = server.Keystone()
        self.addCleanup(keystone.close)
        keystone.start()
        keystone.keep()
        keystone.restore()
        keystone.kill()
        self.assertRaises(requests.ConnectionError, keystone.restore)

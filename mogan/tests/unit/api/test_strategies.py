# SPDX-License-Identifier: Apache-2.0
"""Properties of every authentication strategy."""

import json

from keystoneauth1 import loading

from mogan.api.middleware import auth
from mogan.tests.unit.api import callers

PUBLIC = '/v1'


class TestForgedHeaders(callers.IdentityTest):
    """Identity headers of a client are dropped where nothing authenticates
    it."""

    def dropped(self, **values):
        conf = callers.make_conf(**values)
        if conf.auth_strategy == 'keystone':
            # It says what is missing, and knows its options from then on.
            self.assertRaises(auth.IdentityError, auth.check, conf)
            conf.register_opts(loading.get_auth_plugin_conf_options(
                'password'), 'keystone_authtoken')
            for name, value in (('auth_type', 'password'), (
                    'auth_url', 'https://keystone.example')):
                conf.set_override(name, value, 'keystone_authtoken')
        context = self.call(auth.wrap(self.application, conf), PUBLIC,
                            **callers.FORGED)
        self.assertEqual(set(), {
            name for name, value in callers.FORGED.items()
            if self.seen.get(name) == value})
        self.assertNotIn('evil', json.dumps(context.to_dict()))
        return context.project_id, context.roles

    def test_keystone_drops_them(self):
        self.assertEqual((None, []), self.dropped(auth_strategy='keystone'))

    def test_http_basic_drops_them(self):
        self.write(f'ann:$2b$04${"a" * 53}:p-1:reader')
        self.assertEqual((None, []), self.dropped(
            auth_strategy='http_basic', http_basic_users_file=str(self.file)))

    def test_noauth_drops_them(self):
        self.assertEqual('admin', self.dropped(auth_strategy='noauth')[0])

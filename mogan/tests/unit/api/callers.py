# SPDX-License-Identifier: Apache-2.0
"""Steps shared by the tests of authentication."""


import tempfile

import fixtures
from oslo_config import cfg
from oslotest import base

from mogan import conf as options
from mogan.context import RequestContext
from mogan.tests.support.files import temporary_directory

FORGED = {
    'HTTP_X_USER_ID': 'evil', 'HTTP_X_USER': 'evil',
    'HTTP_X_USER_NAME': 'evil', 'HTTP_X_USER_DOMAIN_ID': 'evil',
    'HTTP_X_PROJECT_ID': 'evil', 'HTTP_X_PROJECT_NAME': 'evil',
    'HTTP_X_PROJECT_DOMAIN_ID': 'evil', 'HTTP_X_TENANT_ID': 'evil',
    'HTTP_X_TENANT': 'evil', 'HTTP_X_TENANT_NAME': 'evil',
    'HTTP_X_ROLE': 'admin', 'HTTP_X_ROLES': 'admin',
    'HTTP_X_DOMAIN_ID': 'evil', 'HTTP_X_DOMAIN_NAME': 'evil',
    'HTTP_X_IS_ADMIN_PROJECT': 'true', 'HTTP_X_IDENTITY_STATUS': 'Confirmed',
    'HTTP_X_SERVICE_ROLES': 'service', 'HTTP_X_SERVICE_USER_ID': 'evil',
    'HTTP_X_SERVICE_PROJECT_ID': 'evil',
    'HTTP_X_SERVICE_IDENTITY_STATUS': 'Confirmed',
    'HTTP_X_SERVICE_CATALOG': '[]', 'HTTP_X_STORAGE_TOKEN': 'evil',
    'HTTP_X_AUTH_METHOD': 'x', 'HTTP_OPENSTACK_SYSTEM_SCOPE': 'all'}


def make_conf(**values):
    conf = cfg.ConfigOpts()
    for group in options._GROUPS:
        group.register_opts(conf)
    # An override of an option in a group would outlast the test: oslo.config
    # shares a registered group's options between all configurations.
    with tempfile.NamedTemporaryFile('w', suffix='.conf') as file:
        file.write(f'[api]\nhost = {values.pop("host", "127.0.0.1")}\n')
        file.flush()
        conf(['--config-file', file.name], default_config_dirs=[])
    for name, value in values.items():
        conf.set_override(name, value)
    return conf


class IdentityTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.file = temporary_directory(self) / 'users'

    def write(self, *lines):
        self.file.write_text(''.join(f'{line}\n' for line in lines))

    def application(self, environ, start_response):
        self.seen = environ
        start_response('200 OK', [])
        return []

    def call(self, application, path='/v1/instances', **environ):
        """Return the caller as the application sees it."""
        self.seen = None
        application({
            'PATH_INFO': path, 'REQUEST_METHOD': 'GET',
            'REMOTE_ADDR': '127.0.0.1', 'mogan.context': RequestContext(
                overwrite=False)} | environ, lambda *_: None)
        return self.seen['mogan.context']

# SPDX-License-Identifier: Apache-2.0
"""The check of the policy files."""

import pathlib

import fixtures
from oslo_config import cfg
from oslo_policy import opts
from oslotest import base

from mogan.cmd import status

LOCK = '"mogan:instance:lock"'


class TestPolicies(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.FakeLogger())
        self.file = pathlib.Path(self.useFixture(
            fixtures.TempDir()).path) / 'policy.yaml'
        self.conf = cfg.ConfigOpts()
        self.conf([], default_config_files=[], default_config_dirs=[])
        opts.set_defaults(self.conf, str(self.file))

    def check(self, *lines):
        self.file.write_text(''.join(f'{line}\n' for line in lines))
        return status._policies(self.conf)

    def test_what_the_code_asks_for_passes(self):
        self.assertEqual(status.Code.SUCCESS,
                         status._policies(self.conf).code)
        for lines in (
                (), (f'{LOCK}: "role:manager"',), (f'{LOCK}: "!"',),
                (f'{LOCK}: ""',), ('"mine": "role:manager"',
                                   f'{LOCK}: "role:admin or rule:mine"')):
            found = self.check(*lines)
            self.assertEqual(status.Code.SUCCESS, found.code, found.details)

    def test_what_is_misspelt_is_named(self):
        for line, name in (
                ('"mogan:instance:lok": "role:manager"',
                 'mogan:instance:lok'),
                ('"mogn:instance:lock": "!"', 'mogn:instance:lock'),
                (f'{LOCK}: "not (rule:mien)"', 'mien'),
                (f'{LOCK}: "role:manager and"', 'mogan:instance:lock')):
            found = self.check(line)
            self.assertEqual(status.Code.FAILURE, found.code, line)
            self.assertIn(name, found.details)

    def test_a_file_that_cannot_be_read_is_a_failure(self):
        self.assertEqual(status.Code.FAILURE, self.check('x: [').code)

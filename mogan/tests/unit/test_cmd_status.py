# SPDX-License-Identifier: Apache-2.0
"""The checks of the policy files, and of what MariaDB is set to."""

import re
import sqlite3

import fixtures
from oslo_config import cfg
from oslo_policy import opts
from oslotest import base

from mogan.cmd.checks import database, policies
from mogan.conf import auth
from mogan.tests.support.files import temporary_directory

LOCK = '"mogan:instance:lock"'


class TestDurability(base.BaseTestCase):

    def lasts(self, **settings):
        """Return True if a MariaDB with these settings makes a commit
        durable."""
        def setting(found):
            return str(settings[found[1]])

        connection = sqlite3.connect(':memory:')
        self.addCleanup(connection.close)
        return all(
            str(connection.execute(re.sub(
                r'@@GLOBAL\.(\w+)', setting, query)).fetchone()[0]) in good
            for query, good, _ in database._DURABLE['mysql'])

    def test_mariadb_syncs_its_own_log_and_the_binary_log(self):
        for log_bin, flush, sync_binlog, lasts in (
                (0, 1, 0, True), (0, 0, 1, False), (0, 2, 1, False),
                (0, 3, 0, True), (1, 1, 0, False), (1, 1, 1, True),
                (1, 1, 100, False), (1, 2, 1, False), (1, 3, 0, True)):
            self.assertEqual(lasts, self.lasts(
                log_bin=log_bin, innodb_flush_log_at_trx_commit=flush,
                sync_binlog=sync_binlog), (log_bin, flush, sync_binlog))


class PoliciesTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.FakeLogger())
        self.file = temporary_directory(self) / 'policy.yaml'
        self.conf = cfg.ConfigOpts()
        self.conf([], default_config_files=[], default_config_dirs=[])
        opts.set_defaults(self.conf, str(self.file))

    def check(self, *lines):
        self.file.write_text(''.join(f'{line}\n' for line in lines))
        return policies._policies(self.conf)


class TestPolicies(PoliciesTest):

    def test_what_the_code_asks_for_passes(self):
        self.assertEqual(policies.Code.SUCCESS,
                         policies._policies(self.conf).code)
        for lines in (
                (), (f'{LOCK}: "role:manager"',), (f'{LOCK}: "!"',),
                ('"mine": "role:manager"',
                                   f'{LOCK}: "role:admin or rule:mine"')):
            found = self.check(*lines)
            self.assertEqual(policies.Code.SUCCESS, found.code, found.details)

    def test_what_is_misspelt_is_named(self):
        for line, name in (
                ('"mogan:instance:lok": "role:manager"',
                 'mogan:instance:lok'),
                ('"mogn:instance:lock": "!"', 'mogn:instance:lock'),
                (f'{LOCK}: "not (rule:mien)"', 'mien'),
                (f'{LOCK}: "role:manager and"', 'mogan:instance:lock')):
            found = self.check(line)
            self.assertEqual(policies.Code.FAILURE, found.code, line)
            self.assertIn(name, found.details)

    def test_a_file_that_cannot_be_read_is_a_failure(self):
        self.assertEqual(policies.Code.FAILURE, self.check('x: [').code)

    def test_a_rule_without_a_text_is_a_failure_that_names_it(self):
        for value in ('', ' true', ' []'):
            found = self.check(f'{LOCK}:{value}')
            self.assertEqual(policies.Code.FAILURE, found.code)
            self.assertIn(f'{self.file}: line 1: mogan:instance:lock must '
                          'be a rule as a string', found.details)

    def test_a_rule_that_lets_everybody_pass_is_a_warning(self):
        for text in ('""', '"@"', '"@ or role:admin"', '"not rule:mine"',
                     '"not !"', '"rule:mine or not rule:mine"'):
            found = self.check(
                f'{LOCK}: {text}', 'mine: "!"',
                '"mogan:instance:unlock": rule:mine')
            self.assertEqual(policies.Code.WARNING, found.code, text)
            self.assertIn('mogan:instance:lock allows every caller',
                          found.details)

    def test_a_policy_file_that_is_not_there_is_a_warning(self):
        config = self.file.with_suffix('.conf')
        config.write_text('[oslo_policy]\npolicy_file = plicy.yaml\n')
        self.conf([], default_config_files=[str(config)],
                  default_config_dirs=[])
        found = policies._policies(self.conf)
        self.assertEqual(policies.Code.WARNING, found.code)
        self.assertIn('plicy.yaml does not exist', found.details)


class TestRoles(PoliciesTest):

    def setUp(self):
        super().setUp()
        auth.register_opts(self.conf)
        self.users = self.file.with_name('users')
        self.conf.set_override('http_basic_users_file', str(self.users))
        self.conf.set_override('auth_strategy', 'http_basic')

    def roles(self, text):
        self.users.write_text(text)
        return policies._roles(self.conf)

    def test_a_role_that_no_rule_asks_for_is_a_warning(self):
        line = f'ann:$2b$04${"x" * 53}:p:'
        found = self.roles(f'{line}membr\n')
        self.assertEqual(policies.Code.WARNING, found.code)
        self.assertIn('membr (ann)', found.details)
        self.assertEqual(policies.Code.FAILURE,
                         self.roles(f'{line}membr').code)
        self.assertEqual(policies.Code.SUCCESS,
                         self.roles(f'{line}Member').code)
        self.file.write_text(f'{LOCK}: role:pilot\n')
        self.assertEqual(policies.Code.SUCCESS,
                         self.roles(f'{line}pilot\n').code)
        self.conf.set_override('auth_strategy', 'keystone')
        self.assertEqual(policies.Code.SUCCESS,
                         self.roles(f'{line}membr').code)

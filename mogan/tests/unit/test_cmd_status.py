# SPDX-License-Identifier: Apache-2.0
"""The checks of the policy files, and of what MariaDB is set to."""

import pathlib
import re
import sqlite3

import fixtures
from oslo_config import cfg
from oslo_policy import opts
from oslotest import base

from mogan.cmd import status

LOCK = '"mogan:instance:lock"'


class TestDurability(base.BaseTestCase):

    def lasts(self, **settings):
        """Whether a commit is on the disk of a MariaDB with these."""
        def setting(found):
            return str(settings[found[1]])

        connection = sqlite3.connect(':memory:')
        self.addCleanup(connection.close)
        return all(
            str(connection.execute(re.sub(
                r'@@GLOBAL\.(\w+)', setting, query)).fetchone()[0]) in good
            for query, good, _ in status._DURABLE['mysql'])

    def test_mariadb_syncs_its_own_log_and_the_binary_log(self):
        for log_bin, flush, sync_binlog, lasts in (
                (0, 1, 0, True), (0, 0, 1, False), (0, 2, 1, False),
                (0, 3, 0, True), (1, 1, 0, False), (1, 1, 1, True),
                (1, 1, 100, False), (1, 2, 1, False), (1, 3, 0, True)):
            self.assertEqual(lasts, self.lasts(
                log_bin=log_bin, innodb_flush_log_at_trx_commit=flush,
                sync_binlog=sync_binlog), (log_bin, flush, sync_binlog))


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

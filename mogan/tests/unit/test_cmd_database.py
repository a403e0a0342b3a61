# SPDX-License-Identifier: Apache-2.0
"""The commands' checks of the database, and of the inventory."""

import json
import os
import sqlite3
import subprocess
import sys

from oslotest import base

from mogan.baremetal.simulated import inventory
from mogan.db import revisions
from mogan.tests.support.files import temporary_directory

CONF = """\
[DEFAULT]
auth_strategy = noauth
transport_url = fake://
[database]
connection = {database}
[simulated]
inventory = {inventory}
"""


class CommandTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = temporary_directory(self)
        self.database = self.directory / 'mogan.sqlite'
        self.inventory = self.directory / 'hardware' / 'inventory.sqlite'
        self.inventory.parent.mkdir()
        self.configure(f'sqlite:///{self.database}')

    def configure(self, database):
        (self.directory / 'mogan.conf').write_text(CONF.format(
            database=database, inventory=self.inventory))

    def command(self, name, *words, **options):
        return subprocess.run(
            [sys.executable, '-W', 'ignore', '-m', f'mogan.cmd.{name}',
             '--config-file', str(self.directory / 'mogan.conf'), *words],
            text=True, timeout=120, check=False, stderr=subprocess.PIPE,
            **{'stdout': subprocess.PIPE} | options)

    def succeed(self, *words):
        done = self.command(*words)
        self.assertEqual((0, ''), (done.returncode, done.stderr))
        return done.stdout

    def fail_saying(self, text, *words):
        """Check that one line has the reason."""
        done = self.command(*words)
        self.assertEqual((1, ''), (done.returncode, done.stdout),
                         done.stderr)
        [line] = done.stderr.splitlines()
        self.assertIn(text, line)
        self.assertNotIn('request', line)

    def checks(self):
        """Return the failures of the upgrade check, by the check's name."""
        done = self.command('status', 'upgrade', 'check', '--json')
        self.assertEqual('', done.stderr)
        found = {one['check']: one['details']
                 for one in json.loads(done.stdout)['checks']
                 if one['result']}
        self.assertEqual(2 if found else 0, done.returncode)
        return found


class TestDatabase(CommandTest):

    def test_one_that_is_none_is_one_line(self):
        for url, text in (('', 'is not set'),
                          ('nonsense://host/x', 'nonsense'),
                          ('mssql+pymssql://host/x', 'pymssql'),
                          ('postgresql+pg8000://host/x', 'psycopg')):
            self.configure(url)
            self.fail_saying(text, 'dbsync', 'version')
            self.fail_saying(text, 'engine')
        self.configure('')
        self.fail_saying('is not set', 'status', 'actions')
        self.assertIn('is not set', self.checks()['Schema'])

    def test_one_that_does_not_answer_says_why(self):
        self.fail_saying('run mogan-dbsync upgrade', 'status',
                         'notifications')
        self.configure(f'sqlite:///{self.directory}/nowhere/mogan.sqlite')
        why = 'unable to open database file'
        self.fail_saying(why, 'dbsync', 'version')
        self.assertIn(why, self.checks()['Clocks'])

    def test_only_the_schema_of_this_release_is_purged(self):
        self.fail_saying('is empty', 'dbsync', 'purge')
        self.succeed('dbsync', 'upgrade', '0001')
        self.fail_saying('has the revision 0001', 'dbsync', 'purge')
        self.assertIn(revisions.head(), self.checks()['Schema'])
        self.succeed('dbsync', 'upgrade')
        self.assertIn('0 rows', self.succeed('dbsync', 'purge'))
        connection = sqlite3.connect(self.database)
        with connection:
            connection.execute(
                "UPDATE alembic_version SET version_num = '9999'")
        connection.close()
        self.fail_saying('9999', 'dbsync', 'purge')

    def test_a_revision_that_there_is_not_is_one_line(self):
        self.fail_saying("'nosuch'", 'dbsync', 'upgrade', 'nosuch')
        self.succeed('dbsync', 'upgrade', '0001')
        self.fail_saying('not up to date', 'dbsync', 'revision', '-m', 'x',
                         '--autogenerate')

    def test_days_are_a_number(self):
        for days in ('-1', 'inf', 'nan', 'many'):
            done = self.command('dbsync', 'purge', '--days', days)
            self.assertEqual(2, done.returncode)
            self.assertIn(f"'{days}' is not a number of days", done.stderr)

    def test_nothing_that_waits_has_words_of_its_own(self):
        self.succeed('dbsync', 'upgrade')
        self.assertEqual('No notifications are pending.\n',
                         self.succeed('status', 'notifications'))

    def test_who_has_seen_enough_is_sent_no_trace(self):
        reading, writing = os.pipe()
        os.close(reading)
        done = self.command('status', 'upgrade', 'check', stdout=writing)
        os.close(writing)
        self.assertEqual((141, ''), (done.returncode, done.stderr))


class TestInventory(CommandTest):

    def setUp(self):
        super().setUp()
        self.succeed('dbsync', 'upgrade')

    def test_a_check_makes_none(self):
        self.assertEqual({}, self.checks())
        self.assertEqual([], list(self.inventory.parent.iterdir()))
        self.inventory.parent.rmdir()
        self.assertIn(str(self.inventory), self.checks()['Hardware driver'])

    def test_a_check_leaves_one_as_it_is(self):
        store = inventory.Inventory(self.inventory)
        store.seed(inventory.default_nodes())
        store.close()
        before = self.inventory.read_bytes()
        self.assertEqual({}, self.checks())
        self.assertEqual([self.inventory],
                         list(self.inventory.parent.iterdir()))
        self.assertEqual(before, self.inventory.read_bytes())
        self.inventory.write_text('my diary, in plain text' * 99)
        self.assertIn('not a database', self.checks()['Hardware driver'])

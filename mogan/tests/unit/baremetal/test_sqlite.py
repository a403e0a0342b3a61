# SPDX-License-Identifier: Apache-2.0

import contextlib
import dataclasses
import functools
import os
import pathlib
import sqlite3

from oslotest import base

from mogan.baremetal import driver
from mogan.baremetal.simulated import sqlite
from mogan.tests.support.concurrency import at_once
from mogan.tests.support.files import temporary_directory

_SCHEMA = sqlite.Schema('a list of things', 4711, 3,
                          ('CREATE TABLE things (name TEXT NOT NULL)',))
# Nobody's, on any machine.
_SOMEBODY = 54321


class DatabaseTestCase(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = temporary_directory(self)
        self.path = self.directory / 'things ?#%.sqlite'
        self.database = self.open()

    def open(self, **options):
        opened = sqlite.Database(self.path, _SCHEMA, **options)
        self.addCleanup(opened.close)
        return opened

    def add(self, name):
        with self.database.writing() as connection:
            connection.execute('INSERT INTO things VALUES (?)', (name,))

    def things(self, opened=None):
        with (opened or self.database).reading() as connection:
            return [name for [name] in connection.execute(
                'SELECT name FROM things ORDER BY name')]

    def test_what_is_written_is_there_for_the_next_one(self):
        self.add('a')
        self.database.close()
        self.database = self.open()
        self.add('b')
        self.assertEqual(['a', 'b'], self.things())

    def test_a_transaction_that_fails_leaves_nothing(self):
        def fail():
            with self.database.writing() as connection:
                connection.execute("INSERT INTO things VALUES ('a')")
                raise KeyError

        self.assertRaises(KeyError, fail)
        self.assertEqual([], self.things())
        self.add('b')

    def test_every_commit_reaches_the_disk(self):
        with self.database.writing() as connection:
            [[mode]] = connection.execute('PRAGMA journal_mode')
            [[synchronous]] = connection.execute('PRAGMA synchronous')
        self.assertEqual(('wal', 2), (mode, synchronous))

    def test_an_older_file_is_brought_up_to_date_with_what_is_in_it(self):
        self.add('a')
        self.database.close()
        newer = dataclasses.replace(_SCHEMA, version=5, upgrades={
            3: ('ALTER TABLE things ADD COLUMN size DEFAULT 1',),
            4: ('UPDATE things SET size = size + 1',)})
        for _ in range(2):
            opened = sqlite.Database(self.path, newer)
            self.addCleanup(opened.close)
            with opened.reading() as connection:
                [[name, size]] = connection.execute('SELECT * FROM things')
                [[version]] = connection.execute('PRAGMA user_version')
            self.assertEqual(('a', 2, 5), (name, size, version))
        # Which the older code does not know.
        self.assertRaises(driver.Unavailable, self.open().reading().__enter__)

    def test_readers_do_not_wait_for_a_writer(self):
        self.add('a')
        with self.database.writing() as connection:
            connection.execute("INSERT INTO things VALUES ('b')")
            self.assertEqual(['a'], self.things())
        self.assertEqual(['a', 'b'], self.things())

    def test_a_writer_that_gets_no_turn_gives_up_in_time(self):
        impatient = self.open(timeout=0.1)
        for holder in (self.database, impatient):
            with holder.writing():
                self.assertRaises(driver.Unavailable,
                                  impatient.writing().__enter__)
        with impatient.writing():
            pass

    def test_threads_that_make_the_file_together_make_it_once(self):
        def first(opened):
            with opened.writing() as connection:
                connection.execute("INSERT INTO things VALUES ('a')")

        at_once(*(functools.partial(first, self.open()) for _ in range(8)))
        self.assertEqual(['a'] * 8, self.things())

    def test_a_forked_process_holds_the_file_on_its_own(self):
        self.add('parent')
        opened, go_on = os.pipe(), os.pipe()
        for end in (opened[0], *go_on):
            self.addCleanup(os.close, end)

        def child():
            os.close(go_on[1])
            with self.database.reading():
                os.write(opened[1], b'!')
                os.read(go_on[0], 1)
            self.add('child')

        process = self.fork(child)
        os.close(opened[1])
        os.read(opened[0], 1)
        self.add('parent again')
        # Who closes last takes the log away.
        self.database.close()
        self.assertTrue(pathlib.Path(f'{self.path}-wal').exists())
        os.write(go_on[1], b'!')
        self.assertEqual((process, 0), os.waitpid(process, 0))
        self.database = self.open()
        self.assertEqual(['child', 'parent', 'parent again'], self.things())

    def test_a_process_forked_in_a_transaction_stays_out_of_it(self):
        def child():
            self.assert_unavailable('forked')

        with self.database.writing() as connection:
            connection.execute("INSERT INTO things VALUES ('parent')")
            process = self.fork(child)
            self.assertEqual((process, 0), os.waitpid(process, 0))
        self.assertEqual(['parent'], self.things())

    def fork(self, child):
        process = os.fork()
        if not process:
            # Nothing of the test runner may run in the child.
            status = 1
            try:
                child()
                status = 0
            finally:
                os._exit(status)
        return process

    def test_a_file_of_something_else_is_left_alone(self):
        other = sqlite3.connect(self.path)
        other.execute('CREATE TABLE theirs (name TEXT)')
        other.close()
        before = self.path.read_bytes()
        self.assert_unavailable('is not a list of things')
        self.assertEqual(before, self.path.read_bytes())

    def test_a_file_of_newer_code_is_left_alone(self):
        self.add('a')
        self.database.close()
        newer = sqlite3.connect(self.path)
        newer.execute('PRAGMA user_version = 4')
        newer.close()
        self.database = self.open()
        self.assert_unavailable('version 4')

    def test_what_is_no_database_is_left_alone(self):
        self.path.write_text('my diary, volume one, in plain text' * 99)
        self.assert_unavailable('not a database')

    def test_a_file_that_cannot_be_made_is_named(self):
        self.path = self.directory / 'nowhere' / 'x.sqlite'
        self.database = self.open()
        self.assert_unavailable('nowhere')

    def test_a_check_changes_nothing(self):
        newer = dataclasses.replace(_SCHEMA, version=4, upgrades={
            3: ('ALTER TABLE things ADD COLUMN size',)})
        checked = sqlite.Database(self.path, newer)
        checked.check()
        self.assertEqual([], list(self.directory.iterdir()))
        self.add('a')
        self.database.close_idle()
        before = self.path.read_bytes(), self.path.stat().st_mtime_ns
        checked.check()
        self.assertEqual([self.path], list(self.directory.iterdir()))
        self.assertEqual(before, (self.path.read_bytes(),
                                  self.path.stat().st_mtime_ns))

    def test_a_check_passes_while_others_read_and_write(self):
        self.add('a')
        with self.database.reading() as connection:
            connection.execute('SELECT * FROM things').fetchall()
            self.open().check()
            self.add('b')
        self.assertEqual(['a', 'b'], self.things())

    def test_a_check_finds_what_cannot_be_used(self):
        self.path = self.directory / 'nowhere' / 'x.sqlite'
        self.assert_not_usable('nowhere')
        self.path = self.directory / 'diary'
        self.path.write_text('my diary, volume one, in plain text' * 99)
        self.assert_not_usable('not a database')

    def test_a_check_finds_what_its_user_cannot_write(self):
        with self.somebody():
            self.assert_not_usable('directory')
        self.add('a')
        self.database.close_idle()
        self.give(self.directory)
        with self.somebody():
            self.assert_not_usable('readonly')
        self.give(self.path)
        with self.somebody():
            self.open().check()

    def test_a_file_that_is_given_to_its_user_is_written(self):
        self.add('a')
        self.database.close_idle()
        self.give(self.directory)
        with self.somebody():
            # One of these two stays behind when the other one fails.
            with self.database.reading(), self.database.reading():
                pass
            self.assertRaises(driver.Unavailable, self.add, 'b')
        self.give(self.path)
        with self.somebody():
            self.add('c')
            self.assertEqual(['a', 'c'], self.things())
            self.database.close_idle()

    def test_a_file_belongs_to_whom_its_directory_belongs_to(self):
        self.give(self.directory)
        owner = self.directory.stat()
        self.add('a')
        found = {(path.stat().st_uid, path.stat().st_gid)
                 for path in self.directory.iterdir()}
        self.assertEqual({(owner.st_uid, owner.st_gid)}, found)
        with self.somebody():
            self.add('b')
        self.assertEqual(['a', 'b'], self.things())

    @contextlib.contextmanager
    def somebody(self):
        """Run the block as another user."""
        if os.geteuid():
            self.skipTest('only root can be somebody else')
        # On the way to the test's own directory.
        self.directory.parent.chmod(0o711)
        self.directory.chmod(0o755)
        os.seteuid(_SOMEBODY)
        try:
            if not os.access(self.directory, os.X_OK, effective_ids=True):
                self.skipTest('the temporary directory is closed to others')
            yield
        finally:
            os.seteuid(0)

    def give(self, path):
        if os.geteuid() == 0:
            os.chown(path, _SOMEBODY, _SOMEBODY)

    def assert_not_usable(self, text):
        error = self.assertRaises(driver.Unavailable, self.open().check)
        self.assertIn(text, str(error))

    def test_nothing_goes_on_after_it_has_been_closed(self):
        self.add('a')
        with self.database.reading():
            self.database.close()
        self.assert_unavailable('closed')

    def assert_unavailable(self, text):
        error = self.assertRaises(driver.Unavailable, self.things)
        self.assertIn(text, str(error))

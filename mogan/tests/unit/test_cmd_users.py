# SPDX-License-Identifier: Apache-2.0
"""mogan-users: real files, real passwords."""

import contextlib
import io
import json
import os
import pathlib
import pty
import stat
import subprocess
import sys

import bcrypt
import fixtures
from oslotest import base

from mogan.api.middleware.auth import accounts, users
from mogan.cmd import statedir
from mogan.cmd import users as command

COMMAND = [sys.executable, '-W', 'ignore', '-m', 'mogan.cmd.users']
PASSWORD = 'open sésame: now'
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
# Adds, changes and removes users of its own, while others do.
WRITER = """
import sys
from mogan.api.middleware.auth import accounts
path, who, digest, count = sys.argv[1:]
known = accounts.Accounts(path)
for number in range(int(count)):
    known.add(f'{who}-{number}', digest, 'first', ['reader'])
    known.change(f'{who}-{number}', project_id=who)
    if number % 3 == 0:
        known.remove(f'{who}-{number}')
"""
# With the terminal that Ctrl-C comes from.
ON_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from mogan.cmd import users
sys.exit(users.main(sys.argv[1:]))
"""


class UsersTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        # The configuration of whoever runs the tests is none of theirs.
        self.directory = pathlib.Path(self.useFixture(
            fixtures.TempHomeDir()).path)
        self.file = self.directory / 'users'
        # The roles of the tests.
        (self.directory / 'policy.yaml').write_text(
            'mogan:node:get_all: role:r or role:s or role:x or role:Auditor')

    def write(self, *lines):
        self.file.write_text(''.join(f'{line}\n' for line in lines))

    def run_command(self, *words, typed=b''):
        """Run it; returns the exit status, standard output and standard
        error."""
        out, err = io.StringIO(), io.StringIO()
        self.useFixture(fixtures.MonkeyPatch(
            'sys.stdin', io.TextIOWrapper(io.BytesIO(typed))))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = command.main(words)
            except SystemExit as error:
                status = error.code
        return status, out.getvalue(), err.getvalue()

    def succeed(self, *words, typed=b''):
        status, out, err = self.run_command(
            '--users-file', str(self.file), *words, typed=typed)
        self.assertEqual((0, ''), (status, err))
        return out

    def refused(self, *words, typed=b'', status=1):
        """Return the one line with the reason; nothing has changed."""
        before = self.file.read_bytes() if self.file.exists() else None
        found, out, err = self.run_command(
            '--users-file', str(self.file), *words, typed=typed)
        self.assertEqual((status, ''), (found, out), err)
        self.assertEqual(1, err.count('\n'), err)
        self.assertTrue(err.startswith('mogan-users: '), err)
        self.assertEqual(before, self.file.read_bytes()
                         if self.file.exists() else None)
        self.nothing_is_left()
        return err

    def nothing_is_left(self):
        self.assertEqual([], list(self.directory.glob('.users*')))

    def is_right(self, name, password):
        return users.Users(str(self.file)).verify(name,
                                                  password.encode()) or None


class TestWords(UsersTest):

    def test_a_user_is_added_changed_and_removed(self):
        self.succeed('add', 'alice', '--project', 'web',
                     typed=f'{PASSWORD}\n'.encode())
        user = self.is_right('alice', PASSWORD)
        self.assertEqual(('web', ('member', 'reader')),
                         (user.project_id, user.roles))
        self.succeed('passwd', 'alice', typed=b'another\r\nrest')
        self.assertIsNone(self.is_right('alice', PASSWORD))
        self.assertEqual('web', self.is_right('alice', 'another').project_id)
        self.succeed('set', 'alice', '--project', 'db')
        self.succeed('set', 'alice', '--role', 'auditor', '--role', 'manager',
                     '--role', 'auditor')
        self.assertEqual(
            users.User('alice', self.is_right('alice', 'another').hash, 'db',
                       ('auditor', 'manager', 'member', 'reader')),
            self.is_right('alice', 'another'))
        self.succeed('add', 'bob', '--project', 'web', '--password-stdin',
                     '--role', 'admin', typed=PASSWORD.encode())
        self.succeed('remove', 'alice')
        self.assertEqual({'bob'}, users.read(self.file).keys())
        self.assertEqual(0o600, stat.S_IMODE(self.file.stat().st_mode))
        self.nothing_is_left()

    def test_a_password_is_made_up_and_said_once(self):
        out = self.succeed('add', 'robot', '--project', 'web', '--generate')
        [first] = out.splitlines()
        self.assertIsNotNone(self.is_right('robot', first))
        [second] = self.succeed('passwd', 'robot', '--generate').splitlines()
        self.assertNotEqual(first, second)
        self.assertIsNotNone(self.is_right('robot', second))
        self.assertGreater(len(second), 20)

    def test_the_list_has_no_passwords(self):
        self.write('# ours', f'ann:{HASH}:p-1:admin', f'bob:{HASH}:p-2:x')
        out = self.succeed('list')
        for word in ('ann', 'p-1', 'admin, member, reader', 'bob', 'p-2'):
            self.assertIn(word, out)
        self.assertNotIn('$2b', out)
        self.assertEqual([
            {'name': 'ann', 'project_id': 'p-1',
             'roles': ['admin', 'member', 'reader']},
            {'name': 'bob', 'project_id': 'p-2', 'roles': ['x']},
        ], json.loads(self.succeed('list', '--json')))

    def test_the_check_names_every_line_that_is_wrong(self):
        self.write(f'ann:{HASH}:p:r')
        self.file.chmod(0o640)
        self.assertIn('1 users, no errors', self.succeed('check'))
        self.write('ann:secret:p:r', '# fine', f'bob:{HASH}:p:r', 'carl',
                   f'bob:{HASH}:q:r', HASH.replace('$04$', '$32$').join(
                       ('dora:', ':p:r')))
        self.file.chmod(0o644)
        status, out, err = self.run_command(
            'check', '--users-file', str(self.file))
        self.assertEqual((1, ''), (status, out))
        lines = err.splitlines()
        for line, words in zip(lines, (
                'line 1: invalid bcrypt', 'line 4: is not name',
                'line 5: duplicate user bob', 'line 6: invalid bcrypt',
                'mode 0644'), strict=True):
            self.assertIn(words, line)
        self.assertNotIn(HASH, err)

    def test_the_file_is_the_configured_one(self):
        config = self.directory / '.mogan' / 'mogan.conf'
        other = self.directory / 'other.conf'
        config.parent.mkdir()
        for path in (config, other):
            path.write_text('[DEFAULT]\nhttp_basic_users_file = '
                            f'{path.with_suffix(".users")}\n')
        for words, name in (
                ((), 'ann'), (('--config-file', str(other)), 'bob')):
            status, _, err = self.run_command(
                *words, 'add', name, '--project', 'p', typed=b'secret')
            self.assertEqual((0, ''), (status, err))
        self.assertEqual({'ann'}, users.read(
            config.with_suffix('.users')).keys())
        self.assertEqual({'bob'}, users.read(
            other.with_suffix('.users')).keys())
        for words in (('--config-file', '/nonexistent'), (
                '--config-file', str(self.directory / 'broken'))):
            (self.directory / 'broken').write_text('[')
            status, _, err = self.run_command(*words, 'list')
            self.assertEqual((1, 1), (status, err.count('\n')), err)

    def test_it_explains_itself(self):
        for words in ((), ('add',), ('set',), ('check',)):
            self.assertIn('usage: mogan-users',
                          self.succeed(*words, '--help'))


class TestRefusals(UsersTest):

    def test_what_is_no_user_is_not_written(self):
        self.write(f'ann:{HASH}:p:r')
        for words, said in (
                (('add', 'ann', '--project', 'p'), 'user ann already'),
                (('add', 'a:b', '--project', 'p'), 'not a valid name'),
                (('add', '#a', '--project', 'p'), 'not a valid name'),
                (('add', '', '--project', 'p'), 'not a valid name'),
                (('add', 'a b', '--project', 'p'), 'not a valid name'),
                (('add', 'a\nb', '--project', 'p'), 'not a valid name'),
                (('add', 'a\x7f', '--project', 'p'), 'not a valid name'),
                (('add', '\udcff', '--project', 'p'), 'not a valid name'),
                (('add', 'x' * 65, '--project', 'p'), 'not a valid name'),
                (('add', 'bob', '--project', 'a:b'), 'not a valid project id'),
                (('add', 'bob', '--project', 'p', '--role', 'a,b'),
                 'valid role'),
                (('add', 'bob', '--project', 'p', '--role', ''), 'valid role'),
                (('set', 'ann', '--role', 'x:y'), 'valid role'),
                (('set', 'ann', '--project', ''), 'not a valid project id'),
                (('set', 'ann'), '--project or --role'),
                (('set', 'bob', '--role', 'x'), 'user bob not found'),
                (('passwd', 'bob'), 'user bob not found'),
                (('remove', 'bob'), 'user bob not found'),
                (('remove', '# a comment'), 'user # a comment not')):
            self.assertIn(said, self.refused(*words, typed=b'secret'))

    def test_what_is_no_command_is_said_in_one_line(self):
        for words in ((), ('sing',), ('add', 'bob'), ('remove',), (
                'add', 'bob', '--project'), ('add', 'b', '--project', 'p',
                '--generate', '--password-stdin')):
            self.assertIn('see mogan-users', self.refused(*words, status=2))

    def test_what_is_no_password_is_not_written(self):
        self.write(f'ann:{HASH}:p:r')
        for typed, said in (
                (b'', 'empty'), (b'\n', 'empty'), (b'a\0b', 'control'),
                (b'a\tb', 'control'), (b'\xff', 'UTF-8'),
                (b'x' * 73, '73 bytes'), ('ä'.encode() * 37, '74 bytes'),
                (b'x' * 9999, 'bytes')):
            for words in (('passwd', 'ann'), ('add', 'b', '--project', 'p')):
                self.assertIn(said, self.refused(*words, typed=typed))
        longest = 'ä' * 36
        self.succeed('passwd', 'ann', typed=longest.encode())
        self.assertIsNotNone(self.is_right('ann', longest))

    def test_a_file_that_is_wrong_is_left_alone(self):
        for words in (('add', 'b', '--project', 'p'), ('remove', 'ann'),
                      ('passwd', 'ann'), ('set', 'ann', '--role', 'x'),
                      ('list',)):
            self.write(f'ann:{HASH}:p:r', 'broken')
            self.assertIn('line 2', self.refused(*words, typed=b'x'))
            self.file.write_bytes(b'\xff')
            self.assertIn('UTF-8', self.refused(*words, typed=b'x'))

    def test_a_file_that_is_not_there_is_named(self):
        for words in (('remove', 'ann'), ('passwd', 'ann'), ('list',),
                      ('set', 'ann', '--role', 'x'), ('check',)):
            self.assertIn(str(self.file), self.refused(*words, typed=b'x'))
        self.file = self.directory / 'none' / 'users'
        self.assertIn('No such file', self.refused(
            'add', 'ann', '--project', 'p', typed=b'x'))

    def test_a_disk_that_is_full_changes_nothing(self):
        self.write(f'ann:{HASH}:p:r')
        before = self.file.read_bytes()
        done = subprocess.run(
            ['/bin/sh', '-c', 'ulimit -f 0; exec "$@"', 'sh', *COMMAND,
             '--users-file', str(self.file), 'set', 'ann', '--role', 'x'],
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((1, 1), (done.returncode,
                                  done.stderr.count('\n')), done.stderr)
        self.assertIn('cannot be written: File too large', done.stderr)
        self.assertEqual(before, self.file.read_bytes())
        self.nothing_is_left()


class TestFile(UsersTest):

    def test_what_is_not_changed_stays_to_the_byte(self):
        before = (f'# ours\r\n\r\n  ann:{HASH}:p:r , x\t\r\n'
                  f'#bob:{HASH}:p:r\n bob:{HASH}:q:r\n\n# end').encode()
        self.file.write_bytes(before)
        self.succeed('set', 'bob', '--role', 'member')
        after = before.replace(b':q:r', b':q:member')
        self.assertEqual(after, self.file.read_bytes())
        self.succeed('set', 'ann', '--project', 'p-2')
        after = after.replace(b':p:r ,', b':p-2:r ,')
        self.assertEqual(after, self.file.read_bytes())
        accounts.Accounts(self.file).add('carl', HASH, 'p', ['r', 's'])
        after += f'\ncarl:{HASH}:p:r,s\n'.encode()
        self.assertEqual(after, self.file.read_bytes())
        self.succeed('remove', 'bob')
        self.assertEqual(
            after.replace(f' bob:{HASH}:q:member\n'.encode(), b''),
            self.file.read_bytes())

    def test_whoever_could_read_it_still_can_but_for_others(self):
        self.write(f'ann:{HASH}:p:r')
        if os.geteuid() == 0:
            os.chown(self.file, 12345, 54321)
        before = self.file.stat()
        for mode, kept in ((0o600, 0o600), (0o640, 0o640), (0o666, 0o640),
                           (0o400, 0o600), (0o755, 0o640)):
            self.file.chmod(mode)
            self.succeed('set', 'ann', '--project', f'p{mode}')
            after = self.file.stat()
            self.assertEqual((before.st_uid, before.st_gid, kept), (
                after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)))

    def test_a_new_file_belongs_to_whom_its_directory_belongs_to(self):
        if os.geteuid() == 0:
            os.chown(self.directory, 12345, 54321)
        owner = self.directory.stat()
        self.succeed('add', 'ann', '--project', 'p', typed=b'secret')
        found = self.file.stat()
        self.assertEqual((owner.st_uid, owner.st_gid, 0o600), (
            found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)))

    def test_a_link_stays_a_link(self):
        real = self.directory / 'real'
        self.file.symlink_to(real)
        self.succeed('add', 'ann', '--project', 'p', typed=b'secret')
        self.succeed('set', 'ann', '--role', 'x')
        self.assertTrue(self.file.is_symlink())
        self.assertEqual(('x',), users.read(real)['ann'].roles)

    def test_a_standalone_service_keeps_users_that_were_added(self):
        directory = self.directory / 'state'
        state = statedir.StateDir(str(directory))
        state.write_credentials('')
        accounts.Accounts(state.users).add('carl', HASH, 'p', ['r'])
        demo = users.read(state.users)['demo'].hash
        state.credentials.unlink()
        state.write_credentials('')
        found = users.read(state.users)
        self.assertEqual({'admin', 'demo', 'carl'}, found.keys())
        self.assertEqual(HASH, found['carl'].hash)
        self.assertNotEqual(demo, found['demo'].hash)


class TestWriters(UsersTest):

    def test_many_at_a_time_lose_nothing(self):
        self.write('# ours', f'ann:{HASH}:p:r')
        writers = [subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-c', WRITER, str(self.file),
             f'w{number}', HASH, '24'], stderr=subprocess.PIPE, text=True)
            for number in range(3)]
        seen = set()
        while any(writer.poll() is None for writer in writers):
            # Never half a file: it would be refused.
            seen.add(len(users.read(self.file)))
        for writer in writers:
            _, errors = writer.communicate()
            self.assertEqual((0, ''), (writer.returncode, errors))
        self.assertGreater(len(seen), 1)
        expected = {f'w{writer}-{number}': f'w{writer}'
                    for writer in range(3) for number in range(24)
                    if number % 3}
        self.assertEqual(expected | {'ann': 'p'}, {
            user.name: user.project_id
            for user in users.read(self.file).values()})
        self.assertTrue(self.file.read_text().startswith('# ours\n'))
        self.nothing_is_left()


class TestTerminal(UsersTest):

    def type(self, *words, answers):
        """Run a command on a terminal and answer its prompts; returns the exit
        status and all output."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-c', ON_TERMINAL,
             '--users-file', str(self.file), *words],
            stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True)
        self.addCleanup(process.wait, 60)
        self.addCleanup(process.kill)
        os.close(theirs)
        shown = b''
        for prompt, answer in zip(('New password: ', 'Repeat the password: '),
                                  answers, strict=False):
            while not shown.endswith(prompt.encode()):
                shown += os.read(ours, 1000)
            os.write(ours, answer.encode())
        with contextlib.suppress(OSError):  # the other side is closed
            while more := os.read(ours, 1000):
                shown += more
        return process.wait(60), shown.decode()

    def test_a_password_is_typed_twice_and_not_shown(self):
        status, shown = self.type(
            'add', 'ann', '--project', 'p', answers=[f'{PASSWORD}\n'] * 2)
        self.assertEqual(0, status, shown)
        self.assertIsNotNone(self.is_right('ann', PASSWORD))
        self.assertNotIn(PASSWORD, shown)
        self.assertEqual(['New password:', 'Repeat the password:'],
                         shown.strip().split(' \r\n'))

    def test_nothing_changes_where_the_typing_fails(self):
        self.write(f'ann:{HASH}:p:r')
        before = self.file.read_bytes()
        for answers, said in (
                (('one\n', 'two\n'), 'the passwords do not match'),
                (('\n', '\n'), 'the password is empty'),
                (('\x03',), 'nothing was changed'),
                (('one\n', '\x04'), 'nothing was changed')):
            status, shown = self.type('passwd', 'ann', answers=answers)
            self.assertEqual(1, status, shown)
            self.assertTrue(shown.endswith(f'mogan-users: {said}\r\n'),
                            shown)
            self.assertEqual(before, self.file.read_bytes())

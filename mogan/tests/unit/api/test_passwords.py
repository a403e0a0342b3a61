# SPDX-License-Identifier: Apache-2.0
"""Callers who are known by a password."""

import base64
import threading
import time

import bcrypt

from mogan import exception
from mogan.api.middleware import auth
from mogan.api.middleware.auth import basic, users
from mogan.context import RequestContext
from mogan.tests.unit.api.callers import FORGED, IdentityTest, make_conf

PASSWORD = 'open sesame'
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


def header(name, password=PASSWORD):
    pair = f'{name}:{password}'.encode()
    return f'Basic {base64.b64encode(pair).decode()}'


class TestUsersFile(IdentityTest):

    def test_a_line_is_a_user(self):
        self.write('# name:hash:project:roles', '', f'ann:{HASH}:p-1:admin',
                   f' bob:{HASH}:p-2:reader, other ')
        found = users.read(self.file)
        self.assertEqual(('admin', 'member', 'reader'), found['ann'].roles)
        self.assertEqual(('reader', 'other'), found['bob'].roles)
        self.assertEqual(('p-1', HASH), (found['ann'].project_id,
                                         found['ann'].hash))

    def test_a_line_that_is_none_is_named(self):
        for line, words in (
                ('ann', 'name:hash'), (f'ann:{HASH}', 'name:hash'),
                (f'ann:{HASH}:p:r:x', 'name:hash'),
                (f':{HASH}:p:r', 'name'), (f'a b:{HASH}:p:r', 'name'),
                (f'\ufeffann:{HASH}:p:r', 'name'),
                (f'a\u202eb:{HASH}:p:r', 'name'),
                (f'ann:{HASH}:p\u200b:r', 'project'),
                (f'{"x" * 65}:{HASH}:p:r', 'name'),
                ('ann:secret:p:r', 'bcrypt'), ('ann:$apr1$x:p:r', 'bcrypt'),
                (f'ann:{HASH}::r', 'project'), (f'ann:{HASH}:p:', 'roles'),
                (f'ann:{HASH}:p:a,,b', 'roles'),
                (f'ann:{HASH}:p:r b', 'roles')):
            self.write('# comment', line)
            error = self.assertRaises(users.UsersFileError, users.read,
                                      self.file)
            self.assertIn('line 2', str(error))
            self.assertIn(words, str(error))
            self.assertNotIn(HASH, str(error))
        self.write(f'ann:{HASH}:p:r', f'ann:{HASH}:q:r')
        self.assertRaises(users.UsersFileError, users.read, self.file)

    def test_a_file_that_cannot_be_read_is_named(self):
        error = self.assertRaises(users.UsersFileError, users.read,
                                  self.file)
        self.assertIn(str(self.file), str(error))
        self.file.write_bytes(b'\xff')
        self.assertRaises(users.UsersFileError, users.read, self.file)
        # Of a user with the mark in the name nobody would know.
        self.file.write_text(f'\ufeffann:{HASH}:p:r\n')
        error = self.assertRaises(users.UsersFileError, users.read,
                                  self.file)
        self.assertIn('byte order mark', str(error))
        self.assertRaises(auth.IdentityError, auth.check, make_conf(
            auth_strategy='http_basic', http_basic_users_file=str(self.file)))

    def test_what_was_written_is_read(self):
        written = [users.User('ann', users.make_hash('ä', 4), 'p',
                              ('member', 'reader'))]
        users.write(self.file, written)
        self.assertEqual({'ann': written[0]}, users.read(self.file))
        self.assertEqual(0o600, self.file.stat().st_mode & 0o777)
        self.assertEqual([self.file], list(self.file.parent.iterdir()))
        self.assertTrue(bcrypt.checkpw('ä'.encode(),
                                       written[0].hash.encode()))


class TestBasic(IdentityTest):

    def setUp(self):
        super().setUp()
        self.write(f'ann:{HASH}:p-1:admin', f'bob:{HASH}:p-2:member')
        self.looks = []
        self.addCleanup(setattr, bcrypt, 'checkpw', bcrypt.checkpw)
        self.check = bcrypt.checkpw
        bcrypt.checkpw = self.counted
        self.app = auth.wrap(self.application, make_conf(
            auth_strategy='http_basic', http_basic_users_file=str(self.file)),
            lambda: frozenset({'admin', 'member', 'reader'}))
        self.inner = self.app._application

    def counted(self, password, digest):
        self.looks.append(digest)
        return self.check(password, digest)

    def known(self, *pair, **environ):
        return self.call(self.app, HTTP_AUTHORIZATION=header(*pair),
                         **environ)

    def unknown(self, **environ):
        error = self.assertRaises(exception.Unauthorized, self.call,
                                  self.app, **environ)
        self.assertEqual('Basic realm="mogan", charset="UTF-8"',
                         error.headers['WWW-Authenticate'])

    def test_a_user_is_known_by_the_password(self):
        context = self.known('ann')
        self.assertEqual(('ann', 'p-1', ['admin', 'member', 'reader']), (
            context.user_id, context.project_id, context.roles))
        self.assertNotIn('HTTP_AUTHORIZATION', self.seen)
        self.assertEqual('p-2', self.known('bob').project_id)

    def test_forged_headers_change_nothing(self):
        context = self.known('bob', **FORGED)
        self.assertEqual(('bob', 'p-2', ['member', 'reader']), (
            context.user_id, context.project_id, context.roles))
        self.assertIsNone(context.system_scope)
        self.assertEqual(set(), self.seen.keys() & FORGED.keys())

    def test_others_are_asked_who_they_are(self):
        self.unknown()
        for wrong in (
                header('ann', 'wrong'), header('eve'), header('ann', ''),
                header('ann', 'x' * 100), header('ann', '\0'), 'Basic',
                'Basic ', 'Basic %%%', 'Basic YQ==', 'Bearer abc', '',
                'Basic ' + base64.b64encode(b'\xff:x').decode(),
                header('ann').replace('Basic', 'Digest'),
                header('ann') + ' x', '\xe4', 'Basic \xe4'):
            self.unknown(HTTP_AUTHORIZATION=wrong)

    def test_version_documents_are_for_everybody(self):
        for path in ('/', '', '/v1', '/v1/', '/v1/openapi.json'):
            context = self.call(self.app, path=path, **FORGED)
            self.assertIsNone(context.project_id)
            self.assertEqual([], context.roles)
        for path in ('/v1/instances', '//', '/v1//', '/v1/.', '/V1'):
            self.unknown(path=path)

    def test_a_password_is_looked_at_once(self):
        for _ in range(3):
            self.known('ann')
        self.assertEqual(1, len(self.looks))
        for _ in range(3):
            self.unknown(HTTP_AUTHORIZATION=header('ann', 'wrong'))
        self.assertEqual(2, len(self.looks))

    def test_an_unknown_name_costs_what_a_wrong_password_does(self):
        self.unknown(HTTP_AUTHORIZATION=header('eve'))
        [digest] = self.looks
        self.assertEqual(HASH[:7], digest.decode()[:7])

    def test_what_was_wrong_is_forgotten_in_time(self):
        wrong = header('ann', 'wrong')
        self.unknown(HTTP_AUTHORIZATION=wrong)
        for key in self.inner._wrong:
            self.inner._wrong[key] = time.monotonic() - 1
        self.unknown(HTTP_AUTHORIZATION=wrong)
        self.assertEqual(2, len(self.looks))

    def test_what_is_remembered_has_an_end(self):
        basic._REMEMBERED, kept = 3, basic._REMEMBERED
        self.addCleanup(setattr, basic, '_REMEMBERED', kept)
        self.known('ann')
        for number in range(5):
            self.unknown(HTTP_AUTHORIZATION=header('ann', f'x{number}'))
        self.assertEqual(3, len(self.inner._wrong))
        self.known('ann')
        self.assertEqual(6, len(self.looks))

    def test_passwords_are_not_kept(self):
        self.known('ann')
        self.assertNotIn(PASSWORD, repr(vars(self.inner)))
        self.assertNotIn(PASSWORD, self.log.output)

    def again(self):
        self.inner._users._next_poll = 0

    def test_a_file_that_changes_is_heard(self):
        self.known('ann')
        self.write(f'ann:{HASH}:p-9:reader')
        self.again()
        context = self.known('ann')
        self.assertEqual(('p-9', ['reader']),
                         (context.project_id, context.roles))
        self.unknown(HTTP_AUTHORIZATION=header('bob'))
        self.write('#')
        self.again()
        self.unknown(HTTP_AUTHORIZATION=header('ann'))

    def test_an_unknown_name_goes_on_costing_as_much(self):
        dearer = users.make_hash(PASSWORD, 5)
        self.write(f'ann:{dearer}:p-1:admin')
        self.again()
        self.unknown(HTTP_AUTHORIZATION=header('eve'))
        [digest] = self.looks
        self.assertEqual(dearer[:7], digest.decode()[:7])

    def test_a_broken_file_leaves_the_users_as_they_were(self):
        self.write('broken')
        self.again()
        self.assertEqual('p-1', self.known('ann').project_id)
        self.assertIn('was not reloaded', self.log.output)
        self.file.unlink()
        self.again()
        self.assertEqual('p-2', self.known('bob').project_id)

    def test_a_file_that_is_cut_off_leaves_the_users_as_they_were(self):
        whole = f'ann:{HASH}:p-1:admin\nbob:{HASH}:p-2:member'
        for length in range(whole.index('\n') + 2, len(whole)):
            self.file.write_text(whole[:length])
            self.again()
            self.assertEqual('p-2', self.known('bob').project_id, length)
            self.assertIn('was not reloaded', self.log.output)
            self.log.reset_output()
        self.file.write_text(whole.replace('p-2', 'p-3'))
        self.again()
        self.assertEqual('p-3', self.known('bob').project_id)

    def test_a_role_that_no_rule_asks_for_is_named(self):
        self.write(f'ann:{HASH}:p-1:membr,reader', f'bob:{HASH}:p-2:Manager')
        self.again()
        self.known('ann')
        self.assertIn('membr (ann), Manager (bob)\n', self.log.output)


class CrowdTest(IdentityTest):
    """Many at a time; `looking` stands for a slow look at a password."""

    threads = 8

    def setUp(self):
        super().setUp()
        self.write(f'ann:{HASH}:p-1:admin')
        conf = make_conf(
            auth_strategy='http_basic', http_basic_users_file=str(self.file))
        conf.set_override('threads', self.threads, 'api')
        self.addCleanup(conf.clear_override, 'threads', 'api')
        self.app = auth.wrap(self.application, conf)
        self.inner = self.app._application
        self.looks = 0
        self.go_on = threading.Event()
        verify = self.inner._users.verify

        def looking(*pair):
            self.looks += 1
            self.go_on.wait(20)
            return verify(*pair)
        self.inner._users.verify = looking

    def start(self, *pairs, address=None):
        """Threads that log in, each from an address of its own where none
        is said, and what comes of each."""
        results = []

        def login(pair):
            environ = {
                'REMOTE_ADDR': address or ' '.join(pair),
                'PATH_INFO': '/x', 'HTTP_AUTHORIZATION': header(*pair),
                'mogan.context': RequestContext(overwrite=False)}
            try:
                self.app(environ, lambda *_: None)
                results.append(environ['mogan.context'].project_id)
            except exception.MoganError as error:
                results.append(error.code)
        threads = [threading.Thread(target=login, args=(pair,))
                   for pair in pairs]
        for thread in threads:
            thread.start()
            self.addCleanup(thread.join, 20)
        self.addCleanup(self.go_on.set)
        return threads, results

    def wait_for(self, number):
        deadline = time.monotonic() + 20
        while self.looks < number:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)


class TestCrowd(CrowdTest):

    def test_the_same_password_is_looked_at_by_one_of_many(self):
        threads, results = self.start(*[('ann',)] * 8)
        self.wait_for(1)
        self.go_on.set()
        for thread in threads:
            thread.join(20)
        self.assertEqual(['p-1'] * 8, results)
        self.assertEqual(1, self.looks)

    def test_guesses_that_are_the_same_wait_for_no_look(self):
        self.go_on.set()
        self.assertRaises(exception.Unauthorized, self.call, self.app,
                          HTTP_AUTHORIZATION=header('ann', 'a guess'))
        self.go_on.clear()
        self.start(('ann', 'another'))
        self.wait_for(2)
        error = self.assertRaises(
            exception.ServiceUnavailable, self.call, self.app,
            HTTP_AUTHORIZATION=header('ann', 'another'))
        self.assertEqual('1', error.headers['Retry-After'])

    def test_guesses_do_not_take_every_thread(self):
        self.start(*[('ann', f'guess {n}')
                     for n in range(basic._AT_A_TIME)])
        self.wait_for(basic._AT_A_TIME)
        error = self.assertRaises(
            exception.ServiceUnavailable, self.call, self.app,
            HTTP_AUTHORIZATION=header('ann', 'one more'))
        self.assertEqual('1', error.headers['Retry-After'])

    def test_guesses_from_one_address_leave_room_for_others(self):
        self.start(*[('ann', f'guess {n}') for n in range(basic._OF_ONE)],
                   address='127.0.0.1')
        self.wait_for(basic._OF_ONE)
        self.assertRaises(
            exception.ServiceUnavailable, self.call, self.app,
            HTTP_AUTHORIZATION=header('ann', 'one more'))
        threads, results = self.start(('ann',))
        self.wait_for(basic._OF_ONE + 1)
        self.go_on.set()
        threads[0].join(20)
        self.assertEqual(['p-1'], results)

    def test_addresses_of_one_network_are_one(self):
        for number in range(basic._OF_ONE):
            self.start(('ann', f'guess {number}'),
                       address=f'2001:db8::{number}')
        self.wait_for(basic._OF_ONE)
        self.assertRaises(
            exception.ServiceUnavailable, self.call, self.app,
            REMOTE_ADDR='2001:db8::ffff',
            HTTP_AUTHORIZATION=header('ann', 'one more'))

    def test_whoever_is_known_is_not_kept_waiting(self):
        self.go_on.set()
        self.call(self.app, HTTP_AUTHORIZATION=header('ann'))
        self.go_on.clear()
        self.start(*[('ann', f'guess {n}')
                     for n in range(basic._AT_A_TIME)])
        self.wait_for(basic._AT_A_TIME + 1)
        context = self.call(self.app, HTTP_AUTHORIZATION=header('ann'))
        self.assertEqual('p-1', context.project_id)


class TestFewThreads(CrowdTest):

    threads = 3

    def test_guesses_do_not_take_every_thread(self):
        self.start(('ann', 'guess 1'), ('ann', 'guess 2'))
        self.wait_for(2)
        self.assertRaises(
            exception.ServiceUnavailable, self.call, self.app,
            HTTP_AUTHORIZATION=header('ann', 'one more'))

    def test_guesses_from_one_address_leave_room_for_others(self):
        self.start(('ann', 'guess'), address='127.0.0.1')
        self.wait_for(1)
        self.assertRaises(
            exception.ServiceUnavailable, self.call, self.app,
            HTTP_AUTHORIZATION=header('ann', 'one more'))
        self.start(('ann', 'another'), address='127.0.0.2')
        self.wait_for(2)

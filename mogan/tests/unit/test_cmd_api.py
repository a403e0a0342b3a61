# SPDX-License-Identifier: Apache-2.0
"""The start of mogan-api and of the WSGI application, and its failures."""

import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent import futures

import psutil
from oslotest import base

from mogan.tests.support import certificates
from mogan.tests.support.client import basic
from mogan.tests.support.files import temporary_directory
from mogan.tests.support.processes import eventually

API = [sys.executable, '-W', 'ignore', '-m', 'mogan.cmd.api']
CONF = """\
[DEFAULT]
auth_strategy = noauth
transport_url = fake://
[api]
host = 127.0.0.1
port = {port}
workers = 1
[database]
connection = sqlite:///{directory}/none.sqlite
"""
JSON = {'Content-Type': 'application/json'}
# Calls the application as a server would, after a fork.
SERVER = """
import os, sys
from mogan.wsgi.api import application
environ = {'REQUEST_METHOD': 'GET', 'PATH_INFO': '/v1', 'SCRIPT_NAME': '',
           'QUERY_STRING': '', 'SERVER_NAME': 'x', 'SERVER_PORT': '80',
           'SERVER_PROTOCOL': 'HTTP/1.1', 'wsgi.url_scheme': 'http',
           'REMOTE_ADDR': '127.0.0.1'}
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
body = b''.join(application(environ, lambda *head: print(head[0])))
print(body.decode())
"""


class StartTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = temporary_directory(self)
        (self.directory / '.mogan').mkdir()
        self.config = self.directory / '.mogan' / 'mogan.conf'
        listening = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(listening.close)
        self.listening, self.port = listening, listening.getsockname()[1]
        self.configure()

    def configure(self, *pairs):
        text = CONF.format(port=self.port, directory=self.directory)
        for old, new in pairs:
            text = text.replace(old, new)
        self.config.write_text(text)

    def run_python(self, *command):
        # Where the configuration is looked for.
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False,
            env=os.environ | {'HOME': str(self.directory)})


class TestRefusals(StartTest):

    def refused(self, *words):
        """Check that one line has the reason, without a stack trace."""
        ended = self.run_python(*API)
        self.assertEqual(1, ended.returncode, ended.stderr)
        [line] = ended.stderr.splitlines()
        for word in words:
            self.assertIn(word, line)

    def test_a_port_that_is_taken(self):
        self.refused(f'cannot listen on 127.0.0.1:{self.port}',
                     'Address already in use')

    def test_an_identity_that_cannot_be_known(self):
        self.configure(('noauth', 'keystone'))
        self.refused('keystone_authtoken')
        self.configure(('auth_strategy = noauth', (
            'auth_strategy = http_basic\n'
            'http_basic_users_file = /nonexistent/users')))
        self.refused('/nonexistent/users')

    def test_a_policy_file_that_opens_a_call_to_everybody(self):
        rules = self.directory / '.mogan' / 'policy.yaml'
        rules.write_text('mogan:instance:delete:\n#  role:admin\n')
        self.refused('[oslo_policy] policy_file', f'{rules}: line 1',
                     'mogan:instance:delete must be a rule as a string')

    def test_a_users_file_that_is_cut_off(self):
        file = self.directory / 'users'
        file.write_text(f'ann:$2b$04${"x" * 53}:p:membe')
        self.configure(('auth_strategy = noauth', (
            'auth_strategy = http_basic\n'
            f'http_basic_users_file = {file}')))
        self.refused(f'{file}, line 1', 'truncated')

    def test_a_certificate_that_is_not_named(self):
        for option in ('tls_cert_file =', 'tls_key_file = key.pem'):
            self.configure(('workers = 1', f'workers = 1\n{option}'))
            self.refused('[api] tls_cert_file', 'without encryption')

    def test_a_certificate_that_is_missing(self):
        self.configure(('workers = 1',
                        'workers = 1\ntls_cert_file = /nonexistent/tls'))
        self.refused('[api] tls_cert_file', '/nonexistent/tls',
                     'No such file')

    def test_noauth_where_others_can_reach_it(self):
        for host in ('0.0.0.0', '::', '192.0.2.1', 'example.org'):
            self.configure(('host = 127.0.0.1', f'host = {host}'))
            self.refused('noauth', f'[api] host = {host}', 'not a loopback')

    def test_a_database_or_a_broker_that_is_none(self):
        self.configure(('sqlite:///', 'nonsense'))
        self.refused('[database] connection')
        self.configure(('fake://', 'rabbit://host:port'))
        self.refused('[DEFAULT] transport_url')


class TestStarts(StartTest):

    def start(self, words):
        """Return the process, when it has printed this."""
        self.listening.close()
        process = subprocess.Popen(
            API, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {'HOME': str(self.directory)})
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, 30)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if words in line:
                return process
        raise AssertionError(f'it never said {words}')

    def test_it_answers_until_it_is_told_to_stop(self):
        process = self.start(f'Answering at 127.0.0.1:{self.port}')
        with socket.create_connection(('127.0.0.1', self.port),
                                      20) as client:
            client.sendall(b'GET /v1 HTTP/1.0\r\n\r\n')
            self.assertIn(b'200 OK', client.recv(1000))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(30))

    def test_it_finishes_a_request_before_it_closes_anything(self):
        # A broker that is away: what it takes to say so must be there.
        self.configure(('fake://', 'rabbit://guest:guest@127.0.0.1:1/'))
        self.run_python(*API[:-1], 'mogan.cmd.dbsync', 'upgrade')
        process = self.start(f'Answering at 127.0.0.1:{self.port}')
        client = http.client.HTTPConnection('127.0.0.1', self.port,
                                            timeout=60)
        self.addCleanup(client.close)
        client.request('POST', '/v1/flavors', json.dumps({
            'name': 'small', 'resources': {'CUSTOM_SMALL': 1}}), JSON)
        flavor = json.loads(client.getresponse().read())['uuid']
        body = json.dumps({'name': 'web', 'flavor_uuid': flavor,
                           'image_uuid': flavor}).encode()
        client.request('POST', '/v1/instances', body[:1], JSON | {
            'Content-Length': str(len(body))})
        process.send_signal(signal.SIGTERM)
        with self.assertRaises(OSError):
            while True:
                socket.create_connection(('127.0.0.1', self.port)).close()
        time.sleep(0.3)     # for what comes too early to come
        client.sock.sendall(body[1:])
        answer = client.getresponse()
        self.assertEqual(201, answer.status, answer.read())
        self.assertEqual(0, process.wait(60))

    def test_a_new_password_is_in_force_a_second_later(self):
        file = self.directory / 'users'
        self.configure(('auth_strategy = noauth', (
            f'auth_strategy = http_basic\nhttp_basic_users_file = {file}')))

        def users(*words):
            """Run mogan-users; return its output, a password that it makes
            up."""
            done = self.run_python(
                sys.executable, '-W', 'ignore', '-m', 'mogan.cmd.users',
                *words)
            self.assertEqual((0, ''), (done.returncode, done.stderr))
            return done.stdout.strip()

        def status(password):
            client = http.client.HTTPConnection('127.0.0.1', self.port,
                                                timeout=60)
            client.request('GET', '/v1/nothing', headers=basic('ann',
                                                               password))
            found = client.getresponse().status
            client.close()
            return found

        first = users('add', 'ann', '--project', 'p', '--generate')
        self.start(f'Answering at 127.0.0.1:{self.port}')
        # Whoever is known is told that there is no such page.
        self.assertEqual(404, status(first))
        second = users('passwd', 'ann', '--generate')
        eventually(lambda: status(second), until=lambda seen: seen == 404)
        self.assertEqual(401, status(first))
        users('remove', 'ann')
        eventually(lambda: status(second), until=lambda seen: seen == 401)

    def test_a_reload_takes_a_new_certificate(self):
        # The key may be in the same file.
        file = self.directory / 'both.pem'
        address = ('127.0.0.1', self.port)

        def renew():
            parts = [pathlib.Path(part).read_text()
                     for part in certificates.make(self.directory)]
            file.write_text(''.join(parts))
            return parts[0]

        def served():
            return ssl.get_server_certificate(address, timeout=60)

        first = renew()
        self.configure((f'port = {self.port}',
                        f'port = {self.port}\ntls_cert_file = {file}'))
        process = self.start('Answering at 127.0.0.1')
        self.assertEqual(first, served())
        second = renew()
        process.send_signal(signal.SIGHUP)
        eventually(served, until=lambda seen: seen == second, within=30)

    def test_a_reload_turns_nobody_away(self):
        self.configure(('workers = 1', 'workers = 2'))
        process = self.start('Answering at 127.0.0.1')
        workers = set(psutil.Process(process.pid).children())
        done = threading.Event()

        def ask():
            while not done.is_set():
                with socket.create_connection(('127.0.0.1', self.port),
                                              60) as client:
                    client.sendall(b'GET /v1 HTTP/1.0\r\n\r\n')
                    self.assertIn(b' 200 OK', client.recv(1000))

        with futures.ThreadPoolExecutor(4) as pool:
            self.addCleanup(done.set)
            asking = [pool.submit(ask) for _ in range(4)]
            process.send_signal(signal.SIGHUP)
            eventually(
                lambda: psutil.Process(process.pid).children(),
                until=lambda seen: len(seen) == 2 and workers.isdisjoint(
                    seen), within=60)
            done.set()
            for one in asking:
                one.result()

    def test_it_can_be_stopped_while_it_starts(self):
        process = self.start('start method: fork')
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        # The signal may come before anything asks for it.
        self.assertIn(process.wait(30), {0, -signal.SIGTERM}, rest)
        self.assertNotIn('Traceback', rest)

    def test_the_application_opens_nothing_before_its_first_request(self):
        ended = self.run_python(sys.executable, '-W', 'ignore', '-c', SERVER)
        self.assertEqual(0, ended.returncode, ended.stderr)
        self.assertIn('200 OK', ended.stdout)
        self.assertIn('"min_version"', ended.stdout)

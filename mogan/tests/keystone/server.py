# SPDX-License-Identifier: Apache-2.0
"""A real Keystone: one process, SQLite, Fernet tokens.

MOGAN_TEST_KEYSTONE names the directory with its commands (`tox -e keystone`
sets it).  What happens to it is done through its API; it is stopped and
started by pid.
"""

import base64
import contextlib
import functools
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import unittest
from typing import Any

from mogan.tests.support.servers import TIMEOUT, WebServer, template

_CONFIGURATION = """\
[DEFAULT]
log_file = {directory}/keystone.log
[database]
connection = sqlite:///{directory}/keystone.sqlite
[fernet_tokens]
key_repository = {directory}/keys
[fernet_receipts]
key_repository = {directory}/keys
[identity]
# The weakest hash, which the tests need not wait for.
password_hash_rounds = 4
[token]
expiration = {expiration}
"""

# Run by Keystone's own interpreter.
_PROGRAM = """\
from cheroot import wsgi
from keystone.wsgi.api import application
server = wsgi.Server(('127.0.0.1', {port}), application, numthreads=4)
try:
    server.start()
finally:
    server.stop()
"""


def require() -> None:
    """Skip where no Keystone is installed."""
    if not os.environ.get('MOGAN_TEST_KEYSTONE'):
        raise unittest.SkipTest('MOGAN_TEST_KEYSTONE does not say where '
                                'Keystone is; tox -e keystone does')


def command(name: str) -> str:
    return str(pathlib.Path(os.environ['MOGAN_TEST_KEYSTONE']) / name)


def _configure(directory: pathlib.Path, expiration: int = 3600) -> str:
    path = directory / 'keystone.conf'
    path.write_text(_CONFIGURATION.format(directory=directory,
                                          expiration=expiration))
    return str(path)


@functools.cache
def _template() -> pathlib.Path:
    """Return one with an administrator."""
    return template('keystone', _bootstrap)


def _bootstrap(directory: pathlib.Path) -> None:
    keys = directory / 'keys'
    keys.mkdir(mode=0o700)
    for name in ('0', '1'):
        (keys / name).write_bytes(
            base64.urlsafe_b64encode(os.urandom(32)))
    for arguments in (
            ('db_sync',), ('bootstrap', '--bootstrap-password', 'admin')):
        subprocess.run(
            [command('keystone-manage'), '--config-file',
             _configure(directory), *arguments],
            check=True, capture_output=True, timeout=120)


class Keystone(WebServer):

    name = 'keystone'
    signal = signal.SIGINT

    def __init__(self) -> None:
        require()
        super().__init__()
        shutil.copytree(_template(), self.directory, dirs_exist_ok=True)
        self.url = f'http://127.0.0.1:{self.port}/v3'
        self._token = ''
        self._database = self.directory / 'keystone.sqlite'
        self._kept = self.directory / 'kept.sqlite'

    def start(self, *, expiration: int = 3600) -> None:
        """Start it; returns when it answers.  `expiration`: the lifetime of a
        new token, in seconds."""
        path = _configure(self.directory, expiration)
        self.launch(
            [command('python'), '-c', _PROGRAM.format(port=self.port)],
            lambda: self._session.get(self.url, timeout=TIMEOUT).ok,
            OS_KEYSTONE_CONFIG_FILES=path)
        self._token = self.log_in('admin', in_project('admin'))

    def pretend(self) -> None:
        """Run a web server without Keystone in its place, until `stop`."""
        self.launch(
            [command('python'), '-m', 'http.server', '--bind', '127.0.0.1',
             '--directory', str(self.directory / 'keys'), str(self.port)],
            lambda: self._session.get(self.url,
                                      timeout=TIMEOUT) is not None)

    # What it holds.

    def keep(self) -> None:
        """Remember all of it for `restore`."""
        _copy(self._database, self._kept)

    def restore(self, *, restart: bool = False) -> None:
        """Bring back what it held at `keep`; `restart`: it may not answer,
        or not as it is configured."""
        if restart:
            self.kill()
        _copy(self._kept, self._database)
        if restart:
            self.start()
        self._session.get(self.url, timeout=TIMEOUT).raise_for_status()

    # What its users do.

    def log_in(self, user: str, scope: Any = None, *,
               method: dict[str, Any] | None = None) -> str:
        """Return a token for a user, whose password is the name."""
        identity = method or {'methods': ['password'], 'password': {
            'user': {'name': user, 'domain': {'id': 'default'},
                     'password': user}}}
        wanted = {'auth': {'identity': identity}}
        if scope:
            wanted['auth']['scope'] = scope
        answer = self._session.post(f'{self.url}/auth/tokens', json=wanted,
                                    timeout=TIMEOUT)
        if not answer.ok:
            raise AssertionError(f'{user}: {answer.text}')
        return answer.headers['X-Subject-Token']

    def revoke(self, token: str) -> None:
        self.do('DELETE', '/auth/tokens',
                headers={'X-Subject-Token': token})

    def do(self, method: str, path: str, body: Any = None, *,
           headers: dict[str, str] | None = None) -> Any:
        """Send a request as the administrator; return the answer."""
        answer = self._session.request(
            method, self.url + path, json=body, timeout=TIMEOUT,
            headers={'X-Auth-Token': self._token} | (headers or {}))
        if not answer.ok:
            raise AssertionError(f'{method} {path}: {answer.text}')
        return answer.json() if answer.content else None

    def make(self, kind: str, name: str, **values: Any) -> str:
        """Create a project, a user or a role; returns its id."""
        return self.do('POST', f'/{kind}s', {kind: {
            'name': name} | values})[kind]['id']

    def id_of(self, kind: str, name: str) -> str:
        [found] = self.do('GET', f'/{kind}s?name={name}')[f'{kind}s']
        return found['id']

    def make_endpoint(self, kind: str, name: str, url: str) -> None:
        """Add a service and its endpoint to the catalog: type, name, URL."""
        service_id = self.make('service', name, type=kind)
        for interface in ('public', 'internal'):
            self.do('POST', '/endpoints', {'endpoint': {
                'service_id': service_id, 'interface': interface,
                'url': url}})

    def grant(self, user: str, role: str, target: str) -> None:
        """Give a user a role; `target`: projects/ID, domains/ID, or
        system."""
        self.do('PUT', f'/{target}/users/{self.id_of("user", user)}/roles/'
                       f'{self.id_of("role", role)}')


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copy a database, in one transaction where somebody has it open."""
    with (contextlib.closing(sqlite3.connect(source)) as old,
          contextlib.closing(sqlite3.connect(target)) as new):
        old.backup(new)


def in_project(name: str) -> dict[str, Any]:
    """Return the scope of a token."""
    return {'project': {'name': name, 'domain': {'id': 'default'}}}

# SPDX-License-Identifier: Apache-2.0
"""A real Keystone: one process, SQLite, Fernet tokens.

MOGAN_TEST_KEYSTONE names the directory with its commands (`tox -e keystone`
sets it).  What happens to it is done through its API; it is stopped and
started by pid.
"""

import base64
import functools
import os
import pathlib
import shutil
import signal
import subprocess
import unittest
from typing import Any

from mogan.tests.servers import PATIENCE, Server, make_template

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
    """One with an administrator, made once for this process."""
    directory = make_template('keystone')
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
    return directory


class Keystone(Server):

    name = 'keystone'
    signal = signal.SIGINT

    def __init__(self) -> None:
        require()
        super().__init__()
        shutil.copytree(_template(), self.directory, dirs_exist_ok=True)
        self.url = f'http://127.0.0.1:{self.port}/v3'
        self._token = ''

    def start(self, *, expiration: int = 3600) -> None:
        """Returns when it answers; `expiration`: for how many seconds a new
        token is good."""
        path = _configure(self.directory, expiration)
        self.launch(
            [command('python'), '-c', _PROGRAM.format(port=self.port)],
            lambda: self._session.get(self.url, timeout=PATIENCE).ok,
            OS_KEYSTONE_CONFIG_FILES=path)
        self._token = self.log_in('admin', in_project('admin'))

    def pretend(self) -> None:
        """A web server without Keystone in its place, until `stop`."""
        self.launch(
            [command('python'), '-m', 'http.server', '--bind', '127.0.0.1',
             '--directory', str(self.directory / 'keys'), str(self.port)],
            lambda: self._session.get(self.url,
                                      timeout=PATIENCE) is not None)

    # What its users do.

    def log_in(self, user: str, scope: Any = None, *,
               method: dict[str, Any] | None = None) -> str:
        """A token for a user, whose password is the name."""
        identity = method or {'methods': ['password'], 'password': {
            'user': {'name': user, 'domain': {'id': 'default'},
                     'password': user}}}
        wanted = {'auth': {'identity': identity}}
        if scope:
            wanted['auth']['scope'] = scope
        answer = self._session.post(f'{self.url}/auth/tokens', json=wanted,
                                    timeout=PATIENCE)
        if not answer.ok:
            raise AssertionError(f'{user}: {answer.text}')
        return answer.headers['X-Subject-Token']

    def revoke(self, token: str) -> None:
        self.do('DELETE', '/auth/tokens',
                headers={'X-Subject-Token': token})

    def do(self, method: str, path: str, body: Any = None, *,
           headers: dict[str, str] | None = None) -> Any:
        """What the administrator is answered."""
        answer = self._session.request(
            method, self.url + path, json=body, timeout=PATIENCE,
            headers={'X-Auth-Token': self._token} | (headers or {}))
        if not answer.ok:
            raise AssertionError(f'{method} {path}: {answer.text}')
        return answer.json() if answer.content else None

    def make(self, kind: str, name: str, **values: Any) -> str:
        """The id of something new: a project, a user, a role."""
        return self.do('POST', f'/{kind}s', {kind: {
            'name': name} | values})[kind]['id']

    def id_of(self, kind: str, name: str) -> str:
        [found] = self.do('GET', f'/{kind}s?name={name}')[f'{kind}s']
        return found['id']

    def make_endpoint(self, kind: str, name: str, url: str) -> None:
        """An entry of the catalog: the type, the name, where it is."""
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


def in_project(name: str) -> dict[str, Any]:
    """The scope of a token."""
    return {'project': {'name': name, 'domain': {'id': 'default'}}}

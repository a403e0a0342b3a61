# SPDX-License-Identifier: Apache-2.0
"""The whole service on its own web server, behind a real Keystone."""

import threading
from typing import Any, ClassVar

from oslo_config import cfg

from mogan.http_server import server as web
from mogan.tests.functional import base
from mogan.tests.keystone import server
from mogan.tests.support import client, deployment
from mogan.tests.support.servers import Shared

# Who may be tested with, beside the administrator of each Keystone: the
# project and the role there.
USERS = {
    'demo': ('demo', 'member'),
    'manager': ('demo', 'manager'),
    'reader': ('demo', 'reader'),
    'nobody': ('demo', 'none'),
    'other': ('other', 'member'),
    'other-reader': ('other', 'reader'),
    'mogan': ('service', 'service'),
}
PROJECTS = {'admin': 'admin'} | {
    user: project for user, (project, _) in USERS.items()}

_CONFIGURATION = """\
[keystone_authtoken]
www_authenticate_uri = {url}
auth_url = {url}
auth_type = password
username = mogan
password = mogan
user_domain_name = Default
project_name = service
project_domain_name = Default
"""


def _started() -> server.Keystone:
    """Return one with USERS and their projects."""
    keystone = server.Keystone()
    try:
        keystone.start()
        _create_users(keystone)
    except BaseException:
        keystone.close()
        raise
    keystone.keep()
    return keystone


def _create_users(keystone: server.Keystone) -> None:
    keystone.make('role', 'none')
    projects = {name: keystone.make('project', name, domain_id='default')
                for name in ('demo', 'other', 'service')}
    for user, (project, role) in USERS.items():
        keystone.make('user', user, domain_id='default', password=user)
        keystone.grant(user, role, f'projects/{projects[project]}')
    keystone.grant('admin', 'admin', 'domains/default')
    keystone.make_endpoint('identity', 'keystone', keystone.url)
    keystone.make_endpoint('baremetal_compute', 'mogan',
                           'http://mogan.example:6688')


shared = Shared(_started, server.Keystone.restore)


class TokenClient(client.Client):
    """A client with a token, or without one where it is None.

    Each request has a connection of its own.
    """

    def __init__(self, port: int, token: str | bytes | None,
                 service_token: str | None = None) -> None:
        self._port = port
        self._headers = {
            name: value for name, value in (
                ('X-Auth-Token', token), ('X-Service-Token', service_token))
            if value is not None}

    def _send(self, method: str, path: str, data: bytes,
              headers: dict[str, str]) -> client.Answer:
        return client.ask(self._port, method, path, data or None, headers)


class KeystoneDeployment(deployment.Deployment):
    """Its callers are Keystone's; `options` are auth_token's."""

    def __init__(self, keystone: server.Keystone, *, rules: dict[str, str],
                 options: dict[str, Any]) -> None:
        self._keystone = keystone
        self._options = options
        self._tokens: dict[str, str] = {}
        self._identities: dict[str, tuple[str, str]] = {}
        super().__init__(rules=rules)
        self._server = web.build('127.0.0.1', 0, self.application,
                                 threads=8, grace=5)
        self.port = self._server.bind_addr[1]
        self._thread = threading.Thread(target=self._server.serve)
        self._thread.start()

    def close(self) -> None:
        self._server.stop()
        self._thread.join()
        super().close()

    def configure(self) -> cfg.ConfigOpts:
        path = self.directory / 'mogan.conf'
        path.write_text(_CONFIGURATION.format(url=self._keystone.url) + (
            ''.join(f'{name} = {value}\n'
                    for name, value in self._options.items())))
        return deployment.make_conf(path)

    def identity(self, user: str) -> tuple[str, str]:
        if user not in self._identities:
            self._identities[user] = (
                self._keystone.id_of('user', user),
                self._keystone.id_of('project', PROJECTS[user]))
        return self._identities[user]

    def client(self, user: str | None) -> client.Client:
        if user is None:
            return TokenClient(self.port, None)
        return TokenClient(self.port, self.token(user))

    def token(self, user: str) -> str:
        """Return a token for the user's project, the same each time."""
        if user not in self._tokens:
            self._tokens[user] = self._keystone.log_in(
                user, server.in_project(PROJECTS[user]))
        return self._tokens[user]


class KeystoneTest(base.FunctionalTest):
    """`options` are auth_token's; after a test that `disturbs` Keystone, the
    next one finds it started again.  What a test has changed is undone."""

    options: ClassVar[dict[str, Any]] = {}
    disturbs = False

    def deploy(self) -> KeystoneDeployment:
        self.keystone = shared()
        self.addCleanup(shared.restore, restart=self.disturbs)
        return KeystoneDeployment(self.keystone, rules=self.rules,
                                  options=self.options)

    def with_token(self, token: str | bytes | None, *,
                   service_token: str | None = None) -> TokenClient:
        return TokenClient(self.deployment.port, token, service_token)

    def log_in(self, user: str) -> str:
        """Return a new token for the user's project."""
        return self.keystone.log_in(user,
                                    server.in_project(PROJECTS[user]))

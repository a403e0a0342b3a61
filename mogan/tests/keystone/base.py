# SPDX-License-Identifier: Apache-2.0
"""The whole service on its own web server, behind a real Keystone."""

import atexit
import functools
import http.client
import json
import threading
from typing import Any, ClassVar

from oslo_config import cfg

from mogan.api import server as web
from mogan.tests.functional import base, client, deployment
from mogan.tests.keystone import server

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


@functools.cache
def shared() -> server.Keystone:
    """One that runs until this process ends, with USERS and their
    projects."""
    keystone = server.Keystone()
    atexit.register(keystone.close)
    keystone.start()
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
    return keystone


class TokenClient(client.Client):
    """Whoever has a token; none where it is None.  Each request has a
    connection of its own."""

    def __init__(self, address: tuple[str, int],
                 token: str | bytes | None,
                 service_token: str | None = None) -> None:
        super().__init__(self._nothing, None)
        self._address = address
        for name, value in (('X-Auth-Token', token),
                            ('X-Service-Token', service_token)):
            if value is not None:
                self._headers[name] = value

    @staticmethod
    def _nothing(*_: Any) -> Any:
        raise NotImplementedError

    def request(self, method: str, path: str, body: Any = None,
                headers: dict[str, str] | None = None) -> client.Answer:
        connection = http.client.HTTPConnection(*self._address,
                                                timeout=server.PATIENCE)
        every = self._headers | (headers or {})
        data = None
        if body is not None:
            data = json.dumps(body)
            every['Content-Type'] = 'application/json'
        try:
            connection.request(method, path, data, every)
            answer = connection.getresponse()
            return client.Answer(answer.status, {
                name.lower(): value for name, value in answer.getheaders()},
                answer.read())
        finally:
            connection.close()


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
        self.address = self._server.bind_addr[:2]
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
            return TokenClient(self.address, None)
        return TokenClient(self.address, self.token(user))

    def token(self, user: str) -> str:
        """A token for the user's project, the same each time."""
        if user not in self._tokens:
            self._tokens[user] = self._keystone.log_in(
                user, server.in_project(PROJECTS[user]))
        return self._tokens[user]


class KeystoneTest(base.FunctionalTest):
    """`options` are auth_token's; after a test that `disturbs` Keystone, the
    next one finds it started anew."""

    options: ClassVar[dict[str, Any]] = {}
    disturbs = False

    def deploy(self) -> KeystoneDeployment:
        self.keystone = shared()
        if self.disturbs:
            self.addCleanup(self.keystone.start)
            self.addCleanup(self.keystone.kill)
        return KeystoneDeployment(self.keystone, rules=self.rules,
                                  options=self.options)

    def with_token(self, token: str | bytes | None, *,
                   service_token: str | None = None) -> TokenClient:
        return TokenClient(self.deployment.address, token, service_token)

    def log_in(self, user: str) -> str:
        """A new token for the user's project."""
        return self.keystone.log_in(user,
                                    server.in_project(PROJECTS[user]))

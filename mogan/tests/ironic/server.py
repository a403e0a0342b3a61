# SPDX-License-Identifier: Apache-2.0
"""A real Ironic: one process pair, fake hardware, SQLite, no broker.

MOGAN_TEST_IRONIC names the directory with its commands (`tox -e ironic` sets
it).  What happens to it is done with its own means: nodes are enrolled,
changed and deleted through its API, it is stopped and started by pid.
"""

import contextlib
import functools
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import time
import unittest
import uuid
from typing import Any

import requests

from mogan.tests.support import servers

# The newest version in which a new node is available at once.
_LEGACY = '1.10'
_FAKE = ('bios', 'boot', 'console', 'deploy', 'firmware', 'inspect',
         'management', 'power', 'raid', 'rescue')

_CONFIGURATION = """\
[DEFAULT]
auth_strategy = {auth_strategy}
http_basic_auth_user_file = {directory}/users
rbac_service_role_elevated_access = true
rpc_transport = none
host = 127.0.0.1
enabled_hardware_types = fake-hardware
{interfaces}
enabled_network_interfaces = noop
enabled_storage_interfaces = fake,noop
enabled_vendor_interfaces = fake,no-vendor
default_network_interface = noop
log_file = {directory}/ironic.log
[api]
host_ip = 127.0.0.1
port = {port}
max_limit = {max_limit}
[conductor]
automated_clean = false
sync_power_state_interval = 0
max_concurrent_deploy = {max_deploys}
[database]
connection = sqlite:///{directory}/ironic.sqlite
[fake]
deploy_delay = {delay}
power_delay = {power_delay}
[keystone_authtoken]
{authtoken}
"""


def require() -> None:
    """Skip where no Ironic is installed."""
    if not os.environ.get('MOGAN_TEST_IRONIC'):
        raise unittest.SkipTest('MOGAN_TEST_IRONIC does not say where '
                                'Ironic is; tox -e ironic does')


def command(name: str) -> str:
    return str(pathlib.Path(os.environ['MOGAN_TEST_IRONIC']) / name)


@functools.cache
def _template() -> pathlib.Path:
    """Return an empty database."""
    return servers.template('ironic', _create_schema) / 'ironic.sqlite'


def _create_schema(directory: pathlib.Path) -> None:
    path = directory / 'ironic.conf'
    path.write_text('[database]\nconnection = '
                    f'sqlite:///{directory}/ironic.sqlite\n')
    subprocess.run([command('ironic-dbsync'), '--config-file', str(path),
                    'create_schema'], check=True, capture_output=True,
                   timeout=120)


class Ironic(servers.WebServer):
    """It knows everybody, the users of a password file, or those of a
    Keystone: `users` are lines of the one, `authtoken` the options of the
    group keystone_authtoken for the other."""

    name = 'ironic'

    def __init__(self, *, users: str | None = None,
                 authtoken: dict[str, Any] | None = None) -> None:
        require()
        super().__init__()
        shutil.copy(_template(), self.directory)
        self.url = f'http://127.0.0.1:{self.port}'
        self.auth: Any = None   # what requests takes
        self._strategy = ('http_basic' if users else
                          'keystone' if authtoken else 'noauth')
        self._authtoken = authtoken or {}
        (self.directory / 'users').write_text(users or '')

    def start(self, *, delay: int = 0, power_delay: int = 0,
              max_limit: int = 1000, max_deploys: int = 250) -> None:
        """Start it; returns when it answers.  `max_limit`: of nodes a page;
        deploys are limited likewise.  `delay` and `power_delay`: whole seconds
        of each step of the fake hardware."""
        path = self.directory / 'ironic.conf'
        path.write_text(_CONFIGURATION.format(
            auth_strategy=self._strategy,
            directory=self.directory, port=self.port, delay=delay,
            power_delay=power_delay, max_limit=max_limit,
            max_deploys=max_deploys,
            interfaces='\n'.join(
                f'enabled_{name}_interfaces = fake' for name in _FAKE),
            authtoken='\n'.join(
                f'{name} = {value}'
                for name, value in self._authtoken.items())))
        # The conductor has to be up as well.
        self.launch([command('ironic'), '--config-file', str(path)],
                    lambda: self.get('/v1/drivers')['drivers'])

    # What others do to it.

    def ask(self, method: str, path: str, body: Any = None, *,
            version: str = '1.56') -> requests.Response:
        """Send a request; returns the answer, whatever it is."""
        return self._session.request(
            method, self.url + path, json=body, auth=self.auth,
            timeout=servers.TIMEOUT,
            headers={'X-OpenStack-Ironic-API-Version': version})

    def do(self, method: str, path: str, body: Any = None,
           **values: Any) -> requests.Response:
        """Send a request once the node is not locked; it must succeed."""
        deadline = time.monotonic() + servers.TIMEOUT
        while True:
            answer = self.ask(method, path, body, **values)
            if answer.ok:
                return answer
            if answer.status_code != 409 or time.monotonic() > deadline:
                raise AssertionError(
                    f'{method} {path}: {answer.status_code} {answer.text}')
            time.sleep(0.05)

    def get(self, path: str) -> dict[str, Any]:
        return self.do('GET', path).json()

    def enrol(self, name: str, resource_class: str, *,
              traits: tuple[str, ...] = (), power: str = 'power off',
              ) -> str:
        """Enrol a free node; returns its uuid."""
        node_uuid = self.do('POST', '/v1/nodes', {
            'name': name, 'driver': 'fake-hardware'},
            version=_LEGACY).json()['uuid']
        path = f'/v1/nodes/{node_uuid}'
        self.patch(node_uuid, resource_class=resource_class)
        if traits:
            self.do('PUT', f'{path}/traits', {'traits': list(traits)})
        self.do('PUT', f'{path}/states/power', {'target': power})
        self.wait_for(node_uuid, power_state=power)
        return node_uuid

    def wait_for(self, node_uuid: str, **wanted: Any) -> dict[str, Any]:
        """Return the node, once it shows these values."""
        deadline = time.monotonic() + servers.TIMEOUT
        while not wanted.items() <= (node := self.node(node_uuid)).items():
            if time.monotonic() > deadline:
                raise AssertionError(f'{wanted} of {node}')
            time.sleep(0.02)
        return node

    def node(self, node_uuid: str) -> dict[str, Any]:
        return self.get(f'/v1/nodes/{node_uuid}')

    def instance_info(self, node_uuid: str) -> dict[str, Any]:
        """Return a node's instance_info, with the fields that the API
        masks."""
        path = self.directory / 'ironic.sqlite'
        with contextlib.closing(sqlite3.connect(
                f'file:{path}?mode=ro', uri=True)) as connection:
            [[info]] = connection.execute(
                'SELECT instance_info FROM nodes WHERE uuid = ?',
                (node_uuid,))
        return json.loads(info)

    def patch(self, node_uuid: str, **values: Any) -> None:
        """Change a node; None takes a value off it."""
        self.do('PATCH', f'/v1/nodes/{node_uuid}', [
            {'op': 'add', 'path': f'/{name}', 'value': value}
            if value is not None else {'op': 'remove', 'path': f'/{name}'}
            for name, value in values.items()])

    def provision(self, node_uuid: str, target: str) -> requests.Response:
        """Return the answer to a direct deploy, rebuild or undeploy."""
        return self.ask('PUT', f'/v1/nodes/{node_uuid}/states/provision',
                        {'target': target})

    def put_to_use(self, node_uuid: str, image_source: str) -> None:
        """Deploy a node without an instance."""
        self.patch(node_uuid, instance_info={
            'image_source': image_source, 'image_type': 'whole-disk'})
        self.do('PUT', f'/v1/nodes/{node_uuid}/states/provision',
                {'target': 'active'})
        self.wait_for(node_uuid, provision_state='active', reservation=None)

    def remove(self, node_uuid: str) -> None:
        """Delete a node, whatever is on it."""
        path = f'/v1/nodes/{node_uuid}'
        node = self.wait_for(node_uuid, target_power_state=None)
        if node['protected']:
            self.patch(node_uuid, protected=False)
        if not node['maintenance']:
            self.do('PUT', f'{path}/maintenance', {'reason': 'goes'})
        if self.wait_for(node_uuid,
                         target_provision_state=None)['instance_uuid']:
            self.patch(node_uuid, instance_uuid=None)
        self.do('DELETE', path)

    def clear(self) -> None:
        """Delete all nodes."""
        while nodes := self.get('/v1/nodes')['nodes']:
            for node in nodes:
                self.remove(node['uuid'])


def started(**options: Any) -> Ironic:
    """Return a new one that answers."""
    ironic = Ironic()
    try:
        ironic.start(**options)
    except BaseException:
        ironic.close()
        raise
    return ironic


shared = servers.Shared(started, Ironic.clear)


def some_class() -> str:
    """Return a resource class that nobody else uses."""
    return f'CUSTOM_{uuid.uuid4().hex[:8].upper()}'

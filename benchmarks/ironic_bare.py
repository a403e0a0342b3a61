# SPDX-License-Identifier: Apache-2.0
"""Ironic driven directly: the requests of our driver, one after the other,
over one connection, and nothing else."""

import random
import time
import urllib.parse
import uuid
from collections.abc import Mapping
from typing import Any, Final

from benchmarks.ironic_server import CLASS
from mogan.baremetal import configdrive, driver
from mogan.baremetal.ironic import nodes, requests
from mogan.engine.task import poll_after
from mogan.tests.support.client import Connection

IMAGES: Final = nodes.Images(type='whole-disk')
IMAGE: Final = '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10'

_HEADERS: Final = {'Accept': 'application/json',
                   'X-OpenStack-Ironic-API-Version': '1.56'}


def order() -> driver.DeploySpec:
    """Return the body of a new instance."""
    return driver.DeploySpec(str(uuid.uuid4()), 'benchmark', IMAGE, {CLASS: 1},
                             metadata={'role': 'compute'})


class Bare:
    """A client of one Ironic; `close` it."""

    def __init__(self, port: int) -> None:
        self._connection = Connection(port, _HEADERS)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def deploy(self) -> float:
        """Claim a node, deploy it and wait until it is active; the seconds
        that it took."""
        wanted, began = order(), time.perf_counter()
        path = f'/v1/nodes/{self._claim(wanted)}'
        node = self._get(path, {'fields': ','.join(nodes.DEPLOYED)})
        assert node['instance_uuid'] == wanted.instance_uuid, node
        self._ask('PUT', f'{path}/states/provision', {
            'target': 'active',
            'configdrive': configdrive.config_drive(wanted)})
        started = time.perf_counter()
        while True:
            time.sleep(poll_after(time.perf_counter() - started))
            node = self._get(path, {'fields': ','.join(nodes.SHOWN)})
            if node['provision_state'] == 'active':
                return time.perf_counter() - began

    def _claim(self, wanted: driver.DeploySpec) -> str:
        while True:
            page = self._get('/v1/nodes', requests.free_nodes(wanted))['nodes']
            random.shuffle(page)
            for node in page:
                status = self._connection.request(
                    'PATCH', f'/v1/nodes/{node["uuid"]}', [
                    {'op': 'add', 'path': '/instance_uuid',
                     'value': wanted.instance_uuid},
                    {'op': 'add', 'path': '/instance_info',
                     'value': nodes.instance_info(
                         wanted, IMAGES, node['properties'])}]).status
                if status == 200:  # noqa: PLR2004
                    return str(node['uuid'])
                assert status == 409, status  # noqa: PLR2004 - taken

    def _get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        return self._ask('GET', f'{path}?{urllib.parse.urlencode(query)}')

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._connection.request(method, path, body)
        assert answer.status in {200, 202}, (method, path, answer)
        return answer.json if answer.body else None

# SPDX-License-Identifier: Apache-2.0
"""The whole service over an Ironic, in a process of its own: what
mogan-standalone is."""

import contextlib
import datetime
import pathlib
import time
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.ironic_bare import IMAGE
from mogan.tests.ironic.server import Ironic
from mogan.tests.support.client import Connection, basic
from mogan.tests.support.standalone import Standalone

WORKERS: Final = 8

_CONFIG: Final = """\
[DEFAULT]
log_file = {directory}/mogan.log
[engine]
driver = ironic
threads = {threads}
[ironic]
auth_type = none
endpoint_override = {url}
image_type = whole-disk
idle_timeout = 10
"""
_LIMIT: Final = 60.0
# Looks of the client at an instance: seldom, to leave the engine alone.
_PAUSE: Final = 0.03


class Client:
    """One user over one connection; `close` it."""

    def __init__(self, port: int, password: str) -> None:
        self._connection = Connection(port, basic('demo', password))
        [flavor] = self._ask('GET', '/v1/flavors')['flavors']
        self._body = {'name': 'benchmark', 'flavor_uuid': flavor['uuid'],
                      'image_uuid': IMAGE, 'metadata': {'role': 'compute'}}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def create(self) -> str:
        """Create an instance; returns its uuid when the request has been
        accepted."""
        return str(self._ask('POST', '/v1/instances', self._body)['uuid'])

    def times(self, uuid: str) -> tuple[float, float]:
        """Wait until an instance is active; return when it was accepted, and
        when it was active."""
        until = time.monotonic() + _LIMIT
        while True:
            seen = self._ask('GET', f'/v1/instances/{uuid}')
            if seen['status'] == 'active':
                return _moment(seen['created_at']), _moment(
                    seen['launched_at'])
            assert seen['status'] == 'building', seen
            assert time.monotonic() < until, seen
            time.sleep(_PAUSE)

    def deploy(self) -> float:
        """Seconds from the acceptance of a new instance until it is
        active."""
        accepted, active = self.times(self.create())
        return active - accepted

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._connection.request(method, path, body)
        assert answer.status < 300, answer  # noqa: PLR2004
        return answer.json


def _moment(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


@contextlib.contextmanager
def running(ironic: Ironic, directory: pathlib.Path,
            ) -> Iterator[tuple[int, str]]:
    """Run the service; yields its port, and demo's password."""
    with contextlib.closing(Standalone(directory=directory)) as service:
        (service.directory / 'mogan.conf').write_text(_CONFIG.format(
            directory=service.directory, threads=WORKERS, url=ironic.url),
            encoding='utf-8')
        service.start()
        yield service.port, service.password('demo')

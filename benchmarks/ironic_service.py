# SPDX-License-Identifier: Apache-2.0
"""The whole service over an Ironic, in a process of its own: what
mogan-standalone is."""

import base64
import contextlib
import datetime
import http.client
import json
import pathlib
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.ironic_bare import IMAGE
from mogan.tests.ironic.server import Ironic

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

    def __init__(self, endpoint: str, password: str) -> None:
        self._connection = http.client.HTTPConnection(
            urllib.parse.urlsplit(endpoint).netloc, timeout=_LIMIT)
        token = base64.b64encode(f'demo:{password}'.encode()).decode()
        self._headers = {'Authorization': f'Basic {token}',
                         'Content-Type': 'application/json'}
        [flavor] = self._ask('GET', '/v1/flavors')['flavors']
        self._body = {'name': 'benchmark', 'flavor_uuid': flavor['uuid'],
                      'image_uuid': IMAGE, 'metadata': {'role': 'compute'}}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def create(self) -> str:
        """The uuid of an instance whose creation has been accepted."""
        return str(self._ask('POST', '/v1/instances', self._body)['uuid'])

    def times(self, uuid: str) -> tuple[float, float]:
        """When it was accepted, and when it was active; waits for that."""
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
        self._connection.request(
            method, path, None if body is None else json.dumps(body),
            self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status < 300, (answer.status, text)  # noqa: PLR2004
        return json.loads(text)


def _moment(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


@contextlib.contextmanager
def running(ironic: Ironic, directory: pathlib.Path,
            ) -> Iterator[tuple[str, str]]:
    """The service; its address, and demo's password."""
    state = directory / 'standalone'
    state.mkdir(mode=0o700)
    (state / 'mogan.conf').write_text(_CONFIG.format(
        directory=state, threads=WORKERS, url=ironic.url), encoding='utf-8')
    with subprocess.Popen(
            [sys.executable, '-m', 'mogan.cmd.standalone', '--port', '0',
             '--state-dir', str(state)], stdout=subprocess.PIPE,
            text=True) as process:
        try:
            assert process.stdout is not None
            welcome = process.stdout.readline()
            assert 'answers at' in welcome, welcome
            known = dict(line.split('=', 1) for line in (
                state / 'credentials.env').read_text('utf-8').splitlines())
            yield known['MOGAN_ENDPOINT'], known['MOGAN_DEMO_PASSWORD']
        finally:
            process.terminate()

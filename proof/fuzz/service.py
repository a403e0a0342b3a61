# SPDX-License-Identifier: Apache-2.0
"""The service that is fuzzed: mogan-standalone as a process, with accounts
and hardware of its own, and no delay."""

import base64
import dataclasses
import http.client
import json
import pathlib
import re
import signal
import sqlite3
import sys
from typing import Any, Final

from mogan.api.identity import users
from mogan.baremetal import inventory
from proof.rig import processes, services
from proof.rig.processes import Child, Family

_CONF: Final = """\
[simulated]
deploy_time = 0
rebuild_time = 0
undeploy_time = 0
power_time = 0
"""
_CLASSES: Final = ('CUSTOM_FUZZ', 'CUSTOM_OTHER')
_NODES: Final = 200
# Of these, in use and without an instance: they can be taken over.
_RUNNING: Final = 40
# Instances of each peer at the start.
_INSTANCES: Final = 12
_IMAGE: Final = '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10'


@dataclasses.dataclass(frozen=True, slots=True)
class Persona:
    """Who asks; the password is a word that nothing else contains."""

    name: str
    project: str
    role: str

    @property
    def password(self) -> str:
        return f'zq-{self.name}-Sesame-open'


ADMIN: Final = Persona('admin', 'operators', 'admin')
MEMBER: Final = Persona('demo', 'demo', 'member')
# Nobody of them may see what another one has.
PEERS: Final = (MEMBER, Persona('rival', 'rival', 'member'))
PERSONAS: Final = (ADMIN, *PEERS, Persona('reader', 'demo', 'reader'))


def basic(persona: Persona) -> str:
    """The header that says who asks."""
    word = f'{persona.name}:{persona.password}'.encode()
    return f'Basic {base64.b64encode(word).decode("ascii")}'


@dataclasses.dataclass(frozen=True, slots=True)
class Weight:
    """What a process holds: KiB of memory of its own, open files, threads
    and child processes."""

    memory: int
    files: int
    threads: int
    children: int

    @classmethod
    def of(cls, pid: int) -> 'Weight':
        """Weigh a living process."""
        place = pathlib.Path(f'/proc/{pid}')
        share = re.search(r'^Pss:\s+(\d+)', (
            place / 'smaps_rollup').read_text(), re.MULTILINE)
        return cls(int(share[1]), len(list((place / 'fd').iterdir())),
                   len(list((place / 'task').iterdir())),
                   len(processes.children(pid)))


class Service:
    """One process and its directory; `start` it, `stop` it."""

    def __init__(self, family: Family, directory: pathlib.Path) -> None:
        self.directory = directory
        self.port = processes.free_port()
        self._family = family
        self._child: Child | None = None

    def start(self, module: str = 'mogan.cmd.standalone') -> None:
        """Make its directory, start it, and ask for some instances.

        Raises RigError.
        """
        _furnish(self.directory)
        self._child = self._family.start('standalone', [
            sys.executable, '-m', module,
            '--port', str(self.port), '--state-dir', str(self.directory)])
        processes.eventually(
            lambda: services.responds(self.port) or self.ended(), 60,
            'the service starts')
        if self.ended():
            raise processes.RigError(self.log.read_text(errors='replace'))
        self._populate()

    def _populate(self) -> None:
        flavor = self.ask(ADMIN, 'GET', '/v1/flavors')[1]['flavors'][0]
        for persona in PEERS:
            for number in range(_INSTANCES):
                status, body = self.ask(persona, 'POST', '/v1/instances', {
                    'name': f'web-{number}', 'image_uuid': _IMAGE,
                    'flavor_uuid': flavor['uuid']})
                if status != http.client.CREATED:
                    raise processes.RigError(f'{status} {body}')

    def ask(self, persona: Persona, method: str, path: str,
            body: Any = None) -> tuple[int, Any]:
        """An answer's status and its body's value."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port,
                                                timeout=30)
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body),
                {'Authorization': basic(persona),
                 'Content-Type': 'application/json'})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._child.ended()

    def weigh(self) -> Weight:
        """What it holds now."""
        return Weight.of(self._child.pid)

    def stop(self) -> bool:
        """Whether it ends in time when it is asked to."""
        self._child.signal(signal.SIGTERM)
        return self._child.wait(30)

    @property
    def log(self) -> pathlib.Path:
        """Where its lines are."""
        return self._child.log

    def database(self) -> sqlite3.Connection:
        """Its database, to read."""
        return sqlite3.connect(
            f'file:{self.directory / "mogan.sqlite"}?mode=ro', uri=True)


def _furnish(directory: pathlib.Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / 'mogan.conf').write_text(_CONF, encoding='utf-8')
    users.write(directory / 'users', [
        users.User(one.name, users.make_hash(one.password, 4), one.project,
                   (one.role,)) for one in PERSONAS])
    (directory / 'credentials.env').write_text(''.join(
        f'MOGAN_{one.name.upper()}_PASSWORD={one.password}\n'
        for one in (ADMIN, MEMBER)), encoding='utf-8')
    store = inventory.Inventory(directory / 'inventory.sqlite')
    nodes = [inventory.new_node(f'node-{number:03}',
                                _CLASSES[number % len(_CLASSES)])
             for number in range(_NODES)]
    store.seed(nodes)
    for node in nodes[-_RUNNING:]:
        store.set_active(node.uuid, True, _IMAGE)
    store.close()

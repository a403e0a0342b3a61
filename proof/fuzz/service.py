# SPDX-License-Identifier: Apache-2.0
"""The service that is fuzzed: mogan-standalone as a process, with accounts
and hardware of its own, and no delay."""

import contextlib
import dataclasses
import datetime
import http
import pathlib
import re
import sqlite3
import sys
from typing import Any, Final

from mogan.api.middleware.auth import users
from mogan.baremetal.simulated import inventory
from mogan.tests.support import client, processes
from mogan.tests.support.standalone import Standalone
from proof.rig import strange
from proof.rig.strange import KINDS, Strange

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
    """A user; the password is a word that nothing else contains."""

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
    """Return the header for HTTP basic authentication."""
    return client.basic(persona.name, persona.password)['Authorization']


@dataclasses.dataclass(frozen=True, slots=True)
class Weight:
    """The resources of a process: KiB of memory of its own, open files,
    threads and child processes."""

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


class Service(Standalone):
    """One process and its directory."""

    def start(self, module: str = 'mogan.cmd.standalone') -> None:
        """Fill its directory, start it, and ask for some instances.

        Raises SetupError.
        """
        _write_files(self.directory)
        super().start([sys.executable, '-m', module])
        self._populate()

    def _populate(self) -> None:
        flavor = self.uuids('flavors')[0]
        for persona in PEERS:
            for number in range(_INSTANCES):
                answer = self.ask(persona, 'POST', '/v1/instances', {
                    'name': f'web-{number}', 'image_uuid': _IMAGE,
                    'flavor_uuid': flavor})
                if answer.status != http.HTTPStatus.CREATED:
                    raise processes.SetupError(str(answer))

    def ask(self, persona: Persona, method: str, path: str,
            body: Any = None) -> client.Answer:
        """Return the answer to a persona.  Raises OSError."""
        return client.ask(self.port, method, path, body,
                          {'Authorization': basic(persona)})

    def uuids(self, kind: str) -> list[str]:
        """Return those of the first page of all instances, or flavors."""
        query = '?all_tenants=true' if kind == 'instances' else ''
        found = self.ask(ADMIN, 'GET', f'/v1/{kind}{query}').json
        return [row['uuid'] for row in found[kind]]

    def inject_rows(self) -> dict[str, Strange]:
        """Write instances that the code does not understand, one of each
        kind, past the database's own checks; by uuid."""
        injected = {strange.name(number): kind
                   for number, kind in enumerate(KINDS)}
        store = inventory.Inventory(self.directory / 'inventory.sqlite')
        with contextlib.closing(sqlite3.connect(
                self.directory / 'mogan.sqlite', timeout=60)) as database:
            database.execute('PRAGMA ignore_check_constraints = ON')
            for number, (uuid, kind) in enumerate(injected.items()):
                node = store.named(f'strange-{number}').uuid
                rows = strange.rows(uuid, kind, node=node, owner=MEMBER.name)
                for table, row in rows.items():
                    database.execute(
                        f'INSERT INTO {table} ({", ".join(row)}) '  # noqa: S608
                        f'VALUES ({", ".join("?" * len(row))})',
                        [str(value) if isinstance(value, datetime.datetime)
                         else value for value in row.values()])
                with store.transaction() as txn:
                    txn.change(node, instance_uuid=uuid,
                               availability='active')
            database.commit()
        store.close()
        return injected

    def weigh(self) -> Weight:
        """Return what it holds now."""
        return Weight.of(self._child.pid)

    def ends(self) -> bool:
        """Return whether it ends in time when it is asked to."""
        self._child.signal(self.signal)
        return self._child.wait(30)

    @property
    def lines(self) -> pathlib.Path:
        """Return the file of its lines."""
        return self._child.log

    def database(self) -> sqlite3.Connection:
        """Its database, to read."""
        return sqlite3.connect(
            f'file:{self.directory / "mogan.sqlite"}?mode=ro', uri=True)


def _write_files(directory: pathlib.Path) -> None:
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
    for number in range(len(KINDS)):
        store.add(inventory.new_node(f'strange-{number}', 'CUSTOM_STRANGE'))
    for node in nodes[-_RUNNING:]:
        store.set_active(node.uuid, True, _IMAGE)
    store.close()

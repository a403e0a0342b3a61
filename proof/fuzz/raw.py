# SPDX-License-Identifier: Apache-2.0
"""Mutated requests over plain sockets."""

import base64
import collections
import contextlib
import dataclasses
import json
import pathlib
import random
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from proof.fuzz import mutations, oracle
from proof.fuzz.forms import Forms
from proof.fuzz.service import ADMIN, PERSONAS, Service, basic

# Seconds for all of a connection: the service's own limits are below it.
_TIMEOUT: Final = 45.0
# After so many cases the service is asked in peace, and its log read.
_BATCH: Final = 250
# An answer in peace, in seconds.
_SOON: Final = 15.0
# Of all cases, those whose answer is known.
_KNOWN: Final = 0.05
# Faults after which a run ends.
_ENOUGH: Final = 20


@dataclasses.dataclass
class Outcome:
    """The result of a run: `statuses` by number, `faults` with the bytes that
    each came of."""

    statuses: 'collections.Counter[int]' = dataclasses.field(
        default_factory=collections.Counter)
    faults: list[str] = dataclasses.field(default_factory=list)
    cases: int = 0


class Fuzzer:
    """Cases by number: number and seed make a case, and the requests that
    were recorded."""

    def __init__(self, service: Service, records: pathlib.Path,
                 seed: int) -> None:
        self._service = service
        self._seed = seed
        injected = service.inject_rows()
        self._forms = Forms(service, injected)
        self._seeds = [*_recorded(records), *_SEEDS, *_about(injected)]
        self._reported: set[str] = set()
        self._read = service.lines.stat().st_size
        self._secrets = [one.password for one in PERSONAS] + [
            basic(one).split()[1] for one in PERSONAS]
        self.outcome = Outcome()

    def run(self, cases: int) -> None:
        """Play so many more cases."""
        first = self.outcome.cases
        for number in range(first, first + cases):
            self._play(number)
            self.outcome.cases += 1
            if (number + 1) % _BATCH == 0 or number + 1 == first + cases:
                self._look(number)
            if len(self.outcome.faults) >= _ENOUGH:
                return

    def data(self, dice: random.Random) -> bytes:
        """Return the bytes of a case."""
        seed = dice.choice(self._seeds)
        lines = [b'Host: 127.0.0.1']
        if dice.random() < 0.95:  # noqa: PLR2004
            persona = dice.choice((ADMIN, ADMIN, *PERSONAS))
            lines.append(b'Authorization: ' + basic(persona).encode())
        if seed['type']:
            lines.append(b'Content-Type: ' + seed['type'].encode(
                'latin-1', 'replace'))
        return mutations.mutate(dice, mutations.Raw(
            seed['method'].encode(), seed['target'].encode(), lines,
            base64.b64decode(seed['body'])))

    def _play(self, number: int) -> None:
        dice = random.Random(f'{self._seed}:{number}')  # noqa: S311
        if dice.random() < _KNOWN:
            fault = self._forms.play(dice)
            if fault is not None:
                self._note(f'case {number}: {fault}')
            return
        data = self.data(dice)
        try:
            came = exchange(self._service.port, data, dice)
        except TimeoutError:
            came, faults = b'', [f'no end within {_TIMEOUT:g} seconds']
        except OSError as error:
            came, faults = b'', [f'the service is not there: {error}']
        else:
            faults = oracle.judge(came, [
                secret.encode() for secret in self._secrets
                if secret.encode() not in data])
            for status, _, _ in oracle.answers(came)[0]:
                self.outcome.statuses[status] += 1
        for fault in faults:
            self._note(f'case {number}: {fault}\n    sent: {data[:1500]!r}')

    def _note(self, fault: str) -> None:
        self.outcome.faults.append(fault)

    def _look(self, number: int) -> None:
        """Check the service after a batch, without load."""
        if not self._service.running():
            self._note(f'up to case {number}: the service has ended')
            return
        began = time.monotonic()
        try:
            status = self._service.ask(
                ADMIN, 'GET', '/v1/flavors?limit=1').status
        except OSError as error:
            self._note(f'up to case {number}: no answer in peace: {error}')
        else:
            if status != 200 or time.monotonic() - began > _SOON:  # noqa: PLR2004
                self._note(f'up to case {number}: {status} in peace after '
                           f'{time.monotonic() - began:.1f} s')
        lines = self._lines()
        for uuid in oracle.set_aside(lines):
            if uuid in self._reported:
                self._note(f'up to case {number}: {uuid} is set aside again')
            self._reported.add(uuid)
        # The first say enough: a trace has many.
        for line in oracle.judge_log(lines, self._secrets)[:3]:
            self._note(f'up to case {number}: in the log: {line[:500]}')
        with contextlib.closing(self._service.database()) as database:
            for fault in oracle.judge_database(database):
                self._note(f'up to case {number}: in the database: {fault}')

    def _lines(self) -> list[str]:
        """Whole lines that have come since the last look."""
        with self._service.lines.open('rb') as log:
            log.seek(self._read)
            data = log.read().rpartition(b'\n')[0]
        self._read += len(data) + bool(data)
        return data.decode(errors='replace').split('\n') if data else []


def exchange(port: int, data: bytes, dice: random.Random) -> bytes:
    """Send bytes and no more; returns all that comes back.

    Raises TimeoutError where the service neither answers nor closes.
    """
    with socket.create_connection(('127.0.0.1', port), _TIMEOUT) as client:
        if dice.random() < 0.03:  # noqa: PLR2004
            _leave(client, data)
            return b''
        deadline = time.monotonic() + _TIMEOUT
        came = []
        # The service may close before it has seen all of it.
        with contextlib.suppress(OSError):
            for part in _parts(data, dice):
                client.sendall(part)
            client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while part := client.recv(1 << 16):
                came.append(part)
                client.settimeout(max(0.01, deadline - time.monotonic()))
        return b''.join(came)


def _parts(data: bytes, dice: random.Random) -> Iterator[bytes]:
    """In one piece, or in some."""
    if dice.random() < 0.9 or len(data) < 4:  # noqa: PLR2004
        yield data
        return
    cut = sorted(dice.sample(range(len(data)), 3))
    for begin, end in zip((0, *cut), (*cut, len(data)), strict=True):
        yield data[begin:end]
        time.sleep(0.005)


def _leave(client: socket.socket, data: bytes) -> None:
    """Go away in the middle, at once."""
    with contextlib.suppress(ConnectionError):
        client.sendall(data[:len(data) // 2])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack('ii', 1, 0))


def _recorded(path: pathlib.Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def _about(instances: Iterable[str]) -> list[dict[str, Any]]:
    """Requests for these instances."""
    return [
        {'method': method, 'target': f'/v1/{route}/{uuid}{tail}',
         'type': 'application/json', 'body': base64.b64encode(body).decode()}
        for uuid in instances for route in ('instances', 'servers')
        for method, tail, body in (
            ('GET', '', b''), ('DELETE', '', b''),
            ('PUT', '/states/lock', b'{"lock": {"reason": "disk"}}'),
            ('PUT', '/states/unlock', b'{"unlock": null}'),
            ('PUT', '/states/power', b'{"target": "off"}'),
            ('PUT', '/states/provision', b'{"target": "rebuild"}'),
            ('GET', '/actions', b''))]


_SEEDS: Final[list[dict[str, Any]]] = [
    {'method': method, 'target': target, 'type': 'application/json',
     'body': base64.b64encode(body).decode()} for method, target, body in (
         ('GET', '/v1/instances', b''), ('GET', '/', b''),
         ('GET', '/v1/openapi.json', b''), ('GET', '/healthcheck', b''),
         ('POST', '/v1/flavors',
          b'{"name": "small", "resources": {"CUSTOM_FUZZ": 1}}'),
         ('POST', '/v1/instances',
          b'{"name": "web", "description": null, "metadata": {"rack": "7"}}'),
         ('PATCH', '/v1/flavors/5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10',
          b'[{"op": "replace", "path": "/name", "value": "large"}]'))]

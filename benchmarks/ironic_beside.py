# SPDX-License-Identifier: Apache-2.0
"""Requests of users beside Ironic's nearest: one client, which sends its
next request as soon as it has its answer, over 1,000 of each."""

import contextlib
import dataclasses
import itertools
import json
import pathlib
import statistics
from collections.abc import Iterator
from typing import Any, Final

from benchmarks import data, databases, ironic_server, requests, served
from benchmarks import service as configured
from benchmarks.requests import Request
from benchmarks.results import Result
from benchmarks.wire import Connection
from mogan.tests.ironic.server import Ironic

_DATABASE: Final = 'sqlite'
# Times as many as Ironic answers.
_GOALS: Final = {'GET one': 6, 'list of 1,000': 8, 'PUT lock': 17}
_TURNS: Final = {'GET one': 20, 'list of 1,000': 1, 'PUT lock': 10}
# Of their rounds; a list takes a second of Ironic's time.
_ROUNDS: Final = {'list of 1,000': 0.25}


@dataclasses.dataclass(frozen=True)
class IronicRequest(Request):
    """One of Ironic's, which lets everybody in."""

    def headers(self) -> dict[str, str]:
        """Return the headers of a client."""
        found = super().headers()
        del found['Authorization']
        return found | {'X-OpenStack-Ironic-API-Version': '1.56'}


def measure(directory: pathlib.Path, rounds: int) -> list[Result]:
    """Measure the ratio of the service's requests per second to Ironic's."""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(databases.made(_DATABASE, directory))
        data.fill(place, data.SMALL)
        config = configured.write(directory, place)
        port = stack.enter_context(served.running(
            served.SERVICE, place, config))
        ironic = stack.enter_context(ironic_server.running(
            data.SMALL, provision_state='active'))
        ours, its = (stack.enter_context(contextlib.closing(
            Connection(number))) for number in (port, ironic.port))
        return [_compare(name, (ours, mine), (its, theirs), rounds)
                for name, mine, theirs in _pairs(place, ironic)]


def _pairs(place: databases.Place, ironic: Ironic,
           ) -> Iterator[tuple[str, Iterator[Request], Iterator[Request]]]:
    nodes = [node['uuid'] for node in ironic.get(
        '/v1/nodes?provision_state=active&fields=uuid')['nodes']]
    own = data.uuids(place, project=data.PROJECTS[0])
    yield ('GET one', itertools.cycle(map(requests.show, own)),
           itertools.cycle(IronicRequest('GET', f'/v1/nodes/{uuid}')
                           for uuid in nodes))
    yield ('list of 1,000', itertools.repeat(requests.page(
        'limit=1000&all_tenants=true', configured.ADMIN)),
        itertools.repeat(IronicRequest('GET',
                                       '/v1/nodes/detail?limit=1000')))
    free = data.uuids(place, lockable=True)
    # Each is locked only once.
    yield 'PUT lock', map(requests.lock, free), map(_protect, nodes)


def _protect(uuid: str) -> Request:
    body: Any = [{'op': 'add', 'path': '/protected', 'value': True}]
    return IronicRequest('PATCH', f'/v1/nodes/{uuid}',
                         body=json.dumps(body).encode())


def _compare(name: str, ours: tuple[Connection, Iterator[Request]],
             its: tuple[Connection, Iterator[Request]],
             rounds: int) -> Result:
    turn = _TURNS[name]
    turns = [[statistics.median(
        connection.seconds(request)
        for request in itertools.islice(series, turn))
        for connection, series in (ours, its)]
        for _ in range(max(2, int(rounds * _ROUNDS.get(name, 1))) + 1)]
    # The first one warms up.
    mine, theirs = (statistics.median(column) * 1e3
                    for column in zip(*turns[1:], strict=True))
    return Result(f'{name}, times Ironic', _DATABASE, theirs / mine, '',
                  _GOALS[name], f'{theirs:.1f} / {mine:.2f} ms', least=True)

# SPDX-License-Identifier: Apache-2.0
"""The conditions that hold once all is mended, and their time limit."""

import contextlib
import dataclasses
import http
import time
from typing import Any, Final

import psycopg
import pymysql

from mogan.baremetal import driver
from mogan.baremetal.driver import Availability
from mogan.baremetal.simulated import inventory
from proof.rig import wire
from proof.rig.load import instances
from proof.rig.services import RESOURCE_CLASS, Deployment
from proof.rig.wire import Request
from proof.spec import POWERED

# Seconds after which nothing may be left.
WITHIN: Final = 30.0
_SETTLED: Final = frozenset({'locked', 'unlocked'})


@dataclasses.dataclass(frozen=True, slots=True)
class Settled:
    """The end of a run: the seconds until it came to rest, what was last, and
    what is still left after the time limit, in words."""

    seconds: float
    last: list[str]
    left: list[str]


def settle(deployment: Deployment, port: int,
           within: float = WITHIN) -> Settled:
    """Wait until nothing is left to do."""
    store = inventory.Inventory(deployment.inventory_path)
    began = time.monotonic()
    last: list[str] = []
    try:
        while True:
            left = _unsettled(deployment, port, store)
            took = time.monotonic() - began
            if not left or took > within:
                return Settled(took, last, left)
            last = left
            time.sleep(0.2)
    finally:
        store.close()


def _unsettled(deployment: Deployment, port: int,
               store: inventory.Inventory) -> list[str]:
    try:
        rows = instances(port)
        unfinished = deployment.database.run(
            'SELECT verb, instance_uuid, attempts, error FROM actions '
            'WHERE outcome IS NULL AND instance_uuid NOT IN (SELECT uuid '
            "FROM instances WHERE name = 'strange')")
        nodes = [node for node in store.nodes()
                 if node.resource_class == RESOURCE_CLASS]
    except (wire.Unreachable, driver.DriverError, pymysql.MySQLError,
            psycopg.Error, OSError) as error:
        return [f'something does not answer: {error!r}']
    if rows is None:
        return ['the API does not answer']
    return ([f'unfinished: {row}' for row in unfinished]
            + [f'in between: {_short(row)}' for row in rows
               if row['status'] not in POWERED
               or row['lock_state'] not in _SETTLED]
            + _mismatches(rows, nodes) or _deaf(deployment))


def _deaf(deployment: Deployment) -> list[str]:
    """Engines that no message reaches, and APIs that reach none."""
    broker = deployment.broker
    try:
        deaf = [f'no consumer on {queue}' for queue in deployment.queues
                if not broker.listeners(queue)]
    except OSError as error:
        return [f'the broker does not answer: {error!r}']
    for api in deployment.apis:
        answer = wire.NOTHING
        with wire.administrator(api.port) as connection, (
                contextlib.suppress(wire.Unreachable)):
            _, answer = connection.ask(Request('list', 'GET', '/v1/nodes'))
        if answer.status != http.HTTPStatus.OK:
            deaf.append(f'{api.name} has no answer of an engine: {answer}')
    return deaf


def _mismatches(rows: list[dict[str, Any]],
                nodes: list[driver.Node]) -> list[str]:
    """Return the places in which the hardware is not as the instances say."""
    wrong = []
    carriers = {node.instance_uuid: node for node in nodes
                if node.instance_uuid is not None}
    for row in rows:
        node = carriers.pop(row['uuid'], None)
        if row['node_uuid'] != (node and node.uuid):
            wrong.append(f'another node than the hardware says '
                         f'({node and node.uuid}): {_short(row)}')
        elif node and node.availability is Availability.ACTIVE and (
                node.protected != (row['lock_state'] == 'locked')):
            wrong.append(f'node protected={node.protected}: {_short(row)}')
    return wrong + [f'node {node.name} still carries {uuid}, '
                    f'{node.availability}' for uuid, node
                    in carriers.items()]


def _short(row: dict[str, Any]) -> str:
    return ' '.join(str(row[name]) for name in (
        'uuid', 'status', 'lock_state', 'node_uuid', 'node_protection',
        'fault'))

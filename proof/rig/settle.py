# SPDX-License-Identifier: Apache-2.0
"""What has to be true once all is mended, and how long it may take."""

import dataclasses
import time
from typing import Any, Final

import psycopg
import pymysql

from mogan.baremetal import driver, inventory
from mogan.baremetal.driver import Availability
from proof.rig import wire
from proof.rig.load import instances
from proof.rig.services import RESOURCE_CLASS, Deployment

# Seconds after which nothing may be left.
WITHIN: Final = 30.0
_RESTING: Final = frozenset({'active', 'stopped', 'error'})
_SETTLED: Final = frozenset({'locked', 'unlocked'})


@dataclasses.dataclass(frozen=True, slots=True)
class Settled:
    """How long it took, in seconds, what was the last to come to rest, and
    what is still left after the time, in words."""

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
            'WHERE outcome IS NULL')
        nodes = [node for node in store.nodes()
                 if node.resource_class == RESOURCE_CLASS]
    except (wire.Unreachable, driver.DriverError, pymysql.MySQLError,
            psycopg.Error, OSError) as error:
        return [f'something does not answer: {error!r}']
    if rows is None:
        return ['the API does not answer']
    return ([f'unfinished: {row}' for row in unfinished]
            + [f'in between: {_short(row)}' for row in rows
               if row['status'] not in _RESTING
               or row['lock_state'] not in _SETTLED]
            + _mismatches(rows, nodes))


def _mismatches(rows: list[dict[str, Any]],
                nodes: list[driver.Node]) -> list[str]:
    """Where the hardware is not as the instances say."""
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

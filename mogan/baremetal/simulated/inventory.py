# SPDX-License-Identifier: Apache-2.0
"""The nodes of the simulated hardware, and what has been done to them."""

import contextlib
import dataclasses
import datetime
import json
import os
import re
import sqlite3
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final

from mogan.baremetal import driver
from mogan.baremetal.simulated import faults, sqlite
from mogan.baremetal.simulated.transaction import (
    DUE,
    SCHEMA,
    Call,
    Transaction,
    in_traits,
    node_of,
)

# The names that placement takes for resource classes and traits.
_SYMBOL: Final = re.compile(r'[A-Z0-9_]{1,255}')
_NAME_LENGTH: Final = 255


class InventoryError(Exception):
    """The inventory refuses what its operator asked for."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal.

    `outcome`: 'effect', 'nothing', 'waiting' (a call that has yet to
    arrive) or 'refused:' and why.  `fault`: the mode of the fault that the
    call met.
    """

    id: int
    at: datetime.datetime
    call: str
    node_uuid: str | None
    instance_uuid: str | None
    fence: int | None
    outcome: str
    fault: str | None


class Inventory:
    """The file; every method is one transaction.

    `clock` tells seconds since the epoch, for all users of the file alike;
    no work lasts longer than `longest` seconds.
    Methods raise driver.Unavailable where the file cannot be used, and
    InventoryError for what an operator asks in vain.
    """

    def __init__(self, path: str | os.PathLike[str], *,
                 clock: Callable[[], float] = time.time,
                 timeout: float = 10.0,
                 longest: float = float('inf')) -> None:
        self._database = sqlite.Database(path, SCHEMA, timeout=timeout)
        self._clock = clock
        self._longest = longest

    def check(self) -> None:
        """See that the file can be written, or made; nothing is changed."""
        self._database.check()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Return a context with a transaction, atomic for check and effect."""
        with self._database.writing() as connection:
            yield Transaction(connection, self._clock(), longest=self._longest)

    def nodes(self, *, marker: str | None = None,
              limit: int = 1000) -> list[driver.Node]:
        """Return a page of all nodes, by uuid, after the node `marker`."""
        return self._read('SELECT * FROM nodes WHERE uuid > ? ORDER BY uuid'
                          ' LIMIT ?', marker or '', limit)

    def manageable(self, *, marker: str | None = None,
                   limit: int = 1000) -> list[driver.Node]:
        """Return a page of the nodes that can be adopted, by uuid,
        after the node `marker`."""
        return self._read(
            "SELECT * FROM nodes WHERE availability = 'active'"
            ' AND instance_uuid IS NULL AND maintenance = 0'
            ' AND protected = 0 AND uuid > ? ORDER BY uuid LIMIT ?',
            marker or '', limit)

    def look(self, uuids: Collection[str]) -> dict[str, driver.Node]:
        """Return the existing ones of these nodes, by uuid."""
        found = self._read('SELECT * FROM nodes WHERE uuid IN'
                           ' (SELECT value FROM json_each(?))',
                           json.dumps(list(uuids)))
        return {node.uuid: node for node in found}

    def find(self, instance_uuid: str) -> driver.Node | None:
        """Return the node that carries the instance."""
        found = self._read('SELECT * FROM nodes WHERE instance_uuid = ?',
                           instance_uuid)
        return found[0] if found else None

    def zones(self) -> list[str]:
        """Return the availability zones of the nodes."""
        with self._database.reading() as connection:
            return [zone for [zone] in connection.execute(
                'SELECT DISTINCT availability_zone FROM nodes'
                ' WHERE availability_zone IS NOT NULL ORDER BY 1')]

    def config_drive(self, node_uuid: str) -> dict[str, Any] | None:
        """Return the config drive of the node's instance."""
        with self._database.reading() as connection:
            for row in connection.execute(
                    'SELECT config_drive FROM nodes WHERE uuid = ?'
                    ' AND config_drive IS NOT NULL', (node_uuid,)):
                found: dict[str, Any] = json.loads(row['config_drive'])
                return found
        return None

    def named(self, name_or_uuid: str) -> driver.Node:
        """Return the node with this name or uuid."""
        found = self._read('SELECT * FROM nodes WHERE ? IN (uuid, name)',
                           name_or_uuid)
        if not found:
            raise InventoryError(f'there is no node {name_or_uuid}')
        return found[0]

    def seed(self, nodes: Iterable[driver.Node]) -> bool:
        """Add these nodes to an inventory that has none; tells whether it
        had none."""
        with self.transaction() as txn:
            [[known]] = txn.connection.execute(
                'SELECT EXISTS (SELECT 1 FROM nodes)')
            if not known:
                for node in nodes:
                    _insert(txn, node)
        return not known

    def add(self, node: driver.Node) -> None:
        """Add a node, which is free."""
        with self.transaction() as txn:
            _insert(txn, node)

    def remove(self, node_uuid: str) -> None:
        """Take away a node that carries no instance."""
        with self.transaction() as txn:
            gone = txn.connection.execute(
                'DELETE FROM nodes WHERE uuid = ? AND instance_uuid IS NULL',
                (node_uuid,)).rowcount
        if not gone:
            raise InventoryError(
                f'node {node_uuid} carries an instance, or is gone')

    def set_maintenance(self, node_uuid: str, maintenance: bool) -> None:
        """Keep new instances off the node, or let them on."""
        with self.transaction() as txn:
            _known(txn, node_uuid)
            txn.change(node_uuid, maintenance=maintenance)
            txn.record(Call('set', (node_uuid,)), 'effect')

    def set_zone(self, node_uuid: str, zone: str | None) -> None:
        """Move the node to another availability zone, or to none."""
        _check_name(zone)
        with self.transaction() as txn:
            _known(txn, node_uuid)
            txn.change(node_uuid, availability_zone=zone)
            txn.record(Call('set', (node_uuid,)), 'effect')

    def set_active(self, node_uuid: str, active: bool,
                   image_source: str | None = None) -> None:
        """Put a node that carries no instance into use past the service,
        or take it out again."""
        before, after, power = (
            ('available', 'active', 'power on') if active
            else ('active', 'available', 'power off'))
        with self.transaction() as txn:
            node = _known(txn, node_uuid)
            if node.instance_uuid is not None:
                raise InventoryError(f'node {node.name} carries the '
                                     f'instance {node.instance_uuid}')
            if node.availability not in {before, after}:
                raise InventoryError(f'node {node.name} is '
                                     f'{node.availability}, not {before}')
            txn.change(node_uuid, availability=after, power_state=power,
                       image_uuid=image_source, config_drive=None,
                       protected=False,
                       protected_reason=None)
            txn.record(Call('set', (node_uuid,)), 'effect')

    def set_protected(self, node_uuid: str, protected: bool,
                      reason: str | None = None) -> None:
        """Protect the node or not, past the engine and its numbers, like
        somebody who goes to the hardware management directly."""
        with self.transaction() as txn:
            node = _known(txn, node_uuid)
            if protected and node.availability != 'active':
                raise InventoryError(f'node {node.name} is '
                                     f'{node.availability}: only an active '
                                     f'one can be protected')
            txn.change(node_uuid, protected=protected,
                       protected_reason=reason if protected else None)
            txn.record(Call('set', (node_uuid,), node.instance_uuid or ''),
                       'effect')

    def add_fault(self, fault: faults.Fault) -> int:
        """Script a fault, after those that are there; returns its id."""
        with self.transaction() as txn:
            if fault.node_uuid is not None:
                _known(txn, fault.node_uuid)
            return faults.insert(txn.connection, fault)

    def list_faults(self) -> list[faults.Fault]:
        """Return the pending faults."""
        with self._database.reading() as connection:
            return faults.listed(connection)

    def clear_faults(self, fault_id: int | None = None) -> int:
        """Forget one fault, or all; returns how many."""
        with self.transaction() as txn:
            gone = faults.delete(txn.connection, fault_id)
        if fault_id is not None and not gone:
            raise InventoryError(f'there is no fault {fault_id}')
        return gone

    def fault(self, call: Call) -> faults.Fault | None:
        """Return the fault of the call, if one is injected."""
        with self._database.reading() as connection:
            return faults.match(connection, call.name, call.node_uuids,
                                call.instance_uuid)

    def journal(self, *, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Return the lines after the line `after`, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                'SELECT * FROM journal WHERE id > ? ORDER BY id LIMIT ?',
                (after, limit)).fetchall()
        return [Entry(**{**row, 'at': datetime.datetime.fromtimestamp(
            row['at'], datetime.UTC)}) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _read(self, query: str, *values: Any) -> list[driver.Node]:
        with self._database.reading() as connection:
            now = self._clock()
            due = connection.execute(DUE, {
                'now': now, 'latest': now + self._longest}).fetchone()
        if due:
            with self.transaction():
                pass
        with self._database.reading() as connection:
            return [node_of(row) for row in connection.execute(query, values)]


def default_nodes() -> list[driver.Node]:
    """Return the nodes of a new inventory: eight of two classes."""
    racks = (
        ('rack1', 'hall-1', 5, 'CUSTOM_BAREMETAL_SMALL',
         ('HW_CPU_X86_VMX',)),
        ('rack2', 'hall-2', 3, 'CUSTOM_BAREMETAL_LARGE',
         ('HW_CPU_X86_VMX', 'STORAGE_DISK_SSD')),
    )
    return [new_node(f'{rack}-node{number:02}', resource_class, traits, zone)
            for rack, zone, count, resource_class, traits in racks
            for number in range(1, count + 1)]


def new_node(name: str, resource_class: str,
             traits: Collection[str] = (),
             zone: str | None = None) -> driver.Node:
    """Return a node to be added.  Raises ValueError for a bad name, zone,
    class or trait."""
    _check_name(name)
    _check_name(zone)
    for symbol in (resource_class, *traits):
        if not _SYMBOL.fullmatch(symbol):
            raise ValueError(f'{symbol!r} is not a resource class or trait: '
                             f'1 to 255 of A-Z, 0-9 and _')
    return driver.Node(str(uuid.uuid4()), name, resource_class,
                       driver.Availability.AVAILABLE,
                       driver.PowerState.OFF, traits=tuple(sorted(traits)),
                       availability_zone=zone)


def _check_name(name: str | None) -> None:
    if name is not None and not (
            name.isprintable() and 1 <= len(name) <= _NAME_LENGTH
            and name == name.strip()):
        raise ValueError(f'{name!r} is not a name: 1 to {_NAME_LENGTH} '
                         f'printable characters, with no space around them')


def _insert(txn: Transaction, node: driver.Node) -> None:
    try:
        txn.connection.execute(
            'INSERT INTO nodes (uuid, name, resource_class, traits,'
            ' maintenance, availability_zone) VALUES (?, ?, ?, ?, ?, ?)',
            (node.uuid, node.name, node.resource_class,
             ''.join(map(in_traits, node.traits)), node.maintenance,
             node.availability_zone))
    except sqlite3.IntegrityError as error:
        raise InventoryError(f'there is a node {node.name} already'
                             ) from error


def _known(txn: Transaction, node_uuid: str) -> driver.Node:
    node = txn.node(node_uuid)
    if node is None:
        raise InventoryError(f'there is no node {node_uuid}')
    return node

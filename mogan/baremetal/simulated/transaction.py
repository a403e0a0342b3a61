# SPDX-License-Identifier: Apache-2.0
"""One transaction on the inventory of the simulated hardware.

Work under way is an `until` in the node's row.  Whoever comes by after that
time settles it, so that it goes on while no process runs.
"""

import dataclasses
import json
import sqlite3
from collections.abc import Collection
from typing import Any, Final

from mogan.baremetal import driver
from mogan.baremetal.simulated import faults, sqlite

SCHEMA: Final = sqlite.Schema(
    'an inventory of the simulated hardware', 0x4D4F4731, 2, (
        """
        CREATE TABLE nodes (
            uuid TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            resource_class TEXT NOT NULL,
            traits TEXT NOT NULL,
            maintenance INTEGER NOT NULL DEFAULT 0,
            availability TEXT NOT NULL DEFAULT 'available',
            power_state TEXT NOT NULL DEFAULT 'power off',
            power_target TEXT,
            until REAL,
            breaks TEXT,
            last_error TEXT,
            instance_uuid TEXT,
            display_name TEXT,
            image_uuid TEXT,
            protected INTEGER NOT NULL DEFAULT 0,
            protected_reason TEXT,
            availability_zone TEXT,
            config_drive TEXT
        ) WITHOUT ROWID""",
        """
        CREATE INDEX nodes_free ON nodes (resource_class, name)
            WHERE availability = 'available' AND instance_uuid IS NULL
              AND maintenance = 0""",
        # Partial, so that nobody seeks free nodes by it.
        """
        CREATE UNIQUE INDEX nodes_instance ON nodes (instance_uuid)
            WHERE instance_uuid IS NOT NULL""",
        'CREATE INDEX nodes_until ON nodes (until) WHERE until IS NOT NULL',
        # protection, power, sealed: see driver.py.  begun, work: the last
        # destructive call that took effect.
        """
        CREATE TABLE fences (
            instance_uuid TEXT NOT NULL PRIMARY KEY,
            protection INTEGER NOT NULL DEFAULT 0,
            power INTEGER NOT NULL DEFAULT 0,
            sealed INTEGER NOT NULL DEFAULT 0,
            begun INTEGER NOT NULL DEFAULT 0,
            work TEXT
        ) WITHOUT ROWID""",
        """
        CREATE TABLE journal (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            call TEXT NOT NULL,
            node_uuid TEXT,
            instance_uuid TEXT,
            fence INTEGER,
            outcome TEXT NOT NULL,
            fault TEXT
        )""",
        *faults.SCHEMA),
    {1: ('ALTER TABLE nodes ADD COLUMN availability_zone TEXT',
         'ALTER TABLE nodes ADD COLUMN config_drive TEXT')})

# In this order: the last one is for what the others have left.  A change of
# power that fails leaves the node as it was.
_SETTLE: Final = (
    """
    UPDATE nodes SET availability = CASE WHEN power_target IS NULL
            THEN 'failed' ELSE availability END,
        power_target = NULL, last_error = breaks, breaks = NULL, until = NULL
    WHERE (until <= :now OR until > :latest) AND breaks IS NOT NULL""",
    """
    UPDATE nodes SET availability = 'active', power_state = 'power on',
        until = NULL
    WHERE (until <= :now OR until > :latest)
      AND availability IN ('deploying', 'rebuilding')""",
    """
    UPDATE nodes SET availability = 'available', power_state = 'power off',
        until = NULL, instance_uuid = NULL, display_name = NULL,
        image_uuid = NULL, config_drive = NULL, protected = 0,
        protected_reason = NULL
    WHERE (until <= :now OR until > :latest)
      AND availability = 'undeploying'""",
    """
    UPDATE nodes SET power_target = NULL, until = NULL,
        power_state = CASE WHEN power_target IN ('off', 'soft_off')
            THEN 'power off' ELSE 'power on' END
    WHERE (until <= :now OR until > :latest)""",
)
# Spelled as in the index nodes_free, or it is not used.
_FREE: Final = """
    SELECT * FROM nodes
    WHERE resource_class = ? AND availability = 'available'
      AND instance_uuid IS NULL AND maintenance = 0
      AND coalesce(?, availability_zone) IS availability_zone
      AND NOT EXISTS (SELECT 1 FROM json_each(?)
                      WHERE instr(traits, value) = 0)
    ORDER BY name LIMIT 1"""
DUE: Final = ('SELECT 1 FROM nodes WHERE until <= :now OR until > :latest'
              ' LIMIT 1')

JOURNAL_KEPT: Final = 100_000
_PRUNED_EVERY: Final = 1_000


# Somebody may have written something else into the file.
_AVAILABILITIES: Final = {str(one): one for one in driver.Availability}
_POWER_STATES: Final = {str(one): one for one in driver.PowerState}
_POWER_TARGETS: Final = {str(one): one for one in driver.PowerTarget}


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A driver call, as it came in; numbers begin with 1."""

    name: str
    node_uuids: tuple[str, ...] = ()
    instance_uuid: str = ''
    fence: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Fences:
    """The numbers that one instance's calls are compared with."""

    protection: int = 0
    power: int = 0
    sealed: int = 0
    begun: int = 0
    work: str | None = None


class Transaction:
    """One transaction's view: nodes whose time has passed are settled.

    So are those whose work would last longer than `longest` seconds: the
    clock has gone back since it began.  `breaks`: the error that work which
    begins in it will end with.
    """

    def __init__(self, connection: sqlite3.Connection, now: float, *,
                 longest: float) -> None:
        self.connection = connection
        self.now = now
        self.breaks: str | None = None
        due = {'now': now, 'latest': now + longest}
        if connection.execute(DUE, due).fetchone():
            for statement in _SETTLE:
                connection.execute(statement, due)

    def node(self, node_uuid: str) -> driver.Node | None:
        """Return the node with this uuid."""
        return self._one('SELECT * FROM nodes WHERE uuid = ?', node_uuid)

    def carrier(self, instance_uuid: str) -> driver.Node | None:
        """Return the node that carries the instance."""
        return self._one('SELECT * FROM nodes WHERE instance_uuid = ?',
                         instance_uuid)

    def free(self, resource_class: str, traits: Collection[str],
             zone: str | None) -> driver.Node | None:
        """Return the first free node of the class with all the traits, in
        the zone if one is named."""
        return self._one(_FREE, resource_class, zone,
                         json.dumps(list(map(in_traits, traits))))

    def image(self, node_uuid: str) -> str | None:
        """Return the image that was last deployed on the node, or is being."""
        for row in self.connection.execute(
                'SELECT image_uuid FROM nodes WHERE uuid = ?', (node_uuid,)):
            return row['image_uuid']
        return None

    def change(self, node_uuid: str, **columns: Any) -> None:
        """Set these columns of the node."""
        names = ', '.join(f'{name} = ?' for name in columns)
        self.connection.execute(
            f'UPDATE nodes SET {names} WHERE uuid = ?',  # noqa: S608
            (*columns.values(), node_uuid))

    def fences(self, instance_uuid: str) -> Fences:
        """Return the numbers of the instance; zeros where it is unknown."""
        row = self.connection.execute(
            'SELECT protection, power, sealed, begun, work FROM fences'
            ' WHERE instance_uuid = ?', (instance_uuid,)).fetchone()
        return Fences() if row is None else Fences(**row)

    def raise_fences(self, instance_uuid: str, **columns: Any) -> None:
        """Set these columns of the instance's numbers."""
        self.connection.execute(
            'INSERT INTO fences (instance_uuid) VALUES (?)'
            ' ON CONFLICT DO NOTHING', (instance_uuid,))
        names = ', '.join(f'{name} = ?' for name in columns)
        self.connection.execute(
            f'UPDATE fences SET {names}'  # noqa: S608
            ' WHERE instance_uuid = ?',
            (*columns.values(), instance_uuid))

    def begin(self, call: Call) -> None:
        """Keep the call as the last destructive one that took effect."""
        self.raise_fences(call.instance_uuid, begun=call.fence,
                          work=call.name)

    def fault(self, call: Call) -> faults.Fault | None:
        """Return the fault of the call, if one is injected."""
        return faults.match(self.connection, call.name, call.node_uuids,
                            call.instance_uuid)

    def record(self, call: Call, outcome: str,
               fault: faults.Fault | None = None) -> None:
        """Write a line of the journal."""
        node_uuid = ' '.join(call.node_uuids) or None
        written = self.connection.execute(
            'INSERT INTO journal (at, call, node_uuid, instance_uuid, fence,'
            ' outcome, fault) VALUES (?, ?, ?, ?, ?, ?, ?)',
            (self.now, call.name, node_uuid, call.instance_uuid or None,
             call.fence or None, outcome, fault and fault.mode)).lastrowid
        if written and written % _PRUNED_EVERY == 0:
            self.connection.execute('DELETE FROM journal WHERE id <= ?',
                                    (written - JOURNAL_KEPT,))

    def _one(self, query: str, *values: str | None) -> driver.Node | None:
        row = self.connection.execute(query, values).fetchone()
        return None if row is None else node_of(row)


def in_traits(trait: str) -> str:
    """Return the trait as the column has it, with a space on both sides."""
    return f' {trait} '


def node_of(row: sqlite3.Row) -> driver.Node:
    """Return the node of a row of the table."""
    target = row['power_target']
    return driver.Node(
        row['uuid'], row['name'], row['resource_class'],
        _AVAILABILITIES.get(row['availability'],
                            driver.Availability.UNAVAILABLE),
        _POWER_STATES.get(row['power_state']),
        # One that is not known is a change all the same.
        _POWER_TARGETS.get(target, driver.PowerTarget.REBOOT)
        if target else None,
        row['instance_uuid'], bool(row['protected']),
        row['protected_reason'], tuple(row['traits'].split()),
        bool(row['maintenance']), row['last_error'],
        row['availability_zone'], row['image_uuid'])

# SPDX-License-Identifier: Apache-2.0
"""Scripted faults of the simulated hardware."""

import dataclasses
import enum
import json
import math
import sqlite3
from collections.abc import Collection
from typing import Final

from mogan.baremetal.driver import Driver

CALLS: Final = Driver.__abstractmethods__ - {'from_conf'}
READS: Final = frozenset({'nodes', 'zones', 'manageable', 'look', 'find'})
EFFECTS: Final = CALLS - READS
# Work that goes on after the call has been answered.
WORKS: Final = frozenset({'deploy', 'rebuild', 'undeploy', 'power'})

# The calls that name no node, or no instance, so that a fault for one
# cannot meet them.
_NODELESS: Final = frozenset({'nodes', 'zones', 'manageable', 'find',
                              'claim', 'seal'})
_INSTANCELESS: Final = frozenset({'nodes', 'zones', 'manageable', 'look'})
_LONGEST: Final = 86400.0


class Mode(enum.StrEnum):
    """The effect of a fault on the call."""

    FAIL = 'fail'
    UNAVAILABLE = 'unavailable'
    BUSY = 'busy'
    TIMEOUT = 'timeout'
    LOST = 'lost'
    HANG = 'hang'
    BREAK = 'break'


MEANING: Final = {
    Mode.FAIL: 'the call is refused',
    Mode.UNAVAILABLE: 'the hardware management cannot be reached',
    Mode.BUSY: 'the node is busy',
    Mode.TIMEOUT: 'the call is lost, and no answer comes',
    Mode.LOST: 'the call takes effect, and its answer is lost',
    Mode.HANG: 'the call arrives late',
    Mode.BREAK: 'the call is accepted, and its work fails',
}
MEETS: Final = dict.fromkeys(Mode, CALLS) | {
    Mode.BUSY: EFFECTS,
    Mode.LOST: EFFECTS,
    Mode.BREAK: WORKS,
}
WAITS: Final = frozenset({Mode.TIMEOUT, Mode.LOST, Mode.HANG})
# The call is carried out under these; the others keep it from arriving, or
# from arriving now.
THROUGH: Final = frozenset({Mode.LOST, Mode.BREAK})

SCHEMA: Final = ("""
    CREATE TABLE faults (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        mode TEXT NOT NULL,
        call TEXT,
        node_uuid TEXT,
        instance_uuid TEXT,
        times INTEGER CHECK (times > 0),
        seconds REAL NOT NULL,
        message TEXT
    )""",)


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One script: which calls it meets, how often, and what happens then.

    `call`, `node_uuid` and `instance_uuid` are None for any, `times` for
    ever.  `seconds` is how long the call waits.  Raises ValueError for what
    makes no sense.
    """

    mode: Mode
    call: str | None = None
    node_uuid: str | None = None
    instance_uuid: str | None = None
    times: int | None = 1
    seconds: float = 0.0
    message: str | None = None
    id: int | None = None

    def __post_init__(self) -> None:
        if self.mode not in list(Mode):
            raise ValueError(f'{self.mode!r} is not one of the modes '
                             f'{_listed(list(Mode))}')
        object.__setattr__(self, 'mode', Mode(self.mode))
        self._check_call()
        if self.times is not None and self.times < 1:
            raise ValueError(f'times: {self.times!r} is not a number of '
                             f'times from 1 on')
        self._check_seconds()

    def _check_call(self) -> None:
        if self.call is None:
            return
        if self.call not in CALLS:
            raise ValueError(f'{self.call!r} is not one of the calls '
                             f'{_listed(CALLS)}')
        if self.call not in MEETS[self.mode]:
            raise ValueError(f'mode {self.mode}: possible for '
                             f'{_listed(MEETS[self.mode])}, not for '
                             f'{self.call}')
        if self.node_uuid is not None and self.call in _NODELESS:
            raise ValueError(f'{self.call} names no node, so a fault of '
                             f'one node never meets it')
        if self.instance_uuid is not None and self.call in _INSTANCELESS:
            raise ValueError(f'{self.call} names no instance, so a fault '
                             f'of one instance never meets it')

    def _check_seconds(self) -> None:
        if not (math.isfinite(self.seconds)
                and 0 <= self.seconds <= _LONGEST):
            raise ValueError(f'seconds: {self.seconds!r} is not between 0 '
                             f'and {_LONGEST:g}')
        if self.seconds and self.mode not in WAITS:
            raise ValueError(f'mode {self.mode} does not wait: seconds are '
                             f'for {_listed(WAITS)}')
        if self.mode is Mode.HANG and not self.seconds:
            raise ValueError('mode hang needs seconds')


def insert(connection: sqlite3.Connection, fault: Fault) -> int:
    """Add the fault after the others; returns its id."""
    [[added]] = connection.execute(
        'INSERT INTO faults (mode, call, node_uuid, instance_uuid, times,'
        ' seconds, message) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id',
        (fault.mode, fault.call, fault.node_uuid, fault.instance_uuid,
         fault.times, fault.seconds, fault.message))
    return int(added)


def listed(connection: sqlite3.Connection) -> list[Fault]:
    """Return the faults that are still to come, in their order."""
    return [Fault(**row)
            for row in connection.execute('SELECT * FROM faults ORDER BY id')]


def match(connection: sqlite3.Connection, call: str,
          node_uuids: Collection[str],
          instance_uuid: str) -> Fault | None:
    """Return the first fault that meets the call."""
    row = connection.execute(
        'SELECT * FROM faults WHERE coalesce(call, :call) = :call'
        ' AND (node_uuid IS NULL OR node_uuid IN'
        '      (SELECT value FROM json_each(:nodes)))'
        ' AND (instance_uuid IS NULL OR instance_uuid = :instance)'
        ' AND mode IN (SELECT value FROM json_each(:modes))'
        ' ORDER BY id LIMIT 1',
        {'call': call, 'nodes': json.dumps(list(node_uuids)),
         'instance': instance_uuid,
         'modes': json.dumps([mode for mode in Mode
                              if call in MEETS[mode]])}).fetchone()
    return None if row is None else Fault(**row)


def spend(connection: sqlite3.Connection, fault: Fault) -> None:
    """Count one time off the fault; the last takes it off the list."""
    connection.execute('DELETE FROM faults WHERE id = ? AND times = 1',
                       (fault.id,))
    connection.execute('UPDATE faults SET times = times - 1 WHERE id = ?',
                       (fault.id,))


def delete(connection: sqlite3.Connection, fault_id: int | None) -> int:
    """Forget one fault, or all for None; returns how many."""
    return connection.execute(
        'DELETE FROM faults WHERE id = coalesce(?, id)',
        (fault_id,)).rowcount


def _listed(words: Collection[str]) -> str:
    return ', '.join(sorted(words))

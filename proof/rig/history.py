# SPDX-License-Identifier: Apache-2.0
"""The history of a run: requests, answers and their times.

All times are seconds on this host's monotonic clock.
"""

import collections
import dataclasses
import json
import math
import pathlib
import threading
from collections.abc import Iterable
from typing import Final, TypeVar

# An answer that says nothing: the request may have been accepted, or may be
# yet.
UNKNOWN: Final = 'unknown'
DONE: Final = 'done'
LOCKED: Final = 'locked'
GONE: Final = 'gone'
# An answer that no request may ever get begins with this.
ODD: Final = 'odd'
NEVER: Final = math.inf

LOCK: Final = 'lock'
UNLOCK: Final = 'unlock'
DELETE: Final = 'delete'
REBUILD: Final = 'rebuild'
CREATE: Final = 'create'
READ: Final = 'read'
# The target of a power request follows.
POWER: Final = 'power'


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """One request about one instance.

    `answer`: DONE (2xx), LOCKED (409, a lock is in the way), GONE (404),
    'state:<status>' and 'no-node:<status>' (409), 'saw:<status>:<lock
    state>' (a read), UNKNOWN, or ODD and what came.  `answered` is NEVER
    for UNKNOWN.  `operator`: the caller may operate locked instances.
    """

    kind: str
    instance: str
    sent: float
    answered: float
    answer: str
    user: str = 'admin'
    operator: bool = True
    request_id: str | None = None

    def __str__(self) -> str:
        until = ('...' if self.answered == NEVER
                 else f'{self.answered:.4f}')
        return (f'{self.sent:.4f} - {until}  {self.user}: {self.kind} -> '
                f'{self.answer}')


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A line of the hardware's journal.

    The call took effect (where `outcome` is 'effect') between `at` and
    `before`: lines are written one after the other, each in the
    transaction of its effect.
    """

    id: int
    at: float
    before: float
    call: str
    node: str | None
    instance: str | None
    fence: int | None
    outcome: str
    fault: str | None = None

    def __str__(self) -> str:
        return (f'{self.at:.4f} - {self.before:.4f}  hardware: {self.call} '
                f'with number {self.fence} -> {self.outcome}')


@dataclasses.dataclass(frozen=True, slots=True)
class Split:
    """From when to when there were two primaries, or one and what had been
    one."""

    began: float
    ended: float


T = TypeVar('T', Operation, Entry)


class History:
    """All operations of a run; safe to share between threads."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        self._lock = threading.Lock()
        self._operations = list(operations)

    def add(self, operation: Operation) -> None:
        """Keep one."""
        with self._lock:
            self._operations.append(operation)

    def __len__(self) -> int:
        return len(self._operations)

    def all(self) -> list[Operation]:
        """Return the records so far, in no order."""
        with self._lock:
            return list(self._operations)


def by_instance(operations: Iterable[Operation],
                ) -> dict[str, list[Operation]]:
    """Operations by their instance, without those that have none."""
    found: dict[str, list[Operation]] = collections.defaultdict(list)
    for operation in operations:
        if operation.instance:
            found[operation.instance].append(operation)
    return dict(found)


def save(path: pathlib.Path,
         lines: Iterable[Operation] | Iterable[Entry]) -> None:
    """Write operations or entries, one JSON object a line."""
    with path.open('w', encoding='utf-8') as file:
        for line in lines:
            print(json.dumps(dataclasses.asdict(line)), file=file)


def load(path: pathlib.Path, kind: type[T]) -> list[T]:
    """Read back what `save` wrote: operations or entries."""
    with path.open(encoding='utf-8') as file:
        return [kind(**json.loads(line)) for line in file]

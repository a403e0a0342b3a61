# SPDX-License-Identifier: Apache-2.0
"""What a look at an action can come to."""

import dataclasses
import datetime
from typing import Any

from mogan import states


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """It has ended in this state (none: the instance is gone); `values` go
    into the row with it, and an error as a fault."""

    end: states.State | None
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    error: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Failed:
    """It has ended in this state, not as it was asked to."""

    end: states.State
    error: str
    values: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Again:
    """It needs another look in so many seconds.

    `started`: the driver has begun with it, so that the next look does not
    begin anew.  `error`: what stands in the way, shown as a fault.
    `working`: nothing does, so that what is shown of this action goes.
    """

    seconds: float
    started: bool = False
    error: str | None = None
    working: bool = False


Result = Done | Failed | Again


def fault_of(cause: str, message: str,
             at: datetime.datetime) -> dict[str, str]:
    """A fault as the row keeps it; `cause` is the verb whose work met it,
    or what else did."""
    return {'cause': cause, 'message': message,
            'created_at': f'{at.isoformat("T", "microseconds")}Z'}

# SPDX-License-Identifier: Apache-2.0
"""The results of an action's step."""

import dataclasses
import datetime
from typing import Any

from mogan import states, timestamps


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """The action has ended in this state (None: the instance is gone).

    `values` go into the row with it, and an error as a fault.
    """

    end: states.State | None
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    error: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Failed:
    """The action has failed, and ended in this state."""

    end: states.State
    error: str
    values: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Again:
    """The action is to be polled again in `seconds`.

    `started`: the driver has begun with it, so that the next step does not
    begin again.  `error`: what stands in the way, shown as a fault.
    `working`: nothing does, so that what is shown of this action goes.
    """

    seconds: float
    started: bool = False
    error: str | None = None
    working: bool = False


Result = Done | Failed | Again


def fault_of(cause: str, message: str,
             at: datetime.datetime) -> dict[str, str]:
    """Return a fault as the row keeps it; `cause` is the verb whose work met
    it, or what else did."""
    return {'cause': cause, 'message': message,
            'created_at': timestamps.show(at)}

# SPDX-License-Identifier: Apache-2.0
"""The steps of each verb: functions of what is true now, run until they
return that it is done."""

from collections.abc import Callable, Mapping
from typing import Final

from mogan import states
from mogan.engine.actions import (
    adopt,
    create,
    delete,
    lock,
    power,
    rebuild,
    unlock,
)
from mogan.engine.results import Result
from mogan.engine.task import Task

STEPS: Final[Mapping[states.Verb, Callable[[Task], Result]]] = {
    states.Verb.CREATE: create.step,
    states.Verb.ADOPT: adopt.step,
    states.Verb.DELETE: delete.step,
    states.Verb.REBUILD: rebuild.step,
    states.Verb.LOCK: lock.step,
    states.Verb.UNLOCK: unlock.step,
} | dict.fromkeys(states.POWER, power.step)

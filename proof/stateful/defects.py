# SPDX-License-Identifier: Apache-2.0
"""Defects that are put into the product in memory, to see that the run finds
each of them: a proof that cannot fail proves nothing."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Final
from unittest import mock

import sqlalchemy as sa

from mogan import states
from mogan.baremetal.protection import Protection
from mogan.baremetal.simulated import preconditions
from mogan.db import actions, claims, instances, models
from mogan.db.core.retry import retried
from mogan.engine.actions import STEPS
from mogan.engine.drift.protection import ProtectionRepair
from mogan.engine.drift.status import StatusSync
from mogan.engine.lease import LeasedDriver
from mogan.engine.results import Failed
from mogan.engine.task import Task

I = models.instances  # noqa: E741 - as in the code that is broken here

Defect = Callable[[], contextlib.AbstractContextManager[Any]]


def _arrows(verb: states.Verb, **changes: Any) -> Any:
    return mock.patch.dict(states.ARROWS, {verb: tuple(
        dataclasses.replace(arrow, **changes)
        for arrow in states.ARROWS[verb])})


def _delete_ignores_the_lock() -> Any:
    return _arrows(states.Verb.DELETE, lock_states=states.EVERY_LOCK_STATE)


def _lock_ignores_the_status() -> Any:
    return _arrows(states.Verb.LOCK, statuses=states.EVERY_STATUS)


def _power_ignores_the_lock() -> Any:
    return _arrows(states.Verb.REBOOT, lock_states=states.EVERY_LOCK_STATE)


def _late_outcome_counts() -> Any:
    """Let a superseded action still end."""
    @retried
    def finish(db: Any, claim: Any, action: Any, end: Any, values: Any, *,
               failure: str | None, release: bool) -> bool:
        column = states.column_of(states.Verb(action.verb))
        settled = values | {column.value: end.value if end else 'deleting'}
        with db.writer() as connection:
            connection.execute(sa.update(I).where(*claims.mine(claim)).values(
                settled))
        return _finish(db, claim, action, end, values, failure=failure,
                       release=release)

    _finish = instances.finish
    return mock.patch.object(instances, 'finish', finish)


def _delete_gives_up() -> Any:
    step = STEPS[states.Verb.DELETE]

    def give_up(task: Task) -> Any:
        if task.action.attempts:
            return Failed(states.Status.ERROR, 'it did not work')
        return step(task)

    @contextlib.contextmanager
    def injected() -> Iterator[None]:
        with mock.patch.dict(STEPS, {states.Verb.DELETE: give_up}), (
                mock.patch.dict(states.ENDS, {
                    states.Status.DELETING: frozenset(
                        {states.GONE, states.Status.ERROR})})):
            yield
    return injected()


def _rebuild_gives_up() -> Any:
    """Also while its node is at it."""
    step = STEPS[states.Verb.REBUILD]

    def give_up(task: Task) -> Any:
        if task.overdue:
            task.driver.seal()
            return Failed(states.Status.ERROR, task.too_long)
        return step(task)

    return mock.patch.dict(STEPS, {states.Verb.REBUILD: give_up})


def _nothing_is_sealed() -> Any:
    return mock.patch.object(LeasedDriver, 'seal', lambda _: None)


def _any_protection_counts() -> Any:
    """Accept an older protect."""
    return mock.patch.object(preconditions, 'protectable',
                             preconditions.carrying)


def _every_protection_is_ours() -> Any:
    return mock.patch.object(Protection, 'owns', lambda *_: True)


def _superseded_goes_on() -> Any:
    return mock.patch.object(actions, 'supersede', lambda *_: None)


def _refusals_are_not_kept() -> Any:
    return mock.patch.object(actions, 'record_refusal', lambda *_: None)


def _unfinished_is_not_sought() -> Any:
    return mock.patch.object(actions, 'due', lambda *_: [])


def _drift_stays() -> Any:
    return mock.patch.object(ProtectionRepair, 'repair', lambda *_: False)


def _rows_do_not_follow() -> Any:
    return mock.patch.object(StatusSync, 'follow', lambda *_: False)


DEFECTS: Final[dict[str, Defect]] = {
    'a delete does not check the lock': _delete_ignores_the_lock,
    'a lock does not check the status': _lock_ignores_the_status,
    'a reboot does not check the lock': _power_ignores_the_lock,
    'the outcome of a superseded action is written': _late_outcome_counts,
    'a delete gives up': _delete_gives_up,
    'a rebuild gives up while its node is at it': _rebuild_gives_up,
    'a late call is not fenced off': _nothing_is_sealed,
    'a late protect is not fenced off': _any_protection_counts,
    'a protection of somebody else is taken off': _every_protection_is_ours,
    'what was superseded goes on': _superseded_goes_on,
    'a refusal leaves no record': _refusals_are_not_kept,
    'work whose message was lost is not found': _unfinished_is_not_sought,
    'drift is not repaired': _drift_stays,
    'rows do not follow their nodes': _rows_do_not_follow,
}

# SPDX-License-Identifier: Apache-2.0
"""Carries out what an instance's row asks for, under its claim.

The one place that writes an action's outcome.
"""

import dataclasses
from typing import Any

from oslo_log import log

from mogan import exception, states
from mogan.baremetal import driver
from mogan.db import actions, claims, instances
from mogan.db.engine import Database
from mogan.engine.actions import STEPS
from mogan.engine.observer import Observer
from mogan.engine.results import Again, Done, Failed, Result, fault_of
from mogan.engine.task import ClaimLost, Limits, Task

LOG = log.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Worker:
    """Looks at one instance at a time; `name` is unique to this process.

    Safe to share between threads.
    """

    db: Database
    driver: driver.Driver
    name: str
    limits: Limits
    observer: Observer = dataclasses.field(default_factory=Observer)

    def look(self, uuid: str) -> float | None:
        """Do what is due for an instance.

        Returns the seconds after which it wants another look, None where
        nothing is known to be left.
        """
        waits: list[float] = []
        # Again after each turn: for a request that came meanwhile, and whose
        # message found the instance taken.
        while actions.pending(self.db, uuid):
            work = claims.take(self.db, uuid, self.name,
                               self.driver.timing.lease)
            if work is None:
                break
            try:
                waits += self._carry_out(work)
            except (ClaimLost, driver.OutcomeUnknown,
                    exception.DatabaseUnavailable) as error:
                # Whoever claims it next asks the node what became of it.
                self.observer.claim_lost(type(error).__name__)
                LOG.warning('Leaving the instance %s until its claim has '
                            'run out: %s %s', uuid, type(error).__name__,
                            error)
                return max(work.claim.left(), 0) + 0.05
        return min(waits, default=None)

    def _carry_out(self, work: claims.Work) -> list[float]:
        """Do the actions that are due, and let go of the claim; returns
        the seconds after which they want another look."""
        retries: list[claims.Retry] = []
        due = [action for action in work.actions if action.due]
        for position, action in enumerate(due, 1):
            result = self._step(work, action)
            LOG.debug('%s of %s: %s', action.verb, work.row.uuid, result)
            if isinstance(result, Again):
                retries.append(claims.Retry(
                    action.uuid, result.seconds, result.started,
                    result.error, _shown(work.row, action, result)))
                continue
            last = position == len(due) and not retries
            if self._finish(work, action, result, release=last) and last:
                return []
        claims.release(self.db, work.claim, retries)
        return [retry.seconds for retry in retries]

    def _step(self, work: claims.Work, action: Any) -> Result:
        task = Task(self.db, self.driver, work.claim, work.row, action,
                    self.limits)
        try:
            return STEPS[task.verb](task)
        except driver.OutcomeUnknown as error:
            # Told at once: until the claim has run out nobody goes on.
            claims.record(self.db, work.claim, action,
                          _fault(action, str(error)), str(error))
            raise
        except driver.NodeBusy as error:
            return task.wait_for_node(str(error))
        except driver.Definite as error:
            LOG.warning('The %s of the instance %s has to wait: %s',
                        action.verb, work.row.uuid, error)
            return task.back_off(str(error))

    def _finish(self, work: claims.Work, action: Any,
                result: Done | Failed, *, release: bool) -> bool:
        failure = result.error if isinstance(result, Failed) else None
        written = instances.finish(
            self.db, work.claim, action, result.end,
            result.values | _fault(action, result.error), failure=failure,
            release=release)
        if written:
            self.observer.ended(
                action.verb, 'failed' if failure else 'done',
                (action.now - action.created_at).total_seconds())
            LOG.info('The %s of the instance %s for the request %s has '
                     'ended: %s', action.verb, work.row.uuid,
                     action.request_id, failure or 'done')
        else:
            LOG.info('The %s of the instance %s has been superseded',
                     action.verb, work.row.uuid)
        return written


def _shown(row: Any, action: Any, result: Again) -> dict[str, Any]:
    """What a look makes of the fault that the row shows."""
    fault = getattr(row, _column(action))
    over = result.working and fault and fault['cause'] == action.verb
    return _fault(action, result.error) if result.error or over else {}


def _fault(action: Any, error: str | None) -> dict[str, Any]:
    """What an error, or none, makes of it."""
    return {_column(action): fault_of(action.verb, error, action.now)
            if error else None}


def _column(action: Any) -> str:
    column = states.column_of(states.Verb(action.verb))
    return 'fault' if column is states.Column.STATUS else 'lock_fault'

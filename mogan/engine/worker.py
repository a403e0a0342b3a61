# SPDX-License-Identifier: Apache-2.0
"""The worker, which processes an instance's actions under its claim.

The one place that writes an action's outcome.
"""

import dataclasses
import logging
from typing import Any

from oslo_log import log

from mogan import exception, states
from mogan.baremetal import driver
from mogan.db import actions, claims, domains, instances, rows
from mogan.db.core.engine import Database
from mogan.engine.actions import STEPS
from mogan.engine.lease import ClaimLost
from mogan.engine.observer import Observer
from mogan.engine.quarantine import Quarantine
from mogan.engine.results import Again, Done, Failed, Result, fault_of
from mogan.engine.task import Limits, Task

LOG = log.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Worker:
    """A worker for one instance at a time; `name` is unique to this process.

    Safe to share between threads.
    """

    db: Database
    driver: driver.Driver
    name: str
    limits: Limits
    observer: Observer = dataclasses.field(default_factory=Observer)
    quarantine: Quarantine = dataclasses.field(default_factory=Quarantine)
    watch: claims.Watch = dataclasses.field(default_factory=claims.Watch)

    def process(self, uuid: str) -> float | None:
        """Do what is due for an instance.

        Returns the seconds to the next poll, None where nothing is known to
        be left.
        """
        waits: list[float] = []
        timing = self.driver.timing
        # Again after each claim: for a request that came meanwhile, and whose
        # message found the instance claimed.
        while actions.pending(self.db, uuid):
            work = claims.take(self.db, uuid, self.name, timing.lease,
                               watch=self.watch, skew=timing.skew)
            if work is None:
                break
            try:
                waits += self._carry_out(work)
            except (ClaimLost, driver.OutcomeUnknown,
                    exception.DatabaseUnavailable) as error:
                # Whoever claims it next asks the node what became of it.
                self.observer.claim_lost(type(error).__name__)
                LOG.warning('Instance %s is left alone until its claim '
                            'expires: %s %s', uuid, type(error).__name__,
                            error)
                return max(work.claim.left(), 0) + 0.05
        return min(waits, default=None)

    def _carry_out(self, work: claims.Work) -> list[float]:
        """Do the actions that are due, and release the claim; returns the
        seconds to the next poll of each."""
        retries: list[claims.Retry] = []
        due = [action for action in work.actions if action.due]
        for position, action in enumerate(due, 1):
            unknown = (domains.unknown(work.row)
                       or domains.unknown_action(action))
            if unknown is not None:
                self.quarantine.add(unknown)
                retries.append(claims.Retry(action.uuid,
                                            actions.LONGEST_WAIT))
                continue
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

    def _step(self, work: claims.Work, action: rows.ClaimedAction) -> Result:
        task = Task(self.db, self.driver, work.claim, work.row, action,
                    self.limits)
        try:
            return STEPS[task.verb](task)
        except driver.OutcomeUnknown as error:
            # Shown at once: until the claim has run out nobody goes on.
            claims.record(self.db, work.claim, action,
                          _fault(action, str(error)), str(error))
            raise
        except driver.NodeBusy as error:
            return task.wait_for_node(str(error))
        except driver.Definite as error:
            LOG.warning('The %s of instance %s has to wait: %s',
                        action.verb, work.row.uuid, error)
            return task.back_off(str(error))

    def _finish(self, work: claims.Work, action: rows.ClaimedAction,
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
            outcome = failure or 'done'
            if result.error and not failure:
                outcome = f'done, but {result.error}'
            LOG.log(logging.WARNING if result.error else logging.INFO,
                    'The %s of instance %s for the request %s has '
                    'ended: %s', action.verb, work.row.uuid,
                    action.request_id, outcome)
        else:
            LOG.info('The %s of instance %s has been superseded',
                     action.verb, work.row.uuid)
        return written


def _shown(row: rows.Instance, action: rows.ClaimedAction,
           result: Again) -> dict[str, Any]:
    """Return the change that a poll makes to the fault shown."""
    fault = getattr(row, _column(action))
    over = (result.working and isinstance(fault, dict)
            and fault.get('cause') == action.verb)
    return _fault(action, result.error) if result.error or over else {}


def _fault(action: rows.ClaimedAction, error: str | None) -> dict[str, Any]:
    """Return the column of the fault for an error, or for none."""
    return {_column(action): fault_of(action.verb, error, action.now)
            if error else None}


def _column(action: rows.ClaimedAction) -> str:
    column = states.column_of(states.Verb(action.verb))
    return 'fault' if column is states.Column.STATUS else 'lock_fault'

# SPDX-License-Identifier: Apache-2.0
"""What is counted as it happens."""

import functools
import time
from typing import Any, Final

from prometheus_client import Counter, Histogram

from mogan.baremetal import driver
from mogan.engine.observer import Observer

_QUICK: Final = (.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10)
_SLOW: Final = (.1, .5, 1, 5, 15, 60, 300, 900, 1800, 3600)
_CALLS: Final = (.005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30, 60)

REQUESTS: Final = Histogram(
    'mogan_request_seconds', 'Requests to the API, and how long they took.',
    ['method', 'route', 'status'], buckets=_QUICK)
REFUSALS: Final = Counter(
    'mogan_lock_refusals', 'Requests refused because of a lock.',
    ['method', 'route'])
ACTIONS: Final = Histogram(
    'mogan_action_seconds', 'Actions that have ended, and how long after '
    'their requests.', ['verb', 'outcome'], buckets=_SLOW)
CLAIMS_LOST: Final = Counter(
    'mogan_claims_lost', 'Claims that ended before the work under them, or '
    'were let run out because an outcome is unknown.', ['reason'])
CALLS: Final = Histogram(
    'mogan_driver_call_seconds', 'Calls of the driver, and how long they '
    'took.', ['call', 'outcome'], buckets=_CALLS)

ALL: Final = (REQUESTS, REFUSALS, ACTIONS, CLAIMS_LOST, CALLS)


class EngineObserver(Observer):
    """Counts what it hears."""

    def ended(self, verb: str, outcome: str, seconds: float) -> None:
        ACTIONS.labels(verb, outcome).observe(max(seconds, 0))

    def claim_lost(self, reason: str) -> None:
        CLAIMS_LOST.labels(reason).inc()


def watch(hardware: driver.Driver) -> None:
    """Count the calls of a driver."""
    for name in driver.Driver.__abstractmethods__ - {'from_conf'}:
        setattr(hardware, name, _timed(name, getattr(hardware, name)))


def _timed(name: str, method: Any) -> Any:
    @functools.wraps(method)
    def call(*arguments: Any, **options: Any) -> Any:
        began, outcome = time.perf_counter(), 'done'
        try:
            return method(*arguments, **options)
        except driver.Definite as error:
            outcome = type(error).__name__
            raise
        except BaseException:
            outcome = 'unknown'
            raise
        finally:
            CALLS.labels(name, outcome).observe(time.perf_counter() - began)
    return call

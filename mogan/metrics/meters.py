# SPDX-License-Identifier: Apache-2.0
"""Metrics that are counted as events happen."""

import functools
import time
from typing import Any, Final

from prometheus_client import Counter, Gauge, Histogram

from mogan.baremetal import driver
from mogan.engine.observer import Observer

_QUICK: Final = (.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10)
_SLOW: Final = (.1, .5, 1, 5, 15, 60, 300, 900, 1800, 3600)
_CALLS: Final = (.005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30, 60)

REQUESTS: Final = Histogram(
    'mogan_request_seconds', 'Duration of API requests.',
    ['method', 'route', 'status'], buckets=_QUICK)
REFUSALS: Final = Counter(
    'mogan_lock_refusals', 'Requests that were refused because of a lock.',
    ['method', 'route'])
ACTIONS: Final = Histogram(
    'mogan_action_seconds', 'Time from the request to the end of actions.',
    ['verb', 'outcome'], buckets=_SLOW)
CLAIMS_LOST: Final = Counter(
    'mogan_claims_lost', 'Claims that expired before the work under them was '
    'done, or because its outcome is unknown.', ['reason'])
SET_ASIDE: Final = Counter(
    'mogan_rows_set_aside', 'Rows that an engine set aside, each once, by '
    'the column with the unknown value, or for an error.', ['column'])
CALLS: Final = Histogram(
    'mogan_driver_call_seconds', 'Duration of driver calls.',
    ['call', 'outcome'], buckets=_CALLS)
DEAF: Final = Gauge(
    'mogan_engine_deaf', 'Whether an engine cannot receive messages from the '
    'broker, and finds its work by polling only.',
    multiprocess_mode='livemax')

ALL: Final = (REQUESTS, REFUSALS, ACTIONS, CLAIMS_LOST, SET_ASIDE, CALLS,
              DEAF)


class EngineObserver(Observer):
    """An observer that counts events."""

    def ended(self, verb: str, outcome: str, seconds: float) -> None:
        ACTIONS.labels(verb, outcome).observe(max(seconds, 0))

    def set_aside(self, column: str) -> None:
        SET_ASIDE.labels(column).inc()

    def claim_lost(self, reason: str) -> None:
        CLAIMS_LOST.labels(reason).inc()

    def listening(self, *, well: bool) -> None:
        DEAF.set(not well)


def watch(hardware: driver.Driver) -> None:
    """Time the calls of a driver."""
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

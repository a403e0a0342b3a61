# SPDX-License-Identifier: Apache-2.0
"""Polling until asynchronous work has been done."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from keystoneauth1 import exceptions as keystone_exceptions

from moganclient import exceptions
from moganclient.sdk.v1.instance import Instance

Until: TypeAlias = str | Callable[[Instance], object]

_LOCK_STATES: Final = frozenset({'unlocked', 'locking', 'locked',
                                 'unlocking'})
# Seconds that one look may take.
_SHORTEST_LOOK: Final = 1.0
_LONGEST_LOOK: Final = 60.0
# What a service that is being restarted, or a network, answers.
_PASSING: Final = (
    keystone_exceptions.RetriableConnectionFailure,
    exceptions.ServiceUnavailable, exceptions.BadGateway,
    exceptions.GatewayTimeout)


def until(look: Callable[[float], Instance | None],
          wanted: Until, *, timeout: float | None, interval: float,
          longest: float, callback: Callable[[Instance], object] | None,
          ) -> Instance | None:
    """Poll until an instance is in the expected state; `look` takes its
    timeout in seconds.

    Raises InstanceFailed, WaitTimeout, and what `look` raises.
    """
    seen: Instance | None = None
    for left in _moments(timeout, interval, longest):
        try:
            seen = look(min(max(left, _SHORTEST_LOOK), _LONGEST_LOOK))
        except _PASSING:
            if left <= 0:
                raise
            continue
        if seen is None:
            return None
        if callback is not None:
            callback(seen)
        if _reached(seen, wanted):
            return seen
        if seen.status == 'error' and _hopeless(wanted):
            raise exceptions.InstanceFailed(_failure(seen), seen)
    raise exceptions.WaitTimeout(_delay(seen, wanted, timeout), seen)


def _moments(timeout: float | None, interval: float,
             longest: float) -> Iterator[float]:
    """Yield the remaining seconds for each poll, with growing pauses between
    them, and none for the last."""
    end = math.inf if timeout is None else time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        yield left
        time.sleep(min(interval, max(0.0, end - time.monotonic())))
        interval = min(interval * 1.5, longest)
    yield 0.0


def _reached(instance: Instance, wanted: Until) -> object:
    if not isinstance(wanted, str):
        return wanted(instance)
    if wanted in _LOCK_STATES:
        return instance.lock_state == wanted
    return instance.status == wanted


def _hopeless(wanted: Until) -> bool:
    """Return True if an instance in `error` cannot reach the state: it can
    still be locked and unlocked."""
    return not isinstance(wanted, str) or wanted not in _LOCK_STATES


def _failure(instance: Instance) -> str:
    fault = instance.fault or {}
    return (f'The instance {instance.id} is in error: '
            f'{fault.get("message") or "no reason given"}')


def _delay(seen: Instance | None, wanted: Until,
           timeout: float | None) -> str:
    name = wanted if isinstance(wanted, str) else 'in the expected state'
    if seen is None:
        return f'Timed out after {timeout} s: the service is unavailable'
    fault = seen.fault or {}
    why = f': {fault["message"]}' if fault.get('message') else ''
    return (f'Timed out after {timeout} s: the instance {seen.id} is not '
            f'{name}, but {seen.status} and {seen.lock_state}{why}')

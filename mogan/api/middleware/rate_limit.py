# SPDX-License-Identifier: Apache-2.0
"""Rate limits on the requests of each user and each address.

The library for this (limits) keeps a counter for each key that callers make
up, and has no token bucket; here a bucket is one number.
"""

import collections
import functools
import ipaddress
import math
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_config import cfg

from mogan import exception

_MOST: Final = 65_536  # buckets; then the one that was not used for longest
_INSTANT: Final = 1e-6  # seconds: what is lost in sums of such numbers


class Buckets:
    """A token bucket for each key: `burst` tokens, refilled with `rate` a
    second."""

    def __init__(self, rate: float, burst: int, *, most: int = _MOST,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / rate
        self._depth = (burst - 1) / rate
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        # The time at which each will be full again.
        self._full: collections.OrderedDict[str, float] = (
            collections.OrderedDict())

    def take(self, key: str) -> float:
        """Take a token, and return 0; without one, return the seconds until
        there is one."""
        now = self._clock()
        with self._lock:
            full = max(self._full.get(key, now), now)
            wait = full - now - self._depth
            if wait > _INSTANT:
                return wait
            self._full[key] = full + self._interval
            self._full.move_to_end(key)
            if len(self._full) > self._most:
                self._full.popitem(last=False)
        return 0.0


class ByAddress:
    """WSGI middleware that limits the rate of each address, before any other
    work."""

    def __init__(self, application: WSGIApplication, buckets: Buckets) -> None:
        self._application = application
        self._buckets = buckets

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        wait = self._buckets.take(network(environ.get('REMOTE_ADDR', '')))
        if wait:
            raise exception.TooManyRequests(
                who='your address', seconds=math.ceil(wait))
        return self._application(environ, start_response)


class ByUser:
    """WSGI middleware that limits the rate of each authenticated user."""

    def __init__(self, application: WSGIApplication, buckets: Buckets) -> None:
        self._application = application
        self._buckets = buckets

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        user = environ['mogan.context'].user_id
        if user is not None:
            wait = self._buckets.take(user)
            if wait:
                raise exception.TooManyRequests(
                    who='your user', seconds=math.ceil(wait))
        return self._application(environ, start_response)


@functools.lru_cache(maxsize=1024)
def network(text: str) -> str:
    """Return the addresses that one client has: an IPv4 address, or a /64 of
    IPv6."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
        address = address.ipv4_mapped
    return str(address)


def by_address(application: WSGIApplication,
               conf: cfg.ConfigOpts) -> WSGIApplication:
    """Return the application behind the rate limit of [rate_limit]
    address_rate."""
    group = conf.rate_limit
    if not group.address_rate:
        return application
    return ByAddress(application, Buckets(group.address_rate,
                                          group.address_burst))


def by_user(application: WSGIApplication,
            conf: cfg.ConfigOpts) -> WSGIApplication:
    """Return the application behind the rate limit of [rate_limit]
    user_rate."""
    group = conf.rate_limit
    if not group.user_rate:
        return application
    return ByUser(application, Buckets(group.user_rate, group.user_burst))

# SPDX-License-Identifier: Apache-2.0
"""Retries: the requests that may be sent again, how often, and when.

A request whose response was lost may have been carried out.  Idempotent
requests are retried; the others never are: a second POST would create a
second instance.
"""

import http
import re
from typing import Final

import requests

#: How often a request is sent again; with the pauses that double, from half
#: a second on, four tries take 3.5 seconds.
RETRIES: Final = 3
_FIRST_PAUSE: Final = 0.5  # seconds
# Seconds that a service may ask for.
_LONGEST_PAUSE: Final = 30.0

_LOCK: Final = re.compile(r'/states/(?:lock|unlock)$')


def repeatable(method: str, url: str) -> bool:
    """Return True if a request is idempotent."""
    return (method in {'GET', 'HEAD', 'DELETE'}
            or (method == 'PUT' and _LOCK.search(url) is not None))


def pause(response: requests.Response, tries: int) -> float | None:
    """Return the seconds to wait before the next retry, or None if there is
    none.  `tries`: the number of earlier retries."""
    if response.status_code != http.HTTPStatus.SERVICE_UNAVAILABLE:
        return None
    asked = response.headers.get('Retry-After', '')
    seconds = float(asked) if asked.isdecimal() else _FIRST_PAUSE * 2 ** tries
    return seconds if seconds <= _LONGEST_PAUSE else None

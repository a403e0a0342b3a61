# SPDX-License-Identifier: Apache-2.0
"""Log lines for a lasting fault: repeated at intervals, and one for its
end."""

import time
from typing import Final

from oslo_log import log

LOG = log.getLogger(__name__)

_INTERVAL: Final = 60.0  # seconds between two lines about the same fault


class FaultLog:
    """One fault at a time, such as an unreachable server.

    `consequence` and `end` are its log messages.
    """

    def __init__(self, consequence: str, end: str) -> None:
        self._consequence = consequence
        self._end = end
        self._cause: str | None = None
        self._said_at = 0.0

    def __bool__(self) -> bool:
        """Return whether the fault lasts."""
        return self._cause is not None

    def failed(self, cause: object) -> None:
        """Log the fault, unless it was logged a short time ago."""
        text, now = ' '.join(str(cause).split()), time.monotonic()
        if text != self._cause or now - self._said_at >= _INTERVAL:
            LOG.warning('%s: %s', self._consequence, text)
            self._said_at = now
        self._cause = text

    def succeeded(self) -> None:
        """Log the end of the fault, if there was one."""
        if self._cause is not None:
            self._cause = None
            LOG.info('%s', self._end)

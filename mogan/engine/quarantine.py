# SPDX-License-Identifier: Apache-2.0
"""Rows that an engine does not understand, and sets aside.

Each is told of once, for as long as it stays as it is: the loop that has
met it goes on with the others, and will meet it again.
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

from oslo_log import log

from mogan import exception
from mogan.baremetal import driver
from mogan.db.domains import Unknown
from mogan.engine.observer import Observer

LOG = log.getLogger(__name__)


class Quarantine:
    """Rows that one engine has set aside; safe to share between threads."""

    # Forgotten is what has been met for the first time longest ago.
    _MOST: Final = 10_000

    def __init__(self, observer: Observer | None = None) -> None:
        self._observer = observer or Observer()
        self._met: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def add(self, found: Unknown) -> None:
        """Set an instance aside for a value that is not known."""
        if self._is_new(*found):
            LOG.error(
                'The instance %s is set aside: this release does not know '
                'the %s "%s". A newer release has written it, or somebody '
                'by hand. Nobody works on the instance until that is put '
                'right', *found)
            self._observer.set_aside(found.column)

    @contextlib.contextmanager
    def guard(self, uuid: str, what: str) -> Iterator[None]:
        """Let nothing that fails for one instance alone end what is done
        for all.

        Raises DatabaseUnavailable, DriverError.
        """
        try:
            yield
        except (exception.DatabaseUnavailable, driver.DriverError):
            raise
        except Exception as error:  # of one row; the others are due
            if self._is_new(uuid, what, repr(error)):
                LOG.exception('Unhandled error in %s of instance %s',
                              what, uuid)
                self._observer.set_aside('error')

    def _is_new(self, uuid: str, column: str, value: str) -> bool:
        with self._lock:
            if self._met.get((uuid, column)) == value:
                return False
            self._met.pop((uuid, column), None)
            if len(self._met) >= self._MOST:
                del self._met[next(iter(self._met))]
            self._met[uuid, column] = value
            return True

# SPDX-License-Identifier: Apache-2.0
"""Work that can be stopped before and after each of its driver calls.

A visit has a thread of its own, but whoever lets it go on waits until it
has stopped again: one thing happens at a time, so that a run is repeatable.
"""

import threading
from collections.abc import Callable

_here = threading.local()


class Killed(BaseException):
    """The process is gone; nothing may be tidied up on the way out."""


class Visit:
    """One piece of an engine's work."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._turn = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._left: int | None = 0
        self._killed = False
        self._error: BaseException | None = None
        self.over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def go_on(self, stops: int | None) -> None:
        """Run past so many places to stop at, or to the end for None."""
        self._left = stops
        self._hand_over()

    def kill(self) -> None:
        """End it where it has stopped."""
        if not self.over:
            self._killed = True
            self._hand_over()

    def stop(self) -> None:
        """Called from within: wait here, if this is the place."""
        if self._left == 0:
            self._back.release()
            self._turn.acquire()
        elif self._left is not None:
            self._left -= 1
        if self._killed:
            raise Killed

    def _hand_over(self) -> None:
        self._turn.release()
        self._back.acquire()
        if self.over:
            self._thread.join()
            if self._error is not None:
                raise self._error

    def _run(self) -> None:
        self._turn.acquire()
        _here.visit = self
        try:
            if not self._killed:
                self._work()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - raised by go_on
            self._error = error
        finally:
            self.over = True
            self._back.release()


def stop() -> None:
    """Stop the current visit at this point, if there is one."""
    visit: Visit | None = getattr(_here, 'visit', None)
    if visit is not None:
        visit.stop()

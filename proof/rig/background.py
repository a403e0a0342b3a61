# SPDX-License-Identifier: Apache-2.0
"""Threads that work until they are stopped."""

import threading
from collections.abc import Callable


class Background:
    """A thread that runs `work` with an event that tells it to stop; several
    may share one event."""

    def __init__(self, name: str, work: Callable[[threading.Event], None],
                 stop: threading.Event | None = None) -> None:
        self._work = work
        self._stop = stop or threading.Event()
        self._thread = threading.Thread(target=self._run, name=name,
                                        daemon=True)
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Tell it to stop."""
        self._stop.set()

    def join(self, seconds: float = 60) -> bool:
        """Return whether it ends in time."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def check(self) -> None:
        """Raise what it has failed with."""
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            self._work(self._stop)
        except BaseException as error:  # `check` raises it again
            self.failure = error
            self._stop.set()
            raise

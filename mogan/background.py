# SPDX-License-Identifier: Apache-2.0
"""A queue of work that requests leave to a background thread."""

import collections
import threading
from collections.abc import Callable
from typing import Any

from oslo_log import log

LOG = log.getLogger(__name__)


class BackgroundQueue:
    """A thread that calls what it is given, in that order.

    It begins with the first call, so that a fork may come before.
    `delay`: seconds in which calls gather, for each start of the thread
    costs whoever causes it; `most`: so many may wait.
    """

    def __init__(self, name: str, *, delay: float = 0,
                 most: int = 10_000) -> None:
        self._name = name
        self._delay = delay
        self._most = most
        self._calls: collections.deque[tuple[Any, ...]] = collections.deque()
        self._waiting = threading.Event()
        self._closing = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def call(self, function: Callable[..., Any], *arguments: Any) -> bool:
        """Have this called soon; False where too many wait, or none are
        called any more."""
        if len(self._calls) >= self._most or self._closing.is_set():
            return False
        self._calls.append((function, arguments))
        if not self._waiting.is_set():
            self._waiting.set()
            if self._thread is None:
                self._start()
        return True

    def close(self, timeout: float = 3) -> None:
        """Call what still waits, for so many seconds at most."""
        self._closing.set()
        self._waiting.set()
        with self._starting:
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._waiting.wait()
            self._closing.wait(self._delay)
            self._waiting.clear()
            self._call_all()
        self._call_all()

    def _call_all(self) -> None:
        while self._calls:
            function, arguments = self._calls.popleft()
            try:
                function(*arguments)
            except Exception:  # the next ones are due nevertheless
                LOG.exception('%s failed', function)

# SPDX-License-Identifier: Apache-2.0
"""The engine's own parts, without threads: work is done when it is asked
for, and a process can die at any of its driver calls."""

import collections
import concurrent.futures
from collections.abc import Callable
from typing import Any, Final

from mogan.context import RequestContext
from mogan.db.core.engine import Database
from mogan.engine.drift.survey import Survey
from mogan.engine.endpoint import EngineEndpoint
from mogan.engine.reconcile import Pace, Reconciler
from mogan.engine.task import Limits
from mogan.engine.worker import Worker
from proof.stateful.hardware import Driver
from proof.stateful.visits import Visit

LIMITS: Final = Limits(deploy=60, rebuild=8, power=20)
PACE: Final = Pace(sweep=1, repair=5)


class _Queue:
    """Takes the place of the pool of threads: what is submitted waits until
    somebody has time."""

    def __init__(self) -> None:
        self._jobs: collections.deque[tuple[Any, ...]] = collections.deque()

    def submit(self, function: Callable[..., None], *arguments: Any,
               ) -> 'concurrent.futures.Future[None]':
        future: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._jobs.append((future, function, arguments))
        return future

    def run(self) -> None:
        while self._jobs:
            future, function, arguments = self._jobs.popleft()
            future.set_running_or_notify_cancel()
            function(*arguments)
            future.set_result(None)


class Engine:
    """One process, until it crashes; then it is another one's turn."""

    def __init__(self, db: Database, hardware: Driver, name: str) -> None:
        self._db = db
        self._driver = hardware
        self._name = name
        self._lives = 0
        self.visits: list[Visit] = []
        self._start()

    def _start(self) -> None:
        self._lives += 1
        name = f'{self._name}:{self._lives}'
        self._reconciler = Reconciler(
            self._db, self._driver,
            Worker(self._db, self._driver, name, LIMITS),
            Survey(self._db, self._driver, name), PACE)
        self._queue = _Queue()
        self._reconciler._pool = self._queue  # noqa: SLF001 - see above
        self._endpoint = EngineEndpoint(self._reconciler, self._driver)

    def crash(self) -> None:
        """Die, and start again with nothing in memory."""
        while self.visits:
            self.visits.pop().kill()
        self._start()

    def nudge(self, uuid: str, stops: int | None = None) -> None:
        """Take a message."""
        def work() -> None:
            self._endpoint.nudge(RequestContext(overwrite=False), uuid)
            self._queue.run()
        self._do(work, stops)

    def sweep(self, stops: int | None = None) -> None:
        """Look for work, and at all nodes if that is due."""
        def work() -> None:
            # Without its thread.
            self._reconciler._round(seldom=True)  # noqa: SLF001
            self._queue.run()
        self._do(work, stops)

    def wake(self, number: int, stops: int | None = None) -> None:
        """Let one of the stopped visits go on."""
        visit = self.visits[number]
        try:
            visit.go_on(stops)
        finally:
            if visit.over:
                self.visits.remove(visit)

    def _do(self, work: Callable[[], None], stops: int | None) -> None:
        if stops is None:
            work()
            return
        self.visits.append(Visit(work))
        self.wake(len(self.visits) - 1, stops)

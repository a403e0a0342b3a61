# SPDX-License-Identifier: Apache-2.0
"""An end to waiting for a PostgreSQL that has fallen silent.

Its driver waits for as long as the kernel at the other end acknowledges what
it is sent, and that of a server that stands still does.
"""

import time
from collections.abc import Callable, Generator
from typing import Any


def connecting(driver: Any, seconds: float) -> Callable[..., Any]:
    """What makes connections that are lost where nothing has come for so
    many seconds; `driver` is psycopg."""
    plain: Callable[..., Any] = driver.Connection.wait

    class Connection(driver.Connection):

        def wait(self, work: Any, *arguments: Any, **options: Any) -> Any:
            return plain(self, self._bounded(work), *arguments, **options)

        def _bounded(self, work: Any) -> Generator[Any, Any, Any]:
            end = None
            try:
                wanted = next(work)
                while True:
                    # Nothing is ready: the driver looks up now and then.
                    if ready := (yield wanted):
                        end = None
                    elif end is None:
                        end = time.monotonic() + seconds
                    elif time.monotonic() > end:
                        self.close()
                        raise driver.OperationalError(
                            f'nothing has come for {seconds} s')
                    wanted = work.send(ready)
            except StopIteration as result:
                return result.value

    connect: Callable[..., Any] = Connection.connect
    return connect

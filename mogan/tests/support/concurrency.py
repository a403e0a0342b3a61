# SPDX-License-Identifier: Apache-2.0
"""Calls that meet."""

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

from mogan.tests.support.servers import TIMEOUT


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls at the same time, each in a thread of its own; return
    their results."""
    barrier = threading.Barrier(len(calls), timeout=TIMEOUT)

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))

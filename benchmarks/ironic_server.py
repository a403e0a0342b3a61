# SPDX-License-Identifier: Apache-2.0
"""An Ironic with as many nodes as are wanted."""

import contextlib
import pathlib
import sqlite3
import uuid
from collections.abc import Iterator
from typing import Any, Final

from mogan.tests.ironic import server

CLASS: Final = 'CUSTOM_BENCHMARK'


@contextlib.contextmanager
def running(nodes: int, **values: Any) -> Iterator[server.Ironic]:
    """Run one with so many nodes, which are free unless `values` of the
    columns say otherwise; fake hardware without a delay."""
    ironic = server.Ironic()
    path = ironic.directory / 'ironic.sqlite'
    try:
        # As the service has it: else who reads keeps others from writing.
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute('PRAGMA journal_mode = WAL')
        ironic.start()
        first = ironic.enrol('node-0', CLASS, power='power on')
        ironic.wait_for(first, reservation=None)
        _multiply(path, nodes, values)
        yield ironic
    finally:
        ironic.close()


def _multiply(path: pathlib.Path, nodes: int,
              values: dict[str, Any]) -> None:
    """Copy the first node in Ironic's own database: to enrol thousands
    takes a quarter of an hour."""
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as connection:
        connection.row_factory = sqlite3.Row
        [first] = connection.execute('SELECT * FROM nodes')
        names = [name for name in first.keys()  # noqa: SIM118 - of a row
                 if name != 'id']
        rows = [dict(first) | _node(number) | values
                for number in range(1, nodes)]
        with connection:
            connection.executemany(
                f'INSERT INTO nodes ({", ".join(names)}) '  # noqa: S608
                f'VALUES ({", ".join(f":{name}" for name in names)})', rows)


def _node(number: int) -> dict[str, str]:
    return {'name': f'node-{number}', 'uuid': str(uuid.uuid4())}

# SPDX-License-Identifier: Apache-2.0
"""An Ironic with as many nodes as are wanted."""

import contextlib
import os
import pathlib
import sqlite3
import uuid
from collections.abc import Iterator
from typing import Any, Final

from mogan.tests.ironic import server

CLASS: Final = 'CUSTOM_BENCHMARK'

_COMMANDS: Final = 'MOGAN_TEST_IRONIC'
_OWN: Final = (pathlib.Path(__file__).parents[1]
               / '.tox' / 'ironic-server' / 'bin')


class Missing(Exception):
    """There is no Ironic; the text says how to get one."""


def find() -> None:
    """Choose an Ironic: the one that is named, or else that of the tests.

    Raises Missing.
    """
    commands = pathlib.Path(os.environ.setdefault(_COMMANDS, str(_OWN)))
    if not os.access(commands / 'ironic', os.X_OK):
        raise Missing(f'there is no Ironic in {commands}: run '
                      f'tools/ironic-venv first, or name the directory of '
                      f'its commands in {_COMMANDS}')


@contextlib.contextmanager
def running(nodes: int, **values: Any) -> Iterator[server.Ironic]:
    """One with so many nodes, which are free unless `values` of the columns
    say otherwise; fake hardware without a delay."""
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

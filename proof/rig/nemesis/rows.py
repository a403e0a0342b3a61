# SPDX-License-Identifier: Apache-2.0
"""Rows that the code does not understand: those of a newer release, or
edited by hand."""

import http
import itertools
from typing import Any, Final

import psycopg
import pymysql

from mogan.baremetal.simulated import inventory
from mogan.tests.support.databases import Database
from proof.rig import strange, wire
from proof.rig.nemesis.lanes import Fault, Scene
from proof.rig.services import LEASE, STRANGE_NODES, Deployment
from proof.rig.strange import KINDS, Strange
from proof.rig.wire import Connection, Request

_ERRORS: Final = (pymysql.MySQLError, psycopg.Error, OSError)
_DOMAINS: Final = ("SELECT conname, pg_get_constraintdef(oid)"
                   " FROM pg_constraint WHERE contype = 'c'"
                   " AND conrelid = 'instances'::regclass")


class RowFaults:
    """Injects such rows, each on a node of its own.

    The last ones stay: all others have to come to rest beside them.  `judge`
    and `remove` them then.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._all = deployment
        self._store = inventory.Inventory(deployment.inventory_path,
                                          timeout=60)
        self._nodes = itertools.cycle(
            [self._store.named(name).uuid for name in STRANGE_NODES])
        self._injected: dict[str, Strange] = {}
        self._leaving: list[str] = []
        self.faults: dict[str, Fault] = {'poison-row': self._inject}

    def _inject(self, scene: Scene) -> str | None:
        kind = scene.rng.choice(KINDS)
        number = strange.name(scene.rng.getrandbits(90))
        try:
            if self._leaving or len(self._injected) == len(STRANGE_NODES):
                self.remove()
            node = next(self._nodes)
            inject(self._all.database, number, kind, node)
        except _ERRORS:
            return None     # the database is away, or busy with the table
        self._injected[number] = kind
        self._carry(node, number)
        scene.sleep(scene.rng.uniform(0.3, 2) * LEASE)
        return f'{number}: {kind.column} {kind.value}'

    def _carry(self, node: str, instance: str | None) -> None:
        with self._store.transaction() as txn:
            txn.change(node, instance_uuid=instance,
                       availability='active' if instance else 'available')

    def judge(self, port: int) -> list[str]:
        """Return the wrong answers about such rows, as text: each row must be
        shown, and a request that depends on it refused with the value.  Raises
        Unreachable."""
        with wire.administrator(port) as connection:
            return [fault for number, kind in self._injected.items()
                    for fault in _judge(connection, number, kind)]

    def remove(self) -> None:
        """Remove them, by hand as they came.  Raises the driver's errors;
        then it has to be done again."""
        # Judged no more: after an error nobody knows which are gone.
        self._leaving += self._injected
        self._injected.clear()
        while self._leaving:
            number = self._leaving[-1]
            self._all.database.run(*(
                f"DELETE FROM {table} WHERE {column} = '{number}'"  # noqa: S608
                for table, column in (('actions', 'instance_uuid'),
                                      ('instances', 'uuid'))))
            self._leaving.pop()
        for name in STRANGE_NODES:
            self._carry(self._store.named(name).uuid, None)


def _judge(connection: Connection, number: str,
           kind: Strange) -> list[str]:
    path = f'/v1/instances/{number}'
    _, answer = connection.ask(Request('show', 'GET', path))
    wrong = []
    if answer.status != http.HTTPStatus.OK or (
            kind.refuses and answer.json[kind.column] != kind.value):
        wrong.append(f'{kind}: GET: {answer}')
    if kind.refuses:
        for request in (wire.lock(number), wire.delete(number)):
            _, answer = connection.ask(request)
            if answer.status != http.HTTPStatus.CONFLICT or (
                    kind.value.encode() not in answer.body):
                wrong.append(f'{kind}: {request.kind}: {answer}')
    return wrong


def inject(database: Database, number: str, kind: Strange,
          node: str) -> None:
    """Write a row of a kind, past the database's own checks.  Raises the
    driver's errors."""
    connection = database.connect()
    try:
        with connection.cursor() as cursor:
            _unchecked(cursor, [
                _insert(table, row) for table, row in
                strange.rows(number, kind, node=node).items()])
    finally:
        connection.close()


def _insert(table: str, row: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    names, places = ', '.join(row), ', '.join(['%s'] * len(row))
    statement = f'INSERT INTO {table} ({names}) VALUES ({places})'  # noqa: S608
    return statement, tuple(row.values())


def _unchecked(cursor: Any,
               statements: list[tuple[str, tuple[Any, ...]]]) -> None:
    """Run statements in one transaction while nothing is checked."""
    if isinstance(cursor, psycopg.Cursor):
        # Nobody else sees the table without its checks.
        cursor.execute("BEGIN; SET LOCAL lock_timeout = '2s';"
                       ' LOCK TABLE instances IN ACCESS EXCLUSIVE MODE')
        cursor.execute(_DOMAINS)
        checks = cursor.fetchall()
        before = [f'ALTER TABLE instances DROP CONSTRAINT {name}'
                  for name, _ in checks]
        after = [f'ALTER TABLE instances ADD CONSTRAINT {name} '
                 f'{text.removesuffix(" NOT VALID")} NOT VALID'
                 for name, text in checks]
    else:
        before = ['SET SESSION check_constraint_checks = 0', 'BEGIN']
        after = []
    for statement, values in [*((text, ()) for text in before), *statements,
                              *((text, ()) for text in (*after, 'COMMIT'))]:
        cursor.execute(statement, values or None)

# SPDX-License-Identifier: Apache-2.0
"""Faults of the database."""

import psycopg
import pymysql

from mogan.tests.support.databases import Database
from proof.rig.nemesis import servers
from proof.rig.nemesis.lanes import Fault, Scene


class DatabaseFaults:
    """All that can be done to it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.faults: dict[str, Fault] = {
            'database-drop': self._drop,
            'database-restart': servers.restart(database),
            'database-kill': servers.kill(database),
            'database-kill-session': self._kill_session,
            'database-pause': servers.pause(database),
        }

    def _drop(self, scene: Scene) -> str:
        dropped = 0
        times = scene.rng.randint(1, 12)
        for _ in range(times):
            try:
                dropped += self._database.drop_connections()
            except (pymysql.MySQLError, psycopg.Error):
                continue    # its own connection was among them
            scene.sleep(scene.rng.uniform(0.02, 0.3))
        return f'{dropped} connections in {times} times'

    def _kill_session(self, scene: Scene) -> str:
        self._database.kill_session(scene.rng)
        if not self._database.running():
            return servers.start(self._database, scene)
        self._database.wait()
        return 'one session'

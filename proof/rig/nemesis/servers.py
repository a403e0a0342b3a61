# SPDX-License-Identifier: Apache-2.0
"""Blows at the database and the broker."""

import psycopg
import pymysql

from proof.rig.nemesis.lanes import Blow, Scene
from proof.rig.servers import Server
from proof.rig.services import LEASE, Deployment


class Servers:
    """All that can be done to them."""

    def __init__(self, deployment: Deployment) -> None:
        self._database = deployment.database
        self._broker = deployment.broker
        self.blows: dict[str, Blow] = {
            'broker-restart': self._restart(self._broker),
            'broker-kill': self._kill(self._broker),
            'broker-pause': self._pause(self._broker),
            'database-drop': self._drop,
            'database-restart': self._restart(self._database),
            'database-kill': self._kill(self._database),
            'database-kill-session': self._kill_session,
            'database-pause': self._pause(self._database),
        }

    def _restart(self, server: Server) -> Blow:
        def blow(scene: Scene) -> str:
            server.stop()
            return self._start(server, scene)
        return blow

    def _kill(self, server: Server) -> Blow:
        def blow(scene: Scene) -> str:
            server.kill()
            return self._start(server, scene)
        return blow

    def _start(self, server: Server, scene: Scene) -> str:
        gap = scene.rng.choice((0.0, scene.rng.uniform(0, LEASE)))
        scene.sleep(gap)
        server.start()
        server.wait()
        return f'down for {gap:.1f} s and its start'

    def _pause(self, server: Server) -> Blow:
        def blow(scene: Scene) -> str:
            seconds = scene.rng.uniform(0.3, 2) * LEASE
            server.pause()
            scene.sleep(seconds)
            server.resume()
            return f'{seconds:.1f} s'
        return blow

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
            return self._start(self._database, scene)
        self._database.wait()
        return 'one session'

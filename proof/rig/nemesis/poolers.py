# SPDX-License-Identifier: Apache-2.0
"""Blows at the pooler in front of the database."""

from proof.rig.nemesis import servers
from proof.rig.nemesis.lanes import Blow


class PoolerBlows:
    """All that can be done to it."""

    def __init__(self, pooler: servers.Mortal) -> None:
        self.blows: dict[str, Blow] = {
            'pooler-restart': servers.restart(pooler),
            'pooler-kill': servers.kill(pooler),
            'pooler-pause': servers.pause(pooler),
        }

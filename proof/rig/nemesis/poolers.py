# SPDX-License-Identifier: Apache-2.0
"""Faults of the pooler in front of the database."""

from proof.rig.nemesis import servers
from proof.rig.nemesis.lanes import Fault


class PoolerFaults:
    """All that can be done to it."""

    def __init__(self, pooler: servers.Mortal) -> None:
        self.faults: dict[str, Fault] = {
            'pooler-restart': servers.restart(pooler),
            'pooler-kill': servers.kill(pooler),
            'pooler-pause': servers.pause(pooler),
        }

# SPDX-License-Identifier: Apache-2.0
"""mogan-standalone, started for a proof or a benchmark."""

import sys
from collections.abc import Sequence
from typing import Final

from mogan.tests.support import client
from mogan.tests.support.servers import Server

COMMAND: Final = (sys.executable, '-m', 'mogan.cmd.standalone')


class Standalone(Server):
    """The whole service in one process; `directory` is its state
    directory, which may be filled before `start`."""

    name = 'standalone'

    def start(self, command: Sequence[str] = COMMAND) -> None:
        """Start it; returns when it answers.  Raises SetupError."""
        self.launch([*command, '--port', str(self.port), '--state-dir',
                     str(self.directory)],
                    lambda: client.responds(self.port))

    def password(self, user: str) -> str:
        """Return the password of admin or demo."""
        lines = (self.directory / 'credentials.env').read_text().split()
        return dict(line.split('=', 1) for line in lines)[
            f'MOGAN_{user.upper()}_PASSWORD']

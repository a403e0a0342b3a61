# SPDX-License-Identifier: Apache-2.0
"""mogan-api, mogan-engine and the commands, as processes with a
configuration file."""

import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence

from mogan.api.middleware.auth import users
from mogan.tests.support import client, processes
from mogan.tests.support.processes import Child, Family


def command(name: str, config: pathlib.Path, *arguments: str) -> list[str]:
    """Return the command line of one of the commands."""
    return [sys.executable, '-m', f'mogan.cmd.{name}', '--config-file',
            str(config), *arguments]


def run(name: str, config: pathlib.Path, *arguments: str,
        environment: Mapping[str, str] | None = None,
        ) -> subprocess.CompletedProcess[str]:
    """Run one of the commands to its end, with its output."""
    return subprocess.run(
        command(name, config, *arguments), capture_output=True, text=True,
        check=False, timeout=180, env=environment)


def write_users(path: pathlib.Path,
                accounts: Iterable[tuple[str, str, str]]) -> None:
    """Write accounts (name, project, role) whose passwords are their names,
    with the weakest hash."""
    users.write(path, [
        users.User(name, users.make_hash(name, 4), project, (role,))
        for name, project, role in accounts])


class Service:
    """mogan-api or mogan-engine: one launcher with its workers, in a process
    group of its own."""

    def __init__(self, kind: str, command: Sequence[str], *, family: Family,
                 name: str = '', port: int = 0,
                 environment: Mapping[str, str] | None = None,
                 log: pathlib.Path | None = None) -> None:
        self.kind = kind
        self.name = name or kind
        self.port = port
        self._command = command
        self._environment = environment
        self._family = family
        self._log = log
        self._child: Child | None = None

    def start(self) -> None:
        """Start the launcher, in place of one that has ended."""
        self.forget()
        self._child = self._family.start(
            self.name, self._command, environment=self._environment,
            log=self._log)

    @property
    def pid(self) -> int:
        """Return the launcher's process id."""
        return self._child.pid

    def workers(self) -> list[int]:
        """Return the launcher's living processes."""
        return self._child.children()

    def answers(self) -> bool:
        """Return whether it is up: an API that listens, an engine with a
        worker."""
        if self.ended():
            return False
        if self.kind == 'api':
            return client.responds(self.port)
        return bool(self.workers())

    def ended(self) -> bool:
        """Return whether the launcher has ended."""
        return self._child.ended()

    def terminate(self) -> None:
        """Ask it to end."""
        self._child.signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int | None:
        """Return its exit status, or None if it does not end in time."""
        self._child.wait(seconds)
        return self._child.status()

    def kill_launcher(self) -> list[int]:
        """Kill the launcher alone; returns the workers it has left
        behind."""
        workers = self.workers()
        self._child.signal(signal.SIGKILL)
        self._child.wait(10)
        return workers

    def signal_workers(self, number: int) -> None:
        """Send a signal to its workers."""
        for pid in self.workers():
            processes.send(pid, number)

    def kill(self) -> None:
        """Kill all of it at once."""
        self._child.kill()

    def forget(self) -> None:
        """Kill what is left of it."""
        if self._child is not None:
            self._family.forget(self._child)
            self._child = None

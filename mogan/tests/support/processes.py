# SPDX-License-Identifier: Apache-2.0
"""Processes that are started for a test or a run, and end with it.

A guardian, a process of its own, ends them where that itself was killed.
"""

import contextlib
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeVar

T = TypeVar('T')

DEADLINE: Final = 20.0  # seconds, for a machine that is busy
# Servers that refuse to run as root run as this user.
_NOBODY: Final = 'nobody'
# Where servers are, beyond the PATH of some users.
_SYSTEM: Final = '/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin'
# Below the ports that the kernel gives to outgoing connections: one of
# those could connect to itself while a server is down.
_PORTS: Final = range(12_000, 30_000)

# Reads process groups, and kills those that are left when their owner is
# gone.
_GUARDIAN: Final = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
groups = set()
for line in sys.stdin:
    number = int(line)
    groups.add(number) if number > 0 else groups.discard(-number)
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""


class SetupError(RuntimeError):
    """A test or a run cannot go on; says nothing about the service."""


class NotInTime(SetupError, AssertionError):
    """A condition has not come true: a test fails, a run cannot go on."""


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with contextlib.suppress(OSError), socket.create_server(
                ('127.0.0.1', port)):
            return port


def eventually(check: Callable[[], T], within: float = DEADLINE,
               what: str = 'it', *, until: Callable[[T], Any] = bool) -> T:
    """Call `check` until its value is accepted by `until`, which is returned.

    Raises NotInTime.
    """
    deadline = time.monotonic() + within
    while True:
        value = check()
        if until(value):
            return value
        if time.monotonic() > deadline:
            raise NotInTime(f'{what}: not within {within:g} seconds; the '
                            f'last value: {value}')
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Return whether a server accepts connections on a port."""
    try:
        socket.create_connection(('127.0.0.1', port), timeout=2).close()
    except OSError:
        return False
    return True


def account() -> dict[str, Any]:
    """Arguments of Popen for servers that must not run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(_NOBODY)
    return {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}


def give(path: pathlib.Path) -> None:
    """Let the servers' account own a file or a directory, which is made
    where there is neither."""
    if not path.exists():
        path.mkdir()
    owner = account()
    if owner:
        os.chown(path, owner['user'], owner['group'])


def exit_on_signals() -> None:
    """Let SIGTERM and SIGHUP end this process as an exception, so that it
    ends what it has started."""
    def end(number: int, _frame: object) -> NoReturn:
        raise SystemExit(f'ended by signal {number}')

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


class Child:
    """A process in a group of its own, with what it writes in a file.

    It is waited for only when its group has been killed: until then its
    number cannot become somebody else's.
    """

    def __init__(self, popen: subprocess.Popen, log: pathlib.Path) -> None:
        self.pid = popen.pid
        self.log = log
        self._popen = popen
        self._killing = threading.Lock()

    def ended(self) -> bool:
        """Return whether it has."""
        return self.status() is not None

    def status(self) -> int | None:
        """Return the exit status, or minus the signal that has ended it;
        None while it runs."""
        if self._popen.returncode is not None:
            return self._popen.returncode
        seen = os.waitid(os.P_PID, self.pid,
                         os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if seen is None:
            return None
        return (seen.si_status if seen.si_code == os.CLD_EXITED
                else -seen.si_status)

    def children(self) -> list[int]:
        """Return the living processes that it has started."""
        return children(self.pid)

    def signal(self, number: int) -> None:
        """Send a signal to the process, nothing where it has ended."""
        with self._killing:
            if self._popen.returncode is None:
                os.kill(self.pid, number)

    def signal_group(self, number: int) -> None:
        """Send a signal to it and all that it has started."""
        with self._killing:
            if self._popen.returncode is None:
                os.killpg(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Return whether it ends in time."""
        deadline = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def kill(self) -> None:
        """End it and all that it has started, at once."""
        self.signal_group(signal.SIGKILL)
        with self._killing:
            self._popen.wait(30)


def children(pid: int) -> list[int]:
    """Return the living children of any process."""
    found = []
    for task in pathlib.Path(f'/proc/{pid}/task').glob('*/children'):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text().split())
    return [child for child in found if alive(child)]


def alive(pid: int) -> bool:
    """Return whether a process is there and has not ended."""
    try:
        text = pathlib.Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return False
    return text.rpartition(')')[2].split()[0] not in {'Z', 'X'}


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Family:
    """All processes of one run; `close` ends them."""

    def __init__(self, logs: pathlib.Path) -> None:
        self._logs = logs
        self._lock = threading.Lock()
        self._children: list[Child] = []
        self._closed = False
        self._guardian = subprocess.Popen(
            [sys.executable, '-c', _GUARDIAN], stdin=subprocess.PIPE,
            text=True, start_new_session=True)

    def start(self, name: str, command: Sequence[str], *,
              environment: Mapping[str, str] | None = None,
              log: pathlib.Path | None = None, **options: Any) -> Child:
        """Start a command; its output is added to `log`, or to the log of
        this name.

        `options` are more arguments of Popen.
        """
        path = log or self._logs / f'{name}.log'
        with self._lock, path.open('ab') as output:
            if self._closed:
                raise SetupError('the run is over')
            popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output,
                env=os.environ | (environment or {}), process_group=0,
                **options)
            self._tell(popen.pid)
            child = Child(popen, path)
            # Those that have ended are kept too: what they had started may
            # have stayed.
            self._children.append(child)
        return child

    def forget(self, child: Child) -> None:
        """Kill what is left of one that is not needed any more."""
        child.kill()
        with self._lock:
            if not self._closed:
                self._tell(-child.pid)
                self._children.remove(child)

    def _tell(self, group: int) -> None:
        self._guardian.stdin.write(f'{group}\n')
        self._guardian.stdin.flush()

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            self._closed = True
        for child in self._children:
            child.signal_group(signal.SIGKILL)
        for child in self._children:
            child.kill()
            self._tell(-child.pid)
        self._guardian.stdin.close()
        self._guardian.wait(30)


def run(command: Sequence[str], *, seconds: float = 120,
        environment: Mapping[str, str] | None = None, reads: str = '',
        **options: Any) -> str:
    """Run a command to its end; returns what it wrote.  Raises SetupError."""
    try:
        done = subprocess.run(
            command, input=reads, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=seconds,
            env=os.environ | (environment or {}), check=False, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f'{command[0]}: {error}') from error
    if done.returncode:
        raise SetupError(f'{" ".join(command)}: exit status '
                       f'{done.returncode}\n{done.stdout[-2000:]}')
    return done.stdout


def program(name: str) -> str:
    """Return the path of a program.  Raises SetupError."""
    found = find(name)
    if found is None:
        raise SetupError(f'{name} is not installed')
    return found


def find(name: str) -> str | None:
    """Return the path of a program, also beyond PATH."""
    return shutil.which(name, path=os.pathsep.join(
        (os.environ.get('PATH', ''), _SYSTEM)))

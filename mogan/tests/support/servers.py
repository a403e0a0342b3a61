# SPDX-License-Identifier: Apache-2.0
"""Programs of others that are started for a test or a run: real ones, with
files of their own, on the loopback interface."""

import atexit
import contextlib
import fcntl
import functools
import os
import pathlib
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

import requests

from mogan.tests.support import processes
from mogan.tests.support.clocks import Clock
from mogan.tests.support.processes import Child, Family, SetupError

_TEMPORARY = tempfile.gettempdir()
# Seconds for an answer of a machine that is busy with other things.
TIMEOUT = 60.0
_START = 180.0


def make_directory(name: str) -> pathlib.Path:
    """Return a new directory; the caller removes it."""
    return pathlib.Path(tempfile.mkdtemp(prefix=f'mogan-{name}-',
                                         dir=_TEMPORARY))


def template(name: str, fill: Callable[[pathlib.Path], object],
             ) -> pathlib.Path:
    """Return a directory that `fill` has filled: once for all processes with
    the same MOGAN_TEST_TEMPLATES, a directory, otherwise for this one."""
    if not (shared := os.environ.get('MOGAN_TEST_TEMPLATES')):
        directory = make_directory(name)
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        fill(directory)
        return directory
    directory = pathlib.Path(shared) / name
    with directory.with_suffix('.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            making = pathlib.Path(tempfile.mkdtemp(dir=shared))
            fill(making)
            making.rename(directory)
    return directory


@functools.cache
def shared_family() -> Family:
    """Return the family of the servers that tests start; it ends with this
    process."""
    logs = make_directory('servers')
    atexit.register(shutil.rmtree, logs, ignore_errors=True)
    family = Family(logs)
    atexit.register(family.close)
    return family


class Server:
    """One installation, a group of processes, which can be ended, paused and
    started again; `close` removes it.

    `name` tells it from another one of its kind.  `clock` is the clock that
    it runs on, the host's own where there is none.
    """

    name = ''
    # As an operator stops it, and the seconds that this may take.
    signal = signal.SIGTERM
    grace = TIMEOUT
    # Whether it must not run as root.
    unprivileged = False

    def __init__(self, family: Family | None = None,
                 directory: pathlib.Path | None = None, *,
                 name: str | None = None,
                 clock: Clock | None = None) -> None:
        self.name = name or self.name
        self.port = processes.free_port()
        self._family = family or shared_family()
        self._clock = clock
        self._child: Child | None = None
        self._log: pathlib.Path | None = None
        if directory is None:
            self.directory = make_directory(self.name)
            self._log = self.directory / 'output'
        else:
            self.directory = directory / self.name
            self.directory.mkdir(exist_ok=True)
        if self.unprivileged:
            processes.give(self.directory)

    def answers(self) -> object:
        """Return whether it can be worked with."""
        return processes.listens(self.port)

    def launch(self, command: Sequence[str],
               answers: Callable[[], object] | None = None,
               **environment: str) -> None:
        """Start it; returns when it answers.  Raises SetupError."""
        self.begin(command, **environment)
        self.wait(answers)

    def begin(self, command: Sequence[str], **environment: str) -> None:
        """Start it in place of what is left of it, without waiting."""
        self.forget()
        if self._clock is not None:
            environment |= self._clock.environment
        options = ({'cwd': self.directory, **processes.account()}
                   if self.unprivileged else {})
        self._child = self._family.start(
            self.name, command, environment=environment, log=self._log,
            **options)
        if self._clock is not None:
            self._clock.keep(self._child.pid)

    def wait(self, answers: Callable[[], object] | None = None) -> None:
        """Wait until it answers.  Raises SetupError."""
        look = answers or self.answers

        def answered() -> object:
            if self._child is None or self._child.ended():
                raise SetupError(f'{self.name} has ended: {self.output()}')
            with contextlib.suppress(OSError, AssertionError):
                return look()
            return False

        try:
            processes.eventually(answered, _START, self.name)
        except SetupError:
            self.kill()
            raise

    def running(self) -> bool:
        """Return whether its process is there."""
        return self._child is not None and not self._child.ended()

    def stop(self) -> None:
        """End it as an operator does, or at once where that takes long."""
        if self._child is not None:
            self._child.signal(self.signal)
            self._child.wait(self.grace)
        self.kill()

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._child is not None:
            self._child.kill()

    def freeze(self) -> None:
        """Stop all of its processes where they are, until `thaw`."""
        if self._child is not None:
            self._child.signal_group(signal.SIGSTOP)
        for pid in self._descendants():
            processes.send(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for pid in self._descendants():
            processes.send(pid, signal.SIGCONT)
        if self._child is not None:
            self._child.signal_group(signal.SIGCONT)

    def _descendants(self) -> Iterator[int]:
        # PostgreSQL gives each of its processes a group.
        if self._child is not None:
            yield from self._child.children()

    def forget(self) -> None:
        """Kill what is left of it, and forget it."""
        if self._child is not None:
            self._child.kill()
            self._family.forget(self._child)
            self._child = None

    def close(self) -> None:
        """Kill it and remove its files."""
        self.forget()
        shutil.rmtree(self.directory, ignore_errors=True)

    def output(self) -> str:
        """Return the end of what its process has written."""
        if self._child is None:
            return ''
        return self._child.log.read_text(errors='replace')[-2000:]

    def log(self) -> str:
        """Return what it has written to its log file."""
        return (self.directory / f'{self.name}.log').read_text()


class WebServer(Server):
    """A server that is asked over HTTP."""

    def __init__(self) -> None:
        super().__init__()
        self._session = requests.Session()
        # A server closes a connection that has been idle, perhaps while the
        # next request is on its way; not each can be sent again.
        self._session.headers['Connection'] = 'close'


class Closable(Protocol):
    def close(self) -> None: ...


S = TypeVar('S', bound=Closable)


class Shared(Generic[S]):
    """The server that all tests of this process share; call it.

    `make` starts it; `restore`, at the end of each test, makes it what it was
    then. Where that fails it is closed, and the next test gets another.
    """

    def __init__(self, make: Callable[[], S],
                 restore: Callable[..., object]) -> None:
        self._make = make
        self._restore = restore
        self._server: S | None = None

    def __call__(self) -> S:
        if self._server is None:
            self._server = self._make()
            atexit.register(self._server.close)
        return self._server

    def restore(self, **options: Any) -> None:
        """Undo what a test has done."""
        try:
            self._restore(self(), **options)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Close it."""
        server, self._server = self._server, None
        if server is not None:
            atexit.unregister(server.close)
            server.close()

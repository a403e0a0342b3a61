# SPDX-License-Identifier: Apache-2.0
"""Services of others that the tests start: real ones, with files of their
own, on the loopback interface."""

import atexit
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable

import requests

_TEMPORARY = tempfile.gettempdir()
# Answers of a machine that is busy with other things.
PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def make_directory(name: str) -> pathlib.Path:
    return pathlib.Path(tempfile.mkdtemp(prefix=f'mogan-{name}-',
                                         dir=_TEMPORARY))


def make_template(name: str) -> pathlib.Path:
    """A directory for what is made once for this process."""
    directory = make_directory(name)
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


class Server:
    """One installation, a process group; `start`, `stop` and `close` it.

    `name` is that of its log, too.
    """

    name = ''
    # As an operator stops it.
    signal = signal.SIGTERM

    def __init__(self) -> None:
        self.directory = make_directory(self.name)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._session = requests.Session()

    def launch(self, arguments: list[str], answers: Callable[[], object],
               **environment: str) -> None:
        """Returns when it answers."""
        with (self.directory / 'output').open('ab') as output:
            self._process = subprocess.Popen(
                arguments, stdout=output, stderr=output,
                start_new_session=True, env=os.environ | environment)
        atexit.register(self.kill)
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError, AssertionError):
                if answers():
                    return
            if self._process.poll() is not None or (
                    time.monotonic() > deadline):
                self.kill()
                raise RuntimeError(
                    (self.directory / 'output').read_text()[-2000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """As an operator stops it."""
        self._end(self.signal)

    def kill(self) -> None:
        """As a power cut stops it."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        atexit.unregister(self.kill)
        # The group is its own: a launcher may have started the service.
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._session.close()

    def freeze(self) -> None:
        """Nothing is answered until `thaw`."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """Stop and remove it."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self) -> str:
        return (self.directory / f'{self.name}.log').read_text()

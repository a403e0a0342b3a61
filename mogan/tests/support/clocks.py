# SPDX-License-Identifier: Apache-2.0
"""A wall clock that a server runs on and that can be set, by libfaketime."""

import pathlib
from typing import Final

LIBRARIES: Final = tuple(
    pathlib.Path(root, 'faketime', 'libfaketimeMT.so.1')
    for root in ('/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu',
                 '/usr/lib64', '/usr/lib', '/usr/local/lib'))
_SHARED: Final = pathlib.Path('/dev/shm')  # noqa: S108 - libfaketime's choice


def library() -> pathlib.Path | None:
    """Return the path of libfaketime, if it is installed."""
    return next((path for path in LIBRARIES if path.exists()), None)


class Clock:
    """The host's wall clock, and so many seconds more or less.

    A process is on it from its start, with `environment` in its own.  It has
    to be its user by then: libfaketime's files belong to whoever starts.
    `close` it when its processes have ended.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._pids: set[int] = set()
        self.seconds = 0
        self.step(0)
        self.environment: dict[str, str] = {
            'LD_PRELOAD': str(library()),
            'FAKETIME_TIMESTAMP_FILE': str(path),
            # All processes of a server see a step at the same time.
            'FAKETIME_NO_CACHE': '1', 'FAKETIME_DONT_FAKE_MONOTONIC': '1'}

    def step(self, seconds: int) -> None:
        """Set it to the host's clock and so many seconds."""
        # In one step: a file that is empty for a moment is no time.
        fresh = self._path.with_suffix('.new')
        fresh.write_text(f'{seconds:+d}\n', encoding='ascii')
        fresh.chmod(0o644)
        fresh.replace(self._path)
        self.seconds = seconds

    def keep(self, pid: int) -> None:
        """Remember a process that has been started on this clock."""
        self._pids.add(pid)

    def close(self) -> None:
        """Remove what processes left that were killed: it would keep the
        next ones of their numbers from starting."""
        for pid in self._pids:
            for name in (f'faketime_shm_{pid}', f'sem.faketime_sem_{pid}'):
                (_SHARED / name).unlink(missing_ok=True)
        self._pids.clear()

# SPDX-License-Identifier: Apache-2.0
"""The cost of a command of the client, beside one that does nothing.

Both are the real `openstack`, started in turns.  The best turn of each
counts.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

from benchmarks.peers import Missing
from benchmarks.results import Result
from mogan.tests.support.standalone import Standalone

_GOAL: Final = 0.15  # seconds
_IMAGE: Final = '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10'
_LOCK: Final = ('baremetalcompute', 'instance', 'lock', 'one')
# It starts, reads clouds.yaml, loads every command, and asks nobody.
_NOTHING: Final = ('module', 'list')


def find() -> str:
    """Return the `openstack` of this environment, or of the PATH.

    Raises Missing.
    """
    beside = pathlib.Path(sys.executable).with_name('openstack')
    found = shutil.which(os.environ.get('MOGAN_TEST_OPENSTACK')
                         or str(beside)) or shutil.which('openstack')
    if found is None:
        raise Missing('there is no openstack command: install '
                      './python-moganclient, or name the command in '
                      'MOGAN_TEST_OPENSTACK')
    return found


def measure(directory: pathlib.Path, rounds: int) -> list[Result]:
    """Measure the time that a lock adds to a start of `openstack`."""
    openstack = find()
    with contextlib.closing(Standalone(directory=directory)) as service:
        service.start()
        environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith('OS_')} | {
                'OS_CLOUD': 'mogan',
                'OS_CLIENT_CONFIG_FILE': str(
                    service.directory / 'clouds.yaml')}
        _create(openstack, environment)
        lock, nothing = _best(
            [(openstack, *_LOCK), (openstack, *_NOTHING)], environment,
            rounds)
    return [Result('instance lock - nothing', 'sqlite', lock - nothing, 's',
                   _GOAL, f'{lock:.3f} - {nothing:.3f} s')]


def _create(openstack: str, environment: dict[str, str]) -> None:
    subprocess.run(
        [openstack, 'baremetalcompute', 'instance', 'create', 'one',
         '--flavor', 'baremetal-small', '--image', _IMAGE, '--wait'],
        env=environment, stdout=subprocess.DEVNULL, check=True)


def _best(commands: Sequence[Sequence[str]], environment: dict[str, str],
          rounds: int) -> list[float]:
    turns = [[_seconds(command, environment) for command in commands]
             for _ in range(rounds)]
    return [min(column) for column in zip(*turns, strict=True)]


def _seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL,
                   check=True)
    return time.perf_counter() - began

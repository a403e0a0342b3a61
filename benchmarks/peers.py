# SPDX-License-Identifier: Apache-2.0
"""Services of others that a benchmark needs."""

import os
import pathlib
from typing import Final

_TREE: Final = pathlib.Path(__file__).parents[1]


class Missing(Exception):
    """There is no such service; the text says how to get one."""


def choose(name: str, program: str) -> None:
    """Choose Ironic or Keystone: the one that MOGAN_TEST_... names, or else
    that of the tests, with this program.

    Raises Missing.
    """
    variable, key = f'MOGAN_TEST_{name.upper()}', name.lower()
    commands = pathlib.Path(os.environ.setdefault(
        variable, str(_TREE / '.tox' / f'{key}-server' / 'bin')))
    if not os.access(commands / program, os.X_OK):
        raise Missing(f'there is no {name} in {commands}: run '
                      f'tools/{key}-venv first, or name the directory of '
                      f'its commands in {variable}')

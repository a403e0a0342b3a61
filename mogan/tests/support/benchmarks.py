# SPDX-License-Identifier: Apache-2.0
"""Runs of the benchmarks, whose results are another matter."""

import json
import pathlib
import subprocess
import sys
from typing import Any, Final

import mogan

_ROOT: Final = pathlib.Path(mogan.__file__).parents[1]
_TIMEOUT: Final = 1200.0


def available() -> bool:
    """Return whether this is a source tree, which has them."""
    return (_ROOT / 'benchmarks').is_dir()


def measure(*arguments: str) -> list[dict[str, Any]]:
    """Run `python -m benchmarks` with --json; return what it has measured.
    Raises RuntimeError."""
    done = subprocess.run(
        [sys.executable, '-m', 'benchmarks', *arguments, '--json'],
        cwd=_ROOT, capture_output=True, text=True, timeout=_TIMEOUT,
        check=False)
    # A result is over its goal where other work goes on.
    if done.returncode not in {0, 1} or 'Traceback' in done.stderr:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)

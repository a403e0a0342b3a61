# SPDX-License-Identifier: Apache-2.0
"""The revisions of the schema that this release knows.

Their files are listed, not loaded: alembic would take a sixth of the memory
of an API worker.
"""

import functools
import pathlib


@functools.cache
def known() -> tuple[str, ...]:
    """Return the revisions, the oldest first."""
    versions = pathlib.Path(__file__).parent / 'migrations' / 'versions'
    return tuple(sorted(path.name.partition('_')[0]
                        for path in versions.glob('[0-9]*_*.py')))


def head() -> str:
    """Return the revision that this release works with."""
    return known()[-1]

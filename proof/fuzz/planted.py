# SPDX-License-Identifier: Apache-2.0
"""The standalone service with one defect, to see that it is found."""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, Final
from unittest import mock

from mogan import exception
from mogan.api import edge, types
from mogan.api.controllers import links
from mogan.cmd import standalone
from proof.fuzz.names import PLANTED


def _crash() -> Any:
    """A limit that nobody has tried."""
    known = types.limit.frombasetype

    def limit(value: str) -> int:
        number = known(value)
        if number == types.MAX_LIMIT:
            raise ZeroDivisionError
        return number
    return mock.patch.object(types.limit, 'frombasetype', limit)


def _status() -> Any:
    """A status that no document has."""
    return mock.patch.object(exception.NotFound, 'code', 410)


def _shape() -> Any:
    """Links are texts."""
    return mock.patch.object(links, 'of', lambda *_: ['/v1'])


def _lenient() -> Any:
    """A limit has no end."""
    return mock.patch.object(types.limit, 'frombasetype', int)


def _leak() -> Any:
    """Each request leaves something behind."""
    kept: list[bytes] = []
    known = edge.Guard.__call__

    def call(guard: Any, *arguments: Any) -> Any:
        kept.append(os.urandom(1 << 15))
        return known(guard, *arguments)
    return mock.patch.object(edge.Guard, '__call__', call)


def _secret() -> Any:
    """What a request said goes into the log."""
    known = edge.Edge.__call__

    def call(outermost: Any, environ: Any, start: Any) -> Any:
        edge.LOG.info('%s', environ.get('HTTP_AUTHORIZATION'))
        return known(outermost, environ, start)
    return mock.patch.object(edge.Edge, '__call__', call)


def _forged() -> Any:
    """A path ends a line of the log."""
    return mock.patch.object(edge, '_printable', str)


def _trace() -> Any:
    """A message names a file of ours."""
    return mock.patch.object(exception.NotFound, 'template',
                             f'{__file__}:1: not found')


DEFECTS: Final[dict[str, Callable[[], Any]]] = {
    'crash': _crash, 'status': _status, 'shape': _shape,
    'lenient': _lenient, 'leak': _leak, 'secret': _secret,
    'forged': _forged, 'trace': _trace}


def main() -> int:
    """Run it until it is told to stop."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(DEFECTS[os.environ[PLANTED]]())
        return standalone.main()


if __name__ == '__main__':
    sys.exit(main())

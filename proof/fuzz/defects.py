# SPDX-License-Identifier: Apache-2.0
"""The standalone service with one defect, to see that it is found."""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, Final
from unittest import mock

from mogan import exception
from mogan.api import links, types
from mogan.api.middleware import normalization, request_log
from mogan.cmd import standalone
from proof.fuzz.names import DEFECT


def _crash() -> Any:
    """Let an untested limit raise an exception."""
    known = types.limit.frombasetype

    def limit(value: str) -> int:
        number = known(value)
        if number == types.MAX_LIMIT:
            raise ZeroDivisionError
        return number
    return mock.patch.object(types.limit, 'frombasetype', limit)


def _status() -> Any:
    """Answer with a status that is not documented."""
    return mock.patch.object(exception.NotFound, 'code', 410)


def _shape() -> Any:
    """Links are texts."""
    return mock.patch.object(links, 'of', lambda *_: ['/v1'])


def _lenient() -> Any:
    """Remove a limit."""
    return mock.patch.object(types.limit, 'frombasetype', int)


def _leak() -> Any:
    """Leak memory with each request."""
    kept: list[bytes] = []
    known = normalization.Normalization.__call__

    def call(guard: Any, *arguments: Any) -> Any:
        kept.append(os.urandom(1 << 15))
        return known(guard, *arguments)
    return mock.patch.object(normalization.Normalization, '__call__', call)


def _secret() -> Any:
    """Write what a request said into the log."""
    known = request_log.RequestLog.__call__

    def call(outermost: Any, environ: Any, start: Any) -> Any:
        request_log.LOG.info('%s', environ.get('HTTP_AUTHORIZATION'))
        return known(outermost, environ, start)
    return mock.patch.object(request_log.RequestLog, '__call__', call)


def _forged() -> Any:
    """Let a path end a line of the log."""
    return mock.patch.object(request_log, '_printable', str)


def _trace() -> Any:
    """Name a source file in a message."""
    return mock.patch.object(exception.NotFound, 'template',
                             f'{__file__}:1: not found')


DEFECTS: Final[dict[str, Callable[[], Any]]] = {
    'crash': _crash, 'status': _status, 'shape': _shape,
    'lenient': _lenient, 'leak': _leak, 'secret': _secret,
    'forged': _forged, 'trace': _trace}


def main() -> int:
    """Run it until it is told to stop."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(DEFECTS[os.environ[DEFECT]]())
        return standalone.main()


if __name__ == '__main__':
    sys.exit(main())

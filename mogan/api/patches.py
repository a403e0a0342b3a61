# SPDX-License-Identifier: Apache-2.0
"""Two changes to Pecan and WSME; tests notice when a release of theirs
makes them wrong."""

from typing import Any, NoReturn

import pecan.core
import pecan.decorators
import pecan.rest
import pecan.routing
import pecan.util
import wsme.api

_find_argspec = pecan.util.getargspec
_argspecs: dict[Any, Any] = {}


def _getargspec(method: Any) -> Any:
    """Pecan's own answer, which costs it three quarters of a request."""
    function = getattr(method, '__func__', method)
    try:
        return _argspecs[function]
    except KeyError:
        _argspecs[function] = argspec = _find_argspec(method)
        return argspec


def _let_through(excinfo: tuple[Any, Any, Any],
                 _: bool = False) -> NoReturn:
    """An error that WSME would turn into a fault of its own, with the text
    of whatever went wrong."""
    raise excinfo[1]


def apply() -> None:
    """Put both in place."""
    for module in (pecan.core, pecan.decorators, pecan.rest, pecan.routing,
                   pecan.util):
        module.getargspec = _getargspec
    wsme.api.format_exception = _let_through


apply()

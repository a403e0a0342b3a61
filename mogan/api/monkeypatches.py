# SPDX-License-Identifier: Apache-2.0
"""A monkey patch of Pecan; tests notice when a release makes it wrong."""

from typing import Any

import pecan.core
import pecan.decorators
import pecan.rest
import pecan.routing
import pecan.util

_find_argspec = pecan.util.getargspec
_argspecs: dict[Any, Any] = {}


def _getargspec(method: Any) -> Any:
    """Return Pecan's own result from a cache; without it this takes three
    quarters of a request."""
    function = getattr(method, '__func__', method)
    try:
        return _argspecs[function]
    except KeyError:
        _argspecs[function] = argspec = _find_argspec(method)
        return argspec


def apply() -> None:
    """Put it in place."""
    for module in (pecan.core, pecan.decorators, pecan.rest, pecan.routing,
                   pecan.util):
        module.getargspec = _getargspec


apply()

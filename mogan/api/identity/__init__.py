# SPDX-License-Identifier: Apache-2.0
"""Who is asking: one module for each `auth_strategy`."""

from collections.abc import Callable
from typing import Any, Final

from mogan.api.identity import basic, headers, keystone, noauth
from mogan.api.identity.headers import IdentityError

__all__ = ['IdentityError', 'check', 'wrap']

_STRATEGIES: Final = {'keystone': keystone, 'http_basic': basic,
                      'noauth': noauth}


def check(conf: Any) -> None:
    """Raise IdentityError where the configured strategy cannot work."""
    _STRATEGIES[conf.auth_strategy].check(conf)


def wrap(application: Callable[..., Any], conf: Any) -> Callable[..., Any]:
    """The application behind the configured strategy.

    Raises IdentityError.
    """
    strategy = _STRATEGIES[conf.auth_strategy]
    return headers.Stripped(strategy.wrap(application, conf))

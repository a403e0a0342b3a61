# SPDX-License-Identifier: Apache-2.0
"""Authentication: one module for each `auth_strategy`."""

from collections.abc import Callable
from typing import Final
from wsgiref.types import WSGIApplication

from oslo_config import cfg

from mogan.api.middleware.auth import basic, headers, keystone, noauth
from mogan.api.middleware.auth.headers import IdentityError

__all__ = ['IdentityError', 'check', 'wrap']

_STRATEGIES: Final = {'keystone': keystone, 'http_basic': basic,
                      'noauth': noauth}


def check(conf: cfg.ConfigOpts) -> None:
    """Raise IdentityError where the configured strategy cannot work."""
    _STRATEGIES[conf.auth_strategy].check(conf)


def wrap(application: WSGIApplication, conf: cfg.ConfigOpts,
         roles: Callable[[], frozenset[str] | None] = lambda: None,
         ) -> WSGIApplication:
    """Return the application behind the configured strategy; `roles` returns
    those that the policy rules refer to, or None.

    Raises IdentityError.
    """
    strategy = _STRATEGIES[conf.auth_strategy]
    return headers.Stripped(strategy.wrap(application, conf, roles))

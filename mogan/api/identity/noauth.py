# SPDX-License-Identifier: Apache-2.0
"""Everybody is the administrator, on this machine only."""

import functools
import ipaddress
from collections.abc import Callable
from typing import Any

from mogan import exception
from mogan.api import proxied
from mogan.api.identity import headers


class NoAuth:
    """Gives each request the same identity."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Any:
        if not _is_loopback(environ.get('REMOTE_ADDR', '')):
            raise exception.Forbidden(
                'Without authentication the service answers to its own '
                'machine only.')
        context = environ['mogan.context']
        context.user_id = context.user_name = 'admin'
        context.project_id = context.project_name = 'admin'
        context.roles = ['admin', 'member', 'reader']
        return self._application(environ, start_response)


def check(conf: Any) -> None:
    """Raises IdentityError where others could get in."""
    if not _is_loopback(conf.api.host):
        raise headers.IdentityError(
            f'noauth, but [api] host = {conf.api.host} is '
            f'no loopback address: anybody could delete everything. Set '
            f'host = 127.0.0.1, or another auth_strategy.')
    if proxied.configured(conf):
        raise headers.IdentityError(
            'noauth, but [oslo_middleware] enable_proxy_headers_parsing is '
            'on: whoever is behind the proxy could claim to be on this '
            'machine. Set it to false, or another auth_strategy.')


def wrap(application: Callable[..., Any], conf: Any) -> NoAuth:
    """Raises IdentityError."""
    check(conf)
    return NoAuth(application)


@functools.lru_cache(maxsize=64)
def _is_loopback(host: str) -> bool:
    if host == 'localhost':
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    inner = getattr(address, 'ipv4_mapped', None)
    return (inner or address).is_loopback

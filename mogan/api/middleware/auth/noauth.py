# SPDX-License-Identifier: Apache-2.0
"""No authentication: every caller is an administrator, on this host only."""

import functools
import ipaddress
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_config import cfg

from mogan import exception
from mogan.api.middleware import proxy_headers
from mogan.api.middleware.auth import headers


class NoAuth:
    """WSGI middleware that gives each request the same identity."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        if not _is_loopback(environ.get('REMOTE_ADDR', '')):
            raise exception.Forbidden(
                'Without authentication the API accepts requests from its '
                'own host only.')
        context = environ['mogan.context']
        context.user_id = context.user_name = 'admin'
        context.project_id = context.project_name = 'admin'
        context.roles = ['admin', 'member', 'reader']
        return self._application(environ, start_response)


def check(conf: cfg.ConfigOpts) -> None:
    """Raise IdentityError where callers on other hosts could reach the API."""
    if not _is_loopback(conf.api.host):
        raise headers.IdentityError(
            f'noauth, but [api] host = {conf.api.host} is '
            f'not a loopback address: anybody could delete everything. Set '
            f'host = 127.0.0.1, or another auth_strategy.')
    if proxy_headers.configured(conf):
        raise headers.IdentityError(
            'noauth, but [oslo_middleware] enable_proxy_headers_parsing is '
            'on: clients of the proxy could claim to be on this host. Set '
            'it to false, or another auth_strategy.')


def wrap(application: WSGIApplication, conf: cfg.ConfigOpts,
         _: object = None) -> NoAuth:
    """Return the application without authentication. Raises IdentityError."""
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

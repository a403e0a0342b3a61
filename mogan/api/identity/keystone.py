# SPDX-License-Identifier: Apache-2.0
"""Tokens of Keystone, through keystonemiddleware."""

from collections.abc import Callable
from typing import Any

from keystoneauth1 import exceptions
from keystonemiddleware import auth_token

from mogan import exception
from mogan.api.identity import headers
from mogan.context import RequestContext


class _Known:
    """Behind auth_token: its headers become the caller's context."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Any:
        old = environ['mogan.context']
        # The token itself is of no use further on, nor in a message.
        environ['mogan.context'] = RequestContext.from_environ(
            environ, auth_token=None, service_token=None,
            request_id=old.request_id,
            global_request_id=old.global_request_id)
        return self._application(environ, start_response)


class Keystone:
    """Asks for a token, but where a path is public."""

    def __init__(self, application: Callable[..., Any], conf: Any) -> None:
        self._public = application
        self._private = _protocol(_Known(application), conf)

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Any:
        if environ.get('PATH_INFO', '') in headers.PUBLIC:
            return self._public(environ, start_response)
        try:
            return self._private(environ, start_response)
        except exceptions.ClientException as error:
            # Our own credentials, or the catalog: no fault of the caller's.
            raise exception.ServiceUnavailable(
                'The identity service could not be asked about the '
                'token.') from error


def _protocol(application: Any, conf: Any) -> auth_token.AuthProtocol:
    """auth_token.  Raises IdentityError where nothing says how it is to
    verify a token."""
    for group, options in auth_token.list_opts():
        conf.register_opts(options, group=group)
    group = conf.keystone_authtoken
    fault: object = None if group.auth_type or group.auth_section else (
        'auth_type and what belongs to it are missing')
    if fault is None:
        try:
            return auth_token.AuthProtocol(
                application, {'oslo_config_config': conf})
        except (exceptions.ClientException,
                auth_token.ConfigurationError) as error:
            fault = error
    raise headers.IdentityError(
        f'keystone, but [keystone_authtoken] does not say '
        f'how a token is verified: {fault}')


def check(conf: Any) -> None:
    """Raises IdentityError where nothing says how to reach Keystone."""
    _protocol(None, conf)


def wrap(application: Callable[..., Any], conf: Any) -> Keystone:
    """Raises IdentityError."""
    return Keystone(application, conf)

# SPDX-License-Identifier: Apache-2.0
"""Tokens of Keystone, through keystonemiddleware."""

import re
import threading
from collections.abc import Callable
from typing import Any, Final

import requests
from keystoneauth1 import exceptions
from keystonemiddleware import auth_token

from mogan import exception
from mogan.api.identity import headers
from mogan.context import RequestContext

# What may be one: Keystone is not asked about anything else, nor is a long
# one sent that a proxy in front of it would stumble over.
_TOKEN: Final = re.compile(r'[\x21-\x7e]{1,4096}')
# Threads that never wait for Keystone: for those whose tokens are known.
_FREE: Final = 2
# Where auth_token's own would keep a thread for long, or read the whole
# catalog, of which nothing is used, with each request.
_DEFAULTS: Final = {
    'http_connect_timeout': 10, 'http_request_max_retries': 1,
    'include_service_catalog': False}


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
            raise _unavailable() from error


class _Asked:
    """Keystone as auth_token asks it, but that not all threads wait for it
    at a time, and only one while it does not answer: the others are not kept
    waiting."""

    def __init__(self, server: Any, threads: int) -> None:
        self._server = server
        self._room = threading.Semaphore(max(threads - _FREE, 1))
        self._away = False
        self._waiting = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def verify_token(self, token: str, **options: Any) -> Any:
        """What Keystone says of a token.

        Raises auth_token.InvalidToken, exception.ServiceUnavailable.
        """
        if not _TOKEN.fullmatch(token):
            raise auth_token.InvalidToken
        room = self._waiting if self._away else self._room
        if not room.acquire(blocking=False):
            raise _unavailable()
        try:
            return self._verify(token, options)
        finally:
            room.release()

    def _verify(self, token: str, options: dict[str, Any]) -> Any:
        try:
            found = self._server.verify_token(token, **options)
        except auth_token.InvalidToken as error:
            if not _is_verdict(error.__context__):
                raise _unavailable() from error
            self._away = False
            raise
        except (exceptions.ClientException,
                auth_token.ServiceError) as error:
            # Our own credentials, the catalog, or nobody there: no fault
            # of the caller's.
            self._away = isinstance(error, exceptions.ConnectionError)
            raise _unavailable() from error
        self._away = False
        return found


class _Protocol(auth_token.AuthProtocol):

    def __init__(self, application: Any, conf: Any) -> None:
        super().__init__(application, conf)
        # Else it is left to the first request to find out what is missing.
        self._token_cache.initialize({})

    def _create_identity_server(self) -> _Asked:
        return _Asked(super()._create_identity_server(),
                      self._conf.oslo_conf_obj.api.threads)


def _is_verdict(cause: BaseException | None) -> bool:
    """Whether an error is Keystone's word about a token, not that of a
    proxy, or about our own login."""
    response = getattr(cause, 'response', None)
    if response is None:
        return True
    try:
        return response.request.method == 'GET' and (
            'error' in response.json())
    except requests.JSONDecodeError:
        return False


def _unavailable() -> exception.ServiceUnavailable:
    return exception.ServiceUnavailable(
        'The identity service could not be asked about the token.')


def _protocol(application: Any, conf: Any) -> _Protocol:
    """auth_token.  Raises IdentityError where nothing says how it is to
    verify a token."""
    for group, options in auth_token.list_opts():
        conf.register_opts(options, group=group)
        for name, value in _DEFAULTS.items():
            conf.set_default(name, value, group)
    group = conf.keystone_authtoken
    fault: object = None if group.auth_type or group.auth_section else (
        'auth_type and what belongs to it are missing')
    if fault is None:
        try:
            return _Protocol(application, {'oslo_config_config': conf})
        except (exceptions.ClientException,
                auth_token.ConfigurationError) as error:
            fault = error
        except ImportError as error:
            raise headers.IdentityError(
                f'keystone, but what [keystone_authtoken] needs for '
                f'memcached is not installed: {error}') from error
    raise headers.IdentityError(
        f'keystone, but [keystone_authtoken] does not say '
        f'how a token is verified: {fault}')


def check(conf: Any) -> None:
    """Raises IdentityError where nothing says how to reach Keystone."""
    _protocol(None, conf)


def wrap(application: Callable[..., Any], conf: Any) -> Keystone:
    """Raises IdentityError."""
    return Keystone(application, conf)

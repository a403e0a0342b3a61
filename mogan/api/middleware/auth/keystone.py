# SPDX-License-Identifier: Apache-2.0
"""Authentication by Keystone tokens, through keystonemiddleware."""

import re
import threading
from collections.abc import Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import requests
from keystoneauth1 import exceptions
from keystonemiddleware import auth_token
from oslo_config import cfg

from mogan import exception
from mogan.api.middleware.auth import headers
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
    """WSGI middleware that turns the headers of auth_token into the caller's
    context."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        old = environ['mogan.context']
        # The token itself is of no use further on, nor in a message.
        environ['mogan.context'] = RequestContext.from_environ(
            environ, auth_token=None, service_token=None,
            request_id=old.request_id,
            global_request_id=old.global_request_id)
        return self._application(environ, start_response)


class Keystone:
    """WSGI middleware that requires a token, except on public paths."""

    def __init__(self, application: WSGIApplication,
                 conf: cfg.ConfigOpts) -> None:
        self._public = application
        self._private = _protocol(_Known(application), conf)

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        if environ.get('PATH_INFO', '') in headers.PUBLIC:
            return self._public(environ, start_response)
        try:
            return self._private(environ, start_response)
        except exceptions.ClientException as error:
            raise _unavailable() from error


class _Asked:
    """The identity server of auth_token, with a limit on the threads that wait
    for it: never all of them, and only one while it does not respond."""

    def __init__(self, server: Any, threads: int) -> None:
        self._server = server
        self._room = threading.Semaphore(max(threads - _FREE, 1))
        self._away = False
        self._waiting = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def verify_token(self, token: str, **options: Any) -> Any:
        """Return Keystone's data on a token.

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

    def __init__(self, application: WSGIApplication | None,
                 conf: dict[str, Any]) -> None:
        super().__init__(application, conf)
        # Else it is left to the first request to find out what is missing.
        self._token_cache.initialize({})

    def _create_identity_server(self) -> _Asked:
        return _Asked(super()._create_identity_server(),
                      self._conf.oslo_conf_obj.api.threads)


def _is_verdict(cause: BaseException | None) -> bool:
    """Return whether an error is Keystone's verdict on a token, not the
    response of a proxy, or an error of our own login."""
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
        'The identity service could not validate the token.')


def _protocol(application: WSGIApplication | None,
              conf: cfg.ConfigOpts) -> _Protocol:
    """Return the auth_token middleware.

    Raises IdentityError where the configuration does not say how to verify a
    token.
    """
    for group, options in auth_token.list_opts():
        conf.register_opts(options, group=group)
        for name, value in _DEFAULTS.items():
            conf.set_default(name, value, group)
    group = conf.keystone_authtoken
    fault: object = None if group.auth_type or group.auth_section else (
        'auth_type and the options of its plugin are missing')
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


def check(conf: cfg.ConfigOpts) -> None:
    """Raise IdentityError unless the configuration says how to reach
    Keystone."""
    _protocol(None, conf)


def log_in(conf: cfg.ConfigOpts) -> None:
    """Get a token with the service's own credentials.

    Raises IdentityError.
    """
    protocol = _protocol(None, conf)
    try:
        protocol._session.get_token(  # noqa: SLF001 - what auth_token uses
            auth=protocol._auth)  # noqa: SLF001
    except exceptions.ClientException as error:
        raise headers.IdentityError(
            f'Keystone does not issue a token for the credentials in '
            f'[keystone_authtoken]: {error}') from error


def wrap(application: WSGIApplication, conf: cfg.ConfigOpts,
         _: object = None) -> Keystone:
    """Return the application behind Keystone. Raises IdentityError."""
    return Keystone(application, conf)

# SPDX-License-Identifier: Apache-2.0
"""Tokens of Keystone, through keystonemiddleware."""

from collections.abc import Callable
from typing import Any

from keystonemiddleware import auth_token

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
            environ, auth_token=None, request_id=old.request_id,
            global_request_id=old.global_request_id)
        return self._application(environ, start_response)


class Keystone:
    """Asks for a token, but where a path is public."""

    def __init__(self, application: Callable[..., Any], conf: Any) -> None:
        self._public = application
        self._private = auth_token.AuthProtocol(
            _Known(application), {'oslo_config_config': conf})

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Any:
        if environ.get('PATH_INFO', '') in headers.PUBLIC:
            return self._public(environ, start_response)
        return self._private(environ, start_response)


def check(conf: Any) -> None:
    """auth_token says by itself what it misses."""


def wrap(application: Callable[..., Any], conf: Any) -> Keystone:
    return Keystone(application, conf)

# SPDX-License-Identifier: Apache-2.0
"""The one format of every answer that is an error.

`{"error": {"code", "title", "message"}}` and what the error adds as fields
beside them; also for what Pecan, WSME and the identity middleware answer.
"""

import http
from collections.abc import Callable, Iterable
from typing import Any, Final

import wsme.exc
from oslo_log import log

from mogan import exception
from mogan.api import render, types

LOG = log.getLogger(__name__)

# What else of a foreign answer is worth keeping.
_KEPT: Final = frozenset({
    'allow', 'retry-after', 'www-authenticate', 'vary', 'location'})
_MESSAGES: Final = {kind.code: kind.template for kind in (
    exception.Unauthorized, exception.NotFound, exception.NotAcceptable,
    exception.ServiceUnavailable)} | {
    400: 'The request cannot be understood.',
    403: 'The credentials do not allow this.'}


class Errors:
    """WSGI middleware: whatever goes wrong inside is answered here."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Iterable[bytes]:
        foreign: list[tuple[int, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]],
                  exc_info: Any = None) -> Any:
            if status < '4':
                return start_response(status, headers, exc_info)
            foreign[:] = [(int(status[:3]), headers)]
            return _discard

        try:
            body = self._application(environ, start)
            if not foreign:
                return body
            error = _foreign(environ, *foreign[0], body)
        except exception.MoganError as caught:
            environ['mogan.error'] = error = caught
            if error.__cause__ is not None and (
                    error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR):
                LOG.warning('%s', error, exc_info=error.__cause__)
        except wsme.exc.ClientSideError as caught:
            error = exception.Invalid(types.clip(caught.faultstring))
        except RecursionError:
            error = exception.Invalid('The request is nested too deeply.')
        except Exception:  # the last guard: no text of it may get out
            LOG.exception('The request failed')
            error = exception.MoganError(
                'An unexpected error occurred. The log of the service has '
                f'the reason under {environ["mogan.context"].request_id}.')
        return answer(error, start_response)


def answer(error: exception.MoganError,
           start_response: Callable[..., Any]) -> list[bytes]:
    """Send an error."""
    body = render.to_json({'error': {
        'code': error.code, 'title': error.title,
        'message': error.message} | error.details})
    start_response(f'{error.code} {error.title}', [
        ('Content-Type', 'application/json'),
        ('Content-Length', str(len(body))), *error.headers.items()])
    return [body]


def _discard(data: bytes) -> None:
    pass


def _foreign(environ: dict[str, Any], code: int,
             headers: list[tuple[str, str]], body: Iterable[bytes],
             ) -> exception.MoganError:
    """An error that a library answered with, in our words."""
    close = getattr(body, 'close', None)
    if close:
        close()
    kept = {name: value for name, value in headers
            if name.lower() in _KEPT}
    error: exception.MoganError
    if code == http.HTTPStatus.METHOD_NOT_ALLOWED:
        error = exception.MethodNotAllowed(environ['REQUEST_METHOD'], [])
        error.headers.clear()
    else:
        detail = getattr(environ.get('pecan.original_exception'),
                         'detail', None)
        error = exception.MoganError(types.clip(
            _MESSAGES.get(code) or detail or http.HTTPStatus(code).phrase))
        error.code = code  # type: ignore[misc]
    error.headers |= kept
    return error

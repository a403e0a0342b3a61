# SPDX-License-Identifier: Apache-2.0
"""Error responses, all in one format.

`{"error": {"code", "title", "message"}}`, and the error's own fields beside
them; also in place of the errors of Pecan, WSME and the identity middleware.
"""

import http
from collections.abc import Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import wsme.exc
from oslo_log import log

from mogan import exception
from mogan.api import serialization, types

LOG = log.getLogger(__name__)

# What else of a foreign answer is worth keeping.
_KEPT: Final = frozenset({
    'allow', 'retry-after', 'www-authenticate', 'vary', 'location'})
_READING: Final = frozenset({'GET', 'HEAD', 'OPTIONS'})
_MESSAGES: Final = {kind.code: kind.template for kind in (
    exception.Unauthorized, exception.NotFound, exception.NotAcceptable,
    exception.ServiceUnavailable)} | {
    400: 'The request is not valid.',
    403: 'The credentials do not allow this.'}


class Errors:
    """WSGI middleware that turns exceptions and foreign errors into
    responses."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
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
            if isinstance(error, exception.DatabaseUnavailable) and (
                    environ['REQUEST_METHOD'] in _READING):
                error.tell_reader()
            _log(error)
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


def _log(error: exception.MoganError) -> None:
    """Log the cause of an error that the response does not reveal."""
    if error.__cause__ is None or (
            error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR):
        return
    if isinstance(error, exception.ServiceUnavailable):
        # An outage is no defect, of which the place would matter.
        LOG.warning('%s: %s', type(error).__name__, exception.root(error))
    else:
        LOG.warning('%s', error.message, exc_info=error.__cause__)


def answer(error: exception.MoganError,
           start_response: StartResponse) -> list[bytes]:
    """Send an error."""
    body = serialization.to_json({'error': {
        'code': error.code, 'title': error.title,
        'message': error.message} | error.details})
    start_response(f'{error.code} {error.title}', [
        ('Content-Type', 'application/json'),
        ('Content-Length', str(len(body))), *error.headers.items()])
    return [body]


def _discard(data: bytes) -> None:
    pass


def _foreign(environ: WSGIEnvironment, code: int,
             headers: list[tuple[str, str]], body: Iterable[bytes],
             ) -> exception.MoganError:
    """Return the error response of a library in our own format."""
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

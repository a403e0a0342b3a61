# SPDX-License-Identifier: Apache-2.0
"""What surrounds the application, as plain WSGI.

`Edge`, outermost: the request's id, its line in the log, HEAD.  `Guard`,
behind the identity: paths, queries and bodies that must not get into Pecan,
and the version that a path leaves out.
"""

import functools
import io
import logging
import re
import time
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any, Final

from oslo_log import log
from webob import acceptparse

from mogan import aside, context, exception
from mogan.api import framing, types

LOG = log.getLogger(__name__)

LARGEST: Final = framing.LARGEST_BODY

# Seconds in which lines of the log gather before they are written.
_GATHERED: Final = 0.02

_REQUEST_ID: Final = re.compile(
    r'req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.ASCII)
_LENGTH: Final = re.compile(r'[0-9]{1,18}', re.ASCII)
_UNVERSIONED: Final = re.compile(r'/(instances|servers|flavors|nodes)(/|$)')

Application = Callable[..., Iterable[bytes]]


class Edge:
    """Names each request and writes its line in the log; `close` ends what
    is inside."""

    def __init__(self, application: Application,
                 close: Callable[[], None] | None = None) -> None:
        self._application = application
        self._close = close
        self._log = aside.Aside('requests', delay=_GATHERED)

    def close(self) -> None:
        """Write the last lines."""
        self._log.close()
        if self._close:
            self._close()

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Iterable[bytes]:
        began = time.perf_counter()
        given = environ.get('HTTP_X_OPENSTACK_GLOBAL_REQUEST_ID', '')
        caller = context.RequestContext(
            global_request_id=(given if _REQUEST_ID.fullmatch(given)
                               else None))
        environ['mogan.context'] = caller
        sent = ['', '-']

        def start(status: str, headers: list[tuple[str, str]],
                  exc_info: Any = None) -> Any:
            length = next((header for header in headers
                           if header[0] == 'Content-Length'), ('', '-'))
            sent[:] = status[:3], length[1]
            if status[:3] == '204' and length[0]:
                # Not even the length of nothing (RFC 9110, 8.6).
                headers.remove(length)
            return start_response(
                status, [*headers, ('X-OpenStack-Request-ID',
                                    caller.request_id)], exc_info)

        method = environ['REQUEST_METHOD']
        if method == 'HEAD':
            environ['REQUEST_METHOD'] = 'GET'
        body = self._application(environ, start)
        if LOG.isEnabledFor(logging.INFO):
            line = (time.time(), environ['mogan.context'],
                    environ.get('REMOTE_ADDR') or '-', method,
                    environ.get('PATH_INFO', ''),
                    environ.get('QUERY_STRING', ''), *sent,
                    time.perf_counter() - began)
            if not self._log.call(_write, *line):
                _write(*line)
        return [] if method == 'HEAD' else body


def _write(moment: float, caller: context.RequestContext, address: str,
           method: str, path: str, query: str, *rest: Any) -> None:
    """Write a request's line, with the time of its end."""
    target = f'{path}?{query}' if query else path
    record = LOG.logger.makeRecord(
        LOG.name, logging.INFO, __file__, 0,
        '%s "%s %s" status: %s len: %s time: %.6f',
        (*map(_printable, (address, method, target)), *rest), None,
        extra={'context': caller})
    record.created = moment
    record.msecs = moment % 1 * 1000
    LOG.logger.handle(record)


def _printable(text: str) -> str:
    """A word of a line of the log, which the caller cannot end."""
    if text.isascii() and text.isprintable() and ' ' not in text:
        return text
    return urllib.parse.quote(text, safe='/?&=%', encoding='latin-1',
                              errors='replace')


class Guard:
    """Lets in what Pecan can take, and keeps the body out of its sight
    until it has been checked."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Iterable[bytes]:
        _check_path(environ)
        environ['mogan.query'] = _query(environ.get('QUERY_STRING', ''))
        # There is one answer for all who accept it: Pecan need not choose.
        accept = environ.pop('HTTP_ACCEPT', None)
        if accept and not _accepts_json(accept):
            raise exception.NotAcceptable
        environ['mogan.body'] = _read(environ)
        environ['mogan.content_type'] = environ.get('CONTENT_TYPE', '')
        environ['wsgi.input'] = io.BytesIO()
        environ['CONTENT_LENGTH'] = '0'
        # Nothing that Pecan or WebOb would parse.
        environ['CONTENT_TYPE'] = 'application/octet-stream'
        return self._application(environ, start_response)


def _check_path(environ: dict[str, Any]) -> None:
    path = environ.get('PATH_INFO', '')
    if not path.isascii():
        try:
            path.encode('latin-1').decode('utf-8')
        except UnicodeError:
            raise exception.Invalid(place='path',
                                    fault='is not UTF-8') from None
    if '\0' in path:
        raise exception.Invalid(place='path',
                                fault='holds the character NUL')
    if _UNVERSIONED.match(path):
        environ['PATH_INFO'] = f'/v1{path}'


def _query(text: str) -> list[tuple[str, str]]:
    if not text:
        return []
    try:
        pairs = urllib.parse.parse_qsl(
            text.encode('latin-1').decode('ascii'), keep_blank_values=True,
            errors='strict', max_num_fields=100)
    except UnicodeError:
        raise exception.Invalid(place='query',
                                fault='is not UTF-8') from None
    except ValueError:
        raise exception.Invalid(place='query',
                                fault='has too many arguments') from None
    for name, value in pairs:
        if '\0' in name or '\0' in value:
            raise exception.Invalid(place='query',
                                    fault='holds the character NUL')
    return pairs


@functools.lru_cache(maxsize=256)
def _accepts_json(header: str) -> bool:
    return bool(acceptparse.create_accept_header(header).acceptable_offers(
        ['application/json']))


def _read(environ: dict[str, Any]) -> bytes:
    """The body, all of it.  Raises BodyTooLarge, Invalid."""
    length = environ.get('CONTENT_LENGTH')
    if 'HTTP_TRANSFER_ENCODING' in environ:
        if length:
            raise exception.Invalid(
                place='header Content-Length',
                fault='goes with no Transfer-Encoding')
        body: bytes = environ['wsgi.input'].read(LARGEST + 1)
    elif not length:
        return b''
    elif not _LENGTH.fullmatch(length):
        raise exception.Invalid(
            place='header Content-Length',
            fault=f'"{types.clip(length)}" is no number of bytes')
    elif int(length) > LARGEST:
        raise exception.BodyTooLarge(limit=LARGEST)
    else:
        body = environ['wsgi.input'].read(int(length))
        if len(body) < int(length):
            raise exception.Invalid(place='body', fault='ends too early')
    if len(body) > LARGEST:
        raise exception.BodyTooLarge(limit=LARGEST)
    return body

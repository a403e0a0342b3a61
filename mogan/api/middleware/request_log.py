# SPDX-License-Identifier: Apache-2.0
"""The request log: an id and a log line for each request."""

import logging
import re
import time
import urllib.parse
from collections.abc import Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_log import log

from mogan import background, context

LOG = log.getLogger(__name__)

# Seconds in which lines of the log gather before they are written.
_GATHERED: Final = 0.02

_REQUEST_ID: Final = re.compile(
    r'req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.ASCII)


class RequestLog:
    """WSGI middleware that assigns request ids, logs requests, and answers
    HEAD as GET without a body."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._log = background.BackgroundQueue('requests', delay=_GATHERED)

    def close(self) -> None:
        """Write the pending lines."""
        self._log.close()

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
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


def _write(created: float, caller: context.RequestContext, address: str,
           method: str, path: str, query: str, *rest: Any) -> None:
    """Write a request's line, with the time of its end."""
    target = f'{path}?{query}' if query else path
    record = LOG.logger.makeRecord(
        LOG.name, logging.INFO, __file__, 0,
        '%s "%s %s" status: %s len: %s time: %.6f',
        (*map(_printable, (address, method, target)), *rest), None,
        extra={'context': caller})
    record.created = created
    record.msecs = created % 1 * 1000
    LOG.logger.handle(record)


def _printable(text: str) -> str:
    """Return a field of a log line, quoted so that a caller can neither split
    nor end it."""
    if text.isascii() and text.isprintable() and ' ' not in text:
        return text
    return urllib.parse.quote(text, safe='/?&=%', encoding='latin-1',
                              errors='replace')

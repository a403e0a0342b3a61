# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 requests as cheroot parses them, and errors as JSON."""

from typing import Any, Final

import orjson
from cheroot import server
from oslo_context import context

from mogan.http_server import framing

_MAX_HEADERS: Final = 100


class _ChunkedBody(server.ChunkedRFile):
    """A body in chunks.  Raises MalformedBody, BodyTooLarge when read."""

    def __init__(self, file: Any, *, excessive: bool) -> None:
        super().__init__(file, None)
        self._excessive = excessive

    def read(self, size: int | None = None) -> bytes:
        if self._excessive:
            raise framing.BodyTooLarge
        try:
            return super().read(size)
        except (ValueError, OverflowError):
            raise framing.MalformedBody from None


class _Headers(server.HeaderReader):

    def _allow_header(self, key_name: bytes) -> bool:
        # X_Roles and X-Roles would be one name to the application.
        return b'_' not in key_name

    def __call__(self, rfile: Any, hdict: Any = None) -> Any:
        try:
            found = super().__call__(rfile, hdict)
        except UnboundLocalError:
            # cheroot does not expect the first line to go on from another.
            raise ValueError('Illegal header line.') from None
        # The client has had its word already.
        found.pop(b'Expect', None)
        return found


class Request(server.HTTPRequest):

    header_reader = _Headers()

    def read_request_line(self) -> bool:
        try:
            return bool(super().read_request_line())
        except ValueError:
            # An address with half of a bracket in it.
            self.simple_response('400 Bad Request', 'Malformed Request-URI')
            return False

    def read_request_headers(self) -> bool:
        if self.conn.extent.malformed:
            self.simple_response('400 Bad Request', 'A header is malformed.')
            return False
        if self.conn.extent.lines > _MAX_HEADERS:
            self.simple_response(
                '431 Request Header Fields Too Large',
                f'There are more than {_MAX_HEADERS} headers.')
            return False
        return bool(super().read_request_headers())

    def simple_response(self, status: Any, msg: str = '') -> None:
        """Answer a request that never reaches the application."""
        self.close_connection = True
        self.conn.wfile.write(error_response(status, msg))

    def respond(self) -> None:
        extent = self.conn.extent
        self.rfile = (
            _ChunkedBody(self.conn.rfile, excessive=extent.excessive)
            if self.chunked_read else server.KnownLengthRFile(
                self.conn.rfile,
                int(self.inheaders.get(b'Content-Length', 0))))
        self.server.gateway(self).respond()
        self.ensure_headers_sent()
        if self.chunked_write:
            self.conn.wfile.write(b'0\r\n\r\n')

    def send_headers(self) -> None:
        # What is left of a body must not pass for the next request.
        if self.conn.extent.cut:
            self.close_connection = True
        super().send_headers()


def error_response(status: Any, message: str = '') -> bytes:
    """Return an answer that closes the connection, with a request id."""
    code, _, title = str(status).partition(' ')
    body = orjson.dumps({'error': {
        'code': int(code), 'title': title,
        'message': message or f'The request failed: {title}.'}})
    head = (f'HTTP/1.1 {status}\r\n'
            f'Content-Type: application/json\r\n'
            f'Content-Length: {len(body)}\r\n'
            f'X-OpenStack-Request-ID: {context.generate_request_id()}'
            f'\r\nConnection: close\r\n\r\n')
    return head.encode('latin-1') + body

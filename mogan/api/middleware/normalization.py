# SPDX-License-Identifier: Apache-2.0
"""Request normalization: paths, queries and bodies in the form that
controllers accept, and the version in unversioned paths."""

import functools
import io
import re
import urllib.parse
from collections.abc import Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webob import acceptparse

from mogan import exception
from mogan.api import types
from mogan.http_server import framing

LARGEST: Final = framing.LARGEST_BODY

_LENGTH: Final = re.compile(r'[0-9]{1,18}', re.ASCII)
_UNVERSIONED: Final = re.compile(r'/(instances|servers|flavors|nodes)(/|$)')


class Normalization:
    """WSGI middleware that rejects paths, queries and bodies that Pecan must
    not see, and keeps the body from it until it has been validated."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        _check_path(environ)
        query = environ.get('QUERY_STRING', '')
        environ['mogan.query'] = _query(query)
        # WebOb would take what is behind it for another argument.
        environ['QUERY_STRING'] = query.replace(';', '%3B')
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


def _check_path(environ: WSGIEnvironment) -> None:
    path = environ.get('PATH_INFO', '')
    if not path.isascii():
        try:
            path.encode('latin-1').decode('utf-8')
        except UnicodeError:
            raise exception.Invalid(place='path',
                                    fault='is not UTF-8') from None
    if '\0' in path:
        raise exception.Invalid(place='path',
                                fault='contains a NUL character')
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
                                    fault='contains a NUL character')
    return pairs


@functools.lru_cache(maxsize=256)
def _accepts_json(header: str) -> bool:
    return bool(acceptparse.create_accept_header(header).acceptable_offers(
        ['application/json']))


def _read(environ: WSGIEnvironment) -> bytes:
    """Return the whole body. Raises BodyTooLarge, Invalid."""
    length = environ.get('CONTENT_LENGTH')
    if 'HTTP_TRANSFER_ENCODING' in environ:
        if length:
            raise exception.Invalid(
                place='header Content-Length',
                fault='must not come with Transfer-Encoding')
        try:
            body: bytes = environ['wsgi.input'].read(LARGEST + 1)
        except framing.BodyTooLarge:
            raise exception.BodyTooLarge(limit=LARGEST) from None
        except framing.MalformedBody:
            raise exception.Invalid(
                place='body', fault='its chunks are malformed') from None
    elif not length:
        return b''
    elif not _LENGTH.fullmatch(length):
        raise exception.Invalid(
            place='header Content-Length',
            fault=f'"{types.clip(length)}" is not a number of bytes')
    elif int(length) > LARGEST:
        raise exception.BodyTooLarge(limit=LARGEST)
    else:
        body = environ['wsgi.input'].read(int(length))
        if len(body) < int(length):
            raise exception.Invalid(
                place='body', fault='is shorter than its Content-Length')
    if len(body) > LARGEST:
        raise exception.BodyTooLarge(limit=LARGEST)
    return body

# SPDX-License-Identifier: Apache-2.0
"""Requests as bytes, and what goes wrong with them."""

import dataclasses
import json
import random
from collections.abc import Callable
from typing import Any, Final

_WORDS: Final[tuple[bytes, ...]] = (
    b'', b'\0', b'\r', b'\n', b'\r\n', b'\r\n\r\n', b' ', b'\t', b'\x7f',
    b'\x85', b'\xff', b'\xc0\xaf', b'\xed\xa0\x80', b'\xef\xbb\xbf',
    b'%', b'%00', b'%0d%0a', b'%2e%2e', b'%2f', b'%252f', b'%c0%af', b'%zz',
    b'%u0041', b'..', b'.', b'//', b'\\', b';', b'#', b'?', b'&', b'=', b':',
    b'"', b"'", b'*', b'{', b'[', b'null', b'true', b'NaN', b'-Infinity',
    b'1e999', b'-0', b'9' * 400, b'\\u0000', b'\\ud800', b'\\udfff\\ud800',
    b'${jndi:x}', b'{{7*7}}', b'%s%n', b"' OR 1=1 --", b'<!--', b'__class__',
    b'HTTP/1.1', b'HTTP/1.0', b'Host: x', b'Transfer-Encoding: chunked',
    b'Content-Length: 0', b'Expect: 100-continue', b'chunked', b'0\r\n\r\n',
    b'\x1b[2J', b'A' * 300)
_PATHS: Final[tuple[bytes, ...]] = (
    b'*', b'/', b'//', b'/./v1', b'/v1/../v1/flavors', b'/%2e%2e/v1',
    b'/v1/%2e/flavors', b'/v1/%2e%2e/v1', b'/v1/flavors/%00', b'/v1//flavors',
    b'/v1/instances/%ff', b'/v1/instances/%c0%ae%c0%ae', b'/v1;x=1/flavors',
    b'/v1/instances/%ed%a0%80', b'/v1/instances/%', b'/v1/instances/%zz',
    b'http://elsewhere.example/v1', b'http://127.0.0.1/v1/flavors',
    b'http://[::1/v1', b'http:///v1', b'example.com:443', b'v1', b'?',
    b'/v1#x', b'/v1?#', b'/v1/\xc3\xa9', b'/v1/\xff', b'/v1/\\..\\flavors',
    b'/v1/flavors/' + b'x' * 9000, b'/' * 5000, b'/v1/' + b'a/' * 2000,
    b'/healthcheck', b'/healthcheck/..', b'/healthcheck%00', b'/favicon.ico',
    b'/v1/openapi.json?x', b'/metrics')
_QUERIES: Final[tuple[bytes, ...]] = (
    b'limit=1&limit=2', b'limit=%00', b'limit=-1', b'limit=1e3', b'limit=',
    b'marker=%ff', b'marker', b'=', b'&&&', b'%', b'fields=' + b',' * 500,
    b'name=%ed%a0%80', b'name=' + b'x' * 8000, b'locked=\xff', b'a=b;c=d',
    b'&'.join(b'x=1' for _ in range(300)), b'sort_key=id--', b'name=%0a%0d')
_METHODS: Final[tuple[bytes, ...]] = (
    b'GET', b'HEAD', b'POST', b'PUT', b'PATCH', b'DELETE', b'OPTIONS',
    b'TRACE', b'CONNECT', b'PRI', b'get', b'', b'G\0T', b'GE T', b'M' * 5000,
    b'\xff', b'GET\t', b'/', b'BREW')
_VERSIONS: Final[tuple[bytes, ...]] = (
    b'HTTP/1.0', b'HTTP/0.9', b'HTTP/2.0', b'HTTP/1.1.1', b'HTTP/1.', b'',
    b'HTTP/1.\xb2', b'http/1.1', b'HTTP/11', b'HTTP/1.1 x', b'FTP/1.1',
    b'HTTP/999999999999.1', b'HTTP/-1.1', b'HTTP/1.1\0')
_LENGTHS: Final[tuple[bytes, ...]] = (
    b'0', b'-1', b'+5', b'0x5', b'5 5', b'5, 5', b'5,6', b'1e3', b'',
    b'\xd9\xa1', b'999999999999999999999', b'1048577', b'16', b' 3 ', b'3\0')
_ENCODINGS: Final[tuple[bytes, ...]] = (
    b'chunked', b'Chunked', b' chunked', b'chunked ', b'xchunked', b'gzip',
    b'chunked, chunked', b'gzip, chunked', b'chunked, gzip', b'identity',
    b'', b'chunked\0', b'\x0bchunked', b'"chunked"', b'chunked;q=1')
_HEADERS: Final[tuple[bytes, ...]] = (
    b'X', b'X:', b': x', b' X: x', b'\tX: x', b'X : x', b'X\0: x', b'X: \0',
    b'X: a\rb', b'X: a\nY: b', b'X:\r\n folded', b'X: a\r\n\tb', b'\xff: x',
    b'X: \xff\xfe', b'X: ' + b'x' * 70_000, b'X' * 70_000 + b': x',
    b'Host: a\r\nHost: b', b'Host:', b'Host: a b', b'Host: [::1',
    b'Host: \xff',
    b'Host: x:99999', b'Host: evil.example/"><x', b'Accept: */*;q=\xff',
    b'Accept: ;;;', b'Accept: ' + b'a/b,' * 900, b'Accept: text/html',
    b'Accept: application/json;q=1e9', b'Connection: close, keep-alive',
    b'Connection: upgrade\r\nUpgrade: websocket', b'Connection: ,',
    b'Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk',
    b'Expect: 100-continue', b'Expect: x', b'If-None-Match: \xff"',
    b'If-None-Match: *', b'Range: bytes=0-1,2-', b'Cookie: \xff=;=;',
    b'Authorization: Basic', b'Authorization: Basic \xff',
    b'Authorization: Basic ' + b'A' * 9000, b'Authorization: Basic AAAA',
    b'Authorization: Basic Og==', b'Authorization: Bearer x',
    b'Authorization: Basic YTpi\r\nAuthorization: Basic YTpi',
    b'X-Auth-Token: \xff', b'X-Roles: admin\r\nX-Project-Id: operators',
    b'X_Roles: admin', b'X-HTTP-Method-Override: DELETE',
    b'X-OpenStack-Global-Request-ID: req-\n',
    b'X-OpenStack-Request-ID: req-1', b'X-Forwarded-For: \xff',
    b'Content-Type: application/json; charset=\xff',
    b'Content-Type: multipart/form-data; boundary=', b'Content-Type: \0',
    b'Content-Type: application/x-www-form-urlencoded',
    b'Content-Encoding: gzip', b'Trailer: Content-Length', b'TE: trailers',
    b'Origin: null', b'Transfer-Encoding: chunked\r\nContent-Length: 3')
_MANY: Final = tuple(
    b'\r\n'.join(b'X-%d: %d' % (number, number) for number in range(count))
    for count in (99, 101, 1000))
_BODIES: Final[tuple[bytes, ...]] = (
    b'', b' ', b'\0', b'\xff\xfe', b'\xef\xbb\xbf{}', b'{}', b'[]', b'0',
    b'"', b'{"a":1,"a":2}', b'[' * 40, b'[' * 100_000, b'{"a":' * 5000,
    b'9' * 5000, b'-' + b'9' * 400 + b'.' + b'9' * 400, b'1e' + b'9' * 50,
    b'NaN', b'[Infinity]', b'"\\ud800"', b'{"\\ud800": 1}', b'{"\\u0000": 1}',
    b'"\xed\xa0\x80"', b'"' + b'x' * 1_000_000 + b'"', b'{} {}', b'{}\0',
    b'{"name": "' + b'\\u00e9' * 100_000 + b'"}', b'// c\n{}', b"{'a': 1}",
    b'x' * ((1 << 20) + 1), b'[' + b'{},' * 50_000 + b'{}]',
    b'{"__proto__": {"x": 1}}', b'\x1f\x8b\x08\0', b'--b\r\n\r\n--b--',
    '{"name": "x"}'.encode('utf-16'), '{"name": "x"}'.encode('utf-32'))
_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**40, 1.5, 1e308, '', ' ',
    'x' * 256, 'x' * 70_000, '\0', '\ud800', '\n', '\N{PILE OF POO}' * 255,
    [], {}, [[]], {'a': None}, ['x'] * 200, {str(n): 'x' for n in range(200)},
    '00000000-0000-0000-0000-000000000000', '\u202e', '1', 'true', '-1', [{}])


@dataclasses.dataclass
class Raw:
    """A request before it is bytes; `lines` are headers as they stand."""

    method: bytes
    target: bytes
    lines: list[bytes]
    body: bytes
    version: bytes = b'HTTP/1.1'
    framed: bool = False
    tail: bytes = b''

    def bytes(self) -> bytes:
        """Return what is sent."""
        lines = list(self.lines)
        if self.body and not self.framed:
            lines.append(b'Content-Length: %d' % len(self.body))
        return b'\r\n'.join((
            b' '.join((self.method, self.target, self.version)),
            *lines, b'', self.body)) + self.tail


def mutate(dice: random.Random, raw: Raw) -> bytes:
    """Apply one to four mutations; rarely none."""
    for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3))):
        dice.choice(_STEPS)(dice, raw)
    data = raw.bytes()
    if dice.random() < 0.25:  # noqa: PLR2004
        data = _scramble(dice, data)
    return data


def _method(dice: random.Random, raw: Raw) -> None:
    raw.method = dice.choice(_METHODS)


def _target(dice: random.Random, raw: Raw) -> None:
    place = dice.randrange(len(raw.target) + 1)
    raw.target = dice.choice((
        lambda: dice.choice(_PATHS),
        lambda: raw.target[:place] + dice.choice(_WORDS)
        + raw.target[place:],
        lambda: raw.target[:place],
        lambda: raw.target.replace(b'/', dice.choice((b'//', b'%2F', b'\\'))),
        lambda: b''.join(b'%%%02x' % byte for byte in raw.target)))()


def _query(dice: random.Random, raw: Raw) -> None:
    mark = b'&' if b'?' in raw.target else b'?'
    raw.target += mark + dice.choice((*_QUERIES, dice.choice(_WORDS)))


def _version(dice: random.Random, raw: Raw) -> None:
    raw.version = dice.choice(_VERSIONS)


def _header(dice: random.Random, raw: Raw) -> None:
    lines = raw.lines
    place = dice.randrange(len(lines) + 1)
    match dice.randrange(5):
        case 0 if lines:
            lines.insert(place, dice.choice(lines))
        case 1 if lines:
            lines.pop(place - 1)
        case 2 if lines:
            line = lines[place - 1]
            at = dice.randrange(len(line) + 1)
            lines[place - 1] = line[:at] + dice.choice(_WORDS) + line[at:]
        case 3:
            lines.insert(place, dice.choice(_MANY))
        case _:
            lines.insert(place, dice.choice(_HEADERS))


def _length(dice: random.Random, raw: Raw) -> None:
    raw.framed = dice.random() < 0.7  # noqa: PLR2004
    word = dice.choice((*_LENGTHS, b'%d' % (len(raw.body) + 1),
                        b'%d' % max(0, len(raw.body) - 1)))
    raw.lines.append(b'Content-Length: ' + word)


def _chunks(dice: random.Random, raw: Raw) -> None:
    raw.framed = True
    raw.lines.append(b'Transfer-Encoding: ' + (
        b'chunked' if dice.random() < 0.6  # noqa: PLR2004
        else dice.choice(_ENCODINGS)))
    body, parts = raw.body or b'{}', []
    while body:
        size = dice.randint(1, len(body))
        said = b'%x' % size
        if dice.random() < 0.15:  # noqa: PLR2004
            said = dice.choice((
                b'-1', b'', b'0', b'zz', b'ffffffffffffffffff', b'0x1', b'+1',
                said + b';x="\r\n"', said + b';' + b'x' * 70_000, b' ' + said,
                b'%x' % (size + 1), b'1_0'))
        end = b'\r\n' if dice.random() < 0.95 else dice.choice(_WORDS)  # noqa: PLR2004
        parts.append(said + b'\r\n' + body[:size] + end)
        body = body[size:]
    last = dice.choice((b'0\r\n\r\n', b'0\r\n\r\n', b'0\r\n\r\n', b'',
                        b'0\r\nX: y\r\n\r\n', b'0\r\n', b'00000\r\n\r\n',
                        b'0\r\nContent-Length: 9\r\n\r\n'))
    raw.body = b''.join(parts) + last


def _body(dice: random.Random, raw: Raw) -> None:
    raw.body = dice.choice(_BODIES)


def _splice(dice: random.Random, raw: Raw) -> None:
    place = dice.randrange(len(raw.body) + 1)
    raw.body = (raw.body[:place] + dice.choice(_WORDS)
                + raw.body[place + dice.choice((0, 1, 2)):])


def _value(dice: random.Random, raw: Raw) -> None:
    """Another value somewhere in a body that is JSON."""
    try:
        value = json.loads(raw.body)
    except (ValueError, RecursionError):
        _body(dice, raw)
        return
    raw.body = json.dumps(_change(dice, value)).encode()


def _change(dice: random.Random, value: Any) -> Any:
    if not value or not isinstance(value, dict | list) or (
            dice.random() < 0.1):  # noqa: PLR2004
        return dice.choice(_VALUES)
    places = list(value) if isinstance(value, dict) else range(len(value))
    place = dice.choice(places)
    match dice.randrange(6):
        case 0:
            value.pop(place)
        case 1 if isinstance(value, dict):
            value[dice.choice(('', '\0', 'x', '__class__', 'id', place * 99,
                               '\ud800'))] = dice.choice(_VALUES)
        case 1:
            value *= 120
        case _:
            value[place] = _change(dice, value[place])
    return value


def _pipeline(dice: random.Random, raw: Raw) -> None:
    raw.tail += dice.choice((
        b'GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n' * dice.randint(1, 4),
        b'\r\n' * 3 + b'GET / HTTP/1.1\r\n\r\n', b'\0' * 20, b'GET',
        b'POST /v1/flavors HTTP/1.1\r\nContent-Length: 50\r\n\r\n{',
        b'HEAD /v1 HTTP/1.1\r\nHost: x\r\n\r\n'))


_STEPS: Final[tuple[Callable[[random.Random, Raw], None], ...]] = (
    _method, _target, _target, _query, _version, _header, _header, _header,
    _length, _chunks, _body, _splice, _value, _value, _value, _pipeline)


def _scramble(dice: random.Random, data: bytes) -> bytes:
    """Bytes change, go, come, or come again."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8))):
        at = dice.randrange(len(changed) + 1)
        match dice.randrange(5):
            case 0 if at < len(changed):
                changed[at] ^= 1 << dice.randrange(8)
            case 1:
                del changed[at:at + dice.choice((1, 2, 40))]
            case 2:
                changed[at:at] = dice.choice(_WORDS)
            case 3:
                changed[at:at] = changed[max(0, at - 60):at]
            case _:
                del changed[at:]
    return bytes(changed)

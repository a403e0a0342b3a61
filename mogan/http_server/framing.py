# SPDX-License-Identifier: Apache-2.0
"""Framing: the end of a request, found while its bytes still come."""

import re
from typing import Final

LARGEST_HEAD: Final = 64 * 1024
LARGEST_BODY: Final = 1 << 20

# Room for what frames the chunks of a body; the application counts exactly.
_LARGEST_FRAMED: Final = 2 * LARGEST_BODY
_LONGEST_LINE: Final = 4096

_END: Final = re.compile(rb'\r?\n\r?\n')
_FRAMING: Final = re.compile(
    rb'\n(content-length|transfer-encoding|expect)[ \t]*:[ \t]*([^\r\n]*)',
    re.IGNORECASE)
# What others may take for something else: a line that goes on from another, a
# name that is none, half of a line's end.
_MALFORMED: Final = re.compile(
    rb'\n[^:\x00-\x20\x7f]*[\x00-\x09\x0b\x0c\x0e-\x20\x7f]|\r(?!\n)')
_LENGTH: Final = re.compile(rb'[0-9]{1,18}[ \t]*')
_SIZE: Final = re.compile(rb'([0-9a-fA-F]{1,8})[ \t]*(;[^\r\n]*)?\r')


class MalformedBody(Exception):
    """The chunks of a body are malformed."""


class BodyTooLarge(Exception):
    """A body in chunks is larger than `LARGEST_BODY`."""


class Extent:
    """The extent of one request, to be asked again after each arrival.

    `end`: its length in bytes.  `lines`: those of its head.  `expects`: the
    client waits for 100 Continue before it sends the body.  `cut`: the rest
    is not read, or cannot be told from the next request; `excessive`: since
    the body is too large; `malformed`: since a header is.
    """

    __slots__ = ('_at', '_chunked', '_head', '_size', 'cut', 'end',
                 'excessive', 'expects', 'lines', 'malformed')

    def __init__(self) -> None:
        self._at = self._head = self._size = self.end = self.lines = 0
        self._chunked = self.expects = False
        self.cut = self.excessive = self.malformed = False

    def reached(self, data: bytearray) -> bool:
        """Return True if all has arrived that will be read."""
        if not self._head and not self._find_head(data):
            return self.cut
        if self.cut:
            return True
        if self._chunked:
            return self._find_last_chunk(data)
        return len(data) >= self.end

    def _cut(self, *, excessive: bool = False) -> bool:
        self.cut, self.excessive = True, excessive
        return True

    def _find_head(self, data: bytearray) -> bool:
        found = _END.search(data, max(self._at - 3, 0))
        if found is None:
            self._at = len(data)
            if self._at > LARGEST_HEAD:
                self._cut()
            return False
        self._head = self._at = self.end = found.end()
        self._read_head(bytes(data[:self._head]))
        return True

    def _read_head(self, head: bytes) -> None:
        self.lines = head.count(b'\n') - 2
        lengths, codings = [], []
        for name, value in _FRAMING.findall(head):
            kind = name.lower()
            if kind == b'content-length':
                lengths.append(value)
            elif kind == b'transfer-encoding':
                codings.append(value.strip().lower())
            else:
                self.expects = value.strip().lower() == b'100-continue'
        self.malformed = bool(_MALFORMED.search(head.lstrip(b'\r\n')))
        if self.malformed:
            self._cut()
        elif codings:
            self._chunked = codings == [b'chunked'] and not lengths
            if not self._chunked:
                self._cut()
        elif lengths:
            if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
                self._cut()
            elif int(lengths[0]) > LARGEST_BODY:
                self._cut(excessive=True)
            else:
                self.end += int(lengths[0])

    def _find_last_chunk(self, data: bytearray) -> bool:
        while (line := data.find(b'\n', self._at)) >= 0:
            found = _SIZE.fullmatch(data, self._at, line)
            if found is None:
                return self._cut()
            size = int(found[1], 16)
            if not size:
                return self._find_trailer(data, line)
            if (self._size + size > LARGEST_BODY
                    or len(data) - self._head > _LARGEST_FRAMED):
                return self._cut(excessive=True)
            following = line + 1 + size + 2
            if len(data) < following:
                return False
            if data[following - 2:following] != b'\r\n':
                return self._cut()
            self._at, self._size = following, self._size + size
        return len(data) - self._at > _LONGEST_LINE and self._cut()

    def _find_trailer(self, data: bytearray, line: int) -> bool:
        """Discard what may follow the last chunk."""
        found = _END.search(data, line - 1)
        if found is None:
            return len(data) - line > LARGEST_HEAD and self._cut()
        self.end = found.end()
        return True

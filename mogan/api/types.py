# SPDX-License-Identifier: Apache-2.0
"""What WSME lacks: strict types of query and path arguments, moments, and
attributes that say who sees them and where they come from."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from oslo_utils import strutils
from wsme import types

from mogan import exception

MAX_LIMIT: Final = 1000

# JSON Schema of a uuid; the length keeps out a newline, which `$` lets
# pass.
UUID: Final[dict[str, Any]] = {
    'type': 'string', 'maxLength': 36, 'pattern':
    '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'}

_UUID: Final = re.compile(UUID['pattern'][1:-1])
_NUMBER: Final = re.compile(r'[0-9]{1,9}', re.ASCII)


class Argument(types.UserType):
    """A type of path or query arguments; `frombasetype` raises ValueError,
    whose text goes on behind the argument's name.  `schema`: the JSON
    Schema of the texts that it takes."""

    basetype = str
    schema: Mapping[str, Any]


class _Boolean(Argument):
    # WSME's own takes every text but the empty one as true.
    name = 'boolean'
    # What strutils takes, beside spaces around it.
    schema = {'anyOf': [{'type': 'boolean'}, {'type': 'string', 'pattern':
        '^([Tt]([Rr][Uu][Ee])?|[Yy]([Ee][Ss])?|[Oo][Nn]|1'
        '|[Ff]([Aa][Ll][Ss][Ee])?|[Nn][Oo]?|[Oo][Ff][Ff]|0)$'}]}

    def frombasetype(self, value: str) -> bool:
        try:
            return strutils.bool_from_string(value, strict=True)
        except ValueError:
            raise ValueError('is neither true nor false') from None


class _Limit(Argument):
    name = 'limit'
    schema = {'type': 'integer', 'minimum': 1, 'maximum': MAX_LIMIT}

    def frombasetype(self, value: str) -> int:
        if not _NUMBER.fullmatch(value) or not 1 <= int(value) <= MAX_LIMIT:
            raise ValueError(f'is no number from 1 to {MAX_LIMIT}')
        return int(value)


class _Uuid(Argument):
    name = 'uuid'
    schema = UUID

    def frombasetype(self, value: str) -> str:
        if not _UUID.fullmatch(value):
            raise ValueError('is no uuid')
        return value.lower()


boolean: Final = _Boolean()
limit: Final = _Limit()
uuid: Final = _Uuid()


class UuidOrNotFound(Argument):
    """A uuid in a path: another text than a uuid names nothing."""

    name = 'uuid'
    schema = UUID

    def __init__(self, missing: type[exception.NotFound]) -> None:
        self._missing = missing

    def frombasetype(self, value: str) -> str:
        if not _UUID.fullmatch(value):
            raise self._missing(uuid=clip(value))
        return value.lower()


class Choice(Argument):
    """One of some words."""

    name = 'choice'

    def __init__(self, *words: str) -> None:
        self.words = words
        self.schema = {'enum': [str(word) for word in words]}

    def frombasetype(self, value: str) -> str:
        if value not in self.words:
            raise ValueError(f'is none of {", ".join(self.words)}')
        return value


class Choices(Argument):
    """Some of the words, with commas between them."""

    name = 'choices'

    def __init__(self, *words: str) -> None:
        self.words = words
        self.schema = {'type': 'array', 'minItems': 1,
                       'items': {'enum': [str(word) for word in words]}}

    def frombasetype(self, value: str) -> tuple[str, ...]:
        chosen = tuple(dict.fromkeys(value.split(',')))
        for word in chosen:
            if word not in self.words:
                raise ValueError(f'"{clip(word)}" is none of '
                                 f'{", ".join(self.words)}')
        return chosen


class Text(Argument):
    """A text of some length, in characters."""

    name = 'text'

    def __init__(self, longest: int = 255) -> None:
        self.longest = longest
        # NUL is refused in every query.
        self.schema = {'type': 'string', 'minLength': 1,
                       'maxLength': longest, 'pattern': '^[^\\x00]+$'}

    def frombasetype(self, value: str) -> str:
        if not 1 <= len(value) <= self.longest:
            raise ValueError(f'has not 1 to {self.longest} characters')
        return value


class _Moment(types.UserType):
    """A time that is kept as UTC without a zone, perhaps as a text."""

    basetype = str
    name = 'moment'
    schema = {'type': 'string', 'format': 'date-time', 'pattern':
              r'^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}'
              r'\.[0-9]{6}Z$'}

    def tobasetype(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, str):
            return f'{value[:10]}T{value[11:]}Z'
        return f'{value.isoformat("T", "microseconds")}Z'


moment: Final = _Moment()


class attribute(types.wsattr):  # noqa: N801 - named as its base
    """An attribute of a resource, as it is shown.

    `admin`: only for callers with the right.  `optional`: not always
    there.  `nullable`: may be null.  `schema`: the JSON Schema of its
    values, where it says more than the datatype.  `source`: the row's column
    where it has another name, or a function of the row; None where the
    controller fills it in.
    """

    SAME: Final = object()

    def __init__(self, datatype: Any, *, admin: bool = False,
                 source: str | Callable[[Any], Any] | object | None = SAME,
                 optional: bool = False, nullable: bool = False,
                 schema: Mapping[str, Any] | None = None,
                 **options: Any) -> None:
        super().__init__(datatype, **options)
        self.admin = admin
        self.source = source
        self.optional = optional
        self.nullable = nullable
        self.schema = schema


def clip(text: str, longest: int = 200) -> str:
    """A text of the caller, short enough to be sent back."""
    return text if len(text) <= longest else f'{text[:longest]}...'

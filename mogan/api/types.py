# SPDX-License-Identifier: Apache-2.0
"""WSME types: strict parameters of paths and queries, timestamps, and
attributes of resources with their visibility and source."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from oslo_utils import strutils
from wsme import types

from mogan import exception, timestamps

MAX_LIMIT: Final = 1000

# JSON Schema of a UUID; the length keeps out a newline, which `$` lets
# pass.
UUID: Final[dict[str, Any]] = {
    'description': 'a UUID', 'type': 'string', 'maxLength': 36, 'pattern':
    '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'}

_UUID: Final = re.compile(UUID['pattern'][1:-1])
_NUMBER: Final = re.compile(r'[0-9]{1,9}', re.ASCII)


class Argument(types.UserType):
    """A type of path or query parameters.

    `frombasetype` raises ValueError, whose text follows the parameter's value
    in a message. `schema`: the JSON Schema of accepted values.
    """

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
            raise ValueError('must be true or false') from None


class _Limit(Argument):
    name = 'limit'
    schema = {'type': 'integer', 'minimum': 1, 'maximum': MAX_LIMIT}

    def frombasetype(self, value: str) -> int:
        if not _NUMBER.fullmatch(value) or not 1 <= int(value) <= MAX_LIMIT:
            raise ValueError(f'must be a number from 1 to {MAX_LIMIT}')
        return int(value)


class _Uuid(Argument):
    name = 'uuid'
    schema = UUID

    def frombasetype(self, value: str) -> str:
        if not _UUID.fullmatch(value):
            raise ValueError('is not a UUID')
        return value.lower()


boolean: Final = _Boolean()
limit: Final = _Limit()
uuid: Final = _Uuid()


class UuidOrNotFound(Argument):
    """A UUID in a path; any other string is not found."""

    name = 'uuid'
    schema = UUID

    def __init__(self, missing: type[exception.NotFound]) -> None:
        self._missing = missing

    def frombasetype(self, value: str) -> str:
        if not _UUID.fullmatch(value):
            raise self._missing(uuid=clip(value))
        return value.lower()


class Choice(Argument):
    """One of several values."""

    name = 'choice'

    def __init__(self, *values: str) -> None:
        self.values = values
        self.schema = {'enum': [str(value) for value in values]}

    def frombasetype(self, value: str) -> str:
        if value not in self.values:
            raise ValueError(f'must be one of {", ".join(self.values)}')
        return value


class Choices(Argument):
    """Some of several values, separated by commas."""

    name = 'choices'

    def __init__(self, *values: str) -> None:
        self.values = values
        self.schema = {'type': 'array', 'minItems': 1,
                       'items': {'enum': [str(value) for value in values]}}

    def frombasetype(self, value: str) -> tuple[str, ...]:
        chosen = tuple(dict.fromkeys(value.split(',')))
        for one in chosen:
            if one not in self.values:
                # The message has the value already where there is but one.
                named = f'contains "{clip(one)}", which ' * (one != value)
                raise ValueError(
                    f'{named}must be one of {", ".join(self.values)}')
        return chosen


class Text(Argument):
    """A string of limited length, in characters."""

    name = 'text'

    def __init__(self, longest: int = 255) -> None:
        self.longest = longest
        # NUL is refused in every query.
        self.schema = {'type': 'string', 'minLength': 1,
                       'maxLength': longest, 'pattern': '^[^\\x00]+$'}

    def frombasetype(self, value: str) -> str:
        if not 1 <= len(value) <= self.longest:
            raise ValueError(f'must have 1 to {self.longest} characters')
        return value


class _Timestamp(types.UserType):
    """A timestamp that is stored as UTC without a zone, maybe as a string."""

    basetype = str
    name = 'timestamp'
    schema = {'type': 'string', 'format': 'date-time', 'pattern':
              r'^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}'
              r'\.[0-9]{6}Z$'}

    tobasetype = staticmethod(timestamps.show)


timestamp: Final = _Timestamp()


class attribute(types.wsattr):  # noqa: N801 - named as its base
    """An attribute of a resource in responses.

    `admin`: only for callers with the right. `optional`: not always there.
    `nullable`: may be null. `schema`: the JSON Schema of its values, where it
    is narrower than the datatype's. `source`: the row's column where it has
    another name, or a function of the row; None where the controller fills it
    in.
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


class field(types.wsattr):  # noqa: N801 - named as its base
    """A field of a request body.

    `schema`: the JSON Schema of its values, that of its type where it is an
    object; `required`: the body must have it.
    """

    def __init__(self, datatype: Any, schema: Mapping[str, Any] | None = None,
                 *, required: bool = False, default: Any = types.Unset,
                 ) -> None:
        super().__init__(datatype, mandatory=required, default=default)
        self.schema = body_schema(datatype) if schema is None else schema


def body_schema(kind: type) -> dict[str, Any]:
    """Return the JSON Schema of an object with the fields of a type and no
    others, those of its base classes first."""
    fields = {name: value for base in reversed(kind.__mro__)
              for name, value in vars(base).items()
              if isinstance(value, field)}
    return {'type': 'object',
            'properties': {name: one.schema for name, one in fields.items()},
            'required': [name for name, one in fields.items()
                         if one.mandatory],
            'additionalProperties': False}


def clip(text: str, longest: int = 200) -> str:
    """Return a caller's text, short enough to be repeated in a message."""
    return text if len(text) <= longest else f'{text[:longest]}...'

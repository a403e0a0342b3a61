# SPDX-License-Identifier: Apache-2.0
"""Bodies and query strings are looked at closely, before WSME sees them.

WSME takes what JSON never meant: a number for a text, two values of one
key, a list for an object.  Every fault here is an `Invalid` that names the
place and what is wrong with it.
"""

import functools
import itertools
import json
from collections.abc import Mapping
from typing import Any, Final

import jsonschema
from jsonschema import exceptions

from mogan import exception
from mogan.api import types

DEEPEST: Final = 32

_SHORT: Final = 128  # bytes

# One is enough to say; a body may hold a hundred thousand.
_FAULTS: Final = 16
# Each of these says all there is to say about a thing that is too large,
# and looking at every part of it takes long.
_TOO_LARGE: Final = frozenset({'maxItems', 'maxLength', 'maxProperties'})


class Schema:
    """A JSON Schema, made ready once."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        jsonschema.Draft202012Validator.check_schema(schema)
        self._validator = jsonschema.Draft202012Validator(schema)
        # Most bodies are the same few bytes.
        self._check_short = functools.lru_cache(maxsize=256)(
            self._check_body)

    def check_body(self, body: bytes) -> None:
        """Raise Invalid where this is not JSON, or does not fit."""
        if len(body) <= _SHORT:
            self._check_short(body)
        else:
            self._check_body(body)

    def _check_body(self, body: bytes) -> None:
        self.check(loads(body))

    def check(self, value: Any) -> None:
        """Raise Invalid where the value does not fit."""
        faults = self._validator.iter_errors(value)
        first = next(faults, None)
        if first is None:
            return
        fault = first
        if first.validator not in _TOO_LARGE:
            fault = exceptions.best_match(itertools.chain(
                [first], itertools.islice(faults, _FAULTS - 1))) or first
        raise exception.Invalid(place=_place(fault.absolute_path),
                                fault=_describe(fault))


def _describe(fault: exceptions.ValidationError) -> str:
    """What jsonschema says, with the value that it repeats cut short."""
    message, value = fault.message, repr(fault.instance)
    if message.startswith(value):
        shown = json.dumps(fault.instance, ensure_ascii=False)
        message = types.clip(shown, 60) + message[len(value):]
    if isinstance(fault.validator_value, int) and not isinstance(
            fault.validator_value, bool):
        message += f' ({fault.validator}: {fault.validator_value})'
    return types.clip(message)


def loads(body: bytes) -> Any:
    """The value of a JSON text.  Raises Invalid."""
    try:
        text = body.decode('utf-8')
    except UnicodeDecodeError as error:
        raise exception.Invalid(
            place='body', fault=f'is not UTF-8 (byte {error.start})',
            ) from None
    _check_depth(text)
    try:
        value = json.loads(text, parse_constant=_refuse_constant,
                           object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise exception.Invalid(
            place='body', fault=f'is not JSON: {error.msg} (line '
            f'{error.lineno}, column {error.colno})') from None
    except ValueError:  # Python's own limit of digits
        raise exception.Invalid(
            place='body', fault='a number has too many digits') from None
    if '\\u' in text:
        _check_text(value, ())
    return value


def _check_depth(text: str) -> None:
    if text.count('[') + text.count('{') <= DEEPEST:
        return
    depth, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == '\\' and not escaped
        elif character in '[{':
            depth += 1
            if depth > DEEPEST:
                raise exception.Invalid(
                    place='body',
                    fault=f'is nested more than {DEEPEST} levels deep')
        elif character in ']}':
            depth -= 1
        else:
            quoted = character == '"'


def _refuse_constant(name: str) -> None:
    raise exception.Invalid(place='body', fault=f'{name} is not JSON')


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise exception.Invalid(
                    place='body',
                    fault=f'the key "{types.clip(name)}" is there twice')
            seen.add(name)
    return members


def _check_text(value: Any, path: tuple[Any, ...]) -> None:
    """No character that a database cannot keep; only escapes make them."""
    if isinstance(value, str):
        if '\0' in value:
            raise exception.Invalid(place=_place(path),
                                    fault='holds the character NUL')
        try:
            value.encode('utf-8')
        except UnicodeEncodeError:
            raise exception.Invalid(
                place=_place(path),
                fault='holds half of a surrogate pair') from None
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_text(item, (*path, index))
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(name, path)
            _check_text(item, (*path, name))


def _place(path: Any) -> str:
    """A JSON path as a reader writes it."""
    words = (f'[{part}]' if isinstance(part, int) else f'.{part}'
             for part in path)
    return types.clip(f'${"".join(words)}')


def query_of(pairs: list[tuple[str, str]],
             known: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a query, in their types.

    `known` has the WSME type of each argument that is allowed.  Raises
    Invalid.
    """
    found: dict[str, Any] = {}
    for name, text in pairs:
        place = f'query argument {types.clip(name)}'
        if name not in known:
            words = ', '.join(known) or 'none'
            raise exception.Invalid(
                place=place, fault=f'is not known here (known: {words})')
        if name in found:
            raise exception.Invalid(place=place, fault='is there twice')
        kind = known[name]
        try:
            found[name] = (kind.frombasetype(text)
                           if isinstance(kind, types.Argument)
                           else kind(text))
        except ValueError as error:
            raise exception.Invalid(
                place=place,
                fault=f'"{types.clip(text)}" {error}') from None
    return found

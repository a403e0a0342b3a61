# SPDX-License-Identifier: Apache-2.0
"""Validation of request bodies and query strings, before WSME parses them.

WSME accepts what JSON does not mean: a number for a string, a duplicate key, a
list for an object. Every error here is an `Invalid` that names the place and
the fault.
"""

import contextlib
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jsonschema
from jsonschema import exceptions

from mogan import exception
from mogan.api import types

DEEPEST: Final = 32

# One is enough to say; a body may hold a hundred thousand.
_FAULTS: Final = 16
# Each of these says all there is to say about a thing that is too large,
# and looking at every part of it takes long.
_TOO_LARGE: Final = frozenset({'maxItems', 'maxLength', 'maxProperties'})


class Schema:
    """A JSON Schema, compiled once."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        jsonschema.Draft202012Validator.check_schema(schema)
        self._validator = jsonschema.Draft202012Validator(schema)

    def load(self, body: bytes) -> Any:
        """Return the value of a JSON text.  Raises Invalid."""
        value = loads(body)
        self.check(value)
        return value

    def check(self, value: Any) -> None:
        """Raise Invalid where the value is not valid."""
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


@contextlib.contextmanager
def invalid_at(place: str,
               *kinds: type[exception.MoganError]) -> Iterator[None]:
    """Turn errors of these kinds into an Invalid about a place in the
    request."""
    try:
        yield
    except kinds as error:
        first, rest = error.message[0].lower(), error.message[1:]
        raise exception.Invalid(
            place=place, fault=first + rest.removesuffix('.')) from None


def _describe(fault: exceptions.ValidationError) -> str:
    """Return a message about a validation error, with long values
    truncated."""
    fault = _meant(fault)
    message, value = fault.message, repr(fault.instance)
    schema: Any = fault.schema
    if fault.validator == 'pattern' and 'description' in schema:
        # Nobody reads a regular expression to learn what is wanted.
        message = f'{value} must be {schema["description"]}'
    inner = fault.context or []
    if fault.validator == 'anyOf' and inner and all(
            one.validator == 'type' for one in inner):
        kinds = ', '.join(repr(one.validator_value) for one in inner)
        message = f'{value} is not of type {kinds}'
    if message.startswith(value):
        shown = ''.join(
            letter if letter.isprintable() else f'\\u{ord(letter):04x}'
            for letter in json.dumps(fault.instance, ensure_ascii=False))
        message = types.clip(shown, 60) + message[len(value):]
    if isinstance(fault.validator_value, int) and not isinstance(
            fault.validator_value, bool):
        message += f' ({fault.validator}: {fault.validator_value})'
    return types.clip(message)


def _meant(fault: exceptions.ValidationError) -> exceptions.ValidationError:
    """Return the error in the one form of an `anyOf` that has the type of the
    value."""
    while fault.validator == 'anyOf':
        inner = [one for one in fault.context or ()
                 if one.validator != 'type']
        # The path within `anyOf` begins with the number of the form.
        if len({one.relative_schema_path[0] for one in inner}) != 1:
            break
        fault = inner[0]
    return fault


def loads(body: bytes) -> Any:
    """Return the value of a JSON text. Raises Invalid."""
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
    fields = dict(pairs)
    if len(fields) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise exception.Invalid(
                    place='body',
                    fault=f'the key "{types.clip(name)}" is given twice')
            seen.add(name)
    return fields


def _check_text(value: Any, path: tuple[Any, ...]) -> None:
    """Raise Invalid for characters that a database cannot store; only escapes
    produce them."""
    if isinstance(value, str):
        if '\0' in value:
            raise exception.Invalid(place=_place(path),
                                    fault='contains a NUL character')
        try:
            value.encode('utf-8')
        except UnicodeEncodeError:
            raise exception.Invalid(
                place=_place(path),
                fault='contains an unpaired surrogate') from None
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_text(item, (*path, index))
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(name, path)
            _check_text(item, (*path, name))


def _place(path: Any) -> str:
    """Return a JSON path in the usual notation."""
    steps = (f'[{part}]' if isinstance(part, int) else f'.{part}'
             for part in path)
    return types.clip(f'${"".join(steps)}')


def query_of(pairs: list[tuple[str, str]],
             known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the query parameters, converted to their types.

    `known` has the WSME type of each parameter that is allowed. Raises
    Invalid.
    """
    found: dict[str, Any] = {}
    for name, text in pairs:
        place = f'query argument {types.clip(name)}'
        if name not in known:
            names = ', '.join(known) or 'none'
            raise exception.Invalid(
                place=place, fault=f'is not supported (supported: {names})')
        if name in found:
            raise exception.Invalid(place=place, fault='is given twice')
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

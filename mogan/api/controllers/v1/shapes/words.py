# SPDX-License-Identifier: Apache-2.0
"""JSON Schema for the texts that several resources share.

Lengths are in characters, as the columns have them.
"""

from collections.abc import Iterable
from typing import Any, Final

from mogan.api import types

LONGEST: Final = 255

# No characters that end a line of a log or ring a bell, and not blank.
# (`$` alone would let a newline pass at the end.)
NAME: Final[dict[str, Any]] = {
    'type': 'string', 'minLength': 1, 'maxLength': LONGEST,
    'pattern': r'^(?!\s*$)[^\x00-\x1f\x7f]+$(?!\n)'}
# Anything but the character that PostgreSQL cannot keep.
TEXT: Final = r'^[^\x00]*$'
DESCRIPTION: Final[dict[str, Any]] = {
    'type': ['string', 'null'], 'maxLength': LONGEST, 'pattern': TEXT}
UUID: Final = types.UUID
BOOLEAN: Final[dict[str, Any]] = {
    'anyOf': [{'type': 'boolean'}, {
        'type': 'string', 'pattern':
        '^([Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|[Nn]o|[Oo]n|[Oo]ff|[01])$'
        r'(?!\n)'}]}
# How they are shown.
LINKS: Final[dict[str, Any]] = {'type': 'array', 'items': {
    'type': 'object', 'required': ['rel', 'href'],
    'properties': {'rel': {'type': 'string'},
                   'href': {'type': 'string', 'format': 'uri'}}}}
REQUEST_ID: Final[dict[str, Any]] = {
    'type': 'string', 'pattern':
    '^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'}


def one_of(words: Iterable[str]) -> dict[str, Any]:
    """A text that is one of these."""
    return {'type': 'string', 'enum': [str(word) for word in words]}


def members(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """An object with these members and no others."""
    return {'type': 'object', 'properties': properties,
            'required': list(required), 'additionalProperties': False}


def patch(values: dict[str, dict[str, Any]],
          removable: list[str]) -> dict[str, Any]:
    """A JSON patch (RFC 6902): what may be where, and which paths may go;
    paths are written as patterns."""
    value = members({'op': {'enum': ['add', 'replace', 'test']},
                     'path': _path(values), 'value': True},
                    'op', 'path', 'value')
    no_value = members({'op': {'const': 'remove'},
                        'path': _path(removable)}, 'op', 'path')
    return {'type': 'array', 'minItems': 1, 'maxItems': 100, 'items': {
        'type': 'object', 'required': ['op', 'path'],
        'properties': {'op': {
            'enum': ['add', 'replace', 'remove', 'test']}},
        'if': {'properties': {'op': {'const': 'remove'}}},
        'then': no_value,
        'else': value | {'allOf': [
            _fits(path, schema) for path, schema in values.items()]}}}


def _fits(path: str, schema: dict[str, Any]) -> dict[str, Any]:
    """What is put there fits; a test may ask for anything."""
    return {'if': {'properties': {'op': {'enum': ['add', 'replace']},
                                  'path': {'pattern': f'^{path}$(?!\n)'}}},
            'then': {'properties': {'value': schema}}}


def _path(patterns: Iterable[str]) -> dict[str, Any]:
    return {'type': 'string', 'maxLength': 1024,
            'pattern': f'^({"|".join(patterns)})$(?!\n)'}

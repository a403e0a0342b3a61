# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas of fields that several resources share.

Lengths are in characters, as the columns have them.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from mogan.api import types

LONGEST: Final = 255

# What ends a line of a log or rings a bell, and what shows the text after it
# in another order than it has.
_HIDDEN: Final = (r'\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029'
                  r'\u202a-\u202e\u2066-\u2069')
# The same, but that there may be lines, and marks within right-to-left text.
_HIDDEN_IN_LINES: Final = (r'\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f'
                           r'\u202a-\u202e\u2066-\u2069')
# (`$` alone would let a newline pass at the end.)
LINE: Final[dict[str, Any]] = {
    'description': 'one line of printable text',
    'pattern': rf'^[^{_HIDDEN}]*$(?!\n)'}
NAME: Final[dict[str, Any]] = {
    'description': 'one line of printable text that is not blank',
    'type': 'string', 'minLength': 1, 'maxLength': LONGEST,
    'pattern': LINE['pattern'].replace('^', r'^(?!\s*$)', 1)}
LINES: Final[dict[str, Any]] = {
    'description': 'printable text', 'pattern': rf'^[^{_HIDDEN_IN_LINES}]*$'}
# Anything but the character that PostgreSQL cannot keep.
TEXT: Final[dict[str, Any]] = {
    'description': 'text without NUL characters', 'pattern': r'^[^\x00]*$'}
DESCRIPTION: Final[dict[str, Any]] = {
    'type': ['string', 'null'], 'maxLength': LONGEST, **LINES}
UUID: Final = types.UUID
BOOLEAN: Final[dict[str, Any]] = {
    'anyOf': [{'type': 'boolean'}, {
        'description': 'true or false', 'type': 'string', 'pattern':
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


def one_of(values: Iterable[str]) -> dict[str, Any]:
    """Return the schema of a string that is one of these values."""
    return {'type': 'string', 'enum': [str(value) for value in values]}


def object_schema(properties: dict[str, Any],
                  *required: str) -> dict[str, Any]:
    """Return the schema of an object with these fields and no others."""
    return {'type': 'object', 'properties': properties,
            'required': list(required), 'additionalProperties': False}


def patch(values: dict[str, dict[str, Any]],
          removable: list[str], *shown: str) -> dict[str, Any]:
    """Return the schema of a JSON Patch (RFC 6902) with these values by path,
    and these paths to remove; paths are regular expressions."""
    value = object_schema({'op': {'enum': ['add', 'replace', 'test']},
                     'path': _path(values, shown), 'value': True},
                    'op', 'path', 'value')
    no_value = object_schema({'op': {'const': 'remove'},
                        'path': _path(removable, shown)}, 'op', 'path')
    return {'type': 'array', 'minItems': 1, 'maxItems': 100, 'items': {
        'type': 'object', 'required': ['op', 'path'],
        'properties': {'op': {
            'enum': ['add', 'replace', 'remove', 'test']}},
        'if': {'properties': {'op': {'const': 'remove'}}},
        'then': no_value,
        'else': value | {'allOf': [
            _fits(path, schema) for path, schema in values.items()]}}}


def _fits(path: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one path's value; a test may compare with any
    value."""
    return {'if': {'properties': {'op': {'enum': ['add', 'replace']},
                                  'path': {'pattern': f'^{path}$(?!\n)'}}},
            'then': {'properties': {'value': schema}}}


def _path(patterns: Iterable[str], shown: Iterable[str]) -> dict[str, Any]:
    patterns = list(patterns)
    names = [path for path in patterns if re.fullmatch('[a-z_/]+', path)]
    return {'description': f'one of {", ".join([*names, *shown])}',
            'type': 'string', 'maxLength': 1024,
            'pattern': f'^({"|".join(patterns)})$(?!\n)'}

# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas of responses, generated from the WSME types."""

from typing import Any, Final

import wsme.types

from mogan import states
from mogan.api import types

_PLAIN: Final[dict[Any, dict[str, Any]]] = {
    str: {'type': 'string'}, int: {'type': 'integer'},
    bool: {'type': 'boolean'}, float: {'type': 'number'}}

_FIELDS: Final[dict[str, Any]] = {
    'code': {'type': 'integer', 'minimum': 400, 'maximum': 599},
    'title': {'type': 'string'}, 'message': {'type': 'string'}}
# Every answer that is an error.
ERROR: Final[dict[str, Any]] = {
    'type': 'object', 'required': ['error'], 'properties': {'error': {
        'type': 'object', 'required': list(_FIELDS),
        'properties': _FIELDS}}}
# One that a lock may be the reason of.
LOCKED: Final[dict[str, Any]] = {
    'type': 'object', 'required': ['error'], 'properties': {'error': {
        'type': 'object', 'required': list(_FIELDS),
        'properties': _FIELDS | {'lock': {
            'type': 'object', 'required': [
                'state', 'since', 'reason', 'release'],
            'properties': {
                'state': {'type': 'string', 'enum': [
                    str(state) for state in states.LockState
                    if state is not states.LockState.UNLOCKED]},
                'since': types.timestamp.schema | {'type': ['string', 'null']},
                'reason': {'type': ['string', 'null']},
                'release': {'type': 'string'},
                'by': {'type': ['string', 'null']}}}}}}}


class Components:
    """Named schemas; more are added as types are asked for."""

    def __init__(self) -> None:
        self.schemas: dict[str, dict[str, Any]] = {}

    def of(self, kind: Any, *, partial: bool = False) -> dict[str, Any]:
        """Return the schema of a type; `partial`: the caller chooses the
        fields of a list's items."""
        if kind in _PLAIN:
            return _PLAIN[kind]
        if isinstance(kind, wsme.types.UserType):
            return kind.schema
        if isinstance(kind, wsme.types.ArrayType):
            return {'type': 'array', 'items': (
                self._fields(kind.item_type) if partial
                else self.of(kind.item_type))}
        if isinstance(kind, wsme.types.DictType):
            return {'type': 'object',
                    'additionalProperties': self.of(kind.value_type)}
        return self._named(kind.__name__, kind, partial=partial,
                           required=True)

    def _fields(self, kind: Any) -> dict[str, Any]:
        return self._named(f'{kind.__name__}Fields', kind, partial=False,
                           required=False)

    def _named(self, name: str, kind: Any, *, partial: bool,
               required: bool) -> dict[str, Any]:
        schema: dict[str, Any] = {'type': 'object'}
        if kind.__doc__:
            schema['description'] = ' '.join(
                kind.__doc__.partition('\n\n')[0].split())
        wsme.types.register_type(kind)
        attributes = wsme.types.list_attributes(kind)
        always = [attr.name for attr in attributes
                  if not (attr.admin or attr.optional)]
        if required and always:
            schema['required'] = always
        schema['properties'] = {
            attr.name: self._attribute(attr, partial=partial)
            for attr in attributes}
        if self.schemas.setdefault(name, schema) != schema:
            raise TypeError(f'two types are called {name}')
        return {'$ref': f'#/components/schemas/{name}'}

    def _attribute(self, attr: Any, *, partial: bool) -> dict[str, Any]:
        schema = attr.schema or self.of(attr.datatype, partial=partial)
        if not attr.nullable:
            return dict(schema)
        if 'enum' in schema:
            schema = schema | {'enum': [*schema['enum'], None]}
        if 'type' in schema:
            return schema | {'type': [schema['type'], 'null']}
        return {'anyOf': [schema, {'type': 'null'}]}

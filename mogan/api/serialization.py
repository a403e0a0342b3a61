# SPDX-License-Identifier: Apache-2.0
"""Serialization of database rows and response bodies.

A WSME type declares the fields of a resource. Filling one such object for each
row costs more than all the rest of a list, so the declaration is compiled once
into a plan that makes a dict of a row, equal to WSME's result.
"""

import datetime
import functools
import json
import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import orjson
import wsme.rest.json
import wsme.types
import wsmeext.pecan

from mogan.api import types


class _Plan(NamedTuple):
    names: tuple[str, ...]
    columns: tuple[str, ...]
    converters: tuple[tuple[str, Callable[[Any], Any]], ...]
    computed: tuple[tuple[str, Callable[[Any], Any]], ...]


class View:
    """The serialization of rows as dicts of a WSME type; `mapping`: the rows
    are dicts, otherwise named tuples.

    Attributes are declared with `types.attribute`; those for admins only have
    `admin`.
    """

    def __init__(self, kind: type, *, mapping: bool = False) -> None:
        self.kind = kind
        wsme.types.register_type(kind)
        self._mapping = mapping
        self._all = {admin: self._compile(None, admin)
                     for admin in (False, True)}
        # Whoever asks chooses the fields: keep a few, not all of them.
        self._some = functools.lru_cache(maxsize=128)(self._compile)

    def names(self, *, admin: bool = False) -> tuple[str, ...]:
        """Return the names that a caller can choose as fields."""
        return tuple(attr.name for attr in self._attributes(admin))

    def __call__(self, row: Any, *, admin: bool = False,
                 fields: tuple[str, ...] | None = None) -> dict[str, Any]:
        """Return one row as a dict, with all or some fields."""
        plan = self._plan(admin, fields)
        return _show(plan, self._values(plan, row), row)

    def many(self, rows: Iterable[Any], *, admin: bool = False,
             fields: tuple[str, ...] | None = None) -> list[dict[str, Any]]:
        """Return rows as dicts, with all or some fields."""
        plan = self._plan(admin, fields)
        rows = list(rows)
        if not rows:
            return []
        values = self._values(plan, rows[0])
        return [_show(plan, values, row) for row in rows]

    def _values(self, plan: _Plan, row: Any) -> Callable[[Any], Any]:
        """Return a getter of the plan's columns from rows like this one."""
        return _getter(plan.columns,
                       None if self._mapping else row._fields)

    def _plan(self, admin: bool, fields: tuple[str, ...] | None) -> _Plan:
        if fields is None:
            return self._all[admin]
        return self._some(frozenset(fields), admin)

    def _attributes(self, admin: bool) -> list[Any]:
        return [attr for attr in wsme.types.list_attributes(self.kind)
                if admin or not getattr(attr, 'admin', False)]

    def _compile(self, fields: frozenset[str] | None, admin: bool) -> _Plan:
        plain: dict[str, Any] = {}
        converters, computed = [], []
        for attr in self._attributes(admin):
            if fields is not None and attr.name not in fields:
                continue
            source = getattr(attr, 'source', types.attribute.SAME)
            if source is None:
                continue
            convert = _converter(attr.datatype)
            if callable(source):
                computed.append((attr.name, _after(source, convert)))
                continue
            plain[attr.name] = (attr.key if source is types.attribute.SAME
                                else source)
            if convert:
                converters.append((attr.name, convert))
        return _Plan(tuple(plain), tuple(plain.values()),
                     tuple(converters), tuple(computed))


@functools.lru_cache(maxsize=256)
def _getter(columns: tuple[str, ...], fields: tuple[str, ...] | None,
            ) -> Callable[[Any], Any]:
    # By numbers, for a row looks up each name slowly.
    keys = columns if fields is None else tuple(map(fields.index, columns))
    if len(keys) > 1:
        return operator.itemgetter(*keys)
    return lambda row: tuple(row[key] for key in keys)


def _show(plan: _Plan, values: Callable[[Any], Any],
          row: Any) -> dict[str, Any]:
    shown = dict(zip(plan.names, values(row), strict=True))
    for name, convert in plan.converters:
        value = shown[name]
        if value is not None:
            shown[name] = convert(value)
    for name, compute in plan.computed:
        shown[name] = compute(row)
    return shown


def _converter(datatype: Any) -> Callable[[Any], Any] | None:
    """Return a function that turns a value into JSON's, or None where none is
    needed."""
    if datatype in (bool, int, float, str):
        return None
    if datatype is types.timestamp:
        return types.timestamp.tobasetype
    if isinstance(datatype, wsme.types.DictType | wsme.types.ArrayType):
        inner = (datatype.value_type
                 if isinstance(datatype, wsme.types.DictType)
                 else datatype.item_type)
        if _converter(inner) in {None, _written}:
            return _written
    if datatype is datetime.datetime:
        raise TypeError('times are shown by types.timestamp')
    return functools.partial(wsme.rest.json.tojson, datatype)


def _written(value: Any) -> Any:
    """Return JSON text as it is; a string that is not JSON stays a string."""
    if type(value) is not str:
        return value
    if value != '{}':
        try:
            orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return orjson.Fragment(value)


def _after(source: Callable[[Any], Any],
           convert: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    if convert is None:
        return source

    def compute(row: Any) -> Any:
        value = source(row)
        return None if value is None else convert(value)
    return compute


class Renderer(wsmeext.pecan.JSonRenderer):
    """Renders results that are finished: dicts, and JSON as bytes."""

    @staticmethod
    def render(_: str, namespace: dict[str, Any]) -> bytes:
        result = namespace['result']
        return result if type(result) is bytes else to_json(result)


def to_json(value: Any) -> bytes:
    """Return a value as JSON, without whitespace."""
    try:
        return orjson.dumps(value, default=_to_string)
    except orjson.JSONEncodeError:
        # Half of a surrogate pair: a caller's, or in the name of a node.
        return json.dumps(value, separators=(',', ':')).encode('ascii')


def _to_string(value: Any) -> str:
    # SQLite keeps bytes in any column.
    if isinstance(value, bytes):
        return value.decode('utf-8', 'backslashreplace')
    raise TypeError

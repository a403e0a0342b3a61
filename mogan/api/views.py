# SPDX-License-Identifier: Apache-2.0
"""Rows as they are shown.

A WSME type declares what a resource looks like.  Filling one such object
for each row costs more than all the rest of a list, so the declaration is
turned once into a plan that makes a dict of a row, equal to what WSME would
have made.
"""

import datetime
import functools
import json
import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import wsme.rest.json
import wsme.types
import wsmeext.pecan

from mogan.api import types


class _Plan(NamedTuple):
    names: tuple[str, ...]
    getter: Callable[[Any], tuple[Any, ...]]
    converters: tuple[tuple[str, Callable[[Any], Any]], ...]
    computed: tuple[tuple[str, Callable[[Any], Any]], ...]


class View:
    """How rows become dicts of a WSME type; `mapping`: the rows are dicts.

    Attributes are written with `types.attribute`; those that only admins
    see need `admin`.
    """

    def __init__(self, kind: type, *, mapping: bool = False) -> None:
        self.kind = kind
        wsme.types.register_type(kind)
        self._getter = (operator.itemgetter if mapping
                        else operator.attrgetter)
        self._all = {admin: self._compile(None, admin)
                     for admin in (False, True)}
        # Whoever asks chooses the fields: keep a few, not all of them.
        self._some = functools.lru_cache(maxsize=128)(self._compile)

    def names(self, *, admin: bool = False) -> tuple[str, ...]:
        """What can be chosen as a field."""
        return tuple(attr.name for attr in self._attributes(admin))

    def __call__(self, row: Any, *, admin: bool = False,
                 fields: tuple[str, ...] | None = None) -> dict[str, Any]:
        """One row, whole or some fields of it."""
        return _show(self._plan(admin, fields), row)

    def many(self, rows: Iterable[Any], *, admin: bool = False,
             fields: tuple[str, ...] | None = None) -> list[dict[str, Any]]:
        """Rows, whole or some fields of each."""
        plan = self._plan(admin, fields)
        return [_show(plan, row) for row in rows]

    def _plan(self, admin: bool, fields: tuple[str, ...] | None) -> _Plan:
        if fields is None:
            return self._all[admin]
        return self._some(frozenset(fields), admin)

    def _attributes(self, admin: bool) -> list[Any]:
        return [attr for attr in wsme.types.list_attributes(self.kind)
                if admin or not getattr(attr, 'admin', False)]

    def _compile(self, fields: frozenset[str] | None, admin: bool) -> _Plan:
        plain, converters, computed = {}, [], []
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
        return _Plan(tuple(plain), self._tuple_of(list(plain.values())),
                     tuple(converters), tuple(computed))

    def _tuple_of(self, columns: list[str]) -> Callable[[Any], Any]:
        if len(columns) > 1:
            return self._getter(*columns)
        if not columns:
            return lambda _: ()
        one = self._getter(columns[0])
        return lambda row: (one(row),)


def _show(plan: _Plan, row: Any) -> dict[str, Any]:
    shown = dict(zip(plan.names, plan.getter(row), strict=True))
    for name, convert in plan.converters:
        value = shown[name]
        if value is not None:
            shown[name] = convert(value)
    for name, compute in plan.computed:
        shown[name] = compute(row)
    return shown


def _converter(datatype: Any) -> Callable[[Any], Any] | None:
    """What makes a value of JSON of one; None where it is one already."""
    if datatype in (bool, int, float, str):
        return None
    if datatype is types.moment:
        return types.moment.tobasetype
    if isinstance(datatype, wsme.types.DictType | wsme.types.ArrayType):
        inner = (datatype.value_type
                 if isinstance(datatype, wsme.types.DictType)
                 else datatype.item_type)
        if _converter(inner) is None:
            return None
    if datatype is datetime.datetime:
        raise TypeError('times are shown by types.moment')
    return functools.partial(wsme.rest.json.tojson, datatype)


def _after(source: Callable[[Any], Any],
           convert: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    if convert is None:
        return source

    def compute(row: Any) -> Any:
        value = source(row)
        return None if value is None else convert(value)
    return compute


class Renderer(wsmeext.pecan.JSonRenderer):
    """WSME's renderer, for which a dict is finished."""

    @staticmethod
    def render(_: str, namespace: dict[str, Any]) -> bytes:
        result = namespace['result']
        if type(result) is dict:
            return json.dumps(result).encode('ascii')
        return wsme.rest.json.encode_result(
            result, namespace['datatype']).encode('ascii')

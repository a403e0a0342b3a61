# SPDX-License-Identifier: Apache-2.0
"""A view shows of a row what WSME would show of it."""

import collections
import datetime
import json

from oslotest import base
from wsme import types as wtypes
from wsme.rest import json as rest

from mogan.api import serialization, types
from mogan.api.v1.schemas import actions, flavors, instances, nodes, states

MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901)  # noqa: DTZ001
VIEWS = {module.__name__: module.VIEW
         for module in (actions, flavors, instances, nodes, states)}


class Inner(wtypes.Base):
    size = types.attribute(int)


class Thing(wtypes.Base):
    uuid = types.attribute(str)
    label = types.attribute(str, source='name')
    count = types.attribute(int)
    made = types.attribute(types.timestamp)
    tags = types.attribute([str])
    parts = types.attribute({str: int})
    times = types.attribute([types.timestamp])
    inner = types.attribute(Inner)
    double = types.attribute(int, source=lambda row: row.count * 2)
    seen = types.attribute(types.timestamp, source=lambda row: row.made)
    links = types.attribute([{str: str}], source=None)
    secret = types.attribute(str, admin=True)
    plain = str


def row_of(**columns):
    """Return a row as a query returns it, with these columns in this order."""
    kind = collections.namedtuple('Row', columns)  # noqa: PYI024 - any names
    return kind(**columns)


VIEW = serialization.View(Thing)
ROW = row_of(secret='s', uuid='u', name='n', count=2, made=MOMENT,
             tags=['a'], parts={'b': 1}, times=[MOMENT],
             inner=Inner(size=3), plain='p', other='o')


def sample(datatype):
    """Return some value of a type, as a row has it."""
    if datatype is types.timestamp:
        return MOMENT
    if isinstance(datatype, wtypes.ArrayType):
        return [sample(datatype.item_type)]
    if isinstance(datatype, wtypes.DictType):
        return {sample(datatype.key_type): sample(datatype.value_type)}
    return {bool: True, int: 5, str: 'text'}.get(datatype, {'a': [1]})


def as_wsme(view, values, *, admin):
    """Return WSME's own serialization of the values."""
    thing = view.kind()
    for attr in wtypes.list_attributes(view.kind):
        shown = getattr(attr, 'source', '') is not None
        if shown and (admin or not getattr(attr, 'admin', False)):
            setattr(thing, attr.key, values[attr.key])
    return rest.tojson(view.kind, thing)


class TestView(base.BaseTestCase):

    def test_it_shows_what_wsme_shows(self):
        values = ROW._asdict() | {
            'label': 'n', 'double': 4, 'seen': MOMENT}
        for admin in (False, True):
            self.assertEqual(as_wsme(VIEW, values, admin=admin),
                             VIEW(ROW, admin=admin))

    def test_only_admins_see_what_is_for_admins(self):
        self.assertNotIn('secret', VIEW(ROW))
        self.assertNotIn('secret', VIEW.names())
        self.assertEqual({}, VIEW(ROW, fields=('secret',)))
        self.assertEqual({'secret': 's'},
                         VIEW(ROW, fields=('secret',), admin=True))

    def test_fields_can_be_chosen(self):
        for fields in ((), ('uuid',), ('made', 'uuid'), ('double',),
                       ('seen', 'label', 'inner')):
            whole = VIEW(ROW)
            self.assertEqual({name: whole[name] for name in fields},
                             VIEW(ROW, fields=fields))

    def test_what_is_not_set_stays_null(self):
        row = ROW._replace(made=None, tags=None, parts=None, times=None,
                           inner=None, uuid=None)
        shown = VIEW(row)
        for name in ('made', 'tags', 'parts', 'times', 'inner', 'seen'):
            self.assertIsNone(shown[name], name)

    def test_many_rows_are_shown_alike(self):
        self.assertEqual([], VIEW.many([]))
        rows = [ROW, ROW._replace(count=7)]
        self.assertEqual([VIEW(row) for row in rows], VIEW.many(rows))
        self.assertEqual([VIEW(ROW, fields=('uuid',))],
                         VIEW.many(iter([ROW]), fields=('uuid',)))

    def test_rows_of_other_columns_come_by_name(self):
        row = row_of(count=1, other='o', uuid='u')
        self.assertEqual({'uuid': 'u', 'count': 1, 'double': 2},
                         VIEW(row, fields=('uuid', 'count', 'double')))

    def test_a_missing_column_is_a_fault_of_the_code(self):
        self.assertRaises(ValueError, VIEW, row_of(uuid='u'),
                          fields=('count',))

    def test_a_time_without_a_zone_has_to_be_a_moment(self):
        class Timed(wtypes.Base):
            at = types.attribute(datetime.datetime)

        self.assertRaises(TypeError, serialization.View, Timed)

    def test_the_fields_of_callers_are_not_kept_without_end(self):
        for number in range(500):
            VIEW(ROW, fields=('uuid', f'field-{number}'))
        self.assertLessEqual(VIEW._some.cache_info().currsize, 128)


class TestShapes(base.BaseTestCase):
    """The views of the product."""

    def test_each_shows_what_wsme_shows(self):
        for name, view in VIEWS.items():
            attributes = wtypes.list_attributes(view.kind)
            values = {attr.key: sample(attr.datatype) for attr in attributes}
            columns = {
                attr.source if isinstance(attr.source, str) else attr.key:
                values[attr.key] for attr in attributes}
            columns |= {'lock_fault': None}
            row = columns if view._mapping else row_of(**columns)
            for admin in (False, True):
                shown = view(row, admin=admin)
                self.assertEqual(as_wsme(view, values, admin=admin), shown,
                                 name)
                self.assertEqual(shown, json.loads(json.dumps(shown)))


class TestRenderer(base.BaseTestCase):

    def render(self, result):
        return serialization.Renderer.render('', {'result': result})

    def test_a_dict_becomes_json(self):
        self.assertEqual({'a': 'ä'}, json.loads(self.render({'a': 'ä'})))

    def test_bytes_are_json_already(self):
        self.assertEqual(b'{}', self.render(b'{}'))

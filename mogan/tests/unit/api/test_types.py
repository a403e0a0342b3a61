# SPDX-License-Identifier: Apache-2.0
"""Types of arguments, and attributes that say where they come from."""

import datetime

from oslotest import base
from wsme import types as wtypes
from wsme.rest import args
from wsme.rest import json as rest

from mogan import exception
from mogan.api import types

UUID = '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a1b'


class TestArguments(base.BaseTestCase):

    def test_wsme_takes_them_for_its_own(self):
        for kind, text, expected in (
                (types.boolean, 'no', False), (types.limit, '7', 7),
                (types.uuid, UUID.upper(), UUID),
                (types.Choice('a'), 'a', 'a'),
                (types.Choices('a', 'b'), 'b,a', ('b', 'a'))):
            self.assertEqual(expected, args.from_params(
                kind, {'name': text}, 'name', set()))

    def test_only_the_usual_form_is_a_uuid(self):
        for text in ('', UUID[:-1], UUID + '0', UUID.replace('-', ''),
                     f'{{{UUID}}}', f'urn:uuid:{UUID}', f'{UUID}\n',
                     UUID.replace('5', '\u0665')):
            self.assertRaises(ValueError, types.uuid.frombasetype, text)

    def test_another_text_in_a_path_names_nothing(self):
        kind = types.UuidOrNotFound(exception.InstanceNotFound)
        self.assertEqual(UUID, kind.frombasetype(UUID.upper()))
        error = self.assertRaises(exception.InstanceNotFound,
                                  kind.frombasetype, 'x' * 10_000)
        self.assertIn('Instance xxx', error.message)
        self.assertLess(len(error.message), 300)


class TestTimestamp(base.BaseTestCase):

    def test_it_is_shown_as_utc(self):
        timestamp = datetime.datetime(2026, 1, 2, 3, 4, 5, 678)  # noqa: DTZ001
        self.assertEqual('2026-01-02T03:04:05.000678Z',
                         rest.tojson(types.timestamp, timestamp))
        self.assertIsNone(rest.tojson(types.timestamp, None))


class TestAttribute(base.BaseTestCase):

    def test_it_is_an_attribute_of_wsme(self):
        class Thing(wtypes.Base):
            plain = types.attribute(str)
            secret = types.attribute(int, admin=True, source='column',
                                     mandatory=True)

        wtypes.register_type(Thing)
        plain, secret = wtypes.list_attributes(Thing)
        self.assertEqual(('plain', False, types.attribute.SAME),
                         (plain.name, plain.admin, plain.source))
        self.assertEqual(('secret', True, 'column', True),
                         (secret.name, secret.admin, secret.source,
                          secret.mandatory))

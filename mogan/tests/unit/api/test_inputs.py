# SPDX-License-Identifier: Apache-2.0
"""Inputs that cannot be served."""

from oslotest import base

from mogan import exception
from mogan.api.v1.schemas import inputs


class TestRefusals(base.BaseTestCase):

    def test_what_nobody_can_do_is_refused_with_what_to_do_instead(self):
        for name, value, words in (
                ('personality', [{'path': '/a', 'contents': 'YQ=='}],
                 'user_data'),
                ('scheduler_hints', {'group': 'a'}, 'availability_zone'),
                ('adminPass', 'secret', 'key_name'),
                ('min_count', 2, 'one request for each'),
                ('max_count', '3', 'one request for each')):
            error = self.assertRaises(
                exception.Invalid, inputs.refuse, {name: value}, '$.server')
            self.assertIn(f'$.server.{name}: ', error.message)
            self.assertIn(words, error.message)
            self.assertNotIn('secret', error.message)

    def test_what_says_no_more_than_the_default_is_no_wish(self):
        inputs.refuse({'name': 'web', 'min_count': 1, 'max_count': '1',
                       'personality': [], 'scheduler_hints': {},
                       'adminPass': None})

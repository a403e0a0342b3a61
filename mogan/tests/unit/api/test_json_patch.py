# SPDX-License-Identifier: Apache-2.0
"""JSON patches."""

from typing import Any, ClassVar

from oslotest import base
from wsme import types as wtypes

from mogan import exception
from mogan.api.v1 import json_patch


def _steps(*steps: tuple[Any, ...]) -> list[json_patch.Operation]:
    return [json_patch.Operation(
        op=step[0], path=step[1],
        value=step[2] if len(step) > 2 else wtypes.Unset)
        for step in steps]


class TestPatching(base.BaseTestCase):

    document: ClassVar = {'name': 'web', 'metadata': {'a': 'b', 'c/d': 'e'}}

    def test_steps_follow_each_other(self):
        self.assertEqual(
            {'name': 'db', 'metadata': {'c/d': 'e', 'f': 'g'}},
            json_patch.apply(_steps(
                ('replace', '/name', 'db'), ('add', '/metadata/f', 'x'),
                ('replace', '/metadata/f', 'g'),
                ('test', '/metadata/f', 'g'), ('remove', '/metadata/a'),
            ), self.document))

    def test_the_document_itself_stays_as_it_was(self):
        before = repr(self.document)
        json_patch.apply(_steps(('add', '/metadata/x', 'y'),
                              ('remove', '/metadata/a')), self.document)
        self.assertEqual(before, repr(self.document))

    def test_a_step_without_a_place_is_named(self):
        for step in (('remove', '/metadata/none'),
                     ('replace', '/metadata/none', 'x'),
                     ('add', '/metadata/a/b', 'x')):
            error = self.assertRaises(
                exception.Invalid, json_patch.apply,
                _steps(('test', '/name', 'web'), step), self.document)
            self.assertIn('$[1].path', error.message)

    def test_a_test_that_does_not_hold_is_a_conflict(self):
        error = self.assertRaises(
            exception.Conflict, json_patch.apply,
            _steps(('test', '/name', 'db')), self.document)
        self.assertIn('$[0]', error.message)

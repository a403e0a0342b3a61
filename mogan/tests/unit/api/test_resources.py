# SPDX-License-Identifier: Apache-2.0
"""The lookup of a path's controller."""

import types
from typing import Any

from oslotest import base

from mogan import exception
from mogan.api.routing import Resource


class _Wheel(Resource):

    def get(self) -> str:
        return 'wheel'


class _Wheels(Resource):

    item = _Wheel()


class _Car(Resource):

    wheels = _Wheels()

    def get(self) -> str:
        return 'car'

    def delete(self) -> str:
        return 'gone'


class _Cars(Resource):

    old = _Wheel()
    item = _Car()

    def get(self) -> str:
        return 'cars'


class _Root(Resource):

    cars = _Cars()


class TestPlace(base.BaseTestCase):

    def _find(self, method: str, path: str) -> tuple[Any, list[str]]:
        found, arguments = _Root()._route(
            path.split('/')[1:], types.SimpleNamespace(method=method))
        return found(), arguments

    def test_a_path_leads_to_its_method_and_arguments(self):
        for method, path, expected in (
                ('GET', '/cars', ('cars', [])),
                ('GET', '/cars/', ('cars', [])),
                ('GET', '/cars/7', ('car', ['7'])),
                ('DELETE', '/cars/7', ('gone', ['7'])),
                ('GET', '/cars/7/wheels/2', ('wheel', ['7', '2'])),
                ('GET', '/cars/7/wheels/2/', ('wheel', ['7', '2'])),
                ('GET', '/cars/get', ('car', ['get'])),
                ('GET', '/cars/item', ('car', ['item'])),
                # A name goes before an argument.
                ('GET', '/cars/old', ('wheel', []))):
            self.assertEqual(expected, self._find(method, path), path)

    def test_what_is_not_there_is_not_found(self):
        for path in ('/bikes', '/cars/7/doors', '/cars//wheels/2',
                     '/cars/7/wheels/2/3', '/cars/7/get', '//cars',
                     '/cars/7//', '/methods', '/_route', '/cars/old/x'):
            self.assertRaises(exception.NotFound, self._find, 'GET', path)

    def test_a_method_that_is_not_there_is_told_those_that_are(self):
        for method, path, allowed in (
                ('PUT', '/cars/7', 'DELETE, GET'), ('PUT', '/cars', 'GET'),
                ('OPTIONS', '/cars/7', 'DELETE, GET'),
                ('get', '/cars', 'GET'), ('GET', '/cars/7/wheels', '')):
            error = self.assertRaises(exception.MethodNotAllowed,
                                      self._find, method, path)
            self.assertEqual(allowed, error.headers['Allow'], path)

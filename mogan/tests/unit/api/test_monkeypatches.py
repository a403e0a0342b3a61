# SPDX-License-Identifier: Apache-2.0
"""The patched function of Pecan is the one that the monkey patch
was written for; look at a new release where this fails."""

import inspect
import pathlib

import pecan
import pecan.core
from oslotest import base

from mogan.api import monkeypatches, root, routing


def places(place):
    """Yield a resource and all below it."""
    yield place
    below = [*place.named_below.values()]
    if place.item_below:
        below.append(place.item_below)
    for one in below:
        yield from places(one)


def routes():
    for place in places(root.RootController()):
        for name in place.methods.values():
            yield getattr(place, name)


class TestSignatures(base.BaseTestCase):

    def test_every_user_in_pecan_asks_the_cache(self):
        users = {'core', 'decorators', 'rest', 'routing'}
        found = set()
        for path in pathlib.Path(pecan.__file__).parent.glob('*.py'):
            if 'getargspec' in path.read_text('utf-8') and (
                    path.stem != 'util'):
                found.add(path.stem)
        self.assertEqual(users, found)
        for name in users | {'util'}:
            self.assertIs(monkeypatches._getargspec,
                          getattr(pecan, name).getargspec, name)

    def test_the_cache_says_what_pecan_says(self):
        found = list(routes())
        self.assertGreater(len(found), 15)
        for route in found:
            for _ in range(2):
                self.assertEqual(monkeypatches._find_argspec(route),
                                 monkeypatches._getargspec(route))

    def test_a_request_looks_at_no_signature(self):
        asked = []
        self.addCleanup(setattr, monkeypatches, '_find_argspec',
                        monkeypatches._find_argspec)
        for route in routes():
            monkeypatches._getargspec(route)
        monkeypatches._find_argspec = asked.append
        for route in routes():
            monkeypatches._getargspec(route)
        self.assertEqual([], asked)

    def test_methods_of_two_objects_share_an_entry(self):
        class Thing:
            def method(self, a, *b, c=1, **d):
                pass

        one, other = Thing().method, Thing().method
        self.assertEqual((['self', 'a'], 'b', 'd', None),
                         tuple(monkeypatches._getargspec(one)))
        self.assertIs(monkeypatches._getargspec(one),
                      monkeypatches._getargspec(other))

    def test_pecan_does_not_change_what_it_gets(self):
        # The lists in the cache are everybody's.
        source = inspect.getsource(pecan.core.PecanBase.get_args)
        self.assertIn('valid_args = argspec.args[:]', source)
        before = [list(monkeypatches._getargspec(route).args)
                  for route in routes()]
        after = [list(monkeypatches._getargspec(route).args)
                 for route in routes()]
        self.assertEqual(before, after)


class TestArguments(base.BaseTestCase):

    def test_pecan_fills_no_argument_by_name(self):
        # A key of a body or a query would become a path's argument.
        self.assertIn("cfg['argspec']",
                      inspect.getsource(pecan.core.PecanBase))
        for route in routes():
            argspec = vars(route)['_pecan']['argspec']
            self.assertEqual((['self'], 'path', None, None), tuple(argspec))

    def test_every_route_is_known(self):
        self.assertEqual({route.endpoint for route in routes()} - set(
            routing.ENDPOINTS), set())

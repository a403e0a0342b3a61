# SPDX-License-Identifier: Apache-2.0
"""A search for a node, where more nodes are free than are asked for at
once."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import functools
import itertools
import sqlite3
import threading
import time
import uuid

from oslotest import base

from mogan.baremetal import driver
from mogan.baremetal.ironic import claiming, requests
from mogan.tests.ironic import server
from mogan.tests.ironic.drivers import make_driver
from mogan.tests.ironic.front import Front
from mogan.tests.permits import Permits
from mogan.tests.support.processes import eventually
from mogan.tests.support.servers import Shared

_NODES = 5
_PAGES = 3
_THREADS = 16


# It sends two nodes at a time, at most.
_ironic = Shared(functools.partial(server.started, max_limit=2),
                 server.Ironic.clear)


class SearchTest(Permits, base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.ironic = _ironic()
        self.addCleanup(_ironic.restore)
        self.resource_class = server.some_class()
        self.uuids = [self.ironic.enrol(f'node-{number}',
                                        self.resource_class)
                      for number in range(_NODES)]
        self.front = Front(self.ironic.port)
        self.addCleanup(self.front.close)
        self.driver = self.open()

    def open(self, **values):
        opened = make_driver(self.front.url, **values)
        self.addCleanup(opened.close)
        self.front.seen.clear()
        return opened

    def spec(self, **values):
        return driver.DeploySpec(str(uuid.uuid4()), 'web', 'image',
                                 {self.resource_class: 1}, **values)

    def in_hall(self, node_uuid):
        self.ironic.patch(node_uuid, properties={
            'availability_zone': 'hall-9'})
        return node_uuid

    def count(self):
        """Return the number of requests, by method; those for pages of all
        free nodes as `pages`."""
        return collections.Counter(
            'pages' if 'sort_key' in path else method
            for method, path in self.front.seen)


class TestSearches(SearchTest):

    def claim_at_once(self, spec):
        """Return the results of as many claims as an engine has threads, none
        of which goes on before all have seen that the first nodes do not
        fit."""
        barrier = threading.Barrier(_THREADS, timeout=60)

        def claim(_):
            first = iter([barrier.wait])

            def covered():
                for wait in first:
                    wait()
                return True

            wanted = dataclasses.replace(
                spec, instance_uuid=str(uuid.uuid4()))
            try:
                return self.driver.claim(
                    wanted, driver.Permit(1, covered)).uuid
            except driver.Definite as error:
                return type(error)

        with concurrent.futures.ThreadPoolExecutor(_THREADS) as pool:
            return [*pool.map(claim, range(_THREADS))]

    def test_threads_read_each_page_once_for_all_of_them(self):
        found = self.claim_at_once(self.spec(traits=('CUSTOM_RARE',)))
        self.assertEqual({driver.NoNodeAvailable}, {*found})
        self.assertEqual(_PAGES, self.count()['pages'])
        self.assertEqual(0, self.count()['PATCH'])

    def test_threads_get_the_few_that_fit_one_each(self):
        # Not among the first.
        fitting = {self.in_hall(node) for node in self.uuids[2:]}
        found = self.claim_at_once(self.spec(availability_zone='hall-9'))
        others = [each for each in found if each not in fitting]
        self.assertEqual((len(fitting), _THREADS - len(fitting)),
                         (len({*found} & fitting), len(others)))
        self.assertLessEqual({*others}, {driver.NodeBusy,
                                         driver.NoNodeAvailable})
        self.assertEqual(len(fitting), self.count()['PATCH'])

    def test_a_search_takes_as_long_as_it_takes(self):
        node_uuid = self.in_hall(self.uuids[-1])
        limit = 5
        slow = self.open(timeout=limit)
        until = time.monotonic() + limit + 0.5

        def covered():
            while time.monotonic() < until:
                time.sleep(0.05)
            return True

        with self.covering(covered):
            self.assertEqual(node_uuid, slow.claim(
                self.spec(availability_zone='hall-9'), self.permit(1)).uuid)

    def test_it_ends_with_the_claim_of_the_instance(self):
        with self.covering(lambda: False):
            self.assertRaises(driver.TooLate, self.driver.claim,
                              self.spec(traits=('CUSTOM_RARE',)),
                              self.permit(1))
        self.assertEqual(0, self.count()['pages'])

    def test_a_node_is_looked_at_once_more_before_it_is_taken(self):
        node_uuid = self.in_hall(self.uuids[-1])
        self.driver.claim(self.spec(availability_zone='hall-9'),
                          self.permit(1))
        path = f'/v1/nodes/{node_uuid}'
        self.assertEqual(['GET', 'PATCH'], [
            method for method, seen in self.front.seen if path in seen])


class TestScans(SearchTest):

    def setUp(self):
        super().setUp()
        self.scan = claiming.SharedScan(self.driver.client,
                                        requests.free_nodes(self.spec()))

    def all_of(self, pages):
        return [node['uuid'] for page in pages for node in page.nodes]

    def test_who_comes_in_goes_on_with_the_others(self):
        first = self.scan.pages(self.permit(1))
        begun = [*itertools.islice(first, 2)]
        second = [*self.scan.pages(self.permit(1))]
        ordered = sorted(self.uuids)
        self.assertEqual(ordered[4:] + ordered[:4], self.all_of(second))
        self.assertEqual(ordered, self.all_of(begun) + self.all_of(first))
        self.assertEqual(2 + _PAGES, self.count()['pages'])

    def test_a_page_that_was_asked_for_before_does_not_count(self):
        begun = threading.Event()

        def covered():
            begun.set()
            return True

        def second():
            return self.all_of(self.scan.pages(
                driver.Permit(1, covered)))

        self.addCleanup(self.ironic.thaw)
        self.ironic.freeze()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            pool.submit(next, self.scan.pages(self.permit(1)))
            eventually(lambda: self.count()['pages'])
            found = pool.submit(second)
            begun.wait(60)
            self.ironic.thaw()
        self.assertEqual({*self.uuids}, {*found.result()})
        self.assertEqual(1 + _PAGES, self.count()['pages'])

    def test_nodes_that_become_free_meanwhile_are_found(self):
        class_ = {'resource_class': self.resource_class}
        late = min(self.uuids)
        self.ironic.patch(late, resource_class='CUSTOM_ELSE')
        first = self.scan.pages(self.permit(1))
        next(first)
        self.ironic.patch(late, **class_)
        self.assertIn(late, self.all_of(self.scan.pages(self.permit(1))))

    def test_the_node_that_a_page_ends_with_may_be_deleted(self):
        pages = self.scan.pages(self.permit(1))
        begun = next(pages)
        gone = begun.nodes[-1]['uuid']
        self.ironic.remove(gone)
        self.assertEqual({*self.uuids} - {gone}, {*self.all_of(pages)})
        # And that one with which the next search would go on.
        self.assertEqual({*self.uuids} - {gone},
                         {*self.all_of(self.scan.pages(self.permit(1)))})


class TestRefusals(SearchTest):
    """Nodes of a conductor group that has no conductor."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self._set, '', self.uuids)

    def _set(self, group, uuids):
        # Ironic does not put a node where no conductor is: one that was
        # there has gone.
        path = self.ironic.directory / 'ironic.sqlite'
        with contextlib.closing(
                sqlite3.connect(path, timeout=60)) as its, its:
            its.executemany(
                'UPDATE nodes SET conductor_group = ? WHERE uuid = ?',
                [(group, node_uuid) for node_uuid in uuids])

    def test_others_are_tried(self):
        self._set('gone', self.uuids[:-1])
        self.assertEqual(self.uuids[-1],
                         self.driver.claim(self.spec(), self.permit(1)).uuid)
        self.assertLessEqual(self.count()['PATCH'], claiming._REFUSALS + 1)

    def test_the_refusal_is_told_where_no_other_is_free(self):
        self._set('gone', self.uuids)
        error = self.assertRaises(driver.Refused, self.driver.claim,
                                  self.spec(), self.permit(1))
        self.assertIn('conductor group "gone"', str(error))
        self.assertEqual(claiming._REFUSALS, self.count()['PATCH'])

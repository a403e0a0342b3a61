# SPDX-License-Identifier: Apache-2.0
"""What every driver keeps when an instance takes over a node that somebody
else has deployed."""

import contextlib
import dataclasses
import threading
import uuid

from mogan.baremetal import driver
from mogan.baremetal.driver import Availability
from mogan.tests.contract import suite


class AdoptionContract(suite.Hardware):
    """The node changes hands; what is on it stays as it is."""

    def setUp(self):
        super().setUp()
        self.node_uuid = self.in_use()
        self.before = self.look()

    def look(self) -> driver.Node:
        return self.driver.look([self.node_uuid])[self.node_uuid]

    def adopt(self, order: driver.Order, fence: int = 1) -> driver.Node:
        return self.driver.adopt(self.node_uuid, order, fence)

    def release(self, order: driver.Order, fence: int = 1) -> None:
        self.driver.release(self.node_uuid, order.instance_uuid, fence)

    def assert_refused(self, error: type[driver.Definite],
                       order: driver.Order) -> None:
        before = self.look()
        self.assertRaises(error, self.adopt, order)
        self.assertEqual(before, self.look())

    def listed(self) -> list[str]:
        return [node.uuid for node in self.driver.manageable()]

    def test_only_what_can_be_taken_over_is_listed(self):
        [node] = self.driver.manageable()
        self.assertEqual(self.node_uuid, node.uuid)
        self.assertIs(Availability.ACTIVE, node.availability)
        self.assertEqual(self.images()[0], node.image_source)
        self.deployed(traits=self.traits())
        self.assertEqual([self.node_uuid], self.listed())
        order = self.order()
        self.adopt(order)
        self.assertEqual([], self.listed())
        self.release(order)
        self.assertEqual([self.node_uuid], self.listed())

    def test_the_list_goes_on_behind_its_marker(self):
        before = str(uuid.UUID(int=uuid.UUID(self.node_uuid).int - 1))
        for marker, found in ((before, [self.node_uuid]),
                              (self.node_uuid, [])):
            self.assertEqual(found, [node.uuid for node in (
                self.driver.manageable(marker=marker, limit=1))])

    def test_a_node_that_is_taken_over_is_as_it_was(self):
        order = self.order(name='legacy')
        node = self.adopt(order)
        self.assertEqual(self.images()[0], node.image_source)
        self.assertEqual(
            dataclasses.replace(self.before,
                                instance_uuid=order.instance_uuid),
            self.look())
        self.assertEqual(self.look(), self.driver.find(order.instance_uuid))

    def test_it_can_be_taken_over_again_and_again_by_one(self):
        order = self.order()
        first = self.adopt(order)
        self.assertEqual(first, self.adopt(order))
        self.assertEqual(first, self.adopt(order, 2))
        self.assert_refused(driver.Definite, self.order())

    def test_a_release_leaves_it_as_it_was(self):
        order = self.order()
        self.adopt(order)
        self.release(order)
        self.assertEqual(self.before, self.look())
        self.assertIsNone(self.driver.find(order.instance_uuid))
        self.assertRaises(driver.NotOurs, self.release, order)
        # For others, too.
        self.adopt(self.order())

    def test_a_node_of_another_instance_is_neither_given_nor_released(self):
        order = self.order()
        self.adopt(order)
        self.assert_refused(driver.Definite, self.order())
        self.assertRaises(driver.NotOurs, self.release, self.order())
        self.assertEqual(order.instance_uuid, self.look().instance_uuid)

    def test_a_free_node_is_not_taken_over(self):
        order = self.order(traits=self.traits())
        node = self.driver.claim(order, 1)
        self.driver.undeploy(node.uuid, order.instance_uuid, 2)
        self.settled(node.uuid)
        self.node_uuid = node.uuid
        self.assert_refused(driver.Refused, self.order())

    def test_a_node_that_does_not_exist_is_not_ours(self):
        for call in (self.driver.adopt, lambda node_uuid, order, fence:
                     self.driver.release(node_uuid, order.instance_uuid,
                                         fence)):
            self.assertRaises(driver.NotOurs, call, str(uuid.uuid4()),
                              self.order(), 1)

    def test_what_has_been_taken_over_is_an_instance_as_any_other(self):
        order = self.order()
        self.adopt(order)
        calls = self.calls(self.node_uuid, order, 2)
        calls['protect']()
        self.assertRaises(driver.Refused,
                          self.calls(self.node_uuid, order, 3)['undeploy'])
        self.calls(self.node_uuid, order, 4)['unprotect']()
        self.calls(self.node_uuid, order, 5)['rebuild']()
        self.settled(self.node_uuid)
        self.off(self.node_uuid, order.instance_uuid, 6)

    def test_one_of_many_threads_gets_it(self):
        count = 8
        start = threading.Barrier(count)
        won = []

        def adopt():
            order = self.order()
            start.wait(60)
            with contextlib.suppress(driver.NotOurs, driver.Refused):
                self.adopt(order)
                won.append(order.instance_uuid)

        threads = [threading.Thread(target=adopt) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual([self.look().instance_uuid], won)


class FencingAdoptionContract(AdoptionContract):
    """With a driver that compares numbers."""

    def test_sealed_numbers_take_nothing_over(self):
        order = self.order()
        self.driver.seal(order.instance_uuid, 3)
        self.assert_refused(driver.Fenced, order)
        self.adopt(order, 4)

    def test_what_was_sealed_can_be_released(self):
        order = self.order()
        self.adopt(order)
        self.driver.seal(order.instance_uuid, 1)
        self.release(order)
        self.assertEqual(self.before, self.look())

    def test_a_release_passes_older_calls(self):
        order = self.order()
        self.adopt(order)
        self.release(order, 2)
        self.assert_refused(driver.Fenced, order)

    def test_an_older_release_does_not_undo_a_rebuild(self):
        order = self.order()
        self.adopt(order)
        self.calls(self.node_uuid, order, 2)['rebuild']()
        self.settled(self.node_uuid)
        self.assertRaises(driver.Fenced, self.release, order)
        self.assertEqual(order.instance_uuid, self.look().instance_uuid)

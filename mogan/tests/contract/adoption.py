# SPDX-License-Identifier: Apache-2.0
"""The contract of drivers for nodes that an instance adopts."""

import contextlib
import dataclasses
import uuid

from mogan.baremetal import driver
from mogan.baremetal.driver import Availability
from mogan.tests.contract import suite
from mogan.tests.support.concurrency import at_once


class AdoptionContract(suite.Hardware):
    """The node changes hands; what is on it stays as it is."""

    def setUp(self):
        super().setUp()
        self.node_uuid = self.in_use()
        self.before = self.look()

    def look(self) -> driver.Node:
        return self.driver.look([self.node_uuid])[self.node_uuid]

    def adopt(self, spec: driver.DeploySpec, fence: int = 1) -> driver.Node:
        return self.driver.adopt(self.node_uuid, spec, self.permit(fence))

    def release(self, spec: driver.DeploySpec, fence: int = 1) -> None:
        self.driver.release(self.node_uuid, spec.instance_uuid,
                            self.permit(fence))

    def assert_refused(self, error: type[driver.Definite],
                       spec: driver.DeploySpec) -> None:
        before = self.look()
        self.assertRaises(error, self.adopt, spec)
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
        spec = self.spec()
        self.adopt(spec)
        self.assertEqual([], self.listed())
        self.release(spec)
        self.assertEqual([self.node_uuid], self.listed())

    def test_the_list_goes_on_behind_its_marker(self):
        before = str(uuid.UUID(int=uuid.UUID(self.node_uuid).int - 1))
        for marker, found in ((before, [self.node_uuid]),
                              (self.node_uuid, [])):
            self.assertEqual(found, [node.uuid for node in (
                self.driver.manageable(marker=marker, limit=1))])

    def test_a_node_that_is_taken_over_is_as_it_was(self):
        spec = self.spec(name='legacy')
        node = self.adopt(spec)
        self.assertEqual(self.images()[0], node.image_source)
        self.assertEqual(
            dataclasses.replace(self.before,
                                instance_uuid=spec.instance_uuid),
            self.look())
        self.assertEqual(self.look(), self.driver.find(spec.instance_uuid))

    def test_it_can_be_taken_over_again_and_again_by_one(self):
        spec = self.spec()
        first = self.adopt(spec)
        self.assertEqual(first, self.adopt(spec))
        self.assertEqual(first, self.adopt(spec, 2))
        self.assert_refused(driver.Definite, self.spec())

    def test_a_release_leaves_it_as_it_was(self):
        spec = self.spec()
        self.adopt(spec)
        self.release(spec)
        self.assertEqual(self.before, self.look())
        self.assertIsNone(self.driver.find(spec.instance_uuid))
        self.assertRaises(driver.NotOurs, self.release, spec)
        # For others, too.
        self.adopt(self.spec())

    def test_a_node_of_another_instance_is_neither_given_nor_released(self):
        spec = self.spec()
        self.adopt(spec)
        self.assert_refused(driver.Definite, self.spec())
        self.assertRaises(driver.NotOurs, self.release, self.spec())
        self.assertEqual(spec.instance_uuid, self.look().instance_uuid)

    def test_a_free_node_is_not_taken_over(self):
        spec = self.spec(traits=self.traits())
        node = self.driver.claim(spec, self.permit(1))
        self.driver.undeploy(node.uuid, spec.instance_uuid, self.permit(2))
        self.settled(node.uuid)
        self.node_uuid = node.uuid
        self.assert_refused(driver.Refused, self.spec())

    def test_a_node_that_does_not_exist_is_not_ours(self):
        for call in (self.driver.adopt, lambda node_uuid, spec, permit:
                     self.driver.release(node_uuid, spec.instance_uuid,
                                         permit)):
            self.assertRaises(driver.NotOurs, call, str(uuid.uuid4()),
                              self.spec(), self.permit(1))

    def test_what_has_been_taken_over_is_an_instance_as_any_other(self):
        spec = self.spec()
        self.adopt(spec)
        calls = self.calls(self.node_uuid, spec, 2)
        calls['protect']()
        self.assertRaises(driver.Refused,
                          self.calls(self.node_uuid, spec, 3)['undeploy'])
        self.calls(self.node_uuid, spec, 4)['unprotect']()
        self.calls(self.node_uuid, spec, 5)['rebuild']()
        self.settled(self.node_uuid)
        self.off(self.node_uuid, spec.instance_uuid, 6)

    def test_one_of_many_threads_gets_it(self):
        won = []

        def adopt():
            spec = self.spec()
            with contextlib.suppress(driver.NotOurs, driver.Refused):
                self.adopt(spec)
                won.append(spec.instance_uuid)

        at_once(*[adopt] * 8)
        self.assertEqual([self.look().instance_uuid], won)


class FencingAdoptionContract(AdoptionContract):
    """With a driver that compares numbers."""

    def test_sealed_numbers_take_nothing_over(self):
        spec = self.spec()
        self.driver.seal(spec.instance_uuid, self.permit(3))
        self.assert_refused(driver.Fenced, spec)
        self.adopt(spec, 4)

    def test_what_was_sealed_can_be_released(self):
        spec = self.spec()
        self.adopt(spec)
        self.driver.seal(spec.instance_uuid, self.permit(1))
        self.release(spec)
        self.assertEqual(self.before, self.look())

    def test_a_release_passes_older_calls(self):
        spec = self.spec()
        self.adopt(spec)
        self.release(spec, 2)
        self.assert_refused(driver.Fenced, spec)

    def test_an_older_release_does_not_undo_a_rebuild(self):
        spec = self.spec()
        self.adopt(spec)
        self.calls(self.node_uuid, spec, 2)['rebuild']()
        self.settled(self.node_uuid)
        self.assertRaises(driver.Fenced, self.release, spec)
        self.assertEqual(spec.instance_uuid, self.look().instance_uuid)

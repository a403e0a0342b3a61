# SPDX-License-Identifier: Apache-2.0
"""The contract of every bare-metal driver, as tests.

A driver joins with a subclass of Hardware and of a TestCase that says what
is left open here, mixed into a subclass of each contract.
"""

import contextlib
import dataclasses
import time
import uuid
from collections.abc import Callable

from mogan.baremetal import driver
from mogan.baremetal.driver import Availability, PowerState, PowerTarget
from mogan.baremetal.protection import Protection
from mogan.tests.permits import Permits


class Hardware(Permits):
    """The hardware under test, and words to speak of it."""

    # How long the slowest work may take, in seconds.
    wait_timeout = 20.0
    # Whether deploys and undeploys change the nodes' power.
    works_power = True

    def install(self) -> None:
        """Put the hardware up, before the driver is opened."""

    def recipe(self) -> Callable[[], driver.Driver]:
        """Return a callable that opens the driver, on the same hardware each
        time; it can be handed to another process."""
        raise NotImplementedError

    def resources(self) -> dict[str, int]:
        """Return resources that exactly two of the nodes have, both of them
        free."""
        raise NotImplementedError

    def traits(self) -> tuple[str, ...]:
        """Return traits that only one of the two nodes has."""
        return ('CUSTOM_FAST',)

    def zone(self) -> str:
        """Return the availability zone of one of the two nodes; the other
        nodes are in none, but for one of another class in `ZZ`."""
        return 'hall-1'

    def images(self) -> tuple[str, str]:
        """Two images that can be deployed."""
        return ('0f3f4a1c-7a19-4ef3-8f6e-b5b3a5f1a001',
                '0f3f4a1c-7a19-4ef3-8f6e-b5b3a5f1a002')

    def in_use(self) -> str:
        """Return the uuid of the node without the traits, once it is active
        without an instance: somebody else has deployed images()[0]."""
        raise NotImplementedError

    def meddle(self, node_uuid: str, reason: str | None, *,
               protected: bool = True) -> None:
        """Protect an active node, or not, past the driver."""
        raise NotImplementedError

    def setUp(self):
        super().setUp()
        self.install()
        self.driver = self.open()

    def open(self) -> driver.Driver:
        opened = self.recipe()()
        self.addCleanup(opened.close)
        return opened

    def spec(self, **changes) -> driver.DeploySpec:
        wanted = driver.DeploySpec(
            str(uuid.uuid4()), 'web-1', self.images()[0],
            resources=self.resources())
        return dataclasses.replace(wanted, **changes)

    def settled(self, node_uuid: str) -> driver.Node:
        """Return the node, once it is not busy any more."""
        deadline = time.monotonic() + self.wait_timeout
        while True:
            node = self.driver.look([node_uuid])[node_uuid]
            if not node.busy:
                return node
            if time.monotonic() > deadline:
                self.fail(f'{node} is still busy')
            time.sleep(0.01)

    def deployed(self, fence=1, **changes) -> tuple[driver.DeploySpec, str]:
        """Deploy a node; returns the spec and the node's uuid."""
        spec = self.spec(**changes)
        node = self.driver.claim(spec, self.permit(fence))
        self.driver.deploy(node.uuid, spec, self.permit(fence))
        self.assertIs(Availability.ACTIVE,
                      self.settled(node.uuid).availability)
        return spec, node.uuid

    def assert_power(self, state: PowerState, node: driver.Node) -> None:
        """Check that the power is as a deploy or an undeploy left it."""
        if self.works_power:
            self.assertIs(state, node.power_state)

    def off(self, node_uuid: str, instance_uuid: str, fence: int) -> None:
        """Take the instance off its node."""
        self.driver.undeploy(node_uuid, instance_uuid, self.permit(fence))
        self.assertIs(Availability.AVAILABLE,
                      self.settled(node_uuid).availability)

    def calls(self, node_uuid: str, spec: driver.DeploySpec,
              fence: int) -> dict[str, Callable[[], None]]:
        """Return every call that changes a node, by its name."""
        instance_uuid = spec.instance_uuid
        protection = Protection(instance_uuid, 'disk swap')
        return {
            'deploy': lambda: self.driver.deploy(node_uuid, spec,
                                                 self.permit(fence)),
            'rebuild': lambda: self.driver.rebuild(node_uuid, spec,
                                                   self.permit(fence)),
            'undeploy': lambda: self.driver.undeploy(
                node_uuid, instance_uuid, self.permit(fence)),
            'power': lambda: self.driver.power(
                node_uuid, instance_uuid, PowerTarget.OFF, self.permit(fence)),
            'protect': lambda: self.driver.protect(
                node_uuid, protection, self.permit(fence)),
            'unprotect': lambda: self.driver.unprotect(
                node_uuid, protection, self.permit(fence)),
        }


class DriverContract(Hardware):
    """The contract of every driver."""

    def test_the_nodes_come_in_pages_by_uuid(self):
        every = self.driver.nodes()
        paged = []
        while page := self.driver.nodes(
                marker=paged[-1].uuid if paged else None, limit=2):
            self.assertLessEqual(len(page), 2)
            paged.extend(page)
        self.assertEqual(every, paged)
        self.assertEqual(sorted(node.uuid for node in every),
                         [node.uuid for node in every])

    def test_a_look_shows_the_nodes_that_exist_and_no_others(self):
        [first, second] = self.driver.nodes()[:2]
        seen = self.driver.look([first.uuid, str(uuid.uuid4()), second.uuid])
        self.assertEqual({first.uuid: first, second.uuid: second}, seen)
        self.assertEqual({}, self.driver.look([]))

    def test_a_claim_gives_the_node_to_the_instance(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        self.assertIn(node.resource_class, self.resources())
        self.assertEqual(spec.instance_uuid, node.instance_uuid)
        self.assertEqual(node, self.driver.find(spec.instance_uuid))

    def test_a_claim_that_is_repeated_finds_the_same_node(self):
        spec = self.spec()
        first = self.driver.claim(spec, self.permit(1))
        self.assertEqual(first.uuid, self.driver.claim(spec,
                                                       self.permit(1)).uuid)
        self.assertEqual(1, sum(node.instance_uuid == spec.instance_uuid
                                for node in self.driver.nodes()))

    def test_each_instance_gets_a_node_of_its_own_until_none_is_left(self):
        first = self.driver.claim(self.spec(), self.permit(1))
        second = self.driver.claim(self.spec(), self.permit(1))
        self.assertNotEqual(first.uuid, second.uuid)
        self.assertRaises(driver.NoNodeAvailable, self.driver.claim,
                          self.spec(), self.permit(1))

    def test_a_claim_gets_a_node_with_the_traits(self):
        node = self.driver.claim(self.spec(traits=self.traits()),
                                 self.permit(1))
        self.assertLessEqual({*self.traits()}, {*node.traits})
        self.assertRaises(driver.NoNodeAvailable, self.driver.claim,
                          self.spec(traits=self.traits()), self.permit(1))

    def test_a_claim_gets_a_node_of_the_zone(self):
        wanted = self.spec(availability_zone=self.zone())
        node = self.driver.claim(wanted, self.permit(1))
        self.assertEqual(self.zone(), node.availability_zone)
        error = self.assertRaises(
            driver.NoNodeAvailable, self.driver.claim,
            self.spec(availability_zone=self.zone()), self.permit(1))
        self.assertIn(f'zone {self.zone()}', str(error))
        self.assertRaises(driver.NoNodeAvailable, self.driver.claim,
                          self.spec(availability_zone='ZZ'), self.permit(1))
        self.assertIsNone(
            self.driver.claim(self.spec(), self.permit(1)).availability_zone)

    def test_the_zones_are_those_of_the_nodes(self):
        self.assertEqual(sorted([self.zone(), 'ZZ']), self.driver.zones())
        self.assertEqual(
            {self.zone(), 'ZZ', None},
            {node.availability_zone for node in self.driver.nodes()})

    def test_no_node_fits_more_than_one_unit_of_one_class(self):
        [wanted] = self.resources()
        for resources in ({wanted: 2}, {wanted: 1, 'CUSTOM_MORE': 1},
                          {'CUSTOM_NOBODY_HAS_THIS': 1}, {}):
            self.assertRaises(
                driver.NoNodeAvailable, self.driver.claim,
                self.spec(resources=resources), self.permit(1))

    def test_nothing_carries_an_instance_that_claimed_nothing(self):
        self.assertIsNone(self.driver.find(str(uuid.uuid4())))

    def test_a_deploy_ends_active_and_powered_on(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        self.driver.deploy(node.uuid, spec, self.permit(1))
        node = self.settled(node.uuid)
        self.assertIs(Availability.ACTIVE, node.availability)
        self.assert_power(PowerState.ON, node)
        self.assertEqual(spec.instance_uuid, node.instance_uuid)

    def test_a_deploy_that_is_repeated_changes_nothing(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        self.driver.deploy(node.uuid, spec, self.permit(1))
        self.driver.deploy(node.uuid, spec, self.permit(1))
        done = self.settled(node.uuid)
        self.driver.deploy(node.uuid, spec, self.permit(1))
        self.assertEqual(done, self.driver.look([node.uuid])[node.uuid])

    def test_a_rebuild_ends_active_and_powered_on(self):
        spec, node_uuid = self.deployed()
        again = dataclasses.replace(spec, image_uuid=self.images()[1])
        self.driver.rebuild(node_uuid, again, self.permit(2))
        node = self.settled(node_uuid)
        self.assertIs(Availability.ACTIVE, node.availability)
        self.assert_power(PowerState.ON, node)

    def test_a_node_without_an_image_to_put_on_it_stays_as_it_is(self):
        spec = self.spec()
        without = dataclasses.replace(spec, image_uuid=None)
        node = self.driver.claim(spec, self.permit(1))
        self.assertRaises(driver.Refused, self.driver.deploy, node.uuid,
                          without, self.permit(1))
        self.assertEqual(node, self.driver.look([node.uuid])[node.uuid])
        self.driver.deploy(node.uuid, spec, self.permit(1))
        node = self.settled(node.uuid)
        self.assertRaises(driver.Refused, self.driver.rebuild, node.uuid,
                          without, self.permit(2))
        self.assertEqual(node, self.driver.look([node.uuid])[node.uuid])

    def test_an_undeploy_ends_with_a_free_node(self):
        spec, node_uuid = self.deployed()
        undeploy = self.calls(node_uuid, spec, 2)['undeploy']
        undeploy()
        # Again while it is under way, or when it is over.
        with contextlib.suppress(driver.NotOurs):
            undeploy()
        node = self.settled(node_uuid)
        self.assertIs(Availability.AVAILABLE, node.availability)
        self.assert_power(PowerState.OFF, node)
        self.assertIsNone(node.instance_uuid)
        self.assertIsNone(self.driver.find(spec.instance_uuid))
        self.assertRaises(driver.NotOurs, undeploy)

    def test_an_undeploy_releases_a_node_that_was_only_claimed(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        self.off(node.uuid, spec.instance_uuid, 2)
        self.assertIsNone(self.driver.find(spec.instance_uuid))

    def test_power_goes_where_it_is_asked_to(self):
        spec, node_uuid = self.deployed()
        for fence, (target, reached) in enumerate((
                (PowerTarget.OFF, PowerState.OFF),
                (PowerTarget.ON, PowerState.ON),
                (PowerTarget.SOFT_OFF, PowerState.OFF),
                (PowerTarget.REBOOT, PowerState.ON),
                (PowerTarget.SOFT_REBOOT, PowerState.ON),
                (PowerTarget.ON, PowerState.ON)), start=2):
            self.driver.power(node_uuid, spec.instance_uuid, target,
                              self.permit(fence))
            node = self.settled(node_uuid)
            self.assertIs(reached, node.power_state, target)
            self.assertIs(Availability.ACTIVE, node.availability)

    def test_a_soft_change_is_not_waited_for_without_an_end(self):
        spec, node_uuid = self.deployed()
        fence = 1
        for soft, forced, reached in (
                (PowerTarget.SOFT_REBOOT, PowerTarget.OFF, PowerState.OFF),
                (PowerTarget.SOFT_OFF, PowerTarget.REBOOT, PowerState.ON)):
            self.driver.power(node_uuid, spec.instance_uuid,
                              PowerTarget.ON, self.permit(fence + 1))
            self.settled(node_uuid)
            self.driver.power(node_uuid, spec.instance_uuid, soft,
                              self.permit(fence + 2))
            deadline = time.monotonic() + self.wait_timeout
            while True:
                try:
                    self.driver.power(node_uuid, spec.instance_uuid, forced,
                                      self.permit(fence + 3))
                    break
                except driver.NodeBusy:
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.05)
            node = self.settled(node_uuid)
            self.assertEqual((reached, None),
                             (node.power_state, node.last_error))
            fence += 3

    def test_a_node_of_another_instance_is_never_touched(self):
        first, node_uuid = self.deployed(traits=self.traits())
        self.off(node_uuid, first.instance_uuid, 2)
        self.deployed(traits=self.traits())
        before = self.driver.look([node_uuid])
        for name, call in self.calls(node_uuid, first, 3).items():
            self.assertRaises(driver.NotOurs, call)
            self.assertEqual(before, self.driver.look([node_uuid]), name)

    def test_a_node_that_does_not_exist_is_not_ours(self):
        for call in self.calls(str(uuid.uuid4()), self.spec(), 1).values():
            self.assertRaises(driver.NotOurs, call)


class FencingContract(DriverContract):
    """The contract of a driver that compares fences in the step of the
    effect."""

    def assert_fenced(self, call: Callable[[], None]) -> None:
        before = self.driver.nodes()
        self.assertRaises(driver.Fenced, call)
        self.assertEqual(before, self.driver.nodes())

    def test_sealed_numbers_do_not_destroy(self):
        spec, node_uuid = self.deployed(fence=3)
        self.driver.seal(spec.instance_uuid, self.permit(5))
        for fence in (3, 4, 5):
            calls = self.calls(node_uuid, spec, fence)
            for name in ('deploy', 'rebuild', 'undeploy'):
                self.assert_fenced(calls[name])
        self.off(node_uuid, spec.instance_uuid, 6)

    def test_sealed_numbers_claim_nothing(self):
        spec = self.spec()
        self.driver.seal(spec.instance_uuid, self.permit(2))
        self.assert_fenced(lambda: self.driver.claim(spec, self.permit(2)))
        self.driver.claim(spec, self.permit(3))

    def test_a_seal_binds_one_instance_alone(self):
        self.driver.seal(str(uuid.uuid4()), self.permit(99))
        self.deployed(fence=1)

    def test_a_seal_is_never_lowered(self):
        spec, node_uuid = self.deployed()
        self.driver.seal(spec.instance_uuid, self.permit(7))
        self.driver.seal(spec.instance_uuid, self.permit(2))
        self.assert_fenced(self.calls(node_uuid, spec, 7)['undeploy'])

    def test_a_seal_does_not_bind_power_and_protection(self):
        spec, node_uuid = self.deployed()
        self.driver.seal(spec.instance_uuid, self.permit(9))
        for name in ('protect', 'unprotect', 'power'):
            self.calls(node_uuid, spec, 2)[name]()

    def test_an_older_unprotect_does_not_undo_a_protect(self):
        spec, node_uuid = self.deployed()
        self.calls(node_uuid, spec, 4)['protect']()
        self.assert_fenced(self.calls(node_uuid, spec, 3)['unprotect'])
        self.calls(node_uuid, spec, 5)['unprotect']()
        self.assert_fenced(self.calls(node_uuid, spec, 4)['protect'])

    def test_a_protect_that_finds_itself_done_passes_older_calls(self):
        spec, node_uuid = self.deployed()
        self.calls(node_uuid, spec, 3)['protect']()
        self.calls(node_uuid, spec, 5)['protect']()
        self.assert_fenced(self.calls(node_uuid, spec, 4)['unprotect'])

    def test_an_unprotect_that_finds_itself_done_passes_older_calls(self):
        spec, node_uuid = self.deployed()
        self.calls(node_uuid, spec, 5)['unprotect']()
        self.assert_fenced(self.calls(node_uuid, spec, 4)['protect'])

    def test_older_power_calls_are_refused(self):
        spec, node_uuid = self.deployed()
        self.calls(node_uuid, spec, 4)['power']()
        self.settled(node_uuid)
        self.assert_fenced(lambda: self.driver.power(
            node_uuid, spec.instance_uuid, PowerTarget.ON, self.permit(3)))

    def test_a_number_wipes_once(self):
        spec, node_uuid = self.deployed()
        self.calls(node_uuid, spec, 2)['rebuild']()
        done = self.settled(node_uuid)
        self.calls(node_uuid, spec, 2)['rebuild']()
        self.assertEqual(done, self.driver.look([node_uuid])[node_uuid])

    def test_a_number_reboots_once(self):
        spec, node_uuid = self.deployed()

        def reboot():
            self.driver.power(node_uuid, spec.instance_uuid,
                              PowerTarget.REBOOT, self.permit(2))

        reboot()
        done = self.settled(node_uuid)
        self.assertIsNone(done.power_target)
        reboot()
        self.assertEqual(done, self.driver.look([node_uuid])[node_uuid])

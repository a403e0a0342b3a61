# SPDX-License-Identifier: Apache-2.0

import dataclasses

from mogan.baremetal import driver, simulated
from mogan.baremetal.driver import Availability, PowerState, PowerTarget
from mogan.baremetal.protection import Protection
from mogan.baremetal.simulated.driver import Durations
from mogan.tests.unit.baremetal import simulation


class WorkTakesItsTime(simulation.SimulationTestCase):

    def test_a_deploy_is_over_when_its_time_has_passed(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        self.driver.deploy(node.uuid, spec, self.permit(1))
        self.now += 9.9
        node = self.node(node.uuid)
        self.assertIs(Availability.DEPLOYING, node.availability)
        self.assertIs(PowerState.OFF, node.power_state)
        self.assertTrue(node.busy)
        self.now += 0.1
        node = self.driver.find(spec.instance_uuid)
        self.assertIs(Availability.ACTIVE, node.availability)
        self.assertIs(PowerState.ON, node.power_state)
        self.assertFalse(node.busy)

    def test_a_rebuild_is_over_when_its_time_has_passed(self):
        spec, node_uuid = self.deployed()
        self.driver.rebuild(node_uuid, spec, self.permit(2))
        self.now += 19.9
        self.assertIs(Availability.REBUILDING,
                      self.node(node_uuid).availability)
        self.now += 0.1
        self.assertIs(Availability.ACTIVE, self.node(node_uuid).availability)

    def test_an_undeploy_is_over_when_its_time_has_passed(self):
        spec, node_uuid = self.deployed()
        self.driver.undeploy(node_uuid, spec.instance_uuid, self.permit(2))
        self.now += 29.9
        node = self.node(node_uuid)
        self.assertIs(Availability.UNDEPLOYING, node.availability)
        self.assertEqual(spec.instance_uuid, node.instance_uuid)
        self.now += 0.1
        node = self.node(node_uuid)
        self.assertIs(Availability.AVAILABLE, node.availability)
        self.assertIs(PowerState.OFF, node.power_state)
        self.assertIsNone(node.instance_uuid)

    def test_a_power_change_is_over_when_its_time_has_passed(self):
        spec, node_uuid = self.deployed()
        self.driver.power(node_uuid, spec.instance_uuid,
                          PowerTarget.SOFT_OFF, self.permit(2))
        self.now += 4.9
        node = self.node(node_uuid)
        self.assertIs(PowerTarget.SOFT_OFF, node.power_target)
        self.assertIs(PowerState.ON, node.power_state)
        self.now += 0.1
        node = self.node(node_uuid)
        self.assertIsNone(node.power_target)
        self.assertIs(PowerState.OFF, node.power_state)

    def test_a_page_of_nodes_shows_what_has_passed(self):
        self.deployed()
        self.assertEqual(
            1, sum(node.availability is Availability.ACTIVE
                   for node in self.driver.nodes()))

    def test_a_claim_gets_a_node_whose_undeploy_nobody_has_looked_at(self):
        spec, node_uuid = self.deployed(
            resources={'CUSTOM_LARGE': 1})
        self.driver.undeploy(node_uuid, spec.instance_uuid, self.permit(2))
        wanted = self.spec(resources={'CUSTOM_LARGE': 1})
        self.assertRaises(driver.NoNodeAvailable, self.driver.claim, wanted,
                          self.permit(1))
        self.now += 30
        self.assertEqual(node_uuid, self.driver.claim(wanted,
                                                      self.permit(1)).uuid)

    def test_a_repeated_call_does_not_begin_the_time_anew(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        self.driver.deploy(node.uuid, spec, self.permit(1))
        self.now += 9
        self.driver.deploy(node.uuid, spec, self.permit(1))
        self.now += 1
        self.assertIs(Availability.ACTIVE, self.node(node.uuid).availability)
        self.driver.undeploy(node.uuid, spec.instance_uuid, self.permit(2))
        self.now += 29
        self.driver.undeploy(node.uuid, spec.instance_uuid, self.permit(2))
        self.now += 1
        self.assertIs(Availability.AVAILABLE,
                      self.node(node.uuid).availability)

    def test_another_driver_on_the_file_sees_the_same(self):
        spec, node_uuid = self.deployed()
        self.assertEqual(self.node(node_uuid),
                         self.open().find(spec.instance_uuid))

    def test_times_below_zero_are_refused(self):
        for wrong in (-1, float('nan'), float('inf')):
            self.assertRaises(ValueError, Durations, power=wrong)
        self.assertRaises(ValueError, simulated.SimulatedDriver, self.path,
                          lease=2.0, reach=1.0)
        self.assertRaises(ValueError, simulated.SimulatedDriver, self.path,
                          lease=2.0, reach=0.0)


class NodesAreBusy(simulation.SimulationTestCase):

    def test_while_work_is_under_way(self):
        for begin in ('rebuild', 'undeploy', 'power'):
            spec, node_uuid = self.deployed(
                resources={'CUSTOM_LARGE': 1})
            calls = self.calls(node_uuid, spec, 2)
            calls[begin]()
            for name, call in self.calls(node_uuid, spec, 3).items():
                if name != begin:
                    self.assertRaises(driver.NodeBusy, call)
            self.now += 60
            if begin != 'undeploy':
                self.calls(node_uuid, spec, 4)['undeploy']()
            self.now += 60

    def test_but_a_power_change_does_not_keep_protection_off(self):
        spec, node_uuid = self.deployed()
        self.driver.power(node_uuid, spec.instance_uuid,
                          PowerTarget.REBOOT, self.permit(2))
        self.driver.protect(node_uuid, Protection(spec.instance_uuid),
                            self.permit(3))
        self.now += 5
        node = self.node(node_uuid)
        self.assertTrue(node.protected)
        self.assertIs(PowerState.ON, node.power_state)

    def calls(self, node_uuid, spec, fence):
        return {
            'rebuild': lambda: self.driver.rebuild(node_uuid, spec,
                                                   self.permit(fence)),
            'undeploy': lambda: self.driver.undeploy(
                node_uuid, spec.instance_uuid, self.permit(fence)),
            'power': lambda: self.driver.power(
                node_uuid, spec.instance_uuid, PowerTarget.REBOOT,
                self.permit(fence)),
        }


class DestructiveCalls(simulation.SimulationTestCase):

    def test_a_deploy_never_replaces_what_is_on_the_node(self):
        spec, node_uuid = self.deployed()
        other = dataclasses.replace(spec,
                                    image_uuid=simulation.OTHER_IMAGE)
        self.assertRaises(driver.Refused, self.driver.deploy, node_uuid,
                          other, self.permit(2))
        self.driver.deploy(node_uuid, spec, self.permit(2))
        self.assertFalse(self.node(node_uuid).busy)

    def test_a_call_older_than_the_last_one_is_refused_without_a_seal(self):
        spec, node_uuid = self.deployed()
        self.driver.rebuild(node_uuid, spec, self.permit(4))
        self.now += 20
        for fence in (1, 3):
            self.assertRaises(driver.Fenced, self.driver.deploy, node_uuid,
                              spec, self.permit(fence))
            self.assertRaises(driver.Fenced, self.driver.rebuild, node_uuid,
                              spec, self.permit(fence))
            self.assertRaises(driver.Fenced, self.driver.undeploy, node_uuid,
                              spec.instance_uuid, self.permit(fence))

    def test_a_late_claim_of_a_deleted_instance_takes_no_node(self):
        spec, node_uuid = self.deployed()
        self.driver.undeploy(node_uuid, spec.instance_uuid, self.permit(2))
        self.now += 30
        self.assertRaises(driver.Fenced, self.driver.claim, spec,
                          self.permit(1))
        self.assertIsNone(self.driver.find(spec.instance_uuid))

    def test_a_claim_passes_older_calls(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(3))
        self.assertRaises(driver.Fenced, self.driver.deploy, node.uuid,
                          spec, self.permit(2))

    def test_a_node_that_was_only_claimed_is_released_at_once(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        self.driver.undeploy(node.uuid, spec.instance_uuid, self.permit(2))
        node = self.node(node.uuid)
        self.assertIs(Availability.AVAILABLE, node.availability)
        self.assertIsNone(node.instance_uuid)

    def test_a_rebuild_of_a_node_that_was_only_claimed_deploys_it(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        self.driver.rebuild(node.uuid, spec, self.permit(2))
        self.now += 20
        self.assertIs(Availability.ACTIVE, self.node(node.uuid).availability)

    def test_a_node_in_maintenance_is_not_claimed(self):
        [large] = [node for node in self.driver.nodes()
                   if node.resource_class == 'CUSTOM_LARGE']
        self.inventory.set_maintenance(large.uuid, True)
        spec = self.spec(resources={'CUSTOM_LARGE': 1})
        self.assertRaises(driver.NoNodeAvailable, self.driver.claim, spec,
                          self.permit(1))
        self.inventory.set_maintenance(large.uuid, False)
        self.assertEqual(large.uuid, self.driver.claim(spec,
                                                       self.permit(1)).uuid)

    def test_a_part_of_a_trait_is_not_the_trait(self):
        for traits in (['CUSTOM_FAS'], ['USTOM_FAST'],
                       ['CUSTOM_FAST', 'HW_CPU_X86']):
            self.assertRaises(
                driver.NoNodeAvailable, self.driver.claim,
                self.spec(resources={'CUSTOM_LARGE': 1}, traits=traits),
                self.permit(1))

    def test_the_next_instance_does_not_inherit_what_was_on_the_node(self):
        spec, node_uuid = self.deployed(resources={'CUSTOM_LARGE': 1})
        protection = Protection(spec.instance_uuid, 'disk swap')
        self.driver.protect(node_uuid, protection, self.permit(2))
        self.driver.unprotect(node_uuid, protection, self.permit(3))
        self.driver.undeploy(node_uuid, spec.instance_uuid, self.permit(4))
        self.now += 30
        _, again = self.deployed(resources={'CUSTOM_LARGE': 1},
                                 image_uuid=simulation.OTHER_IMAGE)
        self.assertEqual(node_uuid, again)
        node = self.node(node_uuid)
        self.assertIs(Availability.ACTIVE, node.availability)
        self.assertFalse(node.protected)


class TheJournal(simulation.SimulationTestCase):

    def test_has_a_line_for_every_call_and_what_became_of_it(self):
        spec, node_uuid = self.deployed()
        instance_uuid = spec.instance_uuid
        self.driver.deploy(node_uuid, spec, self.permit(1))
        self.driver.protect(node_uuid, Protection(instance_uuid),
                            self.permit(2))
        self.assertRaises(driver.Refused, self.driver.undeploy, node_uuid,
                          instance_uuid, self.permit(3))
        self.assertRaises(driver.Fenced, self.driver.unprotect, node_uuid,
                          Protection(instance_uuid), self.permit(1))
        self.driver.seal(instance_uuid, self.permit(3))
        self.driver.seal(instance_uuid, self.permit(3))
        self.assertRaises(driver.NotOurs, self.driver.power, node_uuid,
                          'another', PowerTarget.ON, self.permit(1))
        lost = self.spec(resources={'CUSTOM_NONE': 1})
        self.assertRaises(driver.NoNodeAvailable, self.driver.claim, lost,
                          self.permit(1))
        self.assertEqual(
            [('claim', 'effect'), ('deploy', 'effect'),
             ('deploy', 'nothing'), ('protect', 'effect'),
             ('undeploy', 'refused:protected'),
             ('unprotect', 'refused:fenced'), ('seal', 'effect'),
             ('seal', 'nothing'), ('power', 'refused:not-ours'),
             ('claim', 'refused:no-node')], self.outcomes())

    def test_names_node_instance_number_and_time(self):
        spec, node_uuid = self.deployed(fence=7)
        [claim, deploy] = self.inventory.journal()
        for entry in (claim, deploy):
            self.assertEqual((node_uuid, spec.instance_uuid, 7),
                             (entry.node_uuid, entry.instance_uuid,
                              entry.fence))
            self.assertEqual('2023-11-14T22:13:20+00:00',
                             entry.at.isoformat())

    def test_is_read_in_pages(self):
        self.deployed()
        [first, second] = self.inventory.journal()
        self.assertEqual([first], self.inventory.journal(limit=1))
        self.assertEqual([second], self.inventory.journal(after=first.id))
        self.assertEqual([], self.inventory.journal(after=second.id))

    def test_is_not_filled_by_looking(self):
        self.driver.nodes()
        self.driver.look([])
        self.driver.find('nobody')
        self.assertEqual([], self.outcomes())

# SPDX-License-Identifier: Apache-2.0

import collections
import contextlib
import json
import multiprocessing
import os
import signal
import threading

from mogan.baremetal import driver, simulated
from mogan.baremetal.driver import Permit
from mogan.baremetal.protection import Protection
from mogan.baremetal.simulated import inventory, transaction
from mogan.tests.permits import always
from mogan.tests.unit.baremetal import simulation

_processes = multiprocessing.get_context('spawn')


def _flip(path, node_uuid, instance_uuid, ready):
    """Put protection on and off, without an end."""
    hardware = simulated.SimulatedDriver(path)
    fence = 10
    while True:
        protection = Protection(instance_uuid, str(fence))
        hardware.protect(node_uuid, protection, Permit(fence, always))
        hardware.unprotect(node_uuid, protection, Permit(fence + 1, always))
        fence += 2
        if fence == 50:
            ready.send(True)


class TheInventory(simulation.SimulationTestCase):

    def test_begins_with_eight_nodes_of_two_classes(self):
        nodes = inventory.default_nodes()
        self.assertEqual(
            {'CUSTOM_BAREMETAL_SMALL': 5, 'CUSTOM_BAREMETAL_LARGE': 3},
            collections.Counter(node.resource_class for node in nodes))
        self.assertEqual(8, len({node.uuid for node in nodes}))
        self.assertEqual(8, len({node.name for node in nodes}))

    def test_is_seeded_only_while_it_has_no_nodes(self):
        before = self.driver.nodes()
        self.assertFalse(self.inventory.seed(inventory.default_nodes()))
        self.assertEqual(before, self.driver.nodes())
        for node in before:
            self.inventory.remove(node.uuid)
        self.assertTrue(self.inventory.seed(inventory.default_nodes()))
        self.assertEqual(8, len(self.driver.nodes()))

    def test_refuses_nodes_that_cannot_be(self):
        for values in (('', 'CUSTOM_X'), (' a', 'CUSTOM_X'),
                       ('a\n', 'CUSTOM_X'), ('a' * 256, 'CUSTOM_X'),
                       ('a', ''), ('a', 'custom'), ('a', 'CUSTOM_X', ['b']),
                       ('a', 'CUSTOM_X', ['A B'])):
            self.assertRaises(ValueError, inventory.new_node, *values)
        self.assertRaises(
            inventory.InventoryError, self.inventory.add,
            inventory.new_node('rack1-node01', 'CUSTOM_X'))

    def test_keeps_a_node_that_carries_an_instance(self):
        node = self.driver.claim(self.spec(), self.permit(1))
        self.assertRaises(inventory.InventoryError, self.inventory.remove,
                          node.uuid)
        self.assertEqual(3, len(self.driver.nodes()))

    def test_lets_an_outsider_take_off_protection_and_writes_it_down(self):
        spec, node_uuid = self.deployed()
        self.driver.protect(node_uuid, Protection(spec.instance_uuid),
                            self.permit(9))
        self.inventory.set_protected(node_uuid, False)
        node = self.node(node_uuid)
        self.assertEqual((False, None),
                         (node.protected, node.protected_reason))
        self.assertEqual(('set', 'effect'), self.outcomes()[-1])

    def test_protects_only_active_nodes_for_an_outsider_too(self):
        [node, *_] = self.driver.nodes()
        self.assertRaises(inventory.InventoryError,
                          self.inventory.set_protected, node.uuid, True)

    def test_puts_a_node_to_use_past_the_service_and_takes_it_out(self):
        [node, *_] = self.driver.nodes()
        self.inventory.set_active(node.uuid, True, simulation.IMAGE)
        [listed] = self.driver.manageable()
        self.assertEqual(
            (node.uuid, 'active', 'power on', simulation.IMAGE, None),
            (listed.uuid, listed.availability, listed.power_state,
             listed.image_source, listed.instance_uuid))
        self.assertEqual(('set', 'effect'), self.outcomes()[-1])
        self.inventory.set_active(node.uuid, False)
        self.assertEqual(node, self.node(node.uuid))
        self.assertEqual([], self.driver.manageable())

    def test_leaves_an_instance_s_node_as_it_is(self):
        for node_uuid in (self.driver.claim(self.spec(), self.permit(1)).uuid,
                          self.deployed()[1]):
            for active in (True, False):
                self.assertRaises(inventory.InventoryError,
                                  self.inventory.set_active, node_uuid,
                                  active)

    def test_lists_what_can_be_taken_over_and_nothing_else(self):
        first, second, third = [node.uuid for node in self.driver.nodes()]
        for node_uuid in (first, second, third):
            self.inventory.set_active(node_uuid, True)
        self.assertEqual([second], [node.uuid for node in (
            self.driver.manageable(marker=first, limit=1))])
        self.inventory.set_maintenance(first, True)
        self.inventory.set_protected(third, True)
        self.assertEqual([second], [
            node.uuid for node in self.driver.manageable()])
        for node_uuid, error in ((first, 'maintenance'),
                                 (third, 'protected')):
            refusal = self.assertRaises(driver.Refused, self.driver.adopt,
                                        node_uuid, self.spec(), self.permit(1))
            self.assertIn(error, str(refusal))

    def test_finds_a_free_node_by_the_index(self):
        plan = self.plan(transaction._FREE, ('CUSTOM_SMALL', None, '[]'))
        self.assertIn('USING INDEX nodes_free (resource_class=?)', plan)
        self.assertNotIn('TEMP B-TREE', plan)

    def test_finds_the_node_of_an_instance_by_the_index(self):
        self.assertIn('USING INDEX nodes_instance', self.plan(
            'SELECT * FROM nodes WHERE instance_uuid = ?', ('x',)))

    def test_finds_work_that_is_over_by_the_index(self):
        for statement in (transaction.DUE, *transaction._SETTLE):
            plan = self.plan(statement, {'now': 1, 'latest': 2})
            for bound in ('until<?', 'until>?'):
                self.assertIn(f'INDEX nodes_until ({bound})', plan)

    def test_ends_work_that_began_before_the_clock_went_back(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        self.driver.deploy(node.uuid, spec, self.permit(1))
        self.now -= 5
        self.assertTrue(self.node(node.uuid).busy)
        self.now -= 600
        self.assertFalse(self.node(node.uuid).busy)

    def test_forgets_the_oldest_lines_of_the_journal(self):
        with self.inventory.transaction() as now:
            now.connection.execute(
                'INSERT INTO journal (id, at, call, outcome)'
                " VALUES (1, 0, 'find', 'nothing'),"
                "        (2_000, 0, 'find', 'nothing'),"
                '        (?, 0, ?, ?)'.replace('_', ''),
                (transaction.JOURNAL_KEPT + 1999, 'find', 'nothing'))
        self.driver.seal('x', self.permit(1))
        self.assertEqual(
            [transaction.JOURNAL_KEPT + 1999, transaction.JOURNAL_KEPT + 2000],
            [entry.id for entry in self.inventory.journal()])

    def test_and_its_journal_agree_after_a_process_was_killed(self):
        spec, node_uuid = self.deployed()
        here, there = _processes.Pipe()
        process = _processes.Process(target=_flip, args=(
            self.path, node_uuid, spec.instance_uuid, there))
        process.start()
        self.addCleanup(process.join, 60)
        self.addCleanup(process.kill)
        self.assertTrue(here.poll(60))
        os.kill(process.pid, signal.SIGKILL)
        process.join(60)
        node = self.node(node_uuid)
        last = self.inventory.journal()[-1]
        self.assertEqual('effect', last.outcome)
        self.assertEqual(
            (last.call == 'protect',
             Protection(spec.instance_uuid, str(last.fence)).text
             if last.call == 'protect' else None),
            (node.protected, node.protected_reason))
        self.assertRaises(driver.Fenced, self.driver.unprotect, node_uuid,
                          Protection(spec.instance_uuid),
                          self.permit(last.fence - 1))

    def test_has_a_node_for_each_of_many_threads(self):
        with contextlib.closing(inventory.Inventory(self.path)) as store:
            for number in range(30):
                store.add(inventory.new_node(f'n{number}', 'CUSTOM_MANY'))
        claimed = []

        def claim():
            claimed.extend(self.driver.claim(
                self.spec(resources={'CUSTOM_MANY': 1}), self.permit(1)).uuid
                for _ in range(5))

        threads = [threading.Thread(target=claim) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(30, len(set(claimed)), json.dumps(claimed))

    def plan(self, statement, values):
        with self.inventory.transaction() as now:
            return '\n'.join(row['detail'] for row in now.connection.execute(
                f'EXPLAIN QUERY PLAN {statement}', values))

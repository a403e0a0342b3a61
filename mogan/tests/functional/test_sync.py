# SPDX-License-Identifier: Apache-2.0
"""The rows follow their nodes, whatever somebody has done to these."""

import collections
import functools
import operator
import uuid

from mogan.baremetal.simulated import SimulatedDriver, inventory
from mogan.db import instances, periodic
from mogan.engine.drift import status
from mogan.engine.drift.survey import Survey
from mogan.engine.reconcile import Pace
from mogan.engine.service import EngineService
from mogan.tests.functional import base
from mogan.tests.support import backends, deployment
from mogan.tests.support.processes import eventually

OFF = {'power_state': 'power off'}


class SyncTest(base.FunctionalTest):

    def outsider(self, node_uuid, **changes):
        """Do to a node what somebody does who goes to it directly."""
        with self.hardware.transaction() as txn:
            txn.change(node_uuid, **changes)

    def take_away(self, node_uuid):
        with self.hardware.transaction() as txn:
            txn.connection.execute('DELETE FROM nodes WHERE uuid = ?',
                                   (node_uuid,))

    def wait_for_node_fault(self, uuid, message):
        """Return the instance, once its fault has this message."""
        seen = eventually(
            lambda: self.see(uuid), until=lambda seen: (
                seen['fault'] and message in seen['fault']['message']))
        self.assertEqual('node', seen['fault']['cause'])
        return seen


class TestPower(SyncTest):

    def test_the_instance_follows_the_power_of_its_node(self):
        uuid = self.make_instance()
        before = self.row(uuid)
        node_uuid = before['node_uuid']
        self.outsider(node_uuid, power_state='power off')
        self.wait_for(uuid, status='stopped', power_state='power off')
        self.outsider(node_uuid, power_state='power on')
        self.wait_for(uuid, status='active', power_state='power on')
        # It is no request: there is no number, and no history.
        self.assertEqual(before['fence'], self.row(uuid)['fence'])
        self.assertEqual(['create'], [
            entry['action'] for entry in self.history(uuid)])

    def test_a_lock_stays_as_it_is(self):
        uuid = self.make_instance()
        self.lock(uuid, 'disk swap')
        before = self.see(uuid)
        self.outsider(before['node_uuid'], power_state='power off')
        after = self.wait_for(uuid, status='stopped')
        for name in ('lock_state', 'locked_at', 'locked_by', 'locked_reason',
                     'node_protection'):
            self.assertEqual(before[name], after[name], name)

    def test_a_call_that_lands_after_all_is_seen(self):
        uuid = self.make_instance()
        node_uuid = self.row(uuid)['node_uuid']
        row = self.put_power_error(uuid)
        self.assertEqual('error', row['status'])
        self.outsider(node_uuid, power_state='power off')
        seen = self.wait_for(uuid, status='stopped')
        self.assertIsNone(seen['fault'])

    def put_power_error(self, uuid):
        """Insert a failed power change whose node was unavailable, and is
        back."""
        self.deployment.stop_engines()
        node = self.node_of(uuid)
        self.outsider(node.uuid, instance_uuid=None)
        self.ask(uuid, 'off')
        self.deployment.start_engine(pace=Pace(sweep=0.1, repair=3600))
        self.wait_for(uuid, status='error')
        row = self.row(uuid)
        self.assertEqual('power_off', row['fault']['cause'])
        self.deployment.stop_engines()
        self.outsider(node.uuid, instance_uuid=uuid)
        with self.db.writer() as connection:
            connection.exec_driver_sql('DELETE FROM rounds')
        self.deployment.start_engine()
        return row


class TestLost(SyncTest):

    def test_a_node_that_vanished_is_a_fault_until_it_is_back(self):
        uuid = self.make_instance()
        node_uuid = self.row(uuid)['node_uuid']
        other = self.make_instance()
        self.outsider(node_uuid, uuid=base.NOWHERE)
        seen = self.wait_for_node_fault(uuid, 'is gone')
        self.assertEqual(('error', None, node_uuid), (
            seen['status'], seen['power_state'], seen['node_uuid']))
        self.assertEqual('active', self.see(other)['status'])
        self.outsider(base.NOWHERE, uuid=node_uuid)
        self.assertIsNone(self.wait_for(
            uuid, status='active', power_state='power on')['fault'])

    def test_a_node_that_carries_another_one_is_a_fault(self):
        uuid = self.make_instance()
        node_uuid = self.row(uuid)['node_uuid']
        other = str(uuid_of(7))
        self.outsider(node_uuid, instance_uuid=other)
        self.wait_for_node_fault(uuid, 'another instance')
        # It is theirs: nothing is done to it.
        node = self.hardware.find(other)
        self.assertEqual((node_uuid, 'active', 'power on'), (
            node.uuid, node.availability, node.power_state))
        self.outsider(node_uuid, instance_uuid=uuid)
        self.assertIsNone(self.wait_for(uuid, status='active')['fault'])

    def test_an_undeploy_behind_our_back_is_a_fault(self):
        uuid = self.make_instance()
        node_uuid = self.row(uuid)['node_uuid']
        for availability, message in (
                ('undeploying', 'being undeployed'),
                ('available', 'not deployed'), ('failed', 'has failed')):
            self.outsider(node_uuid, availability=availability)
            seen = self.wait_for_node_fault(uuid, message)
            self.assertEqual('error', seen['status'])
        self.outsider(node_uuid, instance_uuid=None)
        self.wait_for_node_fault(uuid, 'does not carry the instance')
        # Nobody deploys it again, and nobody deletes it.
        self.assertEqual([], [entry for entry in self.hardware.journal()
                              if entry.call == 'undeploy'])
        self.assertEqual(['create'], [
            entry['action'] for entry in self.history(uuid)])

    def test_a_locked_instance_stays_locked_without_its_node(self):
        uuid = self.make_instance()
        self.lock(uuid, 'disk swap')
        node_uuid = self.row(uuid)['node_uuid']
        self.outsider(node_uuid, instance_uuid=str(uuid_of(8)),
                      protected=False)
        seen = self.wait_for_node_fault(uuid, 'another instance')
        self.assertEqual(('error', 'locked', 'none'), (
            seen['status'], seen['lock_state'], seen['node_protection']))
        self.expect(409, self.admin.delete(f'/v1/instances/{uuid}'))
        self.outsider(node_uuid, instance_uuid=uuid)
        self.wait_for(uuid, status='active', node_protection='applied')
        self.assertEqual(self.marked(uuid, 'disk swap'),
                         self.node_of(uuid).protected_reason)

    def test_a_lost_one_is_deleted_as_any_other(self):
        uuid = self.make_instance()
        self.take_away(self.row(uuid)['node_uuid'])
        self.wait_for_node_fault(uuid, 'is gone')
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)

    def test_a_build_that_failed_stays_so(self):
        self.deployment.stop_engines()
        uuid = self.ask_for_instance()
        [node, *_] = self.hardware.nodes()
        for other in self.hardware.nodes():
            self.hardware.set_maintenance(other.uuid, other != node)
        self.hardware.add_fault(inventory.faults.Fault(
            inventory.faults.Mode.BREAK, call='deploy'))
        self.deployment.start_engine()
        fault = self.wait_for(uuid, status='error')['fault']
        self.outsider(node.uuid, availability='active',
                      power_state='power on')
        # What comes with the next look.
        self.wait_for(uuid, power_state='power on')
        seen = self.see(uuid)
        self.assertEqual(('error', fault), (seen['status'], seen['fault']))

    def test_maintenance_is_a_fault_and_no_state(self):
        uuid = self.make_instance()
        node_uuid = self.row(uuid)['node_uuid']
        self.hardware.set_maintenance(node_uuid, maintenance=True)
        seen = self.wait_for_node_fault(uuid, 'in maintenance')
        self.assertEqual('active', seen['status'])
        self.hardware.set_maintenance(node_uuid, maintenance=False)
        self.wait_for(uuid, status='active', fault=None)


def uuid_of(number):
    return uuid.UUID(int=number)


class Counted(SimulatedDriver):
    """Counts what it is asked."""

    def __init__(self, path, **options):
        super().__init__(path, **options)
        self.asked = collections.Counter()

    def nodes(self, **options):
        self.asked['nodes'] += 1
        return super().nodes(**options)

    def look(self, uuids):
        self.asked['look'] += 1
        return super().look(uuids)


class TestSurvey(SyncTest):

    engines = 0

    def put(self, number):
        """Insert an instance on the node of this number, which does not exist
        yet."""
        return self.put_row(node_uuid=str(uuid_of(number)))

    def put_node(self, number, instance_uuid, **changes):
        node_uuid = str(uuid_of(number))
        with self.hardware.transaction() as txn:
            txn.connection.execute(
                'INSERT INTO nodes (uuid, name, resource_class, traits) '
                "VALUES (?, ?, 'CUSTOM_ANY', '')",
                (node_uuid, f'number-{number}'))
            txn.change(node_uuid, availability='active',
                       instance_uuid=instance_uuid, **changes)

    def driver(self):
        path = self.deployment.directory / 'inventory.sqlite'
        driver = Counted(path, **deployment.TIMES)
        self.addCleanup(driver.close)
        return driver

    def test_each_row_is_compared_with_its_node_whatever_the_pages(self):
        here, lost, twice = [], [], []
        for number in range(1, 24):
            if number % 5 == 0:     # a node of somebody else
                self.put_node(number, str(uuid_of(1000 + number)))
            elif number % 7 == 0:   # a node that is gone
                lost.append(self.put(number))
            else:
                here.append(self.put(number))
                self.put_node(number, here[-1], **OFF)
            if number in {3, 4, 11}:    # an older one of the same node
                twice += [self.put(number) for _ in range(3)]
        for page in (1, 2, 3, 5, 1000):
            with self.db.writer() as connection:
                connection.exec_driver_sql(
                    "UPDATE instances SET status = 'active', "
                    'power_state = NULL, fault = NULL')
            for _ in Survey(self.db, self.driver(), 'one',
                            page=page).pages():
                pass
            seen = {uuid: (row['status'], row['fault'] and
                           row['fault']['message'])
                    for uuid in (*here, *lost, *twice)
                    for row in [self.row(uuid)]}
            self.assertEqual(
                dict.fromkeys(here, ('stopped', None))
                | dict.fromkeys(lost, ('error', status.GONE))
                | dict.fromkeys(twice, ('error', status.TAKEN)), seen, page)

    def test_a_page_costs_one_query(self):
        for number in range(1, 13):
            self.put_node(number, self.put(number), **OFF)
        driver = self.driver()
        pages = sum(1 for _ in Survey(self.db, driver, 'one',
                                      page=4).pages())
        # Some begin with the node that the last one ended with.
        self.assertEqual(4, pages)
        self.assertEqual({'nodes': pages}, driver.asked)

    def test_a_request_that_comes_in_between_wins(self):
        uuid = self.put(1)
        self.put_node(1, uuid, **OFF)
        [row] = instances.on_nodes(self.db, after=('', 0), limit=10)
        [node] = [node for node in self.hardware.nodes()
                  if node.instance_uuid == uuid]
        self.ask(uuid, 'reboot')
        self.assertFalse(status.StatusSync(self.db).follow(row, node))
        self.assertEqual('rebooting', self.row(uuid)['status'])
        # Nor does what it looked like before count once it is done.
        with self.db.writer() as connection:
            connection.exec_driver_sql(
                "UPDATE instances SET status = 'active', "
                'status_action = NULL')
        self.assertFalse(status.StatusSync(self.db).follow(row, node))
        [row] = instances.on_nodes(self.db, after=('', 0), limit=10)
        self.assertTrue(status.StatusSync(self.db).follow(row, node))
        self.assertEqual('stopped', self.row(uuid)['status'])

    def test_a_node_that_may_only_be_hidden_is_not_lost(self):
        uuid = self.put(1)
        self.hardware.add_fault(inventory.faults.Fault(
            inventory.faults.Mode.UNAVAILABLE, call='look'))
        survey = Survey(self.db, self.driver(), 'one')
        list(survey.pages())
        self.assertEqual('active', self.row(uuid)['status'])
        list(survey.pages())
        self.assertEqual('error', self.row(uuid)['status'])


class TestEngines(SyncTest):

    engines = 0

    def start(self, number):
        """Start an engine whose driver counts calls; returns that driver."""
        path = self.deployment.directory / 'inventory.sqlite'
        driver = Counted(path, **deployment.TIMES)
        engine = EngineService(
            self.db, driver, self.deployment.transport,
            self.deployment.topic, host=backends.HOSTS[number],
            pace=Pace(sweep=0.05, repair=3600, threads=2), stop_timeout=10)
        engine.start()
        self.deployment.engines.append(engine)
        return driver

    def test_one_of_them_goes_over_the_nodes_for_all(self):
        uuid = self.put_row()
        drivers = [self.start(number) for number in range(2)]
        self.wait_for(uuid, status='error')
        # Both have looked for work since.
        for engine in self.deployment.engines:
            eventually(
                functools.partial(getattr, engine._reconciler, '_sweep_at'),
                until=functools.partial(
                    operator.lt, engine._reconciler._sweep_at + 0.1))
        self.assertEqual(1, sum(driver.asked['nodes'] for driver in drivers))

    def test_a_long_one_keeps_the_others_off(self):
        periodic.register(self.db, 'survey')
        self.assertTrue(periodic.acquire(self.db, 'survey', 0.01))
        periodic.extend(self.db, 'survey', 3600)
        self.assertFalse(periodic.acquire(self.db, 'survey', 3600))

# SPDX-License-Identifier: Apache-2.0
"""Machines that run already, and how one becomes an instance."""

from collections.abc import Sequence

import sqlalchemy as sa

from mogan.baremetal import driver
from mogan.db import models
from mogan.tests.functional import base
from mogan.tests.functional.adoption import PATH, AdoptionTest
from mogan.tests.functional.test_races import at_once
from mogan.tests.support.client import Client
from mogan.tests.support.deployment import SMALL


class TestList(AdoptionTest):

    def test_it_shows_what_is_in_use_and_has_no_instance(self):
        self.make_instance()
        [one] = self.expect(
            200, self.admin.get(PATH)).json['manageable_servers']
        self.assertEqual({
            'uuid': self.node_uuid, 'name': 'node-0',
            'resource_class': SMALL, 'power_state': 'power on',
            'provision_state': 'active', 'image_source': base.IMAGE,
            'traits': []}, one)

    def test_it_leaves_out_what_cannot_be_taken_over(self):
        names = ('node-1', 'node-2', 'node-3')
        first, second, third = map(self.put_to_use, names)
        self.hardware.set_maintenance(first, maintenance=True)
        self.hardware.set_protected(second, protected=True)
        self.assertEqual(sorted([self.node_uuid, third]), self.listed())

    def test_it_changes_nothing(self):
        before = self.hardware.journal()
        self.listed()
        self.assertEqual(before, self.hardware.journal())
        self.assert_untouched()

    def test_it_comes_in_pages(self):
        uuids = {self.node_uuid, *map(self.put_to_use,
                                      ('node-1', 'node-2', 'node-3'))}
        for limit in (1, 3, 4, 5):
            seen, path = [], f'{PATH}?limit={limit}'
            while path:
                page = self.expect(200, self.admin.get(path)).json
                self.assertLessEqual(len(page['manageable_servers']), limit)
                seen += [one['uuid'] for one in page['manageable_servers']]
                path = page.get('next')
            self.assertEqual(sorted(uuids), seen)

    def test_without_an_engine_or_hardware_there_is_none(self):
        self.fault('unavailable', 'manageable')
        self.fault('unavailable', 'look')
        for answer in (self.admin.get(PATH), self.post()):
            self.assertIn('retry-after', self.expect(503, answer).headers)
        self.deployment.stop_engines()
        for answer in (self.admin.get(PATH), self.post()):
            self.expect(503, answer)
        self.assertEqual([], self.admin.get(
            '/v1/instances').json['instances'])


class TestAdopting(AdoptionTest):

    def test_the_machine_becomes_an_instance_as_it_is(self):
        flavor = self.make_flavor()
        answer = self.expect(201, self.post(
            description='from before', metadata={'rack': '7'},
            node_uuid=self.node_uuid.upper()))
        self.assertLessEqual(
            {'name': 'legacy', 'description': 'from before',
             'metadata': {'rack': '7'}, 'status': 'building',
             'project_id': 'admin', 'user_id': 'admin',
             'flavor_uuid': flavor, 'image_uuid': None}.items(),
            answer.json.items())
        uuid = answer.json['uuid']
        seen = self.wait_for(uuid, status='active', power_state='power on',
                             image_uuid=base.IMAGE, fault=None,
                             node_uuid=self.node_uuid)
        self.assertIsNotNone(seen['launched_at'])
        self.assertEqual(seen, self.expect(
            200, self.admin.get(answer.headers['location'])).json)
        self.assertEqual(uuid, self.node().instance_uuid)
        self.assert_never_wiped()
        [entry] = self.history(uuid)
        self.assertEqual(
            ('adopt', 'done', {'node_uuid': self.node_uuid}),
            (entry['action'], entry['outcome'], entry['arguments']))
        self.assertEqual([], self.listed())

    def test_one_that_is_off_is_stopped(self):
        with self.hardware.transaction() as txn:
            txn.change(self.node_uuid, power_state='power off')
        uuid = self.adopt()
        self.wait_for(uuid, status='stopped', power_state='power off')
        self.ask(uuid, 'on')
        self.wait_for(uuid, status='active')

    def test_it_is_an_instance_as_any_other(self):
        uuid = self.adopt()
        self.wait_for(uuid, status='active')
        self.lock(uuid, 'disk swap')
        self.assertTrue(self.node().protected)
        self.expect(409, self.admin.delete(f'/v1/instances/{uuid}'))
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        self.assert_never_wiped()
        # It has no flavor.
        self.ask(uuid, 'rebuild')
        self.wait_for(uuid, status='active', image_uuid=base.OTHER_IMAGE)
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        self.assertIs(driver.Availability.AVAILABLE,
                      self.node().availability)

    def test_a_power_change_is_waited_for(self):
        with self.hardware.transaction() as txn:
            txn.change(self.node_uuid, power_target='off',
                       until=txn.now + 0.3)
        self.wait_for(self.adopt(), status='stopped')

    def test_an_image_may_be_named_in_capitals(self):
        image = '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10'
        self.node_uuid = self.put_to_use('node-1', image.upper())
        self.wait_for(self.adopt(), status='active', image_uuid=image)

    def test_an_image_that_is_named_otherwise_is_not_known(self):
        self.node_uuid = self.put_to_use('node-1', 'http://images/old.img')
        self.assertIn('http://images/old.img', [
            one['image_source'] for one in
            self.admin.get(PATH).json['manageable_servers']])
        seen = self.wait_for(self.adopt(), status='active')
        self.assertIsNone(seen['image_uuid'])

    def _flavor_of(self, traits: Sequence[str]) -> str | None:
        with self.hardware.transaction() as txn:
            txn.change(self.node_uuid, instance_uuid=None,
                       traits=''.join(f' {trait} ' for trait in traits))
        uuid = self.adopt()
        flavor = self.wait_for(uuid, status='active')['flavor_uuid']
        with self.db.writer() as connection:
            connection.execute(sa.delete(models.instances))
        return flavor

    def test_it_gets_the_flavor_that_says_most_of_it(self):
        self.make_flavor(disabled=True)
        self.make_flavor(resources={SMALL: 2})
        self.make_flavor(resources={SMALL: 1, 'CUSTOM_DISK': 1})
        self.make_flavor(resources={'CUSTOM_OTHER': 1})
        self.make_flavor(traits=['HW_A', 'HW_B', 'HW_C'])
        self.assertIsNone(self._flavor_of(['HW_A']))
        plain = self.make_flavor()
        self.make_flavor()
        two = self.make_flavor(traits=['HW_A', 'HW_B'], is_public=False)
        one = self.make_flavor(traits=['HW_A'])
        self.assertEqual([plain, one, two, plain], [
            self._flavor_of(traits) for traits in (
                [], ['HW_A'], ['HW_B', 'HW_A'], ['HW_B'])])

    def test_its_flavor_cannot_go(self):
        flavor = self.make_flavor()
        uuid = self.adopt()
        self.expect(409, self.admin.delete(f'/v1/flavors/{flavor}'))
        self.wait_for(uuid, status='active')
        self.expect(409, self.admin.delete(f'/v1/flavors/{flavor}'))


class TestRefusals(AdoptionTest):

    def assert_refused(self, status: int, word: str) -> None:
        answer = self.expect(status, self.post())
        self.assertIn(word, answer.message)
        self.assertIn(self.node_uuid, answer.message)

    def test_a_node_that_cannot_be_taken_over_is_named_with_its_reason(self):
        uuid = self.make_instance()
        carrier = self.node_of(uuid).uuid
        kept, idle = map(self.put_to_use, ('node-2', 'node-3'))
        self.hardware.set_maintenance(kept, maintenance=True)
        self.hardware.set_active(idle, active=False)
        self.hardware.set_protected(self.node_uuid, protected=True)
        nodes = self.hardware.nodes()
        for node_uuid, status, word in (
                (base.NOWHERE, 400, 'node_uuid'), (carrier, 409, uuid),
                (kept, 409, 'maintenance'), (idle, 409, 'available'),
                (self.node_uuid, 409, 'protected')):
            self.node_uuid = node_uuid
            self.assert_refused(status, word)
        self.assertEqual(nodes, self.hardware.nodes())
        self.assertEqual([], self.admin.get(
            '/v1/instances').json['instances'])

    def test_one_that_another_instance_asks_for_is_taken(self):
        self.fault('busy', 'adopt', times=None)
        uuid = self.adopt()
        self.assert_refused(409, uuid)
        self.hardware.clear_faults()
        self.wait_for(uuid, status='active')
        self.assert_refused(409, uuid)

    def test_one_that_an_instance_has_lost_is_that_instance_s(self):
        uuid = self.make_instance()
        self.node_uuid = self.node_of(uuid).uuid
        with self.hardware.transaction() as txn:
            txn.change(self.node_uuid, instance_uuid=None)
        self.assert_refused(409, uuid)

    def test_of_many_that_ask_at_once_one_gets_it(self):
        clients = [self.admin, Client(self.deployment.make_application(
            db=self.deployment.another_database()), 'admin')]
        for name in ('node-0', 'node-1', 'node-2', 'node-3'):
            if name != 'node-0':
                self.node_uuid = self.put_to_use(name)
            answers = at_once(*(lambda client=client: self.post(client)
                                for client in clients * 2))
            self.assertEqual([201, 409, 409, 409], sorted(
                answer.status for answer in answers))
            [uuid] = [answer.json['uuid'] for answer in answers
                      if answer.status == 201]
            self.wait_for(uuid, status='active')
            self.assertEqual(uuid, self.node().instance_uuid)

    def test_while_it_is_taken_over_it_cannot_be_locked(self):
        uuid = self.hold_back()
        for request, status in (('lock', 409), ('unlock', 202)):
            self.expect(status, self.admin.put(
                f'/v1/instances/{uuid}/states/{request}', {request: None}))
        self.assertEqual('unlocked', self.row(uuid)['lock_state'])
        self.hardware.clear_faults()
        self.wait_for(uuid, status='active')
        self.lock(uuid)

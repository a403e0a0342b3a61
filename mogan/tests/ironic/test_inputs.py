# SPDX-License-Identifier: Apache-2.0
"""The inputs of an instance, as Ironic keeps them for the node."""

import base64
import json
from typing import Any, ClassVar

from mogan.tests.functional.test_inputs import GIVEN, KEY, MARKER, USER_DATA
from mogan.tests.ironic.base import IronicTest


class InputsTest(IronicTest):

    nodes = 2
    options: ClassVar[dict[str, Any]] = {'image_type': 'partition'}

    def setUp(self):
        super().setUp()
        for node in self.ironic.get('/v1/nodes')['nodes']:
            number = node['name'][-1]
            self.ironic.patch(node['uuid'], properties={
                'availability_zone': f'hall-{number}', 'local_gb': 100,
                'capabilities': 'boot_mode:uefi,disk_label:gpt,cpus:8'})

    def instance_info(self, uuid: str) -> dict[str, Any]:
        return self.ironic.instance_info(self.see(uuid)['node_uuid'])

    def assert_handed_on(self, uuid: str) -> None:
        info = self.instance_info(uuid)
        self.assertEqual((40, 4096), (info['root_gb'], info['swap_mb']))
        self.assertEqual({'boot_mode': 'uefi', 'disk_label': 'gpt'},
                         info['capabilities'])
        drive = info['configdrive']
        self.assertEqual(USER_DATA, drive['user_data'])
        data = drive['meta_data']
        self.assertEqual({'ssh_keys.0': KEY}, data['public_keys'])
        self.assertEqual(
            [{'name': 'ssh_keys.0', 'type': 'ssh', 'data': KEY}],
            data['keys'])
        self.assertEqual(
            (uuid, 'hall-1'), (data['uuid'], data['availability_zone']))


class TestInputs(InputsTest):

    def test_ironic_gets_it_for_the_build_and_for_each_rebuild(self):
        uuid = self.make_instance(availability_zone='hall-1', **GIVEN)
        self.assertEqual('node-1', self.raw(uuid)['name'])
        self.assert_handed_on(uuid)
        # As somebody leaves it who deploys without us.
        self.ironic.do('PUT', f'/v1/nodes/{self.see(uuid)["node_uuid"]}'
                       '/states/provision',
                       {'target': 'rebuild', 'configdrive': None})
        self.wait_for_node(uuid, provision_state='active', reservation=None)
        self.ask(uuid, 'rebuild', 'demo')
        self.wait_for(uuid, status='active')
        self.assert_handed_on(uuid)
        self.assertNotIn(MARKER, json.dumps(self.raw(uuid)))

    def test_a_disk_without_room_is_not_taken(self):
        uuid = self.ask_for_instance(partitions={'root_gb': 100})
        self.assertIn('a disk for its partitions',
                      self.wait_for_fault(uuid))
        self.make_instance(partitions={'root_gb': 99})

    def test_a_zone_that_no_free_node_is_in_is_told(self):
        for zone, end in (('hall-0', 'active'), ('hall-0', 'error'),
                          ('hall-9', 'error'), ('hall-1', 'active')):
            uuid = self.ask_for_instance(availability_zone=zone)
            self.wait_for(uuid, status=end)
        self.assertEqual(
            {'availability_zones': ['hall-0', 'hall-1']},
            self.demo.get('/v1/availability_zones').json)

    def test_user_data_are_the_same_behind_their_base64(self):
        text = '\u20ac\r\n\0"\\'
        uuid = self.make_instance(user_data=base64.b64encode(
            text.encode()).decode())
        drive = self.instance_info(uuid)['configdrive']
        self.assertEqual(text, drive['user_data'])


class TestWholeDisks(IronicTest):

    def test_partitions_of_an_image_of_a_whole_disk_are_refused(self):
        uuid = self.ask_for_instance(partitions={'root_gb': 10})
        self.assertIn('whole disk', self.wait_for_fault(uuid))
        self.assertIsNone(self.node_of(uuid))

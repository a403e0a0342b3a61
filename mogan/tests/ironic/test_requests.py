# SPDX-License-Identifier: Apache-2.0
"""The number of requests to Ironic: each takes it several milliseconds, and a
change ten times that."""

import concurrent.futures
import dataclasses
import re
import uuid

from oslotest import base as test_base

from mogan.baremetal import driver
from mogan.tests.ironic import base, server
from mogan.tests.ironic.drivers import make_driver
from mogan.tests.ironic.front import Front
from mogan.tests.permits import Permits


def calls(front):
    """Return the requests, without uuids and queries, and without the survey
    of all nodes."""
    return [f'{method} {re.sub("[0-9a-f-]{36}", "UUID", path).split("?")[0]}'
            for method, path in front.seen if 'sort_key' not in path]


class TestCreate(base.IronicTest):

    nodes = 1

    def deploy(self):
        ironic = server.shared()
        self.addCleanup(server.shared.restore)
        self.ironic = ironic
        self.front = Front(ironic.port)
        self.addCleanup(self.front.close)
        return base.IronicDeployment(
            ironic, nodes=1, rules={},
            options={'endpoint_override': self.front.url})

    def test_a_deploy_asks_for_no_more_than_it_needs(self):
        self.front.seen.clear()
        self.make_instance()
        found = [request for request in calls(self.front)
                 if request != 'GET /v1']
        looks = found[5:]
        self.assertEqual(
            ['GET /v1/nodes', 'PATCH /v1/nodes/UUID', 'GET /v1/nodes/UUID',
             'PUT /v1/nodes/UUID/states/provision', 'GET /v1/nodes/UUID'],
            found[:5])
        self.assertEqual(['GET /v1/nodes/UUID'] * len(looks), looks)


class TestClaims(Permits, test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.ironic = server.shared()
        self.addCleanup(server.shared.restore)
        self.front = Front(self.ironic.port)
        self.addCleanup(self.front.close)
        self.resource_class = server.some_class()
        self.driver = make_driver(self.front.url)
        self.addCleanup(self.driver.close)

    def enrol(self, number):
        return [self.ironic.enrol(f'node-{each}', self.resource_class)
                for each in range(number)]

    def spec(self):
        return driver.DeploySpec(str(uuid.uuid4()), 'web', 'image',
                                 {self.resource_class: 1})

    def test_a_second_claim_finds_the_node_of_the_first(self):
        uuids = self.enrol(3)
        spec = self.spec()
        self.front.fault = 'lost answer'
        self.assertRaises(driver.OutcomeUnknown, self.driver.claim, spec,
                          self.permit(1))
        self.front.fault = None
        node = self.driver.claim(spec, self.permit(1))
        self.assertEqual(spec.instance_uuid, node.instance_uuid)
        for other in {*uuids} - {node.uuid}:
            seen = self.ironic.node(other)
            self.assertEqual((None, {}), (seen['instance_uuid'],
                                          seen['instance_info']))

    def test_ironic_is_told_what_the_deploy_needs(self):
        [node_uuid] = self.enrol(1)
        self.ironic.patch(node_uuid, properties={
            'local_gb': 100, 'availability_zone': 'zone-1',
            'capabilities': 'boot_mode:uefi,cpu_vt:true'})
        spec = dataclasses.replace(self.spec(), availability_zone='zone-1',
                                   metadata={'role': 'web'})
        self.driver.claim(spec, self.permit(1))
        self.driver.deploy(node_uuid, spec, self.permit(1))
        node = self.ironic.wait_for(node_uuid, provision_state='active')
        self.assertEqual(spec.instance_uuid, node['instance_uuid'])
        info = {name: node['instance_info'].get(name) for name in (
            'display_name', 'image_source', 'root_gb', 'capabilities')}
        self.assertEqual({
            'display_name': 'web', 'image_source': 'image', 'root_gb': 99,
            'capabilities': {'boot_mode': 'uefi'}}, info)

    def test_threads_of_a_process_do_not_want_the_same_node(self):
        uuids = self.enrol(4)
        self.front.seen.clear()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            nodes = list(pool.map(
                lambda spec: self.driver.claim(spec, self.permit(1)),
                [self.spec() for _ in uuids]))
        self.assertEqual({*uuids}, {node.uuid for node in nodes})
        self.assertEqual(4, calls(self.front).count('PATCH /v1/nodes/UUID'))

    def test_a_node_that_another_thread_gave_up_is_free_again(self):
        [node_uuid] = self.enrol(1)
        spec = self.spec()
        with self.covering(lambda: False):
            self.assertRaises(driver.TooLate, self.driver.claim, spec,
                              self.permit(1))
        self.assertEqual(node_uuid, self.driver.claim(spec,
                                                      self.permit(1)).uuid)

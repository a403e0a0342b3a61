# SPDX-License-Identifier: Apache-2.0
"""The Ironic that the other tests rely on."""

from http import HTTPStatus

from oslotest import base

from mogan.tests.ironic import server
from mogan.tests.support.processes import eventually


class TestServer(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.ironic = server.shared()
        self.addCleanup(server.shared.restore)

    def provision(self, node_uuid, target):
        """Return the answer, once Ironic has released the node."""
        return eventually(
            lambda: self.ironic.provision(node_uuid, target),
            until=lambda answer: answer.status_code != HTTPStatus.CONFLICT)

    def test_it_keeps_a_protected_node_from_being_undeployed(self):
        node_uuid = self.ironic.enrol('node-1', server.some_class())
        refused = self.provision(node_uuid, 'rebuild')
        self.assertEqual(400, refused.status_code, refused.text)
        self.ironic.do('PUT', f'/v1/nodes/{node_uuid}/states/provision',
                       {'target': 'active'})
        self.ironic.wait_for(node_uuid, provision_state='active')
        self.ironic.patch(node_uuid, protected=True)
        refused = self.provision(node_uuid, 'deleted')
        self.assertEqual(403, refused.status_code, refused.text)

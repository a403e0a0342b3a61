# SPDX-License-Identifier: Apache-2.0
"""The audit events of the routes."""

from oslotest import base

from mogan.api import openapi, root
from mogan.api.middleware import audit


class TestActions(base.BaseTestCase):

    def test_each_change_of_the_states_has_an_action_of_its_own(self):
        names = {route.path.rpartition('/')[2]
                 for route in openapi.routes(root.RootController)
                 if route.method == 'PUT'}
        self.assertEqual(names, audit._STATES.keys())

# SPDX-License-Identifier: Apache-2.0
"""A base class for unit tests, with a service whose answers the test sets."""

import testtools

from moganclient.tests import server

UUID = '3de1779b-7f12-49d4-8555-e7fc3f5a176e'


def instance(**values):
    """Return an instance as the API shows it."""
    return {'uuid': UUID, 'name': 'web', 'status': 'active',
            'lock_state': 'unlocked', 'metadata': {}, 'fault': None} | values


class ServerTest(testtools.TestCase):
    """`answers` are given one after the other; then `answer` is asked."""

    def setUp(self):
        super().setUp()
        self.answers = []
        self.server = server.Server(
            lambda request: (self.answers.pop(0) if self.answers
                             else self.answer(request)))
        self.addCleanup(self.server.close)
        self.connection = self.server.connect()
        self.service = self.connection.baremetal_compute

    def answer(self, request):
        """Return a successful answer to a request."""
        status = {'PUT': 202, 'DELETE': 204}.get(request.method)
        return server.Answer(status) if status else server.Answer(
            200, instance())

    def asked(self):
        """Methods and paths of what has come."""
        return [(request.method, request.path)
                for request in self.server.requests]

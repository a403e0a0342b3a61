# SPDX-License-Identifier: Apache-2.0
"""What the unit tests share: a service that answers as it is told to."""

import testtools

from moganclient.tests import server

UUID = '3de1779b-7f12-49d4-8555-e7fc3f5a176e'


def instance(**values):
    """An instance as it is shown."""
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
        """What a service says that does as it is told."""
        status = {'PUT': 202, 'DELETE': 204}.get(request.method)
        return server.Answer(status) if status else server.Answer(
            200, instance())

    def asked(self):
        """Methods and paths of what has come."""
        return [(request.method, request.path)
                for request in self.server.requests]

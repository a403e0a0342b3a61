# SPDX-License-Identifier: Apache-2.0
import threading

from moganclient.tests import service
from moganclient.tests.functional import base


class TestRestarts(base.ServiceTest):

    def start_again(self):
        """Restart the service at the same address."""
        cls = type(self)
        old = cls.service
        cls.addClassCleanup(old.close)
        cls.service = service.Service(old.directory, self.port)

    def test_requests_and_waiting_outlive_the_service(self):
        patient = self.service.connect(
            baremetal_compute_connect_retries=8).baremetal_compute
        instance = self.make_instance()
        self.port = self.service.port
        self.service.stop()
        starting = threading.Thread(target=self.start_again)
        starting.start()
        try:
            # While nobody answers.
            self.assertEqual('active', patient.get_instance(instance).status)
            patient.lock_instance(instance, 'disk swap')
        finally:
            starting.join()
        self.service.stop()
        starting = threading.Thread(target=self.start_again)
        starting.start()
        try:
            seen = self.admin.wait_for_instance(instance, 'locked',
                                                timeout=90)
        finally:
            starting.join()
        self.assertEqual('disk swap', seen.locked_reason)

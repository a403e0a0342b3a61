# SPDX-License-Identifier: Apache-2.0
"""SQLite's clock is the host's: it is set while mogan-standalone runs."""

import os
import signal

import testtools

from mogan.tests.functional.base import IMAGE
from mogan.tests.standalone.test_service import Standalone
from mogan.tests.support import clocks
from mogan.tests.support.files import temporary_directory
from mogan.tests.support.processes import eventually

TEN_MINUTES = 600


class TestHostClock(testtools.TestCase):

    def setUp(self):
        super().setUp()
        if clocks.library() is None:
            if os.environ.get('CI', '').lower() in {'1', 'true'}:
                self.fail('libfaketime is not installed')
            self.skipTest('libfaketime is not installed')
        directory = temporary_directory(self)
        self.clock = clocks.Clock(directory / 'clock')
        self.addCleanup(self.clock.close)
        self.service = Standalone(directory / 'state',
                                  environment=self.clock.environment)
        self.clock.keep(self.service.process.pid)
        self.addCleanup(self.service.stop, signal.SIGKILL)

    def request(self, status, *arguments):
        answer = self.service.request('admin', *arguments)
        self.assertEqual(status, answer.status, answer.body)
        return answer

    def make_instance(self):
        flavor = self.request(200, 'GET', '/v1/flavors').json['flavors'][0]
        uuid = self.request(201, 'POST', '/v1/instances', {
            'name': 'web', 'image_uuid': IMAGE,
            'flavor_uuid': flavor['uuid']}).json['uuid']
        eventually(lambda: self.service.see(uuid).json['status'], within=60,
                   until=lambda status: status == 'active')
        return uuid

    def test_requests_under_way_are_done_after_either_step(self):
        for seconds in (-TEN_MINUTES, TEN_MINUTES):
            self.clock.step(0)
            deleted, locked = self.make_instance(), self.make_instance()
            self.request(204, 'DELETE', f'/v1/instances/{deleted}')
            self.request(202, 'PUT', f'/v1/instances/{locked}/states/lock',
                         {'lock': None})
            self.clock.step(seconds)
            eventually(lambda uuid=deleted: self.service.see(uuid).status,
                       within=60, until=lambda status: status == 404)
            eventually(
                lambda uuid=locked: self.service.see(uuid).json['lock_state'],
                within=60, until=lambda state: state == 'locked')

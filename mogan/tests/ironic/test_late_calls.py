# SPDX-License-Identifier: Apache-2.0
"""A call takes effect soon after its check, or never.

The process is stopped where it hurts most: its check of the node has gone
well, and all that is left to do is to send the call.
"""

import dataclasses
import http.client
import multiprocessing
import os
import signal
import uuid
from unittest import mock

import psutil
from oslotest import base

from mogan.baremetal import driver
from mogan.baremetal.protection import Protection
from mogan.tests.ironic import server
from mogan.tests.ironic.drivers import make_driver
from mogan.tests.permits import Permits
from mogan.tests.support.processes import eventually

_processes = multiprocessing.get_context('spawn')


def _undeploy(url, node_uuid, instance_uuid, result):
    def stop():
        os.kill(os.getpid(), signal.SIGSTOP)
        return True

    opened = make_driver(url)
    try:
        opened.undeploy(node_uuid, instance_uuid, driver.Permit(2, stop))
        result.send(None)
    except driver.DriverError as error:
        result.send(error)


class TestLateCalls(Permits, base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.ironic = server.shared()
        self.addCleanup(server.shared.restore)
        resource_class = server.some_class()
        self.node_uuid = self.ironic.enrol('node-1', resource_class)
        self.instance_uuid = str(uuid.uuid4())
        self.driver = make_driver(self.ironic.url)
        self.addCleanup(self.driver.close)
        self.spec = driver.DeploySpec(
            self.instance_uuid, 'web', 'image', {resource_class: 1})
        self.driver.claim(self.spec, self.permit(1))
        self.driver.deploy(self.node_uuid, self.spec, self.permit(1))
        self.ironic.wait_for(self.node_uuid, provision_state='active',
                             reservation=None)

    def _stopped(self):
        """Return a process that has checked the node and is about to undeploy
        it, and the end of a pipe with its outcome."""
        here, there = _processes.Pipe()
        process = _processes.Process(target=_undeploy, args=(
            self.ironic.url, self.node_uuid, self.instance_uuid, there))
        process.start()
        self.addCleanup(process.join)
        self.addCleanup(process.kill)
        seen = psutil.Process(process.pid)
        eventually(seen.status, within=60,
                   until=lambda status: status == psutil.STATUS_STOPPED)
        return seen, here

    def _connections(self, process):
        return {connection.status
                for connection in process.net_connections('tcp')
                if connection.raddr.port == self.ironic.port}

    def _goes_on(self, process, result):
        process.send_signal(signal.SIGCONT)
        self.assertTrue(result.poll(60))
        return result.recv()

    def test_one_that_comes_after_the_idle_timeout_is_not_carried_out(self):
        process, result = self._stopped()
        # Ironic has closed every connection of the process by itself.
        eventually(lambda: self._connections(process), within=60,
                   until=lambda seen: seen == {psutil.CONN_CLOSE_WAIT})
        self.assertIsInstance(self._goes_on(process, result),
                              driver.OutcomeUnknown)
        node = self.ironic.node(self.node_uuid)
        self.assertEqual(('active', self.instance_uuid),
                         (node['provision_state'], node['instance_uuid']))
        self.assertNotIn('"deleting" from state "active"',
                         self._moves())

    def test_one_that_was_stopped_for_a_moment_is(self):
        process, result = self._stopped()
        self.assertIsNone(self._goes_on(process, result))
        self.assertIn('"deleting" from state "active"', self._moves())

    def _moves(self):
        return '\n'.join(line for line in self.ironic.log().splitlines()
                         if self.node_uuid in line)

    def test_its_head_and_its_body_are_sent_together(self):
        with mock.patch.object(
                http.client.HTTPConnection, 'send', autospec=True,
                side_effect=http.client.HTTPConnection.send) as send:
            self.driver.undeploy(self.node_uuid, self.instance_uuid,
                                 self.permit(2))
        sent = [bytes(call.args[1]) for call in send.call_args_list]
        [change] = [data for data in sent if not data.startswith(b'GET')]
        self.assertEqual((b'PUT', b'{"target": "deleted"}'),
                         (change[:3], change.partition(b'\r\n\r\n')[2]))

    def test_a_long_one_is_checked_again_before_its_end(self):
        spec = dataclasses.replace(self.spec, user_data='#' * 40_000)
        covered = iter((True, False))
        with self.covering(lambda: next(covered)):
            self.assertRaises(driver.TooLate, self.driver.rebuild,
                              self.node_uuid, spec, self.permit(2))
        self.driver.rebuild(self.node_uuid, spec, self.permit(2))
        self.ironic.wait_for(self.node_uuid, provision_state='active',
                             reservation=None)
        self.assertEqual(1, self._moves().count(
            '"deploying" from state "active"'))

    def test_one_whose_claim_has_run_out_meanwhile_is_not_sent(self):
        calls = {
            'rebuild': lambda: self.driver.rebuild(
                self.node_uuid, self.spec, self.permit(2)),
            'undeploy': lambda: self.driver.undeploy(
                self.node_uuid, self.instance_uuid, self.permit(2)),
            'protect': lambda: self.driver.protect(
                self.node_uuid, Protection(self.instance_uuid),
                self.permit(2)),
            'power': lambda: self.driver.power(
                self.node_uuid, self.instance_uuid,
                driver.PowerTarget.REBOOT, self.permit(2)),
            'claim': lambda: self.driver.claim(self._another(),
                                               self.permit(1)),
        }
        before = self.ironic.node(self.node_uuid)
        for name, call in calls.items():
            with self.covering(lambda: False):
                self.assertRaises(driver.TooLate, call)
            self.assertEqual(before, self.ironic.node(self.node_uuid), name)

    def _another(self):
        resource_class = server.some_class()
        self.ironic.enrol('node-2', resource_class)
        return driver.DeploySpec(str(uuid.uuid4()), 'web', 'image',
                                 {resource_class: 1})

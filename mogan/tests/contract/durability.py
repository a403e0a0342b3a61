# SPDX-License-Identifier: Apache-2.0
"""The contract of drivers with several users, and users that die."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable

from mogan.baremetal import driver
from mogan.baremetal.driver import Availability
from mogan.baremetal.protection import Protection
from mogan.tests.contract import suite
from mogan.tests.permits import always
from mogan.tests.support.concurrency import at_once

# A forked child would share this process's locks and connections.
_processes = multiprocessing.get_context('spawn')


def _claim(recipe: Callable[[], driver.Driver], spec: driver.DeploySpec,
           start, results) -> None:
    opened = recipe()
    with contextlib.closing(opened):
        opened.nodes()
        start.wait(60)
        try:
            results.put(opened.claim(spec, driver.Permit(1, always)).uuid)
        except driver.NoNodeAvailable:
            results.put(None)


def _deploy_and_wait(recipe: Callable[[], driver.Driver],
                     spec: driver.DeploySpec, ready) -> None:
    opened = recipe()
    node = opened.claim(spec, driver.Permit(1, always))
    opened.deploy(node.uuid, spec, driver.Permit(1, always))
    ready.send(node.uuid)
    threading.Event().wait()


class DurabilityContract(suite.Hardware):
    """The state that outlasts a driver object, and its process."""

    def test_protection_outlasts_the_driver(self):
        spec, node_uuid = self.deployed()
        protection = Protection(spec.instance_uuid, 'disk swap')
        self.driver.protect(node_uuid, protection, self.permit(2))
        self.driver.close()
        self.driver = self.open()
        node = self.driver.look([node_uuid])[node_uuid]
        self.assertEqual((True, protection.text),
                         (node.protected, node.protected_reason))
        self.assertRaises(driver.Refused,
                          self.calls(node_uuid, spec, 3)['undeploy'])

    def test_work_goes_on_without_the_driver(self):
        spec = self.spec()
        node = self.driver.claim(spec, self.permit(1))
        self.driver.deploy(node.uuid, spec, self.permit(1))
        self.driver.close()
        self.driver = self.open()
        node = self.settled(node.uuid)
        self.assertIs(Availability.ACTIVE, node.availability)
        self.assertEqual(spec.instance_uuid, node.instance_uuid)

    def test_one_of_many_threads_gets_the_last_node(self):
        self.driver.claim(self.spec(), self.permit(1))
        won = []

        def claim():
            with contextlib.suppress(driver.NoNodeAvailable):
                won.append(self.driver.claim(self.spec(), self.permit(1)).uuid)

        at_once(*[claim] * 8)
        self.assertEqual(1, len(won))

    def test_one_of_two_processes_gets_the_last_node(self):
        self.driver.claim(self.spec(), self.permit(1))
        start = _processes.Barrier(2)
        results = _processes.Queue()
        for _ in range(2):
            self.spawn(_claim, self.recipe(), self.spec(), start, results)
        got = [results.get(timeout=60) for _ in range(2)]
        self.assertEqual(1, got.count(None), got)

    def test_a_process_that_is_killed_takes_nothing_with_it(self):
        spec = self.spec()
        here, there = _processes.Pipe()
        process = self.spawn(_deploy_and_wait, self.recipe(), spec, there)
        self.assertTrue(here.poll(60))
        node_uuid = here.recv()
        os.kill(process.pid, signal.SIGKILL)
        process.join(60)
        node = self.settled(node_uuid)
        self.assertIs(Availability.ACTIVE, node.availability)
        self.assertEqual(spec.instance_uuid, node.instance_uuid)

    def spawn(self, target: Callable, *arguments):
        process = _processes.Process(target=target, args=arguments)
        process.start()
        self.addCleanup(process.join, 60)
        self.addCleanup(process.kill)
        return process

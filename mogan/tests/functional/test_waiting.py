# SPDX-License-Identifier: Apache-2.0
"""How the engine waits for its nodes, and hears of work."""

import collections
import dataclasses
import datetime
import types

from oslotest import base as test_base

from mogan.baremetal.simulated import SimulatedDriver
from mogan.context import RequestContext
from mogan.engine.reconcile import Pace
from mogan.engine.rpcapi import EngineClient
from mogan.engine.service import EngineService
from mogan.engine.task import Limits, Task, poll_after
from mogan.tests.functional import backends, base, deployment


class Watched(SimulatedDriver):
    """Counts the nodes of each look."""

    def __init__(self, path, **options):
        super().__init__(path, **options)
        self.sizes = collections.Counter()

    def look(self, uuids):
        self.sizes[len(uuids)] += 1
        return super().look(uuids)


class WaitingTest(base.FunctionalTest):

    engines = 0

    def start(self, pace, topic=None, **times):
        driver = Watched(self.deployment.directory / 'inventory.sqlite',
                         **deployment.TIMES | times)
        engine = EngineService(
            self.db, driver, self.deployment.transport,
            topic or self.deployment.topic, host=backends.HOSTS[0],
            pace=pace)
        engine.start()
        self.deployment.engines.append(engine)
        return engine, driver.sizes


class TestLooks(WaitingTest):

    def looks(self, pace):
        """How many nodes were looked at together while two instances were
        built."""
        _, sizes = self.start(pace, deploy_time=0.5)
        flavor = self.make_flavor()
        for uuid in [self.ask_for_instance(flavor_uuid=flavor)
                     for _ in range(2)]:
            self.wait_for(uuid, status='active')
        return sizes

    def test_a_few_nodes_are_looked_at_one_by_one(self):
        self.assertEqual({1}, {*self.looks(deployment.PACE)})

    def test_many_are_looked_at_together(self):
        sizes = self.looks(dataclasses.replace(
            deployment.PACE, few=1, sweep=0.2, threads=1))
        self.assertIn(2, sizes)


class TestHurry(WaitingTest):

    def test_an_engine_of_this_process_hears_of_it_before_the_message(self):
        # It hears no message, and does not look by itself meanwhile.
        engine, _ = self.start(Pace(sweep=3600), topic='another')
        client = EngineClient(self.deployment.transport, 'nobody',
                              hurry=engine.hurry)
        self.addCleanup(client.close)
        uuid = self.ask_for_instance()
        client.nudge(RequestContext(), uuid)
        self.wait_for(uuid, status='active')


class TestPolls(test_base.BaseTestCase):

    def _task(self, started, now):
        begin = datetime.datetime(2026, 1, 1)  # noqa: DTZ001 - UTC, as kept
        after = [None if seconds is None
                 else begin + datetime.timedelta(seconds=seconds)
                 for seconds in (started, now)]
        return Task(None, None, None, None, types.SimpleNamespace(
            verb='create', fence=1, created_at=begin, started_at=after[0],
            now=after[1]), Limits())

    def test_looks_are_frequent_at_first_and_seldom_later(self):
        self.assertEqual([0.03, 0.25, 10.0],
                         [poll_after(seconds) for seconds in (0, 1, 3600)])

    def test_what_counts_is_when_the_node_was_set_to_work(self):
        for started, now, wait in ((None, 8, 2), (100, 104, 1)):
            self.assertEqual(wait, self._task(started, now).poll().seconds)
        self.assertEqual(0.03, self._task(None, 100).poll(
            started=True).seconds)

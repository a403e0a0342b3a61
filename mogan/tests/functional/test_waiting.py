# SPDX-License-Identifier: Apache-2.0
"""The engine's waiting: polls of nodes, and messages."""

import collections
import dataclasses
import datetime
import types

from oslotest import base as test_base

from mogan.baremetal.simulated import SimulatedDriver
from mogan.context import RequestContext
from mogan.db import actions
from mogan.engine.client import EngineClient
from mogan.engine.reconcile import Pace
from mogan.engine.service import EngineService
from mogan.engine.task import Limits, Task, poll_after
from mogan.tests.functional import base
from mogan.tests.support import backends, deployment
from mogan.tests.support.processes import eventually


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

    def ask_for_two(self):
        """Start to build two instances; return their uuids."""
        flavor = self.make_flavor()
        return [self.ask_for_instance(flavor_uuid=flavor) for _ in range(2)]

    def test_a_few_nodes_are_looked_at_one_by_one(self):
        _, sizes = self.start(deployment.PACE, deploy_time=0.5)
        for uuid in self.ask_for_two():
            self.wait_for(uuid, status='active')
        self.assertEqual({1}, {*sizes})

    def test_many_are_looked_at_together(self):
        first, _ = self.start(deployment.PACE, deploy_time=60)
        for uuid in self.ask_for_two():
            eventually(lambda uuid=uuid: self.row(uuid)['node_uuid'])
        self.deployment.engines.remove(first)
        first.stop()
        eventually(
            lambda: len(actions.due(self.db, 10, deployment.TIMES['lease'])),
            until=lambda due: due == 2)
        _, sizes = self.start(dataclasses.replace(deployment.PACE, few=1))
        eventually(lambda: sizes[2])


class TestWakeUps(WaitingTest):

    def test_the_poll_of_one_does_not_take_the_place_of_another(self):
        engine, _ = self.start(Pace(sweep=3600), deploy_time=0.3)
        flavor = self.make_flavor()
        uuids = [self.ask_for_instance(flavor_uuid=flavor)
                 for _ in range(4)]
        for uuid in uuids:
            engine.hurry(uuid)
        for uuid in uuids:
            self.wait_for(uuid, status='active')

    def test_the_polls_of_many_share_rounds(self):
        engine, _ = self.start(Pace(sweep=3600, few=2), topic='another')
        reconciler = engine._reconciler
        with reconciler._lock:
            for number in range(100):
                reconciler._wake_in(600 + number / 100)
        self.assertLess(len(reconciler._polls), 2 + 3)


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

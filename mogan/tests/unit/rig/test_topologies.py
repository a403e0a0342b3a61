# SPDX-License-Identifier: Apache-2.0
"""The division of a run among the ways to the database."""

import argparse
import pathlib
import tempfile

from oslotest import base

from mogan.tests.support.broker import Broker
from mogan.tests.support.clocks import Clock
from mogan.tests.support.files import temporary_directory
from mogan.tests.support.processes import Family
from proof.rig import __main__ as rig
from proof.rig import topologies
from proof.rig.load import Population
from proof.rig.services import NAIVE, OURS, Deployment


class TestPlans(base.BaseTestCase):

    def plans(self, **options):
        arguments = {
            'seed': 1, 'faults': 'all', 'topology': 'all', 'variant': OURS,
            'ci': False, 'seconds': 100, 'operations': None, 'keep': False,
            'clients': 8, 'most': 7200}
        return list(rig.plans(argparse.Namespace(**arguments | options),
                              'mariadb'))

    def test_all_ways_share_the_time(self):
        plans = self.plans()
        self.assertEqual([*topologies.TOPOLOGIES],
                         [plan.topology for plan in plans])
        self.assertAlmostEqual(100, sum(plan.seconds for plan in plans))

    def test_one_way_has_all_of_it(self):
        self.assertEqual([('pair', 100)], [
            (plan.topology, plan.seconds)
            for plan in self.plans(topology='pair')])

    def test_a_fault_is_played_where_it_can_happen(self):
        for name, ways in (('clock-back', ['direct']),
                           ('pooler-kill', ['pooler']),
                           ('database-kill', ['direct', 'pooler']),
                           ('switch-over-planned', ['pair']),
                           ('kill-api', [*topologies.TOPOLOGIES]),
                           ('none', [*topologies.TOPOLOGIES])):
            self.assertEqual(ways, [plan.topology for plan in
                                    self.plans(faults=name)], name)

    def test_an_unknown_fault_is_refused(self):
        self.assertRaises(SystemExit, self.plans, faults='kill-everything')

    def test_a_short_run_has_its_own_times(self):
        self.assertEqual(
            [way.short for way in topologies.TOPOLOGIES.values()],
            [plan.seconds for plan in self.plans(ci=True)])

    def test_what_is_there_for_comparison_is_played_once(self):
        self.assertEqual(['direct'], [
            plan.topology for plan in self.plans(variant=NAIVE)])


class TestWays(base.BaseTestCase):

    def test_each_fault_has_a_lane(self):
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name)
            family = Family(directory)
            self.addCleanup(family.close)
            broker = Broker(family, directory)
            for way in topologies.TOPOLOGIES.values():
                for kind in ('mariadb', 'postgresql'):
                    if way.missing(kind):
                        continue
                    one = way(kind, family, directory)
                    self.addCleanup(one.close)
                    lanes = one.lanes(Deployment(
                        family, directory, one, broker, OURS), Population())
                    self.assertLessEqual(
                        {fault for lane in lanes.values() for fault in lane},
                        way.faults)
                    url = one.url('api-1')
                    self.assertNotIn('root', url)
                    self.assertNotIn('postgres@', url)


class TestClock(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.path = temporary_directory(self) / 'clock'

    def test_it_is_the_hosts_until_it_is_set(self):
        clock = Clock(self.path)
        self.assertEqual('+0\n', self.path.read_text())
        for seconds, text in ((-600, '-600\n'), (600, '+600\n')):
            clock.step(seconds)
            self.assertEqual(text, self.path.read_text())
            self.assertEqual(seconds, clock.seconds)

    def test_what_a_killed_process_left_is_removed(self):
        clock = Clock(self.path)
        # Above every number of a process.
        number = 1 << 23
        left = [pathlib.Path('/dev/shm', name) for name in (  # noqa: S108
            f'faketime_shm_{number}', f'sem.faketime_sem_{number}')]
        for path in left:
            path.touch()
            self.addCleanup(path.unlink, missing_ok=True)
        clock.close()
        self.assertTrue(all(path.exists() for path in left))
        clock.keep(number)
        clock.close()
        self.assertFalse(any(path.exists() for path in left))

# SPDX-License-Identifier: Apache-2.0
"""The clients' choice of requests."""

from oslotest import base

from proof.rig import history
from proof.rig.history import History, Operation
from proof.rig.load import Client, Population


class TestPopulation(base.BaseTestCase):

    def test_it_tells_of_which_something_is_believed(self):
        people = Population()
        for uuid, kind in (('a', history.LOCK), ('b', history.UNLOCK),
                           ('c', history.LOCK)):
            people.adopt(uuid)
            people.learn(Operation(kind, uuid, 1, 2, history.DONE))
        self.assertEqual(['a', 'c'], people.assumed('locked'))
        self.assertEqual(['b'], people.assumed('free'))
        self.assertEqual([], people.assumed('leaving'))


class TestClients(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.people = Population()
        self.client = Client(1, 1, [11, 12], 'flavor', self.people,
                             History())

    def test_an_api_that_only_reads_is_asked_for_nothing_else(self):
        self.assertEqual([11, 12], self.client.writing())
        self.people.reading = 11
        self.assertEqual([12], self.client.writing())

    def test_somebody_is_asked_where_there_is_no_other(self):
        self.people.reading = 11
        client = Client(1, 1, [11], 'flavor', self.people, History())
        self.assertEqual([11], client.writing())

    def test_nothing_is_contested_without_a_reason(self):
        self.assertFalse(self.client.contest())

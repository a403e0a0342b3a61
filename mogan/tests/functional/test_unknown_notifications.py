# SPDX-License-Identifier: Apache-2.0
"""An action that cannot be told of keeps nobody from hearing of the
others."""

from mogan.tests.functional import clocks, planting, telling
from mogan.tests.support.processes import eventually


class TestUnknownActions(planting.PlantingTest, telling.TellingTest):

    engines = 0

    def told(self):
        """Of which instances something was heard."""
        return {message['payload']['instance']['uuid']
                for message in self.heard()}

    def test_those_behind_it_are_told(self):
        for values in ({'arguments': '{"rack": '}, {'verb': 'defrost'}):
            strange, other = self.put_row(), self.put_row()
            self.ask(strange, 'lock')
            self.ask(other, 'lock')
            self.plant_action(strange, **values)
            self.deployment.start_engine()
            self.stop_surveys()
            eventually(lambda other=other: other in self.told())
            self.assertNotIn(strange, self.told())
            # Put right, it is told of too.
            self.plant_action(strange, verb='lock', arguments='{}')
            eventually(
                lambda strange=strange: strange in self.told())
            self.deployment.stop_engines()

    def test_a_start_comes_before_its_end_though_the_clock_went_back(self):
        uuid = self.put_row()
        self.ask(uuid, 'lock')
        clocks.step(self.db)
        self.deployment.start_engine()
        self.stop_surveys()
        self.wait_for(uuid, lock_state='locked')
        self.assertEqual(['lock.start', 'lock.end'], self.names())

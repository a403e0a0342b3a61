# SPDX-License-Identifier: Apache-2.0
"""An action that cannot be published keeps nobody from hearing of the
others."""

from mogan.tests.functional import clocks, notifications, unknown_rows
from mogan.tests.support.processes import eventually


class TestUnknownActions(unknown_rows.UnknownRowsTest,
                         notifications.NotificationsTest):

    engines = 0

    def published(self):
        """Of which instances something was heard."""
        return {message['payload']['instance']['uuid']
                for message in self.received()}

    def test_those_after_it_are_published(self):
        for values in ({'arguments': '{"rack": '}, {'verb': 'defrost'}):
            strange, other = self.put_row(), self.put_row()
            self.ask(strange, 'lock')
            self.ask(other, 'lock')
            self.overwrite_actions(strange, **values)
            self.deployment.start_engine()
            self.stop_surveys()
            eventually(lambda other=other: other in self.published())
            self.assertNotIn(strange, self.published())
            # Put right, it is published too.
            self.overwrite_actions(strange, verb='lock', arguments='{}')
            eventually(
                lambda strange=strange: strange in self.published())
            self.deployment.stop_engines()

    def test_a_start_comes_before_its_end_though_the_clock_went_back(self):
        uuid = self.put_row()
        self.ask(uuid, 'lock')
        clocks.step(self.db)
        self.deployment.start_engine()
        self.stop_surveys()
        self.wait_for(uuid, lock_state='locked')
        self.assertEqual(['lock.start', 'lock.end'], self.names())

# SPDX-License-Identifier: Apache-2.0
"""The page about Keystone can be followed, and shows what is answered."""

import sys

from mogan.tests.keystone import server
from mogan.tests.standalone import pages


class TestDocumentation(pages.PageTest):

    page = 'install/keystone.rst'
    ports = ('5000', '6688')

    def require(self):
        server.require()

    def replaced(self):
        return {'keystone/venv/bin': server.command('')} | {
            f'.venv/bin/mogan-{name}':
                f'{sys.executable} -m mogan.cmd.{name}'
            for name in ('api', 'dbsync')}

    def test_the_page_shows_what_is_answered(self):
        self.follow()

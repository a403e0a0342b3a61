# SPDX-License-Identifier: Apache-2.0
"""The page about Ironic can be followed, and shows what is answered."""

import sys

from mogan.tests.ironic import server
from mogan.tests.standalone import pages


class TestDocumentation(pages.PageTest):

    page = 'admin/ironic.rst'
    ports = ('6385',)

    def require(self):
        server.require()

    def replaced(self):
        return {
            'ironic/venv/bin': server.command(''),
            './tools/quickstart':
                f'{sys.executable} -m mogan.cmd.standalone --port 0',
            'mkdir -m 700': 'mkdir -p'}

    def test_the_page_shows_what_is_answered(self):
        self.follow()

# SPDX-License-Identifier: Apache-2.0
"""An upgrade of the schema beside running services."""

import pathlib

from mogan.tests.processes.test_services import ServicesTest
from mogan.tests.support import backends
from mogan.tests.support.processes import eventually

_COMMAND = 'run mogan-dbsync upgrade'


class TestForgottenUpgrade(ServicesTest):

    def setUp(self):
        super().setUp()
        made = backends.chosen().no_schema(pathlib.Path(self.directory))
        empty = made.__enter__()
        self.addCleanup(made.__exit__, None, None, None)
        self.config.write_text(self.config.read_text().replace(
            self.db.url.render_as_string(hide_password=False),
            empty.url.render_as_string(hide_password=False))
            + '[healthcheck]\nbackends = mogan_database\n')

    def status(self, path='/v1/flavors'):
        answer = self.request('admin', 'GET', path)
        return answer and answer.status

    def test_the_services_name_the_command_and_go_on_after_it(self):
        api, engine = self.start('api'), self.start('engine')
        eventually(lambda: self.status() == 503, within=60)
        answer = self.request('admin', 'GET', '/healthcheck')
        self.assertEqual(503, answer.status)
        self.assertIn(_COMMAND, answer.json['error']['message'])
        eventually(lambda: _COMMAND in self.log('engine'), within=60)

        done = self.run_command('dbsync', 'upgrade')
        self.assertEqual(0, done.returncode, done.stderr)
        # Each of the two workers finds it by itself.
        for path in ('/v1/flavors', '/healthcheck'):
            eventually(lambda path=path: {self.status(path) for _ in range(
                20)} == {200}, within=60)
        self.until(self.create(), status='active')
        for name, process in (('api', api), ('engine', engine)):
            process.terminate()
            self.assertEqual(0, process.wait(60), self.log(name))
            self.assertNotIn('Traceback', self.log(name))
            # One line a minute, of each of two workers and of the health.
            self.assertLess(self.log(name).count(_COMMAND), 20)

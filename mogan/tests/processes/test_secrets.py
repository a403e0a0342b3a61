# SPDX-License-Identifier: Apache-2.0
"""The passwords of the database and of the broker stay out of the log while
neither can be reached."""

from mogan.tests.processes.test_services import ServicesTest
from mogan.tests.support import backends, secrets
from mogan.tests.support.processes import eventually

# With letters that an address cannot have as they are.
DATABASE = 'database/secret@1'
BROKER = 'broker-secret-2'
AWAY = f'rabbit://mogan:{BROKER}@127.0.0.1:1/'


class TestSecrets(ServicesTest):

    def setUp(self):
        super().setUp()
        self.replace('[DEFAULT]', '[DEFAULT]\ndebug = true\n'
                                  'default_log_levels =\n'
                                  'graceful_shutdown_timeout = 5')
        self.replace(backends.chosen().transport_url, AWAY)

    def replace(self, old, new):
        self.config.write_text(self.config.read_text().replace(old, new))

    def follow(self, status):
        """Services that are started, asked, and stopped."""
        services = {name: self.start(name) for name in ('api', 'engine')}
        eventually(lambda: self.request('admin', 'GET', '/v1/flavors'),
                   within=60, until=lambda answer: answer is not None
                   and answer.status == status)
        if status == 200:
            self.create()
            self.request('admin', 'GET', '/v1/nodes')
        for name, service in services.items():
            eventually(lambda name=name: self.log(name), within=60,
                       until=lambda log: '127.0.0.1:1' in log
                       or 'onnection refused' in log)
            service.terminate()
            service.wait(60)
        done = [self.run_command(*words) for words in (
            ('dbsync', 'version'), ('status', 'upgrade', 'check'))]
        texts = {name: self.log(name).encode() for name in services} | {
            f'command {number}': (one.stdout + one.stderr).encode()
            for number, one in enumerate(done)}
        for name in services:
            self.assertIn(b' DEBUG ', texts[name])
        self.assertEqual([], secrets.find(
            {'of the database': DATABASE, 'of the broker': BROKER}, texts))

    def test_a_broker_that_is_away_does_not_show_its_password(self):
        self.follow(200)

    def test_a_database_that_is_away_does_not_show_its_password(self):
        nowhere = self.db.url.set(host='127.0.0.1', port=1, username='mogan',
                                  password=DATABASE)
        self.replace(self.db.url.render_as_string(hide_password=False),
                     f'{nowhere.render_as_string(hide_password=False)}\n'
                     'max_retries = 1\nretry_interval = 0')
        self.follow(503)

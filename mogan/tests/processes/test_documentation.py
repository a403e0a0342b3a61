# SPDX-License-Identifier: Apache-2.0
"""The commands of the README's section for production start the services."""

import os
import pathlib
import signal
import subprocess
import sys

import psutil
import testtools

from mogan.tests.processes import test_services
from mogan.tests.standalone import test_documentation as pages
from mogan.tests.support import backends, client, processes, services
from mogan.tests.support.files import temporary_directory
from mogan.tests.support.processes import eventually

# What sudo and an init system do: as somebody else, and side by side.
SUDO = """\
#!/bin/sh
shift 2
case $1 in
    mogan-api|mogan-engine) "$@" >>services.log 2>&1 & echo $! >>services ;;
    # The account that the tests have is warned of.
    mogan-status) "$@" || [ $? -eq 1 ] ;;
    *) exec "$@" ;;
esac
"""
TIMEOUT = 60.0


class TestProduction(testtools.TestCase):

    def setUp(self):
        super().setUp()
        if not (pages.ROOT / 'README.rst').exists():
            self.skipTest('there is no documentation here')
        self.directory = temporary_directory(self)
        backend = backends.chosen()
        db = backend.database(self.directory)
        self.port = processes.free_port()
        home = self.directory / '.mogan'
        home.mkdir()
        # In place of the README's database, broker and Keystone.
        (home / 'mogan.conf').write_text(test_services.CONF.format(
            directory=self.directory, port=self.port,
            transport=backend.transport_url, unique=backends.UNIQUE,
            database=db.url.render_as_string(hide_password=False)))
        services.write_users(self.directory / 'users',
                             [('admin', 'admin', 'admin')])
        sudo = self.directory / 'bin/sudo'
        sudo.parent.mkdir()
        sudo.write_text(SUDO)
        sudo.chmod(0o700)
        self.addCleanup(self.end_services)

    def end_services(self):
        started = self.directory / 'services'
        for number in started.read_text().split() if (
                started.exists()) else ():
            service = psutil.Process(int(number))
            every = [service, *service.children(recursive=True)]
            service.send_signal(signal.SIGTERM)
            for process in psutil.wait_procs(every, 30)[1]:
                process.kill()

    def answers(self):
        try:
            return client.ask(
                self.port, 'GET', '/v1/nodes',
                headers=client.basic('admin', 'admin')).status == 200
        except OSError:
            return False

    def test_its_commands_start_the_service(self):
        readme = (pages.ROOT / 'README.rst').read_text(encoding='utf-8')
        commands = [command for command, _ in pages.calls(
            pages.section(readme, 'In production'))]
        beside = pathlib.Path(sys.executable).parent
        done = subprocess.run(
            ['sh', '-eu'], input='\n'.join(commands), cwd=self.directory,
            env=os.environ | {
                'HOME': str(self.directory),
                'PATH': f'{self.directory}/bin:{beside}:'
                        f'{os.environ["PATH"]}'},
            capture_output=True, text=True, timeout=TIMEOUT, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        log = self.directory / 'services.log'
        eventually(lambda: self.answers() or log.read_text(),
                   within=TIMEOUT, until=lambda seen: seen is True)

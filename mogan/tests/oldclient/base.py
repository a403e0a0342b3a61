# SPDX-License-Identifier: Apache-2.0
"""The command line of python-moganclient 0.1.0, unmodified, as processes.

MOGAN_TEST_OLDCLIENT names the directory with its command (`tox -e oldclient`
sets it).
"""

import json
import os
import pathlib
import shlex
import subprocess
import unittest
from typing import Any

from mogan.tests.keystone import base, server
from mogan.tests.oldclient import images
from mogan.tests.support.files import temporary_directory

_COMMANDS = os.environ.get('MOGAN_TEST_OLDCLIENT')


class OldClientTest(base.KeystoneTest):
    """One that runs commands for users of a real Keystone, whose catalog
    has the service."""

    def deploy(self) -> base.KeystoneDeployment:
        if not _COMMANDS:
            raise unittest.SkipTest(
                'MOGAN_TEST_OLDCLIENT does not say where the client is; '
                'tox -e oldclient does')
        return super().deploy()

    def setUp(self) -> None:
        super().setUp()
        self.images = images.Images()
        self.addCleanup(self.images.close)
        self._enter('baremetal_compute',
                    f'http://127.0.0.1:{self.deployment.port}/v1')
        self._enter('image', self.images.url)
        self.directory = temporary_directory(self)

    def _enter(self, kind: str, url: str) -> None:
        """Let the catalog say where this is now."""
        do = self.keystone.do
        for service in do('GET', f'/services?type={kind}')['services']:
            do('DELETE', f'/services/{service["id"]}')
        self.keystone.make_endpoint(kind, kind, url)

    def call(self, command: str, user: str = 'demo',
             ) -> subprocess.CompletedProcess[str]:
        """Run a command; return the completed process, whatever its exit
        status."""
        return subprocess.run(
            [str(pathlib.Path(_COMMANDS or '') / 'openstack'),
             'baremetalcompute', *shlex.split(command)],
            capture_output=True, text=True, check=False,
            timeout=server.TIMEOUT, cwd=self.directory,
            env={'PATH': os.environ['PATH'], 'HOME': str(self.directory),
                 'OS_AUTH_URL': self.keystone.url, 'OS_USERNAME': user,
                 'OS_PASSWORD': user, 'OS_USER_DOMAIN_ID': 'default',
                 'OS_PROJECT_NAME': base.PROJECTS[user],
                 'OS_PROJECT_DOMAIN_ID': 'default',
                 'OS_IDENTITY_API_VERSION': '3'})

    def do(self, command: str, user: str = 'demo') -> str:
        """Return the output of a command that succeeds."""
        done = self.call(command, user)
        self.assertEqual(0, done.returncode, (command, done.stderr))
        return done.stdout

    def read(self, command: str, user: str = 'demo') -> Any:
        """Return the output of a command, as a value."""
        return json.loads(self.do(f'{command} -f json', user))

    def fail_at(self, command: str, user: str = 'demo') -> str:
        """Return the error of a command that fails."""
        done = self.call(command, user)
        self.assertNotEqual(0, done.returncode, (command, done.stdout))
        self.assertNotIn('Traceback', done.stderr)
        return done.stderr

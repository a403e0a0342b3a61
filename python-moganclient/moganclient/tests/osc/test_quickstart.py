# SPDX-License-Identifier: Apache-2.0
"""The service's first lines are all that the commands need."""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import textwrap

import fixtures
import testtools

from moganclient.tests import service

ROOT = pathlib.Path(__file__).parents[4]
# What the guide for Python says, with the cloud that the service wrote.
SDK = """
import openstack
service = openstack.connect(cloud='mogan').baremetal_compute
print(*[instance.name for instance in service.instances()])
"""


def python_directory():
    """Return the directory of the distribution's Python, into which pip
    installs nothing, or that of the tests if none can be used."""
    if pathlib.Path('/usr/bin/python3').exists():
        done = subprocess.run(
            ['/usr/bin/python3', '-c',
             'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))'],
            check=False, capture_output=True)
        if done.returncode == 0:
            return '/usr/bin'
    return pathlib.Path(sys.executable).parent


class TestQuickstart(testtools.TestCase):

    def setUp(self):
        super().setUp()
        if service.python() is None or not (ROOT / 'tools').exists():
            self.skipTest('the service is not here')
        self.directory = self.useFixture(fixtures.TempDir()).path

    def start(self):
        """Start the service; returns what it says."""
        process = subprocess.Popen(
            [service.python(), '-m', 'mogan.cmd.standalone', '--port', '0',
             '--state-dir', f'{self.directory}/state'],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if 'Ctrl-C' in line:
                break
        return ''.join(lines)

    def test_the_lines_that_are_shown_lock_an_instance(self):
        shown = re.search(r'^  python3 -m venv .*?(?=\n\n)', self.start(),
                          re.MULTILINE | re.DOTALL)[0]
        done = self.shell(f'{textwrap.dedent(shown)}\n'
                          f'.venv-client/bin/python -c {shlex.quote(SDK)}')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stdout, r'\| web-2 \| \S+ \| accepted \|')
        self.assertEqual('web-2', done.stdout.splitlines()[-1])

    def shell(self, script):
        """Run what somebody types into a shell."""
        return subprocess.run(
            ['sh', '-ec', script], cwd=self.directory,
            env=os.environ | {
                'PATH': f'{python_directory()}:{os.environ["PATH"]}',
                'PIP_DISABLE_PIP_VERSION_CHECK': '1'},
            capture_output=True, text=True, check=False)

# SPDX-License-Identifier: Apache-2.0
"""What the service says when it starts is all that is needed."""

import os
import pathlib
import re
import subprocess
import sys
import textwrap

import fixtures
import testtools

from moganclient.tests import service
from moganclient.tests.osc import base

ROOT = pathlib.Path(__file__).parents[4]


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
        shown = re.search(r'^  pip install .*?(?=\n\n)', self.start(),
                          re.MULTILINE | re.DOTALL)[0]
        subprocess.run([sys.executable, '-m', 'venv', self.directory],
                       check=True, timeout=base.PATIENCE)
        done = subprocess.run(
            ['sh', '-ec', textwrap.dedent(shown)], cwd=ROOT,
            env=os.environ | {
                'PATH': f'{self.directory}/bin:{os.environ["PATH"]}',
                'PIP_DISABLE_PIP_VERSION_CHECK': '1'},
            capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stdout, r'\| web-2 \| \S+ \| accepted \|')

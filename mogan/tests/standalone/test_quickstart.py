# SPDX-License-Identifier: Apache-2.0
"""tools/quickstart in a copy of the tree, and the installation that it shares
with the tests."""

import os
import shutil
import signal
import subprocess
import sys
import unittest

import testtools

from mogan.tests.standalone.test_documentation import ROOT, START
from mogan.tests.support.files import temporary_directory

SOURCE = ('mogan', 'tools', 'etc', 'setup.cfg', 'setup.py', 'pyproject.toml',
          'requirements.txt', 'README.rst', 'LICENSE')
INSTALL = '. tools/venv.sh; make_venv "$PWD/.venv" one stestr'
NOWHERE = 'http://127.0.0.1:1/simple'


class TestQuickstart(testtools.TestCase):

    def setUp(self):
        super().setUp()
        if not (ROOT / 'tools').exists():
            raise unittest.SkipTest('the commands of the tree are not here')
        self.directory = temporary_directory(self)
        self.environment = os.environ | {
            'PYTHON': sys.executable, 'PBR_VERSION': '1.0.0'}
        for name in SOURCE:
            copy = (shutil.copytree if (ROOT / name).is_dir()
                    else shutil.copy)
            copy(ROOT / name, self.directory / name)

    def start(self):
        """Start it, and stop it once it serves; return what it says of an
        installation."""
        with subprocess.Popen(
                ['tools/quickstart', '--port', '0'], cwd=self.directory,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=self.environment) as process:
            welcomed = any('Ctrl-C' in line for line in process.stdout)
            process.send_signal(signal.SIGINT)
            errors = process.communicate(timeout=START)[1]
        self.assertTrue(welcomed, errors)
        return [line for line in errors.splitlines()
                if line.startswith('quickstart: ')]

    def test_only_the_first_start_installs(self):
        [output] = self.start()
        self.assertIn('installing into .venv', output)
        self.assertEqual([], self.start())
        self.assertTrue((self.directory / '.mogan/mogan.sqlite').exists())

    def test_pip_takes_over_where_uv_fails(self):
        subprocess.run(
            ['sh', '-euc', INSTALL, 'tools/quickstart'], cwd=self.directory,
            env=self.environment | {'UV_DEFAULT_INDEX': NOWHERE},
            check=True)
        commands = self.directory / '.venv/bin'
        self.assertFalse((commands / 'uv').exists())
        subprocess.run([commands / 'stestr', '--version'], check=True)

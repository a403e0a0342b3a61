# SPDX-License-Identifier: Apache-2.0
"""Files of the host that are missing, are something else, or find no room:
one line each, and no trace."""

import os
import resource
import subprocess
import sys

from mogan.tests.unit.test_cmd_database import CommandTest


class TestFiles(CommandTest):

    def setUp(self):
        super().setUp()
        self.config = self.directory / 'mogan.conf'
        self.text = self.config.read_text()
        self.nowhere = self.directory / 'nowhere'

    def test_a_configuration_that_is_missing(self):
        self.config.unlink()
        for words in (('api',), ('engine',), ('status', 'actions')):
            self.fail_saying('Failed to find some config files', *words)

    def test_a_configuration_that_cannot_be_read(self):
        self.config.unlink()
        self.config.mkdir()
        self.fail_saying('Is a directory', 'engine')
        self.config.rmdir()
        self.config.write_text('garbage')
        self.fail_saying('Failed to parse', 'dbsync', 'version')

    def test_a_log_that_cannot_be_written(self):
        for option, text in (
                (f'log_file = {self.directory}', 'Is a directory'),
                (f'log_config_append = {self.nowhere}', 'No such file')):
            self.config.write_text(self.text.replace(
                '[DEFAULT]', f'[DEFAULT]\n{option}'))
            self.fail_saying(text, 'dbsync', 'version')

    def test_figures_without_a_place(self):
        self.config.write_text(f'{self.text}[metrics]\nengine_port = 1\n')
        environment = os.environ | {
            'PROMETHEUS_MULTIPROC_DIR': str(self.nowhere)}
        done = self.command('engine', env=environment)
        self.assertEqual(1, done.returncode)
        self.assertNotIn('Traceback', done.stderr)
        self.assertIn(f'{self.nowhere}', done.stderr.splitlines()[-1])


class TestFullDisk(CommandTest):
    """A limit for the size of a file stands in for the disk's."""

    def start(self, room):
        return subprocess.run(
            [sys.executable, '-W', 'ignore', '-m', 'mogan.cmd.standalone',
             '--port', '0', '--state-dir', str(self.state)],
            text=True, timeout=120, check=False, capture_output=True,
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (room, room)))

    def test_a_first_start_leaves_nothing_behind(self):
        self.state = self.directory / 'some' / 'state'
        for room in (0, 65536):
            done = self.start(room)
            self.assertEqual(1, done.returncode, done.stdout)
            self.assertNotIn('Traceback', done.stderr)
            self.assertIn('standalone.py: ', done.stderr.splitlines()[-1])
            self.assertFalse(self.state.parent.exists(),
                             list(self.directory.rglob('*')))
        # What was there stays.
        self.state.mkdir(parents=True)
        (self.state / 'policy.yaml').write_text('{}')
        self.assertEqual(1, self.start(8192).returncode)
        self.assertTrue((self.state / 'policy.yaml').exists())

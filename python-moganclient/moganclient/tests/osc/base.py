# SPDX-License-Identifier: Apache-2.0
"""The real `openstack`, as a process, against the real service."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import testtools

from moganclient.tests import service

OPENSTACK = str(pathlib.Path(sys.executable).with_name('openstack'))
# Seconds, for a busy machine.
PATIENCE = 90.0
_SIMULATOR = 'import sys, mogan.cmd.simulator as it; sys.exit(it.main())'


@dataclasses.dataclass
class Done:
    """What a command has come to."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class OpenstackTest(testtools.TestCase):
    """Runs commands with the `clouds` of a file: `mogan` for an
    administrator, `mogan-demo` for somebody of another project."""

    clouds = None

    def environment(self, cloud, more):
        """What the commands see: the clouds, and nothing of this
        shell's."""
        own = {name: value for name, value in os.environ.items()
               if not name.startswith('OS_')}
        own |= {'OS_CLIENT_CONFIG_FILE': str(self.clouds)}
        return own | ({'OS_CLOUD': cloud} if cloud else {}) | (more or {})

    def run_openstack(self, *words, cloud='mogan', more=None):
        """Run `openstack` to its end."""
        done = subprocess.run(
            [OPENSTACK, *words], env=self.environment(cloud, more),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    def run_group(self, text, *words, **options):
        """The same, with `baremetalcompute` in front."""
        return self.run_openstack('baremetalcompute', *text.split(), *words,
                                  **options)

    def ask(self, text, *words, **options):
        """Run what has to go well; returns what is in its JSON."""
        done = self.run_group(text, *words, '-f', 'json', **options)
        self.assertEqual((0, ''), (done.status, done.err))
        return done.json

    def tell(self, text, *words, **options):
        """Run what has to go well, and without a word."""
        done = self.run_group(text, *words, **options)
        self.assertEqual((0, '', ''), (done.status, done.out, done.err))

    def refused(self, text, *words, **options):
        """Run what has to fail; returns the one line that says why."""
        done = self.run_group(text, *words, **options)
        self.assertEqual((1, ''), (done.status, done.out), done.err)
        [line] = done.err.splitlines()
        return line

    def create(self, name, *words, noun='instance', **options):
        """Make an instance and wait for it."""
        return self.ask(f'{noun} create {name} --flavor baremetal-small '
                        f'--image {service.IMAGE} --wait', *words, **options)


class CommandTest(OpenstackTest):
    """One service for the tests of a class, which use different names."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if service.python() is None:
            raise cls.skipException('the service is not installed here')
        cls.service = service.Service()
        cls.addClassCleanup(cls.service.close)
        cls.clouds = cls.service.directory / 'clouds.yaml'

    def break_hardware(self, *fault):
        """From now on each call to a node meets a fault; unless one is
        named, none comes through."""
        self._simulator('fault', 'add', *(fault or ('unavailable',)),
                        '--forever')
        self.addCleanup(self.mend_hardware)

    def mend_hardware(self):
        self._simulator('fault', 'clear')

    def _simulator(self, *words):
        subprocess.run(
            [service.python(), '-c', _SIMULATOR, '--inventory',
             str(self.service.directory / 'inventory.sqlite'), *words],
            check=True, capture_output=True, timeout=PATIENCE)

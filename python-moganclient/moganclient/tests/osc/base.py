# SPDX-License-Identifier: Apache-2.0
"""The real `openstack`, as a process, against the real service."""

import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import testtools

from moganclient import exceptions
from moganclient.tests import service
from moganclient.tests.osc import forked

OPENSTACK = str(pathlib.Path(sys.executable).with_name('openstack'))
# Seconds, for a busy machine.
TIMEOUT = 90.0
_SIMULATOR = 'import sys, mogan.cmd.simulator as it; sys.exit(it.main())'


@dataclasses.dataclass
class Done:
    """The outcome of a command."""

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
        """Return the environment of the commands: the clouds, and nothing of
        this shell's."""
        own = {name: value for name, value in os.environ.items()
               if not name.startswith('OS_')}
        own |= {'OS_CLIENT_CONFIG_FILE': str(self.clouds)}
        return own | ({'OS_CLOUD': cloud} if cloud else {}) | (more or {})

    def run_openstack(self, *words, cloud='mogan', more=None):
        """Run `openstack` to its end."""
        return Done(*forked.source().run(
            [OPENSTACK, *words], self.environment(cloud, more), TIMEOUT))

    def run_group(self, text, *words, **options):
        """Run a command of `baremetalcompute`."""
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

    def create(self, name, *words, **options):
        """Make an instance and wait for it; its node is free again after
        the test."""
        made = super().create(name, *words, **options)
        self.addCleanup(self._remove, made['uuid'])
        return made

    def _remove(self, uuid):
        # A test may have deleted it.
        with (self.service.connect() as cloud,
              contextlib.suppress(exceptions.NotFound)):
            compute = cloud.baremetal_compute
            compute.unlock_instance(uuid)
            compute.wait_for_instance(uuid, 'unlocked', timeout=TIMEOUT)
            compute.delete_instance(uuid)
            compute.wait_for_deleted(uuid, timeout=TIMEOUT)

    def break_hardware(self, *fault):
        """From now on each call to a node meets a fault; unless one is
        named, none comes through."""
        self.simulate('fault', 'add', *(fault or ('unavailable',)),
                      '--forever')
        self.addCleanup(self.mend_hardware)

    def mend_hardware(self):
        self.simulate('fault', 'clear')

    def simulate(self, *words):
        subprocess.run(
            [service.python(), '-c', _SIMULATOR, '--inventory',
             str(self.service.directory / 'inventory.sqlite'), *words],
            check=True, capture_output=True, timeout=TIMEOUT)

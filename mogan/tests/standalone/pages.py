# SPDX-License-Identifier: Apache-2.0
"""A page whose first section is followed from its first command to its
last."""

import contextlib
import os
import re
import subprocess
import textwrap
import unittest

import psutil
import testtools

from mogan.tests.standalone.test_documentation import ROOT, calls, section
from mogan.tests.support.files import temporary_directory
from mogan.tests.support.processes import free_port

SECTION = 'Everything on one machine'
TIMEOUT = 200.0


def files(text):
    """Yield the files that the page has the reader write, by path."""
    for path, block in re.findall(
            r'^Write this to ``(\S+)``[^\n]*(?:\n[^\n]+)*:\n\n'
            r'\.\. code-block:: (?:ini|python)\n\n'
            r'((?:   .*\n|\n)+)', text, re.MULTILINE):
        yield path, textwrap.dedent(block)


class PageTest(testtools.TestCase):
    """`page`: its path below doc/source; `ports`: those that it uses;
    `replaced`: what stands for which part of its commands here."""

    page = ''
    ports = ()

    def require(self):
        """Skip where something is missing."""

    def replaced(self):
        return {}

    def setUp(self):
        super().setUp()
        self.require()
        self.path = ROOT / 'doc/source' / self.page
        if not self.path.exists():
            raise unittest.SkipTest('there is no documentation here')
        self.directory = temporary_directory(self)

    def _script(self, text):
        """Return the page's commands, without those that install what is
        installed already."""
        lines = ['set -eu']
        for number, (command, _) in enumerate(calls(text)):
            if 'venv/bin/pip' in command or '-m venv' in command:
                command = ':'  # noqa: PLW2901
            lines += [f'exec >call-{number} 2>&1', command]
            if command.endswith('&'):
                lines.append('echo $! >>services')
        script = '\n'.join(lines)
        for old, new in self.replaced().items():
            script = script.replace(old, new)
        return script

    def follow(self):
        """Do what the page says, and compare what it shows."""
        text = section(self.path.read_text(encoding='utf-8'), SECTION)
        for port in self.ports:
            text = text.replace(port, str(free_port()))
        for path, content in files(text):
            place = self.directory / path
            place.parent.mkdir(mode=0o700, exist_ok=True)
            place.write_text(content)
        self.addCleanup(self._end_services)
        process = subprocess.Popen(
            ['sh', '-c', self._script(text)], cwd=self.directory,
            env=os.environ | {'PYTHONPATH': str(ROOT)})
        try:
            status = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        outputs = [self._output(number)
                   for number, _ in enumerate(calls(text))]
        self.assertEqual(0, status, outputs)
        self.assertEqual([shown for _, shown in calls(text)], outputs)

    def _output(self, number):
        path = self.directory / f'call-{number}'
        return path.read_text().rstrip('\n') if path.exists() else None

    def _end_services(self):
        started = self.directory / 'services'
        for number in started.read_text().split() if (
                started.exists()) else ():
            with contextlib.suppress(psutil.NoSuchProcess):
                service = psutil.Process(int(number))
                every = [service, *service.children(recursive=True)]
                service.terminate()
                for process in psutil.wait_procs(every, 30)[1]:
                    process.kill()

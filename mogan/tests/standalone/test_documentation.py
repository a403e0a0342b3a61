# SPDX-License-Identifier: Apache-2.0
"""The README and the guides, compared with the answers of the service.

See doc/source/contributor/documentation.rst for how the calls are written.
"""

import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

import testtools

from mogan.baremetal import driver
from mogan.baremetal.simulated import inventory

ROOT = pathlib.Path(__file__).parents[3]
START = 60.0    # seconds, for a busy machine
SCRIPT = 110.0  # seconds
FAULTS = 400.0  # seconds: a hang, and dozens of commands in Python
SECTION = 'The lock, call by call'
SIMULATOR = f"""\
#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
from mogan.cmd.simulator import main
sys.exit(main())
"""
# Of the flavor that the call before it has made.
FIRST_USE = """\
uuid() { python3 -c 'import json, sys
print(json.load(sys.stdin)["uuid"])'; }
demo() { curl -s -u demo:$MOGAN_DEMO_PASSWORD \\
    -H 'Content-Type: application/json' "$@"; }
instance=$(demo $MOGAN_ENDPOINT/v1/instances -d '{"name": "one",
    "flavor_uuid": "'$(uuid < call-0)'",
    "image_uuid": "5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10"}' | uuid)
until demo $MOGAN_ENDPOINT/v1/instances/$instance/states |
    grep '"status":"active"'; do sleep 0.2; done
"""

UUID = re.compile(r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')
# What differs from run to run and is compared by its form only.
VARYING = (
    (re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z'), '<time>'),
    (re.compile(r'http://127\.0\.0\.1:\d+'), '<address>'),
    # A page may be faster than the engine.
    (re.compile(r'"state": "lock(?:ed|ing)"'), '<locked>'),
)


def section(text, title, mark='='):
    """Return the part of a page from one title, which is underlined with
    `mark`, to the next one of its level."""
    found = re.search(
        rf'^{re.escape(title)}\n{mark}+\n(.*?)(?=^[^\n]+\n{mark}+\n|\Z)',
        text, re.MULTILINE | re.DOTALL)
    return found[1]


def calls(text):
    """Yield the commands in the console blocks of a page that are run, each
    with the output that is shown below it."""
    for marker, _, block in re.findall(
            r'^(\.\. not run: .*(?:\n   .*)*\n\n)?'
            r'( *)\.\. code-block:: console\n\n((?:\2   .*\n|\n)+)', text,
            re.MULTILINE):
        if marker:
            continue
        lines = textwrap.dedent(block).rstrip().split('\n')
        while lines:
            command = [lines.pop(0).removeprefix('$ ')]
            while unfinished('\n'.join(command)):
                command.append(lines.pop(0))
            output = []
            while lines and not lines[0].startswith('$ '):
                output.append(lines.pop(0))
            yield '\n'.join(command), '\n'.join(output)


def unfinished(command):
    """Return True if a command goes on in the next line."""
    return (command.endswith(('\\', '|', '; do'))
            or command.count("'") % 2 == 1)


class Names:
    """Gives what varies a name; the same uuid has the same one again."""

    def __init__(self):
        self._uuids = {}

    def __call__(self, text):
        for pattern, name in VARYING:
            text = pattern.sub(name, text)
        return UUID.sub(lambda found: self._uuids.setdefault(
            found[0], f'<uuid {len(self._uuids)}>'), text)


def value_of(text):
    """JSON as its value, other text as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text


class ServiceTest(testtools.TestCase):
    """Has a service in the directory that the commands of a page run in."""

    def setUp(self):
        super().setUp()
        if not (ROOT / 'README.rst').exists():
            raise unittest.SkipTest('there is no documentation here')
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='mogan-'))
        self.addCleanup(shutil.rmtree, self.directory)
        self.make_simulator()
        self.start_service()

    def make_simulator(self):
        """Put the command where the quickstart has it, and let what nodes
        are be seen at once."""
        command = self.directory / '.venv/bin/mogan-simulator'
        command.parent.mkdir(parents=True)
        command.write_text(SIMULATOR)
        command.chmod(0o700)
        state = self.directory / '.mogan'
        state.mkdir(mode=0o700)
        (state / 'mogan.conf').write_text('[engine]\nrepair_interval = 1\n')

    def start_service(self):
        """Start the whole service, on a free port, in the directory that
        the commands run in."""
        self.log = self.directory / 'log'
        with self.log.open('wb') as log:
            service = subprocess.Popen(
                [sys.executable, '-m', 'mogan.cmd.standalone', '--port',
                 '0'], cwd=self.directory, stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {'PYTHONPATH': str(ROOT)})
        self.addCleanup(self.stop_service, service)
        deadline = time.monotonic() + START
        while b'Mogan answers at' not in self.log.read_bytes():
            if service.poll() is not None or time.monotonic() > deadline:
                self.fail(f'The service did not start:\n'
                          f'{self.log.read_text()}')
            time.sleep(0.05)

    def stop_service(self, service):
        service.send_signal(signal.SIGTERM)
        try:
            status = service.wait(START)
        except subprocess.TimeoutExpired:
            service.kill()
            status = service.wait()
        self.assertEqual(0, status, self.log.read_text())

    def run_calls(self, shown, limit=SCRIPT):
        """Run all commands in one shell; returns the output of each."""
        script = ['set -eu', '. .mogan/credentials.env']
        for number, (command, _) in enumerate(shown):
            script += [f'exec >call-{number} 2>&1', command]
        done = subprocess.run(['sh', '-c', '\n'.join(script)],
                              cwd=self.directory, timeout=limit, check=False)
        outputs = [(self.directory / f'call-{number}').read_text()
                   for number in range(len(shown))
                   if (self.directory / f'call-{number}').exists()]
        self.assertEqual(0, done.returncode, outputs[-1:])
        return outputs

    def check(self, text, limit=SCRIPT):
        """Run the calls of a page and compare what they answer."""
        shown = list(calls(text))
        self.assertNotEqual([], shown)
        documented, real = Names(), Names()
        before = self.files()
        for (command, expected), output in zip(
                shown, self.run_calls(shown, limit), strict=True):
            self.assertEqual(value_of(documented(expected)),
                             value_of(real(output.rstrip('\n'))), command)
        self.assertEqual(before, self.files())

    def files(self):
        """Names that a copy of the source would show as untracked."""
        return {path.name for path in self.directory.iterdir()
                if not path.name.startswith(('.', 'call-'))}


class TestDocumentation(ServiceTest):

    def test_the_readme_shows_what_the_service_answers(self):
        readme = (ROOT / 'README.rst').read_text(encoding='utf-8')
        self.check(section(readme, SECTION))

    def test_the_user_guide_shows_what_the_service_answers(self):
        user = ROOT / 'doc/source/user'
        self.check(''.join(
            (user / f'{page}.rst').read_text(encoding='utf-8')
            for page in ('instances', 'lock')))

    def test_the_faults_of_the_guide_do_what_it_says(self):
        page = ROOT / 'doc/source/admin/operating.rst'
        self.check(section(page.read_text(encoding='utf-8'),
                           'Trying out faults'), FAULTS)
        store = inventory.Inventory(self.directory / '.mogan/inventory.sqlite')
        self.addCleanup(store.close)
        done = [(line.call, line.instance_uuid) for line in store.journal()
                if line.outcome == 'effect']
        change, instance = next(line for line in done if line[0] == 'set')
        # The protection that was taken off was put back by a repair.
        self.assertIn(('protect', instance),
                      done[done.index((change, instance)):])
        self.assertEqual([], store.list_faults())
        self.assertEqual(
            {(driver.Availability.AVAILABLE, False, False, None)},
            {(node.availability, node.maintenance, node.protected,
              node.instance_uuid) for node in store.nodes()})

    def test_the_first_flavor_of_the_guide_can_be_used(self):
        page = ROOT / 'doc/source/admin/deploy.rst'
        text = section(page.read_text(encoding='utf-8'), 'First flavor', '-')
        for there, here in {
                'sudo -u mogan ': '.venv/bin/',
                '/var/lib/mogan/': '.mogan/',
                '-u root ': '-u admin:$MOGAN_ADMIN_PASSWORD ',
                'https://mogan.example.com:6688': '$MOGAN_ENDPOINT',
        }.items():
            self.assertIn(there, text)
            text = text.replace(there, here)
        self.run_calls([*calls(text), (FIRST_USE, '')])


class TestReload(testtools.TestCase):

    def test_the_guide_names_what_can_change_without_a_restart(self):
        page = ROOT / 'doc/source/admin/deploy.rst'
        if not page.exists():
            raise unittest.SkipTest('there is no documentation here')
        text = section(page.read_text(encoding='utf-8'),
                       'Configuration changes')
        generator = (ROOT / 'etc/mogan/mogan-config-generator.conf').read_text(
            encoding='utf-8')
        self.assertEqual(
            {('DEFAULT' if group is None else str(group), option.dest)
             for name in re.findall(r'^namespace = (.*)$', generator,
                                    re.MULTILINE)
             for point in importlib.metadata.entry_points(
                 group='oslo.config.opts', name=name)
             for group, options in point.load()()
             for option in options if option.mutable},
            set(re.findall(r'``\[(\w+)\] (\w+)``', text)))


class TestLicence(testtools.TestCase):

    def test_every_note_and_sample_says_its_licence(self):
        if not (ROOT / 'releasenotes').exists():
            raise unittest.SkipTest('there are no release notes here')
        for path in [*ROOT.glob('releasenotes/notes/*'),
                     *ROOT.glob('etc/**/*.*')]:
            # JSON has no comments.
            if path.suffix in {'.conf', '.ini', '.service', '.yaml', '.yml'}:
                self.assertIn('SPDX-License-Identifier: Apache-2.0',
                              path.read_text(encoding='utf-8')[:50], path)

# SPDX-License-Identifier: Apache-2.0
"""Every command of the README and the guides is run by a test, or has a
marker that says why not.

See doc/source/contributor/documentation.rst for the marker.
"""

import collections
import configparser
import importlib.metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap
import unittest

import testtools

from mogan.tests.functional.base import IMAGE
from mogan.tests.standalone import test_documentation as documentation
from mogan.tests.standalone.test_documentation import ROOT

PAGES = ('README.rst', 'CONTRIBUTING.rst', 'python-moganclient/README.rst',
         'doc/source/**/*.rst')
# Run from the first block to the last, or from that of a section, by a test
# of its own.
FOLLOWED = {
    'README.rst': ('The lock, call by call', 'In production'),
    'doc/source/user/instances.rst': (),
    'doc/source/user/lock.rst': (),
    'doc/source/user/commands.rst': (),
    'doc/source/user/disk-swap.rst': (),
    'doc/source/admin/operating.rst': ('Trying out faults',),
    'doc/source/admin/deploy.rst': ('First flavor',),
    'doc/source/admin/ironic.rst': ('Everything on one machine',),
    'doc/source/install/keystone.rst': ('Everything on one machine',),
}
# Run here, each page in a shell of its own beside a service.
SINGLE = (
    'doc/source/admin/operating.rst', 'doc/source/admin/notifications.rst',
    'doc/source/admin/deploy.rst', 'doc/source/cli/mogan-status.rst',
    'doc/source/cli/mogan-users.rst',
    'doc/source/configuration/sample-config.rst',
    'doc/source/configuration/sample-policy.rst',
    'doc/source/contributor/architecture.rst')
# What stands for what is elsewhere on the host of a deployment.
REPLACED = {
    'sudo -u mogan ': '',
    'https://mogan.example.com:6688': '$MOGAN_ENDPOINT',
    '/opt/mogan/bin/': f'{pathlib.Path(sys.executable).parent}/',
    '/opt/mogan/share/mogan/': f'{ROOT}/etc/mogan/',
    'pwgen -s 24 1': "echo 'one that is made up'",
}
BLOCK = re.compile(
    r'^(?: *\.\. not run: (?P<why>.*(?:\n   .*)*)\n\n)?'
    r'(?P<indent> *)\.\. code-block:: console\n\n'
    r'(?P<lines>(?:(?P=indent)   .*\n|\n)+)', re.MULTILINE)
MEASURES = re.compile(r'python -m benchmarks '
                      r'(all|lists|memory|ratios|http|slow)\b')
CONFIG = """\
[DEFAULT]
auth_strategy = http_basic
http_basic_users_file = {directory}/.mogan/users
transport_url = fake://
[database]
connection = sqlite:///{directory}/.mogan/mogan.sqlite
[simulated]
inventory = {directory}/.mogan/inventory.sqlite
"""
COMMAND = """\
#!{python}
import sys
sys.path.insert(0, {source!r})
from mogan.cmd.{name} import main
sys.exit(main())
"""


class Block:
    """A console block: its page, its commands, and why it is not run."""

    def __init__(self, page, sections, found):
        self.page = page
        self.sections = sections
        self.why = found['why'] and ' '.join(found['why'].split())
        # A block of its own, for whoever takes them from a page.
        self.text = found[0][found.start('indent') - found.start():]
        self.commands = re.findall(
            r'^[$#] (.*)$', textwrap.dedent(found['lines']), re.MULTILINE)

    @property
    def followed(self):
        """Return whether a test follows the part of the page that it is in."""
        sections = FOLLOWED.get(self.page)
        return sections is not None and (
            not sections or not self.sections.isdisjoint(sections))

    @property
    def measured(self):
        """Return whether `python -m benchmarks all` does the same."""
        return all(MEASURES.match(command) for command in self.commands)

    def __repr__(self):
        return f'{self.page}: {self.commands[0]}'


def blocks():
    """Yield the console blocks of all pages."""
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_text(encoding='utf-8')
            for found in BLOCK.finditer(text):
                yield Block(str(path.relative_to(ROOT)),
                            titles(text[:found.start()]), found)


def titles(text):
    """Return the titles of the section, and of its subsection, that a text
    ends in."""
    current = {}
    for title, mark in re.findall(r'^([^\n]+)\n([=-])\2{2,}$', text,
                                  re.MULTILINE):
        if mark == '=':
            current.pop('-', None)
        current[mark] = title
    return set(current.values())


def of_tox():
    """Return the commands that ./tools/test runs."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / 'tox.ini', encoding='utf-8')
    return {line.strip() for name in parser.sections()
            for line in parser[name].get('commands', '').splitlines()}


def tally(*lines):
    """Leave lines for the end of ./tools/test."""
    if name := os.environ.get('MOGAN_TEST_TALLY'):
        with pathlib.Path(name).open('a', encoding='utf-8') as file:
            print(*lines, sep='\n', file=file)


class TestEveryCommand(testtools.TestCase):

    def setUp(self):
        super().setUp()
        if not (ROOT / 'README.rst').exists():
            raise unittest.SkipTest('there is no documentation here')

    def test_each_is_run_or_says_why_not(self):
        by_tox = of_tox()
        unknown = [
            block for block in blocks()
            if not (block.why or block.followed or block.page in SINGLE
                    or block.measured
                    or by_tox.issuperset(block.commands))]
        self.assertEqual([], unknown)

    def test_no_marker_is_at_something_that_is_run(self):
        by_tox = of_tox()
        self.assertEqual([], [
            block for block in blocks() if block.why and (
                (block.followed and FOLLOWED[block.page])
                or by_tox.issuperset(block.commands))])

    def test_the_reasons_are_told(self):
        reasons = collections.Counter()
        for block in blocks():
            if block.why:
                reasons[block.why] += len(block.commands)
        self.assertNotEqual({}, reasons)
        tally(*(f'commands of the documentation not run: {count}, {why}'
                for why, count in sorted(reasons.items())))


class TestVersion(testtools.TestCase):

    def test_every_command_tells_that_of_the_distribution(self):
        version = importlib.metadata.version('mogan')
        commands = [point.module for point in importlib.metadata.distribution(
            'mogan').entry_points if point.group == 'console_scripts']
        self.assertIn('mogan.cmd.users', commands)
        for module in commands:
            done = subprocess.run(
                [sys.executable, '-c',
                 f'from {module} import main; main()', '--version'],
                capture_output=True, text=True, check=False)
            self.assertEqual((0, f'{version}\n'),
                             (done.returncode, done.stdout), module)


class TestSingleCommands(documentation.ServiceTest):
    """The commands that stand alone on their page, with a configuration
    file as /etc/mogan/mogan.conf would be."""

    def setUp(self):
        super().setUp()
        self.commands = self.directory / '.venv/bin'
        self.make_commands(ROOT)
        home = self.directory / 'home/.mogan'
        home.mkdir(parents=True)
        (home / 'mogan.conf').write_text(
            CONFIG.format(directory=self.directory))

    def make_commands(self, source):
        """Put the commands of a source tree where the quickstart has
        them."""
        for path in (ROOT / 'mogan/cmd').glob('*.py'):
            command = self.commands / f'mogan-{path.stem}'
            command.write_text(COMMAND.format(
                python=sys.executable, source=str(source), name=path.stem))
            command.chmod(0o700)

    def run_page(self, page, before=''):
        """Run the blocks of a page that no other test runs; returns their
        output."""
        shown = [call for block in blocks()
                 if block.page == page and not block.followed
                 and not block.why
                 for call in documentation.calls(block.text)]
        self.assertNotEqual([], shown)
        prepared = [
            (f'PATH={self.commands}:$PATH', ''),
            (f'export HOME={self.directory}/home', ''), (before or ':', '')]
        outputs = self.run_calls(prepared + [
            (self.replaced(command), expected)
            for command, expected in shown], documentation.FAULTS)
        return dict(zip([command for command, _ in shown],
                        outputs[len(prepared):], strict=True))

    @staticmethod
    def replaced(command):
        for there, here in REPLACED.items():
            command = command.replace(there, here)
        return command

    def test_operating(self):
        outputs = self.run_page('doc/source/admin/operating.rst', f"""\
admin() {{ curl -s -u admin:$MOGAN_ADMIN_PASSWORD "$@"; }}
flavor=$(admin $MOGAN_ENDPOINT/v1/flavors | python3 -c 'import json, sys
print(json.load(sys.stdin)["flavors"][0]["uuid"])')
uuid=$(admin $MOGAN_ENDPOINT/v1/instances \\
    -H 'Content-Type: application/json' \\
    -d '{{"name": "one", "flavor_uuid": "'$flavor'",
         "image_uuid": "{IMAGE}"}}' | python3 -c 'import json, sys
print(json.load(sys.stdin)["uuid"])')
until admin $MOGAN_ENDPOINT/v1/instances/$uuid/states |
    grep '"status":"active"'; do sleep 0.2; done
mogan-simulator node set rack2-node03 --active
node=$(mogan-simulator node list --json | python3 -c 'import json, sys
print(*[node["uuid"] for node in json.load(sys.stdin)
        if node["name"] == "rack2-node03"])')""")
        joined = ''.join(outputs.values())
        self.assertIn('"locked_reason":"disk swap, ticket 4711"', joined)
        self.assertIn('"name":"billing-1"', joined)
        self.assertNotIn('"error"', joined)

    def test_notifications(self):
        [output] = self.run_page('doc/source/admin/notifications.rst').values()
        self.assertIn('pending', output)

    def test_deploy(self):
        outputs = self.run_page('doc/source/admin/deploy.rst')
        self.assertIn('200 OK', ''.join(outputs.values()))

    def test_mogan_status(self):
        outputs = self.run_page('doc/source/cli/mogan-status.rst')
        self.assertIn('Result: Success', ''.join(outputs.values()))

    def test_a_state_directory_that_is_none_is_named(self):
        done = subprocess.run(
            [self.commands / 'mogan-status', '--state-dir', 'nosuch',
             'actions'], cwd=self.directory, capture_output=True, text=True,
            check=False)
        self.assertEqual((1, ''), (done.returncode, done.stdout))
        self.assertEqual(
            f'mogan-status: no mogan-standalone has run in '
            f'{self.directory.resolve()}/nosuch\n', done.stderr)
        self.assertFalse((self.directory / 'nosuch').exists())

    def test_mogan_users(self):
        self.run_page('doc/source/cli/mogan-users.rst',
                      "echo 'made up before' | mogan-users add alice "
                      '--project web')

    def test_samples(self):
        for page, name, line in (
                ('config', 'mogan.conf.sample', '#auth_strategy = '),
                ('policy', 'policy.yaml.sample', '#"mogan:instance:lock": ')):
            self.run_page(f'doc/source/configuration/sample-{page}.rst')
            self.assertIn(line, (self.directory / name).read_text())

    def test_a_migration(self):
        source = self.directory / 'source'
        shutil.copytree(ROOT / 'mogan', source / 'mogan',
                        ignore=shutil.ignore_patterns('tests'))
        self.make_commands(source)
        made = self.run_page('doc/source/contributor/architecture.rst', f"""\
cat > mogan.conf <<END
[database]
connection = sqlite:///{self.directory}/new.sqlite
END""")
        path = pathlib.Path(list(made.values())[-1].strip().splitlines()[-1])
        self.assertTrue(path.is_relative_to(source), path)
        self.assertIn('Add keypairs', path.read_text())

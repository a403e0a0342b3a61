# SPDX-License-Identifier: Apache-2.0
"""The pages about the commands, compared with what the commands print."""

import configparser
import fnmatch
import importlib.util
import os
import pathlib
import re
import unittest

import fixtures
import testtools

from moganclient.tests.osc import base

ROOT = pathlib.Path(__file__).parents[4]


def commands():
    """Return the entry points of the client."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / 'python-moganclient/setup.cfg', encoding='utf-8')
    return parser['options.entry_points'][
        'openstack.baremetal_compute.v1'].strip().splitlines()


class TestDocumentation(testtools.TestCase):

    def setUp(self):
        super().setUp()
        if not (ROOT / 'doc/source/user/commands.rst').exists():
            raise unittest.SkipTest('there is no documentation here')

    def test_the_pages_show_what_the_commands_print(self):
        if importlib.util.find_spec('mogan') is None:
            raise unittest.SkipTest('the service is not installed here')
        from mogan.tests.standalone import (  # noqa: PLC0415
            test_documentation as pages,
        )
        beside = pathlib.Path(base.OPENSTACK).parent
        self.useFixture(fixtures.EnvironmentVariable(
            'PATH', f'{beside}:{os.environ["PATH"]}'))
        for name in [name for name in os.environ if name.startswith('OS_')]:
            self.useFixture(fixtures.EnvironmentVariable(name))

        class Pages(pages.ServiceTest):
            def runTest(self):  # noqa: N802 - unittest's name
                self.check(''.join(
                    (ROOT / f'doc/source/user/{page}.rst').read_text(
                        encoding='utf-8')
                    for page in ('commands', 'disk-swap')))

        result = unittest.TestResult()
        Pages('runTest').run(result)
        self.assertEqual((1, [], []), (
            result.testsRun, result.errors, result.failures))

    def test_the_reference_has_every_command(self):
        page = (ROOT / 'doc/source/cli/openstack-baremetalcompute.rst'
                ).read_text(encoding='utf-8')
        shown = re.findall(r'^   :command: (.*)$', page, re.MULTILINE)
        listed = re.findall(r'^   (baremetalcompute .*)$', page, re.MULTILINE)
        offered, not_offered = set(), set()
        for line in commands():
            name, _, place = line.partition(' = ')
            (not_offered if '.not_offered:' in place else offered).add(
                name.replace('_', ' '))
        self.assertEqual(not_offered, set(listed))
        self.assertEqual(sorted(offered), [
            name for name in sorted(offered | not_offered)
            for pattern in shown if fnmatch.fnmatch(name, pattern)])

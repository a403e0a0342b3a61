# SPDX-License-Identifier: Apache-2.0
"""The guide's page on Python, run against the real service from its first
block to its last."""

import contextlib
import io
import os
import pathlib
import re
import runpy
import textwrap
import unittest

import fixtures

from moganclient.tests.functional import base

_ROOT = pathlib.Path(__file__).parents[4]
_PAGE = _ROOT / 'doc/source/user/python.rst'


def blocks(text, language):
    """Yield the blocks of a page in a language."""
    for found in re.findall(
            rf'^\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)', text,
            re.MULTILINE):
        yield textwrap.dedent(found)


class TestDocumentation(base.ServiceTest):

    def test_the_page_does_what_it_says(self):
        if not _PAGE.exists():
            raise unittest.SkipTest('there is no documentation here')
        text = _PAGE.read_text(encoding='utf-8')
        [clouds] = blocks(text, 'yaml')
        auth = self.service.auth()
        clouds = clouds.replace('http://127.0.0.1:6688', auth['endpoint'])
        clouds = clouds.replace('SECRET', auth['password'])
        directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (directory / 'clouds.yaml').write_text(clouds)
        self.useFixture(fixtures.EnvironmentVariable(
            'OS_CLIENT_CONFIG_FILE', str(directory / 'clouds.yaml')))
        for name in [name for name in os.environ if name.startswith('OS_')
                     and name != 'OS_CLIENT_CONFIG_FILE']:
            self.useFixture(fixtures.EnvironmentVariable(name))
        script = '\n'.join(blocks(text, 'python'))
        script = script.replace('http://127.0.0.1:6688', auth['endpoint'])
        path = directory / 'page.py'
        path.write_text(script.replace('SECRET', auth['password']))
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            runpy.run_path(str(path))
        self.assertIn('is locked since', shown.getvalue())
        self.assertIn('lock done', shown.getvalue())
        self.assertIsNone(self.admin.find_instance('web-1'))

    def test_what_is_installed_is_this_client(self):
        for path in (_PAGE, _ROOT / 'python-moganclient/README.rst'):
            if not path.exists():
                raise unittest.SkipTest('there is no documentation here')
            [commands] = blocks(path.read_text(encoding='utf-8'), 'console')
            # A name alone would be that of the package index.
            self.assertIn('/pip install ./python-moganclient\n', commands)
            self.assertTrue((_ROOT / 'python-moganclient/setup.cfg').exists())

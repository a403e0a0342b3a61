# SPDX-License-Identifier: Apache-2.0
"""The language of docstrings, as far as a machine can hold it."""

import ast
import pathlib
import re

from oslotest import base

import mogan

ROOT = pathlib.Path(mogan.__file__).parent
QUESTIONS = re.compile(r'(What|Who|Where|How|Whether|Why|That)\b')
# A function's docstring is a command: it begins with a verb.
NOUNS = re.compile(
    r'(The|A|An|Each|Every|All|One|Some|Our|It|These|Those|Nothing'
    r'|Raises|Returns|Yields)\b')
ROOTS = (ROOT, ROOT.parent / 'benchmarks', ROOT.parent / 'proof',
         ROOT.parent / 'python-moganclient/moganclient')


def docstrings(root):
    """Yield each docstring below a directory, with its module and node."""
    for path in sorted(root.rglob('*.py')):
        module = path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Module | ast.ClassDef
                          | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text:
                    yield module, node, text


def is_wrong(node, text):
    """Return whether a docstring does not begin as it should."""
    if QUESTIONS.match(text):
        return True
    return (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and bool(NOUNS.match(text)))


class TestDocstrings(base.BaseTestCase):

    def test_they_say_what_something_is_or_does(self):
        self.assertEqual([], [
            f'{root.name}/{module}: {text.splitlines()[0]}'
            for root in ROOTS
            for module, node, text in docstrings(root)
            if is_wrong(node, text)])

# SPDX-License-Identifier: Apache-2.0
"""Results of the source tree: its size, its docstrings, and how much of our
own code a request passes through.

    python -m benchmarks.structure
"""

import ast
import os
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any, Final, Self

import mogan
from mogan.tests.functional import base

PRODUCT: Final = pathlib.Path(mogan.__file__).parent
TREE: Final = PRODUCT.parent
TESTS: Final = PRODUCT / 'tests'
_BEGINNING: Final = re.compile(r'(What|Who|Where|How|Whether|Why|That)\b')


def sources(*roots: pathlib.Path) -> Iterator[tuple[pathlib.Path, str]]:
    """Yield the modules below some directories; tests only by name."""
    for root in roots:
        for path in sorted(root.rglob('*.py')):
            inside = path.relative_to(root).parts
            if inside[0] != 'build' and (
                    root == TESTS or TESTS not in path.parents):
                yield path, path.read_text(encoding='utf-8')


def lines(*roots: pathlib.Path) -> int:
    """Return the number of lines of all modules."""
    return sum(text.count('\n') for _, text in sources(*roots))


def docstrings(*roots: pathlib.Path) -> tuple[int, int]:
    """Return how many docstrings begin with a question word, and how many
    there are."""
    found = [
        bool(_BEGINNING.match(text)) for _, module in sources(*roots)
        for node in ast.walk(ast.parse(module))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and (text := ast.get_docstring(node))]
    return sum(found), len(found)


def annotations(*roots: pathlib.Path) -> int:
    """Return how often an annotation says `Any`."""
    count = 0
    for _, module in sources(*roots):
        for node in ast.walk(ast.parse(module)):
            for field in ('annotation', 'returns'):
                hint = getattr(node, field, None)
                if hint is not None:
                    count += sum(isinstance(name, ast.Name)
                                 and name.id == 'Any'
                                 for name in ast.walk(hint))
    return count


def forwarders(*roots: pathlib.Path) -> int:
    """Return how many functions only call their namesake."""
    return sum(
        _forwards(node) for _, module in sources(*roots)
        for node in ast.walk(ast.parse(module))
        if isinstance(node, ast.FunctionDef))


def _forwards(function: ast.FunctionDef) -> bool:
    body = [part for part in function.body
            if not (isinstance(part, ast.Expr)
                    and isinstance(part.value, ast.Constant))]
    if len(body) != 1 or not isinstance(body[0], ast.Return | ast.Expr):
        return False
    call = body[0].value
    return (isinstance(call, ast.Call)
            and getattr(call.func, 'attr', getattr(call.func, 'id', ''))
            == function.name)


class _Profile:
    """Own calls, files and frames of whatever runs meanwhile."""

    def __init__(self) -> None:
        self.calls = 0
        self.files: set[str] = set()
        self.frames = 0

    def __enter__(self) -> Self:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _note(self, frame: Any, happened: str, function: Any) -> None:
        if happened == 'call' and _own(frame):
            self.calls += 1
            self.files.add(frame.f_code.co_filename)
        elif happened == 'c_call' and function.__name__ == 'execute':
            self.frames = max(self.frames, sum(_behind_route(frame)))

    def __str__(self) -> str:
        return (f'{self.calls} calls, {len(self.files)} files, '
                f'{self.frames} frames from the route to SQL')


def _own(frame: Any) -> bool:
    path = pathlib.Path(frame.f_code.co_filename)
    return PRODUCT in path.parents and TESTS not in path.parents


def _behind_route(frame: Any) -> Iterator[bool]:
    """Yield whether each frame between SQL and the controller is ours."""
    while frame is not None:
        yield _own(frame)
        if '/api/v1/' in frame.f_code.co_filename.replace(
                '/controllers/', '/'):
            return
        frame = frame.f_back


class _Deployment(base.FunctionalTest):

    engines = 0

    def requests(self) -> Iterator[tuple[str, _Profile]]:
        """Yield what a GET and a lock pass through, once warm."""
        uuids = [self.put_row() for _ in range(4)]
        for uuid in uuids:
            profiles = _Profile(), _Profile()
            with profiles[0]:
                self.admin.get(f'/v1/instances/{uuid}')
            with profiles[1]:
                self.admin.put(f'/v1/instances/{uuid}/states/lock',
                               {'lock': None})
        yield 'GET of an instance', profiles[0]
        yield 'PUT of a lock', profiles[1]


def main() -> None:
    for name, roots in (
            ('product', [PRODUCT]), ('tests', [TESTS]),
            ('proof', [TREE / 'proof']), ('benchmarks', [TREE / 'benchmarks']),
            ('client', [TREE / 'python-moganclient'])):
        wrong, every = docstrings(*roots)
        print(f'{name}: {lines(*roots)} lines; {wrong} of {every} docstrings '
              f'begin with a question word; {forwarders(*roots)} functions '
              f'only forward')
    print(f'product: {annotations(PRODUCT)} annotations say Any')
    # The log is kept from the terminal.
    os.environ['OS_LOG_CAPTURE'] = 'true'
    probe = _Deployment()
    probe.setUp()
    try:
        for name, profile in probe.requests():
            print(f'{name}: {profile}')
    finally:
        probe.doCleanups()


if __name__ == '__main__':
    main()

# SPDX-License-Identifier: Apache-2.0
"""The shape of the code, as far as a machine can hold it."""

import ast
import pathlib

from oslotest import base

import mogan
from mogan import states
from mogan.engine import actions

ROOT = pathlib.Path(mogan.__file__).parent
# What each part of the package may import of the others.
ALLOWED = {
    'states': set(),
    'version': set(),
    'exception': {'timestamps'},
    'timestamps': set(),
    'context': set(),
    'policies': set(),
    'policy': {'exception', 'policies', 'context', 'policy_files',
               'policy_rules'},
    'policy_files': set(),
    'policy_rules': set(),
    'rpc': {'broker', 'context'},
    'broker': set(),
    'fault_log': set(),
    'http_server': set(),
    'conf': set(),
    'baremetal': set(),
    'db': {'states', 'exception', 'context', 'fault_log', 'timestamps'},
    'background': set(),
    'metrics': {'states', 'exception', 'version', 'db', 'baremetal',
                'fault_log', 'engine.observer', 'http_server'},
    'notifications': {'states', 'broker', 'rpc', 'db.actions', 'db.rows',
                      'timestamps'},
    'engine': {'states', 'exception', 'context', 'rpc', 'broker', 'db',
               'baremetal', 'background', 'fault_log', 'notifications',
               'timestamps'},
    'api': {'states', 'exception', 'context', 'policy', 'db', 'background',
            'broker', 'fault_log', 'http_server', 'rpc', 'engine.client',
            'version',
            'notifications.bus', 'metrics.meters', 'timestamps'},
}
# Libraries that one part only may know.
HOMES = {
    'sqlalchemy': {'db', 'cmd'}, 'alembic': {'db'},
    'cheroot': {'http_server'},
    'pecan': {'api'}, 'wsme': {'api'}, 'wsmeext': {'api'},
}
STATE_COLUMNS = {'status', 'lock_state', 'status_action', 'lock_action'}


def modules():
    """Yield each module of the product by its path below mogan, with its
    tree."""
    for path in sorted(ROOT.rglob('*.py')):
        inside = path.relative_to(ROOT)
        if inside.parts[0] != 'tests':
            yield inside, ast.parse(path.read_text(encoding='utf-8'))


def part_of(inside):
    return inside.parts[0].removesuffix('.py')


def imports(tree):
    """Yield the dotted names that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield f'{node.module}.{alias.name}'


class TestImports(base.BaseTestCase):

    def test_each_part_imports_only_what_it_may(self):
        for inside, tree in modules():
            part = part_of(inside)
            if part not in ALLOWED:
                continue
            for name in imports(tree):
                if not name.startswith('mogan.'):
                    continue
                inner = name.removeprefix('mogan.')
                fits = any(inner == allowed
                           or inner.startswith(f'{allowed}.')
                           for allowed in ALLOWED[part] | {part})
                self.assertTrue(fits, f'{inside} imports {name}')

    def test_connections_know_nothing_of_what_is_stored(self):
        for inside, tree in modules():
            if inside.parts[:2] == ('db', 'core'):
                for name in imports(tree):
                    if name.startswith('mogan.'):
                        self.assertTrue(name.startswith((
                            'mogan.db.core.', 'mogan.exception',
                            'mogan.timestamps')), f'{inside} imports {name}')

    def test_each_library_is_known_in_its_home_only(self):
        for inside, tree in modules():
            for name in imports(tree):
                library = name.partition('.')[0]
                if library in HOMES:
                    self.assertIn(part_of(inside), HOMES[library],
                                  f'{inside} imports {name}')

    def test_there_is_no_drawer_without_a_subject(self):
        for inside, _ in modules():
            for word in inside.with_suffix('').parts:
                self.assertNotIn(word, {'common', 'utils', 'util', 'helpers',
                                        'misc', 'objects'}, inside)


def written_columns(tree):
    """State columns that a module may give values to: keys of a dict, what
    is assigned to, keywords of `values`."""
    for node in ast.walk(tree):
        match node:
            case ast.Dict(keys=keys):
                yield from (key.value for key in keys
                            if isinstance(key, ast.Constant))
            case ast.Assign(targets=[ast.Subscript(
                    slice=ast.Constant(value=name))]):
                yield name
            case ast.Assign(targets=[ast.Attribute(attr=name)]):
                yield name
            case ast.Call(func=ast.Attribute(attr='values'),
                          keywords=keywords):
                yield from (keyword.arg for keyword in keywords)


def changes_rows(tree):
    """Return True if a module builds statements that change something."""
    return any(isinstance(node, ast.Attribute)
               and node.attr in {'update', 'insert'}
               and isinstance(node.value, ast.Name) and node.value.id == 'sa'
               for node in ast.walk(tree))


class TestWriters(base.BaseTestCase):

    def writers(self, part):
        return {str(inside) for inside, tree in modules()
                if part_of(inside) == part and changes_rows(tree)
                for name in written_columns(tree)
                if name in STATE_COLUMNS}

    def test_one_module_writes_the_state_columns(self):
        self.assertEqual(
            {'db/instances.py',
             # Binds them to read the actions that a row names: below.
             'db/claims.py'}, self.writers('db'))
        self.assertEqual(set(), self.writers('engine'))

    def test_claims_never_write_a_state(self):
        [tree] = [tree for inside, tree in modules()
                  if str(inside) == 'db/claims.py']
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(
                    node.func, ast.Attribute) and (
                        node.func.attr == 'values'):
                names = {keyword.arg for keyword in node.keywords}
                self.assertEqual(set(), names & STATE_COLUMNS)

    def test_no_guard_asks_who_is_an_admin(self):
        for inside, _ in modules():
            if part_of(inside) in {'db', 'engine', 'states'}:
                text = (ROOT / inside).read_text(encoding='utf-8')
                self.assertNotIn('is_admin', text, inside)


class TestSize(base.BaseTestCase):

    def test_no_file_outgrows_a_reader(self):
        for path in sorted(ROOT.rglob('*.py')):
            lines = path.read_text(encoding='utf-8').count('\n')
            self.assertLessEqual(lines, 450, path)

    def test_every_file_says_its_licence(self):
        for path in sorted(ROOT.rglob('*.py')):
            head = path.read_text(encoding='utf-8')[:120]
            self.assertIn('SPDX-License-Identifier: Apache-2.0', head, path)


class TestMaps(base.BaseTestCase):
    """The maps in the README and on the architecture page."""

    def top_level(self):
        """Modules and packages of the product."""
        return {path.stem for path in ROOT.iterdir()
                if (path.suffix == '.py' or (path / '__init__.py').is_file())
                and path.stem != '__init__'}

    def test_the_architecture_page_has_each_top_level_name(self):
        page = (ROOT.parent / 'doc/source/contributor/architecture.rst'
                ).read_text(encoding='utf-8')
        shown = page[page.index('   mogan/\n'):]
        for name in self.top_level():
            self.assertRegex(shown, rf'(?m)^     (.* )?{name}(\.py|/)', name)

    def test_the_readme_has_each_top_level_name(self):
        shown = (ROOT.parent / 'README.rst').read_text(encoding='utf-8')
        made = {'build', 'dist', 'cover', 'mogan.egg-info'}
        folders = {f'{path.name}/' for path in ROOT.parent.iterdir()
                   if path.is_dir() and path.name[0] != '.'} - {
                       f'{name}/' for name in made}
        packages = {f'mogan/{path.name}/' for path in ROOT.iterdir()
                    if (path / '__init__.py').is_file()}
        for name in folders - {'mogan/'} | packages:
            self.assertRegex(shown, rf'(?m)^   {name}', name)


class TestActions(base.BaseTestCase):

    def test_every_verb_that_leaves_work_has_a_step(self):
        self.assertEqual(set(states.UNDER_WAY), set(actions.STEPS))

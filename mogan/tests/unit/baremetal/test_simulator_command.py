# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import json

from mogan.baremetal.protection import Protection
from mogan.cmd import simulator
from mogan.tests.unit.baremetal import simulation


class TheSimulatorCommand(simulation.SimulationTestCase):

    def run_command(self, *words):
        """Run it; returns the exit status, standard output and standard
        error."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = simulator.main(['--inventory', str(self.path),
                                         *words])
            except SystemExit as error:
                status = error.code
        return status, out.getvalue(), err.getvalue()

    def succeed(self, *words):
        status, out, err = self.run_command(*words)
        self.assertEqual((0, ''), (status, err))
        return out

    def test_lists_the_nodes_by_name(self):
        self.deployed(resources={'CUSTOM_LARGE': 1})
        lines = self.succeed('node', 'list').splitlines()
        self.assertEqual(['name', 'rack1-node01', 'rack1-node02',
                          'rack2-node01'],
                         [line.split()[0] for line in lines])

    def test_writes_json_where_it_is_asked_for(self):
        for words in (['--json', 'node', 'list'], ['node', 'list', '--json']):
            nodes = json.loads(self.succeed(*words))
            self.assertEqual({node.uuid for node in self.driver.nodes()},
                             {node['uuid'] for node in nodes})

    def test_adds_and_removes_a_node(self):
        self.succeed('node', 'add', 'rack9-node01', '--resource-class',
                     'CUSTOM_NEW', '--trait', 'CUSTOM_B', '--trait',
                     'CUSTOM_A')
        node = self.inventory.named('rack9-node01')
        self.assertEqual(('CUSTOM_NEW', ('CUSTOM_A', 'CUSTOM_B')),
                         (node.resource_class, node.traits))
        self.succeed('node', 'remove', 'rack9-node01')
        self.assertEqual({}, self.driver.look([node.uuid]))

    def test_makes_the_inventory_with_its_first_node(self):
        self.path = self.path.with_name('new.sqlite')
        self.assertEqual(1, self.run_command('node', 'list')[0])
        self.assertFalse(self.path.exists())
        self.succeed('node', 'add', 'n', '--resource-class', 'CUSTOM_NEW')
        self.assertIn('CUSTOM_NEW', self.succeed('node', 'list'))

    def test_acts_on_a_node_as_an_outsider_does(self):
        spec, node_uuid = self.deployed()
        self.driver.protect(node_uuid, Protection(spec.instance_uuid),
                            self.permit(2))
        self.succeed('node', 'set', node_uuid, '--no-protected')
        self.assertFalse(self.node(node_uuid).protected)
        self.succeed('node', 'set', node_uuid, '--protected', '--reason',
                     'mine', '--maintenance')
        node = self.node(node_uuid)
        self.assertEqual((True, 'mine', True),
                         (node.protected, node.protected_reason,
                          node.maintenance))

    def test_puts_a_node_to_use_as_an_outsider_does(self):
        self.succeed('node', 'set', 'rack1-node02', '--active', '--image',
                     simulation.IMAGE)
        [node] = self.driver.manageable()
        self.assertEqual(('rack1-node02', simulation.IMAGE),
                         (node.name, node.image_source))
        self.succeed('node', 'set', 'rack1-node02', '--no-active')
        self.assertEqual([], self.driver.manageable())

    def test_scripts_lists_and_clears_faults(self):
        [added] = json.loads(self.succeed(
            'fault', 'add', 'hang', '--call', 'undeploy', '--node',
            'rack1-node01', '--seconds', '1.5', '--times', '3', '--json'))
        self.succeed('fault', 'add', 'unavailable', '--forever')
        [first, second] = self.inventory.list_faults()
        self.assertEqual(
            ('hang', 'undeploy', 1.5, 3, added['id'],
             self.inventory.named('rack1-node01').uuid),
            (first.mode, first.call, first.seconds, first.times, first.id,
             first.node_uuid))
        self.assertIsNone(second.times)
        self.assertIn('unavailable', self.succeed('fault', 'list'))
        self.succeed('fault', 'clear', str(first.id))
        self.assertEqual([second], self.inventory.list_faults())
        self.succeed('fault', 'clear')
        self.assertEqual([], self.inventory.list_faults())

    def test_shows_the_journal(self):
        spec, node_uuid = self.deployed()
        [header, claim, _] = self.succeed('journal').splitlines()
        self.assertEqual(['id', 'at', 'call'], header.split()[:3])
        for word in ('2023-11-14T22:13:20.000+00:00', 'claim', node_uuid,
                     spec.instance_uuid, 'effect'):
            self.assertIn(word, claim)
        [deploy] = json.loads(self.succeed('journal', '--after', '1',
                                           '--json'))
        self.assertEqual('deploy', deploy['call'])

    def test_says_in_one_line_what_is_wrong(self):
        self.driver.claim(self.spec(), self.permit(1))
        for wrong, words in (
                ('there is no node rack0',
                 ['node', 'set', 'rack0', '--maintenance']),
                ('carries an instance', ['node', 'remove', 'rack1-node01']),
                ('nothing to set', ['node', 'set', 'rack1-node01']),
                ('--protected', ['node', 'set', 'rack1-node01',
                                 '--maintenance', '--reason', 'x']),
                ('carries the instance', ['node', 'set', 'rack1-node01',
                                          '--active']),
                ('--active', ['node', 'set', 'rack1-node01',
                              '--no-active', '--image', 'x']),
                ('only an active one', ['node', 'set', 'rack1-node01',
                                        '--protected']),
                ('a node rack1-node01 already',
                 ['node', 'add', 'rack1-node01', '--resource-class', 'X']),
                ('custom', ['node', 'add', 'n', '--resource-class',
                            'custom']),
                ('--resource-class', ['node', 'add', 'n']),
                ('explode', ['fault', 'add', 'explode']),
                ('needs seconds', ['fault', 'add', 'hang']),
                ('seconds', ['fault', 'add', 'hang', '--seconds', 'long']),
                ('times', ['fault', 'add', 'fail', '--times', '0']),
                ('there is no node x',
                 ['fault', 'add', 'fail', '--node', 'x']),
                ('there is no fault 77', ['fault', 'clear', '77']),
                ('COMMAND', []),
                ('ACTION', ['node']),
                ('sing', ['sing'])):
            status, out, err = self.run_command(*words)
            self.assertEqual((1, ''), (status, out), words)
            self.assertIn(wrong, err)
            self.assertEqual(1, err.count('\n'), err)
            self.assertTrue(err.startswith('mogan-simulator: '), err)

    def test_says_which_file_is_no_inventory(self):
        self.path = self.path.with_name('diary.txt')
        self.path.write_text('dear diary' * 999)
        status, _, err = self.run_command('node', 'list')
        self.assertEqual(1, status)
        self.assertIn('diary.txt', err)

    def test_explains_itself(self):
        for words in ([], ['node'], ['node', 'set'], ['fault', 'add'],
                      ['journal']):
            self.assertIn('usage: mogan-simulator',
                          self.succeed(*words, '--help'))

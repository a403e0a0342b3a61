# SPDX-License-Identifier: Apache-2.0
"""The commands, one after the other, as people use them."""

from moganclient.tests import service
from moganclient.tests.osc import base


class TestLockStory(base.CommandTest):

    def test_a_lock_holds_until_somebody_unlocks(self):
        made = self.create('web-1', '--property', 'team=shop')
        self.assertEqual(('active', False, {'team': 'shop'}), (
            made['status'], made['locked'], made['properties']))
        self.create('web-2')

        done = self.run_group(
            'instance lock web-1 nosuch web-2 --wait -f json --reason',
            'disk swap, ticket 4711')
        self.assertEqual(1, done.status)
        self.assertEqual(
            ['nosuch: No instance with the name or UUID nosuch exists'],
            done.err.splitlines())
        self.assertEqual(
            [('web-1', 'locked'), ('nosuch', 'failed'), ('web-2', 'locked')],
            [(row['Name'], row['Result']) for row in done.json])

        self.assertEqual(
            ['web-1', 'web-2'],
            [row['Name'] for row in self.ask('instance list --locked')])
        self.assertEqual([], self.ask('instance list --unlocked'))
        [row] = self.ask('instance list --long --name web-1')
        self.assertEqual(('admin', 'disk swap, ticket 4711'),
                         (row['Locked By'], row['Locked Reason']))
        self.assertRegex(row['Node'], '^[0-9a-f-]{36}$')

        line = self.refused('instance delete web-1 --wait')
        self.assertRegex(
            line, r'^web-1 is locked since 20\S+Z by admin: disk swap, '
            r'ticket 4711\. An administrator releases it with: openstack '
            r'baremetalcompute instance unlock web-1$')
        self.assertIn('web-1 is locked', self.refused(
            f'instance rebuild web-1 --image {service.OTHER_IMAGE}'))
        shown = self.ask('instance show web-1')
        self.assertEqual(('active', True, 'admin'), (
            shown['status'], shown['locked'], shown['locked_by']))

        [row] = self.ask('instance unlock web-1 --wait')
        self.assertEqual('unlocked', row['Result'])
        [row] = self.ask('instance delete web-1 --wait')
        self.assertEqual('deleted', row['Result'])
        history = self.ask('instance history', made['uuid'])
        self.assertEqual(
            [('delete', 'done'), ('unlock', 'done'), ('rebuild', 'refused'),
             ('delete', 'refused'), ('lock', 'done'), ('create', 'done')],
            [(row['Action'], row['Outcome']) for row in history])
        self.assertEqual({'reason': 'disk swap, ticket 4711'},
                         history[4]['Arguments'])

    def test_an_administrator_locks_what_belongs_to_others_by_name(self):
        self.create('db-1', cloud='mogan-demo')
        [row] = self.ask('server lock db-1 --wait')
        self.assertEqual('locked', row['Result'])
        line = self.refused('server delete db-1', cloud='mogan-demo')
        self.assertRegex(line, r'^db-1 is locked since \S+Z\. An admin')
        self.assertIn('Policy does not allow', self.refused(
            'instance unlock db-1', cloud='mogan-demo'))
        self.assertIn('in this project', self.refused(
            'instance delete db-1'))
        self.ask('instance unlock db-1 --wait')
        self.ask('instance delete db-1 --all-projects --wait')


class TestInstances(base.CommandTest):

    def test_what_happens_to_an_instance_in_its_life(self):
        self.create('app-1', '--description', 'front page')
        [row] = self.ask('instance stop app-1 --wait')
        self.assertEqual('stopped', row['Result'])
        self.assertIn('does not allow', self.refused(
            'instance reboot app-1'))
        [row] = self.ask('instance start app-1 --wait')
        self.assertEqual('active', row['Result'])
        [row] = self.ask('server reboot app-1 --soft --wait')
        self.assertEqual('active', row['Result'])
        self.tell('instance set app-1 --name app-2 --property a=1 '
                  '--property b=2')
        self.tell('instance unset app-2 --property a --description')
        [row] = self.ask(f'instance rebuild app-2 --wait --image '
                         f'{service.OTHER_IMAGE}')
        self.assertEqual('active', row['Result'])
        shown = self.ask('server show app-2')
        self.assertEqual(
            ('app-2', None, {'b': '2'}, service.OTHER_IMAGE),
            (shown['name'], shown['description'], shown['properties'],
             shown['image']))
        self.assertRegex(shown['flavor'], r'^baremetal-small \([0-9a-f-]+\)$')

    def test_a_name_may_look_like_a_uuid(self):
        name = '12345678-0000-4000-8000-000000000000'
        made = self.create(name)
        self.assertEqual(made['uuid'],
                         self.ask(f'instance show {name}')['uuid'])
        [row] = self.ask(f'instance history {name} --limit',
                         '99999999999999999999')
        self.assertEqual('create', row['Action'])

    def test_lists_are_chosen_ordered_and_cut(self):
        for name in ('box-2', 'box-1', 'case-3'):
            self.create(name, cloud='mogan-demo')
        names = ('instance list -f value -c Name --flavor baremetal-small '
                 '--status active --name box')
        shown = self.run_group(f'{names} --sort name', cloud='mogan-demo')
        self.assertEqual('box-1\nbox-2\n', shown.out)
        shown = self.run_group(f'{names} --sort name:desc --limit 1',
                               cloud='mogan-demo')
        self.assertEqual('box-2\n', shown.out)
        shown = self.run_group(f'{names} --marker box-2', cloud='mogan-demo')
        self.assertEqual('box-1\n', shown.out)
        shown = self.run_group(f'{names} --all-projects --sort name')
        self.assertEqual('box-1\nbox-2\n', shown.out)
        self.assertEqual('', self.run_group(names).out)
        [row] = self.ask('instance list --long --name case -n',
                         cloud='mogan-demo')
        self.assertEqual(row['Flavor'], row['Flavor Id'])
        self.assertEqual((None, None), (row['Locked By'], row['Node']))

    def test_a_name_that_several_have_is_refused_with_their_uuids(self):
        uuids = [self.create('twin', '--flavor', 'baremetal-large',
                             cloud='mogan-demo')['uuid'] for _ in range(2)]
        line = self.refused('instance stop twin', cloud='mogan-demo')
        self.assertIn('2 instances have the name twin', line)
        for uuid in uuids:
            self.assertIn(f'{uuid} (active)', line)


class TestOfOld(base.CommandTest):

    def test_a_script_of_old_finds_its_options_and_headings(self):
        made = self.create(
            'old-1', '--nic', f'net-id={service.IMAGE}', '--min', '1',
            '--max', '1', noun='server')
        self.assertEqual(([{'net_id': service.IMAGE}], {}),
                         (made['networks'], made['addresses']))
        [row] = self.ask('server list --all-projects')
        self.assertEqual(['UUID', 'Name', 'Status', 'Networks', 'Image',
                          'Flavor', 'Locked'], list(row))
        shown = self.run_group(
            'server list --long -f csv -c UUID -c', 'Flavor Name',
            '-c', 'Properties')
        self.assertEqual(
            '"UUID","Flavor Name","Properties"\n'
            f'"{made["uuid"]}","baremetal-small","{{}}"\n', shown.out)
        self.assertIn('addresses', self.ask('server show old-1'))
        self.assertNotIn('addresses', self.ask('instance show old-1'))
        self.tell('server set old-1 --property a=b')
        self.assertEqual('a: b\n', self.run_group(
            'server show old-1 -f yaml -c properties').out.partition(
                '  ')[2])

    def test_flavors(self):
        made = self.ask('flavor create tiny --private --disabled true '
                        '--resource CUSTOM_TINY=1 --description none')
        self.assertEqual((False, True, {'CUSTOM_TINY': 1}), (
            made['is_public'], made['disabled'], made['resources']))
        self.tell('flavor set tiny --name mini --is-public true '
                  '--disabled false')
        self.tell('flavor unset mini --description')
        shown = self.ask('flavor show mini')
        self.assertEqual((True, False, None), (
            shown['is_public'], shown['disabled'], shown['description']))
        self.assertIn('mini', [row['Name'] for row in self.ask(
            'flavor list --long')])
        done = self.run_group('flavor delete mini nosuch')
        self.assertEqual(1, done.status)
        self.assertEqual('nosuch: No flavor with the name or UUID nosuch '
                         'exists.\n', done.err)
        self.assertNotIn('mini', self.run_group('flavor list').out)

    def test_nodes_are_listed_and_taken_over(self):
        rows = self.ask('node list')
        names = [row['Node'] for row in rows]
        self.assertEqual(sorted(names), names)
        [node] = [row for row in rows if row['Node'] == 'rack2-node03']
        self.assertEqual({'Node': 'rack2-node03',
                          'Availability Zone': 'hall-2'}, node)
        self.simulate('node', 'set', 'rack2-node03', '--active')
        [found] = self.ask('manageable server list')
        made = self.ask(f'server manage {found["UUID"]} billing-1 --wait')
        self.assertEqual(('billing-1', found['UUID']),
                         (made['name'], made['node_uuid']))
        self.simulate('node', 'set', 'rack2-node02', '--active')
        [other] = self.ask('manageable server list')
        managed = self.ask(f'instance manage {other["UUID"]} billing-2 --wait')
        self.assertEqual(('billing-2', other['UUID']),
                         (managed['name'], managed['node_uuid']))
        self.assertNotIn('addresses', managed)
        rows = self.ask('node list --long')
        self.assertEqual([made['uuid']], [
            row['Instance'] for row in rows if row['Node'] == node['Node']])
        zones = self.ask('availability zone list')
        self.assertIn({'Zone Name': 'hall-1'}, zones)

    def test_every_command_is_completed(self):
        done = self.run_openstack('complete')
        self.assertEqual((0, ''), (done.status, done.err))
        self.assertIn("cmds_baremetalcompute_instance='create delete history "
                      'list lock manage reboot rebuild set show start stop '
                      "unlock unset'", done.out)

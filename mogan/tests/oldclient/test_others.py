# SPDX-License-Identifier: Apache-2.0
"""Flavors, nodes, and machines that run already."""

from mogan.tests.functional.base import IMAGE
from mogan.tests.oldclient import base
from mogan.tests.support.deployment import SMALL


class TestFlavors(base.OldClientTest):

    engines = 0

    def test_they_are_made_changed_and_deleted(self):
        made = self.read(f'flavor create gold --resource {SMALL}=1 '
                         '--description fast', 'admin')
        self.assertEqual(('gold', 'fast', f"{SMALL}='1'", True, False), tuple(
            made[name] for name in (
                'name', 'description', 'resources', 'is_public',
                'disabled')))
        old = self.read(f'flavor create old --resource {SMALL}=1 '
                        '--disabled True', 'admin')
        self.assertIs(True, old['disabled'])
        self.assertEqual([made['uuid']], [
            row['UUID'] for row in self.read('flavor list')])
        rows = self.read('flavor list --long', 'admin')
        self.assertEqual([('gold', False), ('old', True)], [
            (row['Name'], row['Disabled']) for row in rows])
        for key in ('gold', made['uuid']):
            self.assertEqual(made['uuid'],
                             self.read(f'flavor show {key}')['uuid'])
        self.do('flavor set gold --name silver --is-public False '
                '--disabled True', 'admin')
        self.do('flavor unset silver', 'admin')
        seen = self.read('flavor show silver', 'admin')
        self.assertEqual((made['uuid'], False, True), (
            seen['uuid'], seen['is_public'], seen['disabled']))
        self.assertIn('No flavor with a name or ID',
                      self.fail_at('flavor show silver'))
        self.do(f'flavor delete silver {old["uuid"]}', 'admin')
        self.assertEqual([], self.read('flavor list', 'admin'))

    def test_what_cannot_be_kept_is_refused(self):
        self.assertIn('resource_aggregates', self.fail_at(
            f'flavor create gold --resource {SMALL}=1 '
            '--resource-aggregate rack=1', 'admin'))
        self.assertIn('Policy does not allow mogan:flavor:create',
                      self.fail_at(f'flavor create gold --resource {SMALL}=1'))


class TestNodes(base.OldClientTest):

    def test_nodes_and_zones_are_listed(self):
        names = {row['Node'] for row in self.read('node list', 'admin')}
        self.assertEqual({f'node-{number}' for number in range(4)}, names)
        self.assertIn('Policy does not allow mogan:node:get_all',
                      self.fail_at('node list'))
        zones = self.do('availability zone list -f value')
        self.assertEqual(['hall-1', 'hall-2'], zones.split())

    def test_a_machine_is_taken_over(self):
        flavor = self.make_flavor(name='gold')
        node_uuid = self.hardware.named('node-0').uuid
        self.hardware.set_active(node_uuid, active=True, image_source=IMAGE)
        for more in ('', ' --long'):
            [row] = self.read(f'manageable server list{more}', 'admin')
            self.assertEqual(('node-0', 'active', SMALL), (
                row['Name'], row['Provision State'], row['Resource Class']))
        made = self.read(f'server manage {node_uuid} legacy --description '
                         'old --property team=shop', 'admin')
        self.assertEqual(('legacy', 'old', f'gold ({flavor})'), tuple(
            made[name] for name in ('name', 'description', 'flavor')))
        self.wait_for(made['uuid'], status='active', node_uuid=node_uuid)


class TestKeyPairs(base.OldClientTest):

    engines = 0

    def test_they_are_kept_shown_and_deleted(self):
        key = self.directory / 'key.pub'
        key.write_text('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbnC0kQnlTV8nfD'
                       'rNcmtNfCmYhRpJJ3+fmHf2ZQZfM me\n')
        self.do(f'keypair create mine --public-key {key}')
        [row] = self.read('keypair list')
        self.assertEqual('mine', row['Name'])
        self.assertEqual('mine', self.read('keypair show mine')['name'])
        self.assertIn('PRIVATE KEY', self.do('keypair create made'))
        self.do('keypair delete mine made')
        self.assertEqual([], self.read('keypair list'))

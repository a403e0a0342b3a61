# SPDX-License-Identifier: Apache-2.0
"""A server's life, command by command."""

from typing import Any

from mogan.tests.functional.base import NOWHERE
from mogan.tests.oldclient import base
from mogan.tests.oldclient.images import IMAGES

_NEW = '--flavor gold --image debian --nic net-id=' + NOWHERE


class TestServers(base.OldClientTest):

    def setUp(self) -> None:
        super().setUp()
        self.flavor = self.make_flavor(name='gold')

    def make(self, name: str, more: str = '') -> str:
        made = self.read(f'server create {name} {_NEW} {more}')
        self.wait_for(made['uuid'], status='active')
        return made['uuid']

    def test_one_is_made_shown_and_listed(self):
        made = self.read(f'server create web-1 {_NEW} --description front '
                         '--property team=shop --partition root_gb=10')
        uuid = made['uuid']
        self.assertEqual(
            ('web-1', 'front', "team='shop'", "root_gb='10'", 'building',
             f'debian ({IMAGES["debian"]})', f'gold ({self.flavor})'),
            tuple(made[name] for name in (
                'name', 'description', 'properties', 'partitions', 'status',
                'image', 'flavor')))
        self.wait_for(uuid, status='active')
        shown = [self.read(f'server show {key}') for key in ('web-1', uuid)]
        self.assertEqual(shown[0], shown[1])
        self.assertEqual((uuid, 'active', False, f'gold ({self.flavor})'), (
            shown[0]['uuid'], shown[0]['status'], shown[0]['locked'],
            shown[0]['flavor']))
        self.check_lists(uuid)

    def check_lists(self, uuid: str) -> None:
        [row] = self.read('server list')
        self.assertEqual((uuid, 'web-1', 'active', 'debian', 'gold'), tuple(
            row[name] for name in (
                'UUID', 'Name', 'Status', 'Image', 'Flavor')))
        [row] = self.read('server list --long')
        self.assertEqual(('power on', self.flavor, "team='shop'"), (
            row['Power State'], row['Flavor Id'], row['Properties']))
        [row] = self.read('server list --no-name-lookup')
        self.assertEqual(IMAGES['debian'], row['Image'])
        self.assertEqual('\n', self.do('server list', 'admin'))
        [row] = self.read('server list --all-projects', 'admin')
        self.assertEqual(uuid, row['UUID'])
        self.assertIn('Policy does not allow',
                      self.fail_at('server list --all-projects'))

    def test_one_is_changed_by_name_and_by_uuid(self):
        uuid = self.make('web-1')
        self.do('server set web-1 --name web-2 --description new '
                '--property team=shop --property stage=test')
        self.do(f'server unset {uuid} --property stage')
        seen = self.see(uuid)
        self.assertEqual(('web-2', 'new', {'team': 'shop'}), (
            seen['name'], seen['description'], seen['metadata']))
        self.do('server stop web-2')
        self.wait_for(uuid, status='stopped')
        self.do(f'server start {uuid}')
        self.wait_for(uuid, status='active')
        self.do('server reboot web-2')
        self.wait_for(uuid, status='active')
        self.assertIn('does not allow power on',
                      self.fail_at('server start web-2'))
        for more, image in (('', 'debian'), (' --image rescue', 'rescue')):
            self.do(f'server rebuild web-2{more}')
            self.wait_for(uuid, status='active', image_uuid=IMAGES[image])
        self.assertIn('overwrites all partitions', self.fail_at(
            'server rebuild web-2 --preserve-ephemeral'))
        self.assertEqual(
            ['rebuild', 'rebuild', 'reboot', 'power_on', 'power_off'],
            [entry['action'] for entry in self.history(uuid)[:5]])

    def test_a_locked_one_says_why_it_is_not_deleted(self):
        uuid = self.make('web-1')
        self.assertIn('Policy does not allow mogan:instance:lock',
                      self.fail_at('server lock web-1'))
        self.do(f'server lock {uuid}', 'admin')
        self.wait_for(uuid, lock_state='locked')
        self.ask_for_a_reason(uuid)
        locked_at = self.see(uuid)['locked_at']
        for user, who in (('demo', ''), ('admin', ' by the user '
                          + self.deployment.identity('admin')[0])):
            self.assertIn(
                f'The instance {uuid} is locked since {locked_at}{who}: disk '
                'swap. An administrator releases it with PUT '
                f'/v1/instances/{uuid}/states/unlock',
                self.fail_at(f'server delete {uuid}', user))
        self.assertIn('is locked since', self.fail_at('server rebuild web-1'))
        self.assertIs(True, self.read('server show web-1')['locked'])
        self.assertIn('Policy does not allow mogan:instance:unlock',
                      self.fail_at('server unlock web-1'))
        self.do(f'server unlock {uuid}', 'admin')
        self.wait_for(uuid, lock_state='unlocked')
        self.do('server delete web-1')
        self.wait_until_gone(uuid)
        self.assertIn("No server with a name or ID of 'web-1'",
                      self.fail_at('server show web-1'))

    def ask_for_a_reason(self, uuid: str) -> Any:
        """Lock with a reason, for which the client has no option."""
        self.expect(202, self.admin.lock(uuid, 'disk swap'))

    def test_what_cannot_be_given_is_refused_with_a_reason(self):
        for more, words in (
                ('--hint group=' + NOWHERE, 'instance groups are not'),
                ('--max 2', 'only one instance can be created at a time'),
                ('--file /etc/motd=/dev/null', 'file injection is not'),
                ('--key-name none', 'key pair none not found'),
                ('--partition swap_mb=1', "'root_gb' is a required")):
            self.assertIn(words, self.fail_at(
                f'server create web-1 {_NEW} {more}'))
        self.assertEqual([], self.demo.get('/v1/servers').json['servers'])

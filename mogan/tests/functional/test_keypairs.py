# SPDX-License-Identifier: Apache-2.0
"""Key pairs: each user's own, and what instances get of them."""

import logging
import urllib.parse

import fixtures
from cryptography.hazmat.primitives import serialization

from mogan.api import sshkeys
from mogan.tests.functional import base

_PAIRS = '/v1/keypairs'
KEY = ('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDBVqqxZ9mxLMyCHakzoBYZnQwfjeb0Z'
       '+ZdaAlZGav4B ann@example.com')


class KeyPairsTest(base.FunctionalTest):

    engines = 0

    def add(self, name='laptop', client=None, **values):
        """Create a key pair."""
        return self.expect(201, (client or self.demo).post(
            _PAIRS, {'name': name} | values)).json


class TestKeyPairs(KeyPairsTest):

    def test_a_key_that_is_given_is_kept(self):
        answer = self.demo.post(_PAIRS, {'name': 'work key',
                                         'public_key': f'{KEY}\n'})
        shown = self.expect(201, answer).json
        self.assertEqual(
            ('demo', 'work key', KEY, sshkeys.read(KEY).fingerprint, 'ssh',
             None),
            tuple(shown[name] for name in (
                'user_id', 'name', 'public_key', 'fingerprint', 'type',
                'updated_at')))
        self.assertNotIn('private_key', shown)
        address = answer.headers['location'].removeprefix('http://')
        path = f'/{address.partition("/")[2]}'
        self.assertEqual('/v1/keypairs/work%20key', path)
        self.assertEqual(shown, self.expect(200, self.demo.get(path)).json)

    def test_a_private_key_is_shown_once_and_nowhere_else(self):
        logged = self.useFixture(fixtures.FakeLogger(
            level=logging.DEBUG, nuke_handlers=False))
        made = self.add()
        private = serialization.load_ssh_private_key(
            made['private_key'].encode(), password=None)
        public = private.public_key().public_bytes(
            serialization.Encoding.OpenSSH,
            serialization.PublicFormat.OpenSSH).decode()
        self.assertEqual(public, made.pop('public_key'))
        self.assertEqual('SHA256:', made['fingerprint'][:7])
        secret = made['private_key'].splitlines()[2]
        for text in (self.demo.get(_PAIRS).body.decode(),
                     self.demo.get(f'{_PAIRS}/laptop').body.decode(),
                     logged.output):
            self.assertNotIn(secret, text)

    def test_a_list_is_paged_by_name(self):
        for name in ('c', 'a', 'd', 'b'):
            self.add(name)
        self.add('e', self.other)
        seen, path = [], f'{_PAIRS}?limit=3'
        while path:
            page = self.expect(200, self.demo.get(path)).json
            seen.append([pair['name'] for pair in page['keypairs']])
            _, found, rest = page.get('next', '').partition(_PAIRS)
            path = found + rest
        self.assertEqual([['a', 'b', 'c'], ['d']], seen)

    def test_a_name_is_a_user_s_once(self):
        self.add()
        answer = self.expect(409, self.demo.post(_PAIRS, {
            'name': 'laptop', 'public_key': KEY}))
        self.assertIn('laptop already exists', answer.json['error']['message'])
        self.add(client=self.other)

    def test_a_name_has_its_case(self):
        upper, lower = self.add('Laptop'), self.add('laptop')
        for name, pair in (('Laptop', upper), ('laptop', lower)):
            self.assertEqual(pair['fingerprint'], self.demo.get(
                f'{_PAIRS}/{name}').json['fingerprint'])

    def test_what_has_been_deleted_is_gone(self):
        self.add()
        self.expect(204, self.demo.delete(f'{_PAIRS}/laptop'))
        for answer in (self.demo.get(f'{_PAIRS}/laptop'),
                       self.demo.delete(f'{_PAIRS}/laptop')):
            self.expect(404, answer)
            self.assertEqual('Key pair laptop not found.',
                             answer.json['error']['message'])

    def test_nobody_reaches_those_of_others(self):
        self.add()
        query = '?user_id=demo'
        self.expect(404, self.other.get(f'{_PAIRS}/laptop'))
        self.assertEqual([], self.other.get(_PAIRS).json['keypairs'])
        for answer in (
                self.other.get(f'{_PAIRS}/laptop{query}'),
                self.other.get(f'{_PAIRS}{query}'),
                self.other.delete(f'{_PAIRS}/laptop{query}'),
                self.other.post(_PAIRS, {'name': 'x', 'user_id': 'demo'})):
            self.expect(403, answer)
            self.assertIn('mogan:keypair:all_users',
                          answer.json['error']['message'])
        # His own name is no other.
        self.expect(200, self.demo.get(f'{_PAIRS}{query}'))

    def test_an_administrator_reaches_those_that_he_names(self):
        made = self.add(client=self.admin, user_id='demo')
        self.assertEqual('demo', made['user_id'])
        self.expect(404, self.admin.get(f'{_PAIRS}/laptop'))
        self.expect(200, self.demo.get(f'{_PAIRS}/laptop'))
        self.expect(204, self.admin.delete(f'{_PAIRS}/laptop?user_id=demo'))

    def test_a_name_may_be_that_of_an_account(self):
        for name in ('me@laptop', 'me@laptop.example.org', 'id_rsa.pub',
                     'my key', '.ssh', '@', '...'):
            made = self.add(name, public_key=f'\r\n{KEY}\r\n')
            self.assertEqual((name, KEY), (made['name'], made['public_key']))
            path = f'{_PAIRS}/{urllib.parse.quote(name)}'
            self.assertTrue(made['links'][0]['href'].endswith(path))
            for one in (path, f'{_PAIRS}/{name.replace(" ", "%20")}'):
                self.assertEqual(name, self.expect(
                    200, self.demo.get(one)).json['name'])
            self.expect(204, self.demo.delete(path))
        for name in ('.', '..', 'a/b', ' a', 'a ', '@ ', 'a\nb', 'a:b'):
            self.expect(400, self.demo.post(_PAIRS, {'name': name}))

    def test_what_makes_no_sense_is_told_so(self):
        for body, place in (
                ({}, 'name'), ({'name': 'a/b'}, '$.name'),
                ({'name': 'a '}, '$.name'), ({'name': ''}, '$.name'),
                ({'name': 'x' * 256}, '$.name'),
                ({'name': 'a', 'type': 'x509'}, "one of ['ssh']"),
                ({'name': 'a', 'public_key': 'ssh-rsa A'}, '$.public_key'),
                ({'name': 'a', 'public_key': 'x\ny'}, '$.public_key'),
                ({'name': 'a', 'public_key': ''}, '$.public_key'),
                ({'name': 'a', 'private_key': KEY}, 'private_key')):
            answer = self.expect(400, self.demo.post(_PAIRS, body))
            self.assertIn(place, answer.json['error']['message'])
        for path in ('a.b', 'x' * 256, '%0a'):
            self.assertIn(self.demo.get(f'{_PAIRS}/{path}').status,
                          {400, 404})
        self.assertEqual([], self.demo.get(_PAIRS).json['keypairs'])


class TestCap(KeyPairsTest):

    def deploy(self):
        deployment = super().deploy()
        deployment.conf.set_override('max_keypairs', 2, 'api')
        deployment.application = deployment.make_application()
        return deployment

    def test_a_user_has_only_so_many(self):
        for name in ('a', 'b'):
            self.add(name)
        answer = self.expect(409, self.demo.post(_PAIRS, {'name': 'c'}))
        self.assertIn('may have 2 key pairs',
                      answer.json['error']['message'])
        self.assertEqual(2, len(self.demo.get(_PAIRS).json['keypairs']))
        self.add('a', self.other)
        self.demo.delete(f'{_PAIRS}/a')
        self.add('c')


class TestInstances(KeyPairsTest):

    engines = 1

    def test_an_instance_keeps_the_key_that_it_was_given(self):
        self.add(public_key=KEY)
        uuid = self.make_instance(key_name='laptop')
        self.expect(204, self.demo.delete(f'{_PAIRS}/laptop'))
        self.add()
        self.ask(uuid, 'rebuild', 'demo')
        self.wait_for(uuid, status='active')
        drive = self.hardware.config_drive(self.node_of(uuid).uuid)
        self.assertEqual({'laptop': KEY}, drive['meta_data']['public_keys'])
        self.assertEqual('laptop', self.see(uuid)['key_name'])

    def test_keys_beside_a_key_pair_are_there_as_well(self):
        own = self.add()['public_key']
        uuid = self.make_instance(key_name='laptop', ssh_keys=[KEY])
        drive = self.hardware.config_drive(self.node_of(uuid).uuid)
        self.assertEqual({'ssh_keys.0': KEY, 'laptop': own},
                         drive['meta_data']['public_keys'])

    def test_a_key_pair_of_another_user_is_none(self):
        self.add(client=self.other)
        self.expect(400, self.demo.post('/v1/instances', {
            'name': 'web', 'image_uuid': base.IMAGE, 'key_name': 'laptop',
            'flavor_uuid': self.make_flavor()}))

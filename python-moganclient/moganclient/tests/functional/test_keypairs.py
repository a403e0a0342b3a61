# SPDX-License-Identifier: Apache-2.0
from moganclient import exceptions
from moganclient.tests.functional import base
from moganclient.v1 import client


class TestKeypairs(base.ServiceTest):

    def test_a_pair_is_made_shown_and_forgotten(self):
        auth = self.service.auth('demo')
        pairs = client.Client(**auth).keypair
        made = pairs.create('my laptop')
        self.assertIn('PRIVATE KEY', made.private_key)
        self.assertEqual(made.fingerprint,
                         pairs.get('my laptop').fingerprint)
        self.assertEqual(['my laptop'], [one.name for one in pairs.list()])
        self.assertEqual([], list(self.admin.keypairs()))
        pairs.delete('my laptop')
        self.assertRaises(exceptions.NotFound, pairs.delete, 'my laptop')
        self.demo.delete_keypair('my laptop')

    def test_a_key_that_there_is_is_kept(self):
        made = self.demo.create_keypair(name='a')
        self.addCleanup(self.demo.delete_keypair, 'a')
        kept = self.demo.create_keypair(name='b', public_key=made.public_key)
        self.addCleanup(self.demo.delete_keypair, 'b')
        self.assertEqual(made.fingerprint, kept.fingerprint)
        self.assertRaises(exceptions.Conflict, self.demo.create_keypair,
                          name='b')

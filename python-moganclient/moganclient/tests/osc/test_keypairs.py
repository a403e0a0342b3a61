# SPDX-License-Identifier: Apache-2.0
"""Key pairs, from the file to the instance."""

import pathlib

import fixtures

from moganclient.tests.osc import base

BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----\n'
END = '-----END OPENSSH PRIVATE KEY-----\n'


class TestKeypairs(base.CommandTest):

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)

    def test_a_pair_is_made_and_its_private_key_shown_once(self):
        done = self.run_group('keypair create mine')
        self.assertEqual((0, ''), (done.status, done.err))
        self.assertTrue(done.out.startswith(BEGIN), done.out)
        table = done.out.partition(END)[2]
        self.assertTrue(table.startswith('+'), done.out)
        self.assertIn('| name        | mine', table)
        shown = self.ask('keypair show mine')
        self.assertNotIn('private_key', shown)
        self.assertIn(shown['fingerprint'], table)
        self.tell('keypair delete mine')
        self.assertEqual('Key pair mine not found.',
                         self.refused('keypair show mine'))

    def test_a_program_finds_the_private_key_in_a_field(self):
        made = self.ask('keypair create fielded')
        self.assertTrue(made['private_key'].startswith(BEGIN))
        done = self.run_group('keypair create valued -f value '
                              '-c private_key')
        self.assertTrue(done.out.startswith(BEGIN), done.out)
        # Nobody can see it later, so no choice of fields leaves it out.
        done = self.run_group('keypair create named -f value -c name')
        self.assertTrue(done.out.startswith(BEGIN), done.out)
        self.assertTrue(done.out.endswith(f'{END}named\n'), done.out)
        self.tell('keypair delete fielded valued named')

    def test_a_private_key_is_written_where_its_owner_alone_reads_it(self):
        path = self.directory / 'key'
        made = self.ask('keypair create written --private-key', str(path))
        self.assertNotIn('private_key', made)
        text = path.read_text()
        self.assertTrue(text.startswith(BEGIN) and text.endswith(END), text)
        self.assertEqual(0o600, path.stat().st_mode & 0o777)
        self.assertEqual(f'Cannot write {path}: File exists',
                         self.refused('keypair create again --private-key',
                                      str(path)))
        self.assertEqual(text, path.read_text())
        other = self.directory / 'other'
        self.assertIn('written', self.refused(
            'keypair create written --private-key', str(other)))
        self.assertFalse(other.exists())
        self.assertEqual(['written'], [
            row['Name'] for row in self.ask('keypair list')])
        self.tell('keypair delete written')

    def test_a_key_that_there_is_is_kept_and_given_to_an_instance(self):
        made = self.ask('keypair create first', cloud='mogan-demo')
        path = self.directory / 'key.pub'
        path.write_text(f'{made["public_key"]} me@home\n')
        kept = self.ask('keypair create second --key-type ssh --public-key',
                        str(path), cloud='mogan-demo')
        self.assertEqual(
            {'Name': 'second', 'Type': 'ssh',
             'Fingerprint': made['fingerprint']},
            self.ask('keypair list', cloud='mogan-demo')[1])
        self.assertNotIn('private_key', kept)
        built = self.create('keyed', '--key-name', 'second',
                            cloud='mogan-demo')
        self.assertEqual('second', built['key_name'])
        done = self.run_group('keypair delete first nosuch second',
                              cloud='mogan-demo')
        self.assertEqual((1, 'nosuch: Key pair nosuch not found.\n'),
                         (done.status, done.err))
        self.assertEqual([], self.ask('keypair list', cloud='mogan-demo'))

    def test_a_private_key_stays_at_home(self):
        path = self.directory / 'key'
        for text in ('-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n',
                     '# mine\n-----BEGIN PRIVATE KEY-----\nMIIE\n',
                     'PuTTY-User-Key-File-3: ssh-ed25519\n'):
            path.write_text(text)
            self.assertIn(f'{path} is a private key', self.refused(
                'keypair create mine --public-key', str(path)))

    def test_an_administrator_keeps_those_of_others(self):
        self.ask('keypair create theirs --user someone')
        self.assertEqual(['theirs'], [
            row['Name'] for row in self.ask('keypair list --user someone')])
        self.assertEqual('someone', self.ask(
            'keypair show theirs --user someone')['user_id'])
        self.assertEqual('Key pair theirs not found.',
                         self.refused('keypair show theirs'))
        self.assertIn('Policy does not allow', self.refused(
            'keypair list --user someone', cloud='mogan-demo'))
        self.tell('keypair delete theirs --user someone')

# SPDX-License-Identifier: Apache-2.0
"""Public keys in OpenSSH's format."""

import struct
from base64 import b64encode

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from oslotest import base

from mogan.api import sshkeys


def text_of(key):
    return key.public_key().public_bytes(
        serialization.Encoding.OpenSSH,
        serialization.PublicFormat.OpenSSH).decode()


def _string(value):
    return struct.pack('>I', len(value)) + value


def on_a_token():
    """A key whose private half is on a token."""
    kind = b'sk-ssh-ed25519@openssh.com'
    raw = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    blob = _string(kind) + _string(raw) + _string(b'ssh:')
    return f'{kind.decode()} {b64encode(blob).decode()}'


# As ssh-keygen made and shows it.
KEY = ('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDBVqqxZ9mxLMyCHakzoBYZnQwfjeb0Z'
       '+ZdaAlZGav4B ann@example.com')
FINGERPRINT = 'SHA256:qcHqoPzh+jYdZ1bo07s0B6oHy9lPa8LvlGUwqW/eNAg'


class TestKeys(base.BaseTestCase):

    def test_a_fingerprint_is_the_one_that_ssh_keygen_shows(self):
        self.assertEqual((KEY, FINGERPRINT), sshkeys.read(f'{KEY}\n'))

    def test_the_kinds_that_servers_take_are_keys(self):
        for text in (
                text_of(ed25519.Ed25519PrivateKey.generate()),
                text_of(rsa.generate_private_key(65537, 2048)),
                text_of(ec.generate_private_key(ec.SECP521R1())),
                on_a_token()):
            self.assertEqual(text, sshkeys.read(text).text)

    def test_what_is_no_key_is_told_so(self):
        for text, word in (
                ('', 'none of the kinds'), ('hello', 'none of the kinds'),
                ('ssh-rsa', 'is not a public key'),
                ('ssh-rsa AAAA', 'is not a public key'),
                ('ssh-rsa \u00e9', 'is not a public key'),
                (KEY.replace('ssh-ed25519', 'ssh-rsa'), 'is not a public'),
                (KEY.replace('AAAAC3', ''), 'is not a public key'),
                ('ssh-dss AAAA', 'none of the kinds'),
                (KEY.replace('ssh-ed25519', 'ssh-ed25519-cert-v01@openssh'
                             '.com'), 'none of the kinds')):
            error = self.assertRaises(ValueError, sshkeys.read, text)
            self.assertIn(word, str(error))

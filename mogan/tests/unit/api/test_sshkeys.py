# SPDX-License-Identifier: Apache-2.0
"""Public keys in OpenSSH's format."""

import struct
from base64 import b64encode

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import (
    ec,
    ed448,
    ed25519,
    rsa,
)
from oslotest import base

from mogan.api import sshkeys
from mogan.tests.unit.api import keys


def text_of(key):
    return key.public_key().public_bytes(
        serialization.Encoding.OpenSSH,
        serialization.PublicFormat.OpenSSH).decode()


def _string(value):
    return struct.pack('>I', len(value)) + value


def on_a_token():
    """Return a key whose private half is on a hardware token."""
    kind = b'sk-ssh-ed25519@openssh.com'
    raw = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    blob = _string(kind) + _string(raw) + _string(b'ssh:')
    return f'{kind.decode()} {b64encode(blob).decode()}'


# As ssh-keygen made and shows it.
KEY = ('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDBVqqxZ9mxLMyCHakzoBYZnQwfjeb0Z'
       '+ZdaAlZGav4B ann@example.com')
FINGERPRINT = 'SHA256:qcHqoPzh+jYdZ1bo07s0B6oHy9lPa8LvlGUwqW/eNAg'

# Of 512 bits: cryptography makes none any more.
SHORT = ('ssh-rsa '
         'AAAAB3NzaC1yc2EAAAADAQABAAAAQQC2KXv7m8TwOCHGRjMfsed6Umrq4yF/kR'
         'MX1csf0riuNtLBtQuWIvun/WZHGE3JBIlLregyLTSwQGFQI254xaI9')


# The mark, and a separator of lines; overrides are written out, for an editor
# would act on them.
MARK = '\ufeff'


class TestForms(base.BaseTestCase):
    """A public key of any program is kept as one line."""

    def kept(self, text):
        return sshkeys.read(text).text

    def test_one_line_is_kept_as_it_is(self):
        for comment in ('', ' me@laptop', ' # Schl\u00fcssel \u2013 B\u00fcro',
                        ' J\u00fcrgen M\u00fcller \u2013 B\u00fcro'):
            line = f'{keys.ED25519}{comment}'
            self.assertEqual(line, self.kept(line))
            for before, after in (('', '\n'), ('', '\r\n'), ('\n', '\n'),
                                  ('\r\n\r\n', ''), (MARK, '\r\n')):
                self.assertEqual(line, self.kept(f'{before}{line}{after}'))

    def test_columns_may_have_tabs_between_them(self):
        line = f'{keys.RSA}\tme@laptop.local'
        self.assertEqual(f'{keys.RSA} me@laptop.local',
                         self.kept(line.replace(' ', '\t') + '\n'))

    def test_putty_and_openssl_have_forms_of_their_own(self):
        for end in ('\n', '\r\n'):
            self.assertEqual(f'{keys.RSA} a key',
                             self.kept(keys.RFC4716.replace('\n', end)))
            self.assertEqual(keys.RSA, self.kept(keys.PEM.replace('\n', end)))
        self.assertEqual(
            f'{keys.RSA} in two', self.kept(keys.RFC4716.replace(
                '"a key"', '"in \\\ntwo"\nX-Other: header')))
        for key in (ec.generate_private_key(ec.SECP256R1()),
                    ed25519.Ed25519PrivateKey.generate()):
            self.assertEqual(text_of(key), self.kept(
                key.public_key().public_bytes(
                    serialization.Encoding.PEM, serialization.PublicFormat
                    .SubjectPublicKeyInfo).decode()))

    def test_the_fingerprint_is_of_the_key_alone(self):
        same = {sshkeys.read(text).fingerprint for text in (
            keys.RSA, keys.RFC4716, keys.PEM, f'{keys.RSA} me')}
        self.assertEqual(1, len(same))

    def test_what_is_in_no_form_is_told_so(self):
        own = ed25519.Ed25519PrivateKey.generate()
        private = own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption()).decode()
        other = ed448.Ed448PrivateKey.generate().public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        for text, word in (
                (private, 'is a private key'),
                (f'{keys.RSA}\n{keys.ED25519}', 'more than one line'),
                (f'{keys.RSA[:99]}\n{keys.RSA[99:]}', 'more than one line'),
                (keys.RFC4716 * 2, 'not one public key'),
                (keys.RFC4716[:200], 'not one public key'),
                (keys.RFC4716.replace('AAAAB3', '!'), 'not one public key'),
                (keys.RFC4716.replace('AAAAB3', ''), 'not one public key'),
                (('---- BEGIN SSH2 PUBLIC KEY ----\n'
                  '---- END SSH2 PUBLIC KEY ----'), 'not one public key'),
                (keys.PEM[:200], 'not a public key in PEM'),
                (other, 'not a public key in PEM'),
                (f'{keys.RSA} a\x1bb', 'non-printable'),
                (f'{keys.RSA} a\u202eb', 'non-printable'),
                (keys.RFC4716.replace('a key', 'a\u2066b'), 'non-printable')):
            error = self.assertRaises(ValueError, sshkeys.read, text)
            self.assertIn(word, str(error), text)
            self.assertNotIn(private[60:80], str(error))


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
                ('', 'one of the types'), ('hello', 'one of the types'),
                ('ssh-rsa', 'is not a public key'),
                ('ssh-rsa AAAA', 'is not a public key'),
                ('ssh-rsa \u00e9', 'is not a public key'),
                (KEY.replace('ssh-ed25519', 'ssh-rsa'), 'is not a public'),
                (KEY.replace('AAAAC3', ''), 'is not a public key'),
                (KEY.replace('AAAAC3', 'AAAAC3!'), 'is not a public key'),
                (KEY.replace('4B ann', '4B! ann'), 'is not a public key'),
                ('ssh-dss AAAA', 'one of the types'),
                (SHORT, 'an RSA key of 512 bits'),
                (KEY.replace('ssh-ed25519', 'ssh-ed25519-cert-v01@openssh'
                             '.com'), 'one of the types')):
            error = self.assertRaises(ValueError, sshkeys.read, text)
            self.assertIn(word, str(error))

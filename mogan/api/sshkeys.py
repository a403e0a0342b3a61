# SPDX-License-Identifier: Apache-2.0
"""SSH public keys, stored as lines of OpenSSH's authorized_keys."""

import base64
import binascii
import hashlib
import re
import struct
import warnings
from typing import Final, NamedTuple

from cryptography import exceptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

# Certificates are for servers that trust their issuer, and no server takes
# a DSA key any more.
_KINDS: Final = frozenset({
    'ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521', 'sk-ssh-ed25519@openssh.com',
    'sk-ecdsa-sha2-nistp256@openssh.com'})
_SHORTEST: Final = 1024  # bits of an RSA key, for OpenSSH
_RFC4716: Final = re.compile(
    r'---- BEGIN SSH2 PUBLIC KEY ----\n(.*?)\n'
    r'---- END SSH2 PUBLIC KEY ----', re.DOTALL)
_HEADER: Final = re.compile(r'([^:\n]{1,64}):[ \t]*((?:[^\n]*\\\n)*[^\n]*)\n')
_HIDDEN: Final = re.compile(
    '[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]')
_Errors: Final = (ValueError, exceptions.UnsupportedAlgorithm)


class PublicKey(NamedTuple):
    """A public key, with its fingerprint in the format of ssh-keygen."""

    text: str
    fingerprint: str


def read(text: str) -> PublicKey:
    """Return the public key in a text: a line in OpenSSH's format, or a block
    in that of PuTTY (RFC 4716) or OpenSSL (PEM).

    Raises ValueError, whose text names the fault.
    """
    # Editors of Windows write a mark first.
    text = text.removeprefix('\ufeff').replace('\r\n', '\n').strip()
    if 'PRIVATE KEY' in text.partition('\n')[0]:
        raise ValueError('is a private key: keep it to yourself, and send '
                         'the public one')
    if text.startswith('---- '):
        line = _from_rfc4716(text)
    elif text.startswith('-----'):
        line = _from_pem(text)
    else:
        line = text
    return _from_line(line)


def _from_line(text: str) -> PublicKey:
    if '\n' in text:
        raise ValueError('has more than one line: send one key')
    kind, blob, comment = (*text.split(None, 2), '', '', '')[:3]
    if kind not in _KINDS:
        raise ValueError('is not a public key of one of the types '
                         f'{", ".join(sorted(_KINDS))}')
    comment = ' '.join(comment.split('\t')).strip()
    if _HIDDEN.search(comment):
        raise ValueError('has a non-printable character in its comment')
    line = ' '.join(filter(None, (kind, blob, comment)))
    try:
        with warnings.catch_warnings(action='ignore'):
            key = serialization.load_ssh_public_key(line.encode())
        # More strictly than above, and as strictly as OpenSSH.
        base64.b64decode(blob, validate=True)
    except _Errors as error:
        raise ValueError(
            "is not a public key in OpenSSH's format") from error
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SHORTEST:
        raise ValueError(f'is an RSA key of {key.key_size} bits: at least '
                         f'{_SHORTEST} are required')
    # Of all that the line holds: cryptography knows nothing of what comes
    # behind the key itself where it lies on a token.
    digest = hashlib.sha256(base64.b64decode(blob)).digest()
    return PublicKey(line, 'SHA256:' + base64.b64encode(
        digest).decode().rstrip('='))


def _from_rfc4716(text: str) -> str:
    """Return the line of a key in the format of RFC 4716."""
    found = _RFC4716.fullmatch(text)
    if found is None:
        raise ValueError('is not one public key in the format of RFC 4716')
    body, comment = f'{found[1]}\n', ''
    while header := _HEADER.match(body):
        if header[1].lower() == 'comment':
            comment = header[2].replace('\\\n', '').strip().strip('"')
        body = body[header.end():]
    try:
        blob = base64.b64decode(''.join(body.split()), validate=True)
        length = struct.unpack_from('>I', blob)[0]
        kind = blob[4:4 + length].decode('ascii')
    except (binascii.Error, struct.error, UnicodeDecodeError) as error:
        raise ValueError('is not one public key in the format of RFC 4716'
                         ) from error
    return f'{kind} {base64.b64encode(blob).decode()} {comment}'


def _from_pem(text: str) -> str:
    """Return the line of a key in PEM."""
    try:
        key = serialization.load_pem_public_key(text.encode())
        return key.public_bytes(
            serialization.Encoding.OpenSSH,
            serialization.PublicFormat.OpenSSH).decode()
    except _Errors as error:
        raise ValueError('is not a public key in PEM that works with '
                         'SSH') from error


def generate() -> tuple[str, str]:
    """Return a new private key and its public key; only the caller may keep
    the former."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption())
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()

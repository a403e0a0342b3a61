# SPDX-License-Identifier: Apache-2.0
"""Public keys in OpenSSH's format, as a line of authorized_keys has them."""

import base64
import hashlib
import warnings
from typing import Final, NamedTuple

from cryptography import exceptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

# Certificates are for servers that trust their issuer, and no server takes
# a DSA key any more.
_KINDS: Final = frozenset({
    'ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521', 'sk-ssh-ed25519@openssh.com',
    'sk-ecdsa-sha2-nistp256@openssh.com'})


class PublicKey(NamedTuple):
    """A key, and its fingerprint as ssh-keygen shows it."""

    text: str
    fingerprint: str


def read(text: str) -> PublicKey:
    """The key of a text.  Raises ValueError, whose text says what is wrong
    with it."""
    words = text.split()
    if not words or words[0] not in _KINDS:
        raise ValueError(f'is none of the kinds {", ".join(sorted(_KINDS))}')
    try:
        with warnings.catch_warnings(action='ignore'):
            serialization.load_ssh_public_key(text.strip().encode())
    except (ValueError, exceptions.UnsupportedAlgorithm) as error:
        raise ValueError(
            "is not a public key in OpenSSH's format") from error
    # Of all that the line holds: cryptography knows nothing of what comes
    # behind the key itself where it lies on a token.
    digest = hashlib.sha256(base64.b64decode(words[1])).digest()
    return PublicKey(text.strip(), 'SHA256:' + base64.b64encode(
        digest).decode().rstrip('='))


def generate() -> tuple[str, str]:
    """A new private key, and its public one; the caller alone may keep the
    former."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption())
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()

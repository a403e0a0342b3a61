# SPDX-License-Identifier: Apache-2.0
import builtins
from collections.abc import Iterable

from moganclient.sdk.v1.keypair import Keypair
from moganclient.v1 import base

KeyPair = Keypair


class KeyPairManager(base.Manager[Keypair]):
    """Public keys, the caller's own unless a user is named."""

    def _members(self) -> Iterable[Keypair]:
        return self.api.keypairs()

    def list(self, user_id: str | None = None) -> list[Keypair]:
        return builtins.list(self.api.keypairs(user_id=user_id))

    def get(self, name: str, user_id: str | None = None) -> Keypair:
        return self.api.get_keypair(name, user_id)

    def create(self, name: str, user_id: str | None = None,
               public_key: str | None = None,
               keypair_type: str | None = None) -> Keypair:
        """Import a public key, or generate a key pair, which is returned with
        its private key."""
        wanted = {'user_id': user_id, 'public_key': public_key,
                  'type': keypair_type}
        return self.api.create_keypair(
            name=name, **{key: value for key, value in wanted.items()
                          if value is not None})

    def delete(self, name: str, user_id: str | None = None) -> None:
        self.api.delete_keypair(name, user_id, ignore_missing=False)

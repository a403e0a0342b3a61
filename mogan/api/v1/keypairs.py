# SPDX-License-Identifier: Apache-2.0
"""The key pairs of users."""

import urllib.parse
from typing import Any, Final

import pecan

from mogan import exception
from mogan.api import links, sshkeys, types
from mogan.api.routing import Resource, route
from mogan.api.v1.schemas import keypairs as schemas
from mogan.db import keypairs, rows

_OTHERS: Final = 'mogan:keypair:all_users'
_USER: Final = types.Text(64)


def _user(user_id: str | None) -> str:
    """Return the user whose key pairs are meant: the caller, unless another
    one is named and policy allows it. Raises Forbidden."""
    request = pecan.request
    own: str = request.context.user_id
    if user_id and user_id != own:
        request.services.policy.authorize(request.context, _OTHERS, {})
        return user_id
    return own


def _shown(row: rows.KeyPair) -> dict[str, Any]:
    return schemas.VIEW(row) | {'links': links.of(
        'keypairs', urllib.parse.quote(row.name), links.base())}


class KeyPairController(Resource):
    """One key pair."""

    key = 'name'

    @route(schemas.KeyPair, schemas.NAME, rule='mogan:keypair:get_one',
           query={'user_id': _USER})
    def get(self, name: str, user_id: str | None = None) -> dict[str, Any]:
        """Show a key pair."""
        return _shown(keypairs.get(pecan.request.services.db, _user(user_id),
                                   name))

    @route(None, schemas.NAME, rule='mogan:keypair:delete', status_code=204,
           query={'user_id': _USER})
    def delete(self, name: str, user_id: str | None = None) -> None:
        """Delete a key pair."""
        keypairs.delete(pecan.request.services.db, _user(user_id), name)


class KeyPairsController(Resource):
    """The key pairs of a user."""

    item = KeyPairController()

    @route(schemas.KeyPairs, rule='mogan:keypair:get_all',
           query={'user_id': _USER, 'limit': types.limit,
                  'marker': types.Text()})
    def get(self, user_id: str | None = None, limit: int = types.MAX_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """List key pairs by name."""
        rows, more = keypairs.page(
            pecan.request.services.db, _user(user_id), limit=limit,
            marker=marker)
        return links.page('keypairs', [_shown(row) for row in rows],
                          rows[-1].name if more else None)

    @route(schemas.CreatedKeyPair, rule='mogan:keypair:create',
           body=schemas.NewKeyPair, status_code=201,
           raises=(exception.KeyPairExists, exception.TooManyKeyPairs),
           location=True)
    def post(self, wanted: schemas.NewKeyPair) -> dict[str, Any]:
        """Import a public key, or generate a key pair."""
        services = pecan.request.services
        user_id = _user(wanted.user_id or None)
        private, public = ((None, wanted.public_key) if wanted.public_key
                           else sshkeys.generate())
        try:
            key = sshkeys.read(public)
        except ValueError as error:
            raise exception.Invalid(place='$.public_key',
                                    fault=str(error)) from None
        row = keypairs.create(services.db, user_id, {
            'name': wanted.name, 'public_key': key.text,
            'fingerprint': key.fingerprint}, services.settings.max_keypairs)
        shown = _shown(row)
        links.locate(f'keypairs/{urllib.parse.quote(row.name)}')
        return shown | ({'private_key': private} if private else {})

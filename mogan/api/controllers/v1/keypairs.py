# SPDX-License-Identifier: Apache-2.0
"""Key pairs: the public keys that a user gives to instances."""

import urllib.parse
from typing import Any, Final

import pecan

from mogan import exception
from mogan.api import sshkeys, types
from mogan.api.controllers import links
from mogan.api.controllers.place import Place
from mogan.api.controllers.v1.shapes import keypairs as shapes
from mogan.api.expose import expose
from mogan.db import keypairs

_OTHERS: Final = 'mogan:keypair:all_users'
_USER: Final = types.Text(64)


def _user(user_id: str | None) -> str:
    """Whose key pairs: the caller's, unless others are asked for by somebody
    who may.  Raises Forbidden."""
    request = pecan.request
    own: str = request.context.user_id
    if user_id and user_id != own:
        request.services.policy.authorize(request.context, _OTHERS, {})
        return user_id
    return own


def _shown(row: Any) -> dict[str, Any]:
    return shapes.VIEW(row) | {'links': links.of(
        'keypairs', urllib.parse.quote(row.name), links.base())}


class KeyPairController(Place):
    """One key pair."""

    key = 'name'

    @expose(shapes.KeyPair, shapes.NAME, rule='mogan:keypair:get_one',
            query={'user_id': _USER})
    def get(self, name: str, user_id: str | None = None) -> dict[str, Any]:
        """Show a key pair."""
        return _shown(keypairs.get(pecan.request.services.db, _user(user_id),
                                   name))

    @expose(None, shapes.NAME, rule='mogan:keypair:delete', status_code=204,
            query={'user_id': _USER})
    def delete(self, name: str, user_id: str | None = None) -> None:
        """Delete a key pair."""
        keypairs.delete(pecan.request.services.db, _user(user_id), name)


class KeyPairsController(Place):
    """All key pairs of a user."""

    item = KeyPairController()

    @expose(shapes.KeyPairs, rule='mogan:keypair:get_all',
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

    @expose(shapes.CreatedKeyPair, rule='mogan:keypair:create',
            body=shapes.NewKeyPair, schema=shapes.CREATE, status_code=201,
            raises=(exception.KeyPairExists, exception.TooManyKeyPairs),
            location=True)
    def post(self, wanted: shapes.NewKeyPair) -> dict[str, Any]:
        """Keep a public key, or make a key pair."""
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

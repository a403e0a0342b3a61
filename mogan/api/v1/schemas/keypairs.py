# SPDX-License-Identifier: Apache-2.0
"""Schemas of key pairs, and of requests to create one."""

import re
from typing import Any, Final

from wsme import types as wtypes

from mogan import exception
from mogan.api import serialization, types
from mogan.api.v1.schemas import fields, inputs

# As long as the column.
_USER: Final[dict[str, Any]] = {
    'type': ['string', 'null'], 'minLength': 1, 'maxLength': 64,
    **fields.TEXT}
KINDS: Final = ('ssh',)


class _Name(types.Argument):
    """A key pair's name in a path; any other string is not found."""

    name = 'name'
    schema = inputs.KEY_NAME

    def frombasetype(self, value: str) -> str:
        if len(value) > fields.LONGEST or not re.search(
                inputs.KEY_NAME['pattern'], value):
            raise exception.KeyPairNotFound(name=types.clip(value))
        return value


NAME: Final = _Name()


class NewKeyPair(wtypes.Base):
    """A request to import or generate a key pair."""

    name = types.field(str, inputs.KEY_NAME, required=True)
    type = types.field(str, fields.one_of(KINDS))
    public_key = types.field(
        str, {'anyOf': [inputs.SSH_KEY, {'type': 'null'}]})
    user_id = types.field(str, _USER)


class KeyPair(wtypes.Base):
    """A key pair in responses."""

    user_id = types.attribute(str)
    name = types.attribute(str, schema=inputs.KEY_NAME)
    fingerprint = types.attribute(str)
    public_key = types.attribute(str)
    type = types.attribute(str, source=lambda _: KINDS[0],
                           schema=fields.one_of(KINDS))
    created_at = types.attribute(types.timestamp)
    updated_at = types.attribute(types.timestamp, source=lambda _: None,
                                 nullable=True)
    links = types.attribute([{str: str}], source=None, schema=fields.LINKS)


class CreatedKeyPair(KeyPair):
    """A new key pair, with the private key if it was generated."""

    private_key = types.attribute(str, source=None, optional=True)


class KeyPairs(wtypes.Base):
    """A page of key pairs."""

    keypairs = types.attribute([KeyPair])
    next = types.attribute(str, optional=True)


VIEW: Final = serialization.View(KeyPair)

# SPDX-License-Identifier: Apache-2.0
"""What a key pair looks like, and what adds one."""

import re
from typing import Any, Final

from wsme import types as wtypes

from mogan import exception
from mogan.api import types, views
from mogan.api.controllers.v1.shapes import inputs, words

# As long as the column.
_USER: Final[dict[str, Any]] = {
    'type': ['string', 'null'], 'minLength': 1, 'maxLength': 64,
    'pattern': words.TEXT}
KINDS: Final = ('ssh',)
CREATE: Final = words.members({
    'name': inputs.KEY_NAME, 'type': words.one_of(KINDS),
    'public_key': {'anyOf': [inputs.SSH_KEY, {'type': 'null'}]},
    'user_id': _USER}, 'name')


class _Name(types.Argument):
    """A key pair's name in a path: another text names nothing."""

    name = 'name'
    schema = inputs.KEY_NAME

    def frombasetype(self, value: str) -> str:
        if len(value) > words.LONGEST or not re.search(
                inputs.KEY_NAME['pattern'], value):
            raise exception.KeyPairNotFound(name=types.clip(value))
        return value


NAME: Final = _Name()


class NewKeyPair(wtypes.Base):
    """A key pair that is to be kept, or made."""

    name = wtypes.wsattr(str, mandatory=True)
    type = wtypes.wsattr(str)
    public_key = wtypes.wsattr(str)
    user_id = wtypes.wsattr(str)


class KeyPair(wtypes.Base):
    """A key pair as it is shown."""

    user_id = types.attribute(str)
    name = types.attribute(str, schema=inputs.KEY_NAME)
    fingerprint = types.attribute(str)
    public_key = types.attribute(str)
    type = types.attribute(str, source=lambda _: KINDS[0],
                           schema=words.one_of(KINDS))
    created_at = types.attribute(types.moment)
    updated_at = types.attribute(types.moment, source=lambda _: None,
                                 nullable=True)
    links = types.attribute([{str: str}], source=None, schema=words.LINKS)


class CreatedKeyPair(KeyPair):
    """A key pair that has been added, with the private key where it was made
    here."""

    private_key = types.attribute(str, source=None, optional=True)


class KeyPairs(wtypes.Base):
    """A page of key pairs."""

    keypairs = types.attribute([KeyPair])
    next = types.attribute(str, optional=True)


VIEW: Final = views.View(KeyPair)

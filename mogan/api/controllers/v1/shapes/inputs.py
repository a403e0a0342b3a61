# SPDX-License-Identifier: Apache-2.0
"""What an instance can be given when it is made, beside what describes it."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from wsme import types as wtypes

from mogan import exception
from mogan.api import sshkeys
from mogan.api.controllers.v1.shapes import words

# A petabyte, or a terabyte of swap; in digits, so that texts have it too.
_MOST: Final = 999_999
_SIZE: Final[dict[str, Any]] = {'anyOf': [
    {'type': 'integer', 'minimum': 1, 'maximum': _MOST},
    {'type': 'string', 'pattern': '^0*[1-9][0-9]{0,5}$(?!\\n)',
     'maxLength': 16}]}
_NETWORK: Final = words.members(
    {'net_id': words.UUID, 'port_id': words.UUID}) | {
        'minProperties': 1, 'maxProperties': 1}
# One line, perhaps with its end.
SSH_KEY: Final[dict[str, Any]] = {
    'type': 'string', 'minLength': 1, 'maxLength': 16_384,
    'pattern': r'^[^\x00-\x1f\x7f]+\n?$'}
# With no space around it: for MariaDB those at the end are none.
KEY_NAME: Final[dict[str, Any]] = {
    'type': 'string', 'minLength': 1, 'maxLength': words.LONGEST,
    'pattern': '^[A-Za-z0-9_-]([A-Za-z0-9 _-]*[A-Za-z0-9_-])?$(?!\\n)'}
_USER_DATA: Final[dict[str, Any]] = {
    'type': 'string', 'maxLength': 65_535, 'contentEncoding': 'base64'}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {'anyOf': [schema, {'type': 'null'}]}


PROPERTIES: Final[dict[str, Any]] = {
    'user_data': _or_null(_USER_DATA),
    'ssh_keys': {'type': 'array', 'maxItems': 16, 'items': SSH_KEY},
    'key_name': _or_null(KEY_NAME),
    'networks': {'type': 'array', 'minItems': 1, 'maxItems': 16,
                 'items': _NETWORK},
    'partitions': words.members(
        dict.fromkeys(('root_gb', 'ephemeral_gb', 'swap_mb'), _SIZE),
        'root_gb')}

# What others have taken and nothing here can do.
_REFUSED: Final = {
    'personality': 'files cannot be put into an image: let user_data write '
                   'them',
    'scheduler_hints': 'there are no groups of instances: choose an '
                       'availability_zone',
    'adminPass': 'a password cannot be set: use key_name, ssh_keys or '
                 'user_data',
    'min_count': 'instances are made one at a time: send one request for '
                 'each',
    'max_count': 'instances are made one at a time: send one request for '
                 'each'}
# What says nothing beyond the default, and so is no wish.
_NO_WISHES: Final[dict[str, tuple[Any, ...]]] = {
    'personality': ([],), 'scheduler_hints': ({},),
    'min_count': (1, '1'), 'max_count': (1, '1')}


class Network(wtypes.Base):
    """A network that an instance is wanted in."""

    net_id = wtypes.wsattr(str)
    port_id = wtypes.wsattr(str)


class Partitions(wtypes.Base):
    """The sizes of an instance's partitions."""

    root_gb = wtypes.wsattr(int, mandatory=True)
    ephemeral_gb = wtypes.wsattr(int)
    swap_mb = wtypes.wsattr(int)


class Inputs(wtypes.Base):
    """What an instance can be given."""

    user_data = wtypes.wsattr(str)
    ssh_keys = wtypes.wsattr([str])
    key_name = wtypes.wsattr(str)
    networks = wtypes.wsattr([Network])
    partitions = wtypes.wsattr(Partitions)


def refuse(members: Mapping[str, Any], place: str = '$') -> None:
    """Raise Invalid for what a client may ask for and nobody can do;
    `members` are those of the object at the place."""
    for name, why in _REFUSED.items():
        value = members.get(name)
        if value and value not in _NO_WISHES.get(name, ()):
            raise exception.Invalid(place=f'{place}.{name}', fault=why)


def read_user_data(text: str | None, place: str = '$') -> str | None:
    """User data as it is kept.  Raises Invalid where it is no text in
    base64."""
    if not text:
        return None
    try:
        base64.b64decode(text, validate=True).decode('utf-8')
    except UnicodeDecodeError:
        fault = ('is not UTF-8 behind its base64: send binary data as a part '
                 'of a MIME message, in base64 once more')
    except ValueError:
        fault = 'is not base64 (there may be no line breaks in it)'
    else:
        return text
    raise exception.Invalid(place=f'{place}.user_data', fault=fault)


def read_ssh_keys(texts: list[str] | None,
                  place: str = '$') -> dict[str, str]:
    """Keys by names that no key pair has.  Raises Invalid."""
    keys = {}
    for number, text in enumerate(texts or ()):
        try:
            keys[f'ssh_keys.{number}'] = sshkeys.read(text).text
        except ValueError as error:
            raise exception.Invalid(place=f'{place}.ssh_keys[{number}]',
                                    fault=str(error)) from None
    return keys


def read_networks(networks: list[Network] | None,
                  ) -> list[dict[str, str]] | None:
    """Networks as they are kept."""
    return [{name: value.lower()} for network in networks or ()
            for name in ('net_id', 'port_id')
            if (value := getattr(network, name))] or None


def read_partitions(partitions: Partitions | None) -> dict[str, int] | None:
    """Partitions as they are kept."""
    if not partitions:
        return None
    return {name: value for name in ('root_gb', 'ephemeral_gb', 'swap_mb')
            if (value := getattr(partitions, name))}

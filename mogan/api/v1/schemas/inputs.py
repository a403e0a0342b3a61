# SPDX-License-Identifier: Apache-2.0
"""Schemas of an instance's inputs: user data, keys, networks and
partitions."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from wsme import types as wtypes

from mogan import exception
from mogan.api import sshkeys, types
from mogan.api.v1.schemas import fields

# A petabyte, or a terabyte of swap; in digits, so that texts have it too.
_MOST: Final = 999_999
_SIZE: Final[dict[str, Any]] = {'anyOf': [
    {'type': 'integer', 'minimum': 1, 'maximum': _MOST},
    {'description': f'a number from 1 to {_MOST}', 'type': 'string',
     'pattern': '^0*[1-9][0-9]{0,5}$(?!\\n)', 'maxLength': 16}]}
# `sshkeys` knows what one looks like.
SSH_KEY: Final[dict[str, Any]] = {
    'type': 'string', 'minLength': 1, 'maxLength': 16_384}
# With no space around it: for MariaDB those at the end are none.  No name that
# means another place in a path.
KEY_NAME: Final[dict[str, Any]] = {
    'description': 'a name of letters, digits, @, ., _, - and inner spaces',
    'type': 'string', 'minLength': 1, 'maxLength': fields.LONGEST,
    'pattern': r'^(?!\.{1,2}$)[A-Za-z0-9@._-]([A-Za-z0-9 @._-]*'
               r'[A-Za-z0-9@._-])?$(?!\n)'}
_USER_DATA: Final[dict[str, Any]] = {
    'type': 'string', 'maxLength': 65_535, 'contentEncoding': 'base64'}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {'anyOf': [schema, {'type': 'null'}]}


# What others have taken and nothing here can do.
_REFUSED: Final = {
    'personality': 'file injection is not supported: let user_data write '
                   'the files',
    'scheduler_hints': 'instance groups are not supported: choose an '
                       'availability_zone',
    'adminPass': 'setting a password is not supported: use key_name, '
                 'ssh_keys or user_data',
    'min_count': 'only one instance can be created at a time: send one '
                 'request for each',
    'max_count': 'only one instance can be created at a time: send one '
                 'request for each',
    'networks': 'networks are not supported yet: an instance is in those '
                'that its node is cabled to'}
# What says nothing beyond the default, and so is no wish.
_NO_WISHES: Final[dict[str, tuple[Any, ...]]] = {
    'personality': ([],), 'scheduler_hints': ({},),
    'min_count': (1, '1'), 'max_count': (1, '1')}


class Network(wtypes.Base):
    """A network, or a port, to attach to an instance."""

    net_id = types.field(str, fields.UUID)
    port_id = types.field(str, fields.UUID)


class Partitions(wtypes.Base):
    """The sizes of an instance's partitions."""

    root_gb = types.field(int, _SIZE, required=True)
    ephemeral_gb = types.field(int, _SIZE)
    swap_mb = types.field(int, _SIZE)


class Inputs(wtypes.Base):
    """The inputs of an instance."""

    user_data = types.field(str, _or_null(_USER_DATA))
    ssh_keys = types.field(
        [str], {'type': 'array', 'maxItems': 16, 'items': SSH_KEY})
    key_name = types.field(str, _or_null(KEY_NAME))
    networks = types.field([Network], {
        'type': 'array', 'minItems': 1, 'maxItems': 16,
        'items': types.body_schema(Network) | {
            'minProperties': 1, 'maxProperties': 1}})
    partitions = types.field(Partitions)


def refuse(members: Mapping[str, Any], place: str = '$') -> None:
    """Raise Invalid for fields that clients know and this service does not
    support; `members` are those of the object at the place."""
    for name, why in _REFUSED.items():
        value = members.get(name)
        if value and value not in _NO_WISHES.get(name, ()):
            raise exception.Invalid(place=f'{place}.{name}', fault=why)


def read_user_data(text: str | None, place: str = '$') -> str | None:
    """Return user data in the form that is stored.

    Raises Invalid where it is not base64 of a UTF-8 text.
    """
    if not text:
        return None
    try:
        base64.b64decode(text, validate=True).decode('utf-8')
    except UnicodeDecodeError:
        fault = ('is not UTF-8 text in base64: send binary data as a part '
                 'of a MIME message, encoded as base64 itself')
    except ValueError:
        fault = 'is not base64 (without line breaks)'
    else:
        return text
    raise exception.Invalid(place=f'{place}.user_data', fault=fault)


def read_ssh_keys(texts: list[str] | None,
                  place: str = '$') -> dict[str, str]:
    """Return keys by names that no key pair has. Raises Invalid."""
    keys = {}
    for number, text in enumerate(texts or ()):
        try:
            keys[f'ssh_keys.{number}'] = sshkeys.read(text).text
        except ValueError as error:
            raise exception.Invalid(place=f'{place}.ssh_keys[{number}]',
                                    fault=str(error)) from None
    return keys


def read_networks(networks: list[Network] | None,
                  place: str = '$') -> list[dict[str, str]] | None:
    """Return networks in the form that is stored. Raises Invalid."""
    found = [{name: value.lower()} for network in networks or ()
             for name in ('net_id', 'port_id')
             if (value := getattr(network, name))]
    ports = set()
    for number, network in enumerate(found):
        port = network.get('port_id')
        if port in ports:
            raise exception.Invalid(
                place=f'{place}.networks[{number}].port_id',
                fault=f'the port {port} is given twice')
        ports |= {port} - {None}
    return found or None


def read_partitions(partitions: Partitions | None) -> dict[str, int] | None:
    """Return partitions in the form that is stored."""
    if not partitions:
        return None
    return {name: value for name in ('root_gb', 'ephemeral_gb', 'swap_mb')
            if (value := getattr(partitions, name))}

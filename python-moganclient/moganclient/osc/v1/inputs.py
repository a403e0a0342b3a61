# SPDX-License-Identifier: Apache-2.0
"""What an instance can be given when it is made."""

import argparse
import base64
import pathlib

from osc_lib import exceptions
from osc_lib.cli import parseractions

from moganclient.osc.v1 import naming


def add_options(parser):
    """The options of create for it."""
    parser.add_argument(
        '--nic', metavar='<net-id=UUID, port-id=UUID>', action='append',
        dest='networks', type=_network,
        help='A network that it is wanted in, by uuid (can be repeated)')
    parser.add_argument('--user-data', metavar='<file>',
                        help='What its system reads when it first starts')
    parser.add_argument('--key-name', metavar='<key-name>',
                        help='A key pair to let in')
    parser.add_argument(
        '--ssh-key', metavar='<file>', action='append', dest='ssh_keys',
        help='A file with a public key to let in (can be repeated)')
    parser.add_argument(
        '--partition', metavar='<key=value>', dest='partitions',
        action=parseractions.KeyValueAction,
        help='root_gb, ephemeral_gb or swap_mb (can be repeated)')


def read(parsed_args):
    """The attributes that are asked for."""
    attrs = {name: value for name in ('networks', 'key_name', 'partitions')
             if (value := getattr(parsed_args, name))}
    if parsed_args.user_data:
        attrs['user_data'] = base64.b64encode(
            _content(parsed_args.user_data)).decode('ascii')
    if parsed_args.ssh_keys:
        attrs['ssh_keys'] = [
            public_key(path) for path in parsed_args.ssh_keys]
    return attrs


def public_key(path):
    """The key that a file holds.  Raises CommandError."""
    return _content(path).decode('utf-8', 'replace').strip()


def _network(text):
    kind, _, uuid = text.partition('=')
    if kind not in {'net-id', 'port-id'}:
        raise argparse.ArgumentTypeError(
            f'{text} is neither net-id=UUID nor port-id=UUID')
    if not naming.is_uuid(uuid):
        raise argparse.ArgumentTypeError(f'{uuid or text} is no uuid')
    return {kind.replace('-', '_'): uuid}


def _content(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise exceptions.CommandError(
            f'{path} cannot be read: {error.strerror}') from error

# SPDX-License-Identifier: Apache-2.0
"""Options for the inputs of a new instance."""

import argparse
import base64
import pathlib

from osc_lib import exceptions
from osc_lib.cli import parseractions

from moganclient.osc.v1 import naming


def add_options(parser):
    """Add the options of create."""
    parser.add_argument('--user-data', metavar='<file>',
                        help='User data for the first boot')
    parser.add_argument('--key-name', metavar='<key-name>',
                        help='Key pair to install')
    parser.add_argument(
        '--ssh-key', metavar='<file>', action='append', dest='ssh_keys',
        help='File with a public key to install (can be repeated)')
    parser.add_argument(
        '--partition', metavar='<key=value>', dest='partitions',
        action=parseractions.KeyValueAction,
        help='Size of root_gb, ephemeral_gb or swap_mb (can be repeated)')


def add_networks(parser):
    """Add the option of 0.1.0 for networks, which are not attached."""
    parser.add_argument(
        '--nic', metavar='<net-id=UUID, port-id=UUID>', action='append',
        dest='networks', type=_network,
        help='UUID of a network, which is recorded but not attached '
             '(can be repeated)')


def read(parsed_args):
    """Return the requested attributes."""
    attrs = {name: value for name in ('key_name', 'partitions')
             if (value := getattr(parsed_args, name))}
    if parsed_args.user_data:
        attrs['user_data'] = base64.b64encode(
            _content(parsed_args.user_data)).decode('ascii')
    if parsed_args.ssh_keys:
        attrs['ssh_keys'] = [
            public_key(path) for path in parsed_args.ssh_keys]
    return attrs


def public_key(path):
    """Return the public key in a file.  Raises CommandError."""
    text = _content(path).decode('utf-8', 'replace').strip()
    # Checked here, so that a private key is never sent.
    if 'PRIVATE KEY' in text or text.startswith('PuTTY-User-Key-File'):
        raise exceptions.CommandError(
            f'{path} is a private key; a public key is required')
    return text


def _network(text):
    kind, _, uuid = text.partition('=')
    if kind not in {'net-id', 'port-id'}:
        raise argparse.ArgumentTypeError(
            f'{text} must be net-id=UUID or port-id=UUID')
    if not naming.is_uuid(uuid):
        raise argparse.ArgumentTypeError(f'{uuid or text} is not a UUID')
    return {kind.replace('-', '_'): uuid}


def _content(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise exceptions.CommandError(
            f'Cannot read {path}: {error.strerror}') from error

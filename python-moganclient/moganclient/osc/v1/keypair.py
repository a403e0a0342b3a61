# SPDX-License-Identifier: Apache-2.0
"""Key pairs."""

import contextlib
import os
import pathlib
import sys

from osc_lib import exceptions

from moganclient.osc.v1 import commands, each, fields, inputs


class CreateKeypair(commands.ShowOne):
    """Import a public key, or generate a key pair.

    The private key of a pair that is made is printed this once, and kept
    nowhere: above the table, and in the other formats as a field.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('name', metavar='<name>',
                            help='Name of the key pair')
        _add_user(parser)
        parser.add_argument('--key-type', metavar='<key-type>',
                            help='Only ssh is supported')
        either = parser.add_mutually_exclusive_group()
        either.add_argument(
            '--public-key', metavar='<file>',
            help='File with the public key; without it, a pair is generated')
        either.add_argument(
            '--private-key', metavar='<file>',
            help='Write the private key into this new file')
        return parser

    def take_action(self, parsed_args):
        attrs = {'name': parsed_args.name}
        if parsed_args.user is not None:
            attrs['user_id'] = parsed_args.user
        if parsed_args.key_type is not None:
            attrs['type'] = parsed_args.key_type
        if parsed_args.public_key:
            attrs['public_key'] = inputs.public_key(parsed_args.public_key)
        with _kept(parsed_args.private_key) as file:
            made = self.client.create_keypair(**attrs)
            if file and made.private_key:
                file.write(made.private_key)
        chosen = fields.KEYPAIR
        if made.private_key and not file:
            if _has_field(parsed_args):
                chosen = (*chosen, ('private_key', 'private_key'))
            else:
                sys.stdout.write(f'{made.private_key.rstrip()}\n')
        return fields.headings(chosen), fields.values(made, chosen)


class ListKeypair(commands.Lister):
    """List key pairs."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        _add_user(parser)
        return parser

    def take_action(self, parsed_args):
        return fields.headings(fields.KEYPAIRS), (
            fields.values(one, fields.KEYPAIRS)
            for one in self.client.keypairs(user_id=parsed_args.user))


class ShowKeypair(commands.ShowOne):
    """Show a key pair."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('keypair', metavar='<keypair>',
                            help='Name of the key pair')
        _add_user(parser)
        return parser

    def take_action(self, parsed_args):
        found = self.client.get_keypair(parsed_args.keypair,
                                        user_id=parsed_args.user)
        return fields.headings(fields.KEYPAIR), fields.values(
            found, fields.KEYPAIR)


class DeleteKeypair(commands.Command):
    """Delete key pairs; instances keep the keys that are installed."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('keypairs', metavar='<keypair>', nargs='+',
                            help='Name of the key pair')
        _add_user(parser)
        return parser

    def take_action(self, parsed_args):
        outcomes = [each.Outcome(name) for name in parsed_args.keypairs]
        for one in outcomes:
            with one.noting():
                self.client.delete_keypair(
                    one.name, user_id=parsed_args.user, ignore_missing=False)
        return each.tell(self.app, outcomes)


def _add_user(parser):
    parser.add_argument(
        '--user', metavar='<user-id>',
        help='User that owns the key pair (for administrators)')


def _has_field(parsed_args):
    """Return True if the output may have a field for the private key."""
    return parsed_args.formatter != 'table' and (
        not parsed_args.columns or 'private_key' in parsed_args.columns)


@contextlib.contextmanager
def _kept(path):
    """Yield a new file with mode 0600, or None without a path; remove it
    after an error."""
    if path is None:
        yield None
        return
    # Before the request: a key that cannot be written is lost.
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise exceptions.CommandError(
            f'Cannot write {path}: {error.strerror}') from error
    try:
        with os.fdopen(number, 'w', encoding='ascii') as file:
            yield file
    except BaseException:
        pathlib.Path(path).unlink()
        raise

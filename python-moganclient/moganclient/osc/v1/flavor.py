# SPDX-License-Identifier: Apache-2.0
"""Flavors."""

import argparse

from osc_lib import exceptions
from osc_lib.cli import parseractions
from oslo_utils import strutils

from moganclient.osc.v1 import commands, each, fields

_NO_ACCESS = 'the service has no flavors for single projects'
_NO_AGGREGATES = 'the service has no aggregates'


class CreateFlavor(commands.ShowOne):
    """Create a flavor."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('name', metavar='<name>',
                            help='Name of the flavor')
        access = parser.add_mutually_exclusive_group()
        access.add_argument(
            '--public', dest='public', action='store_true', default=True,
            help='Visible to all projects (default)')
        access.add_argument(
            '--private', dest='public', action='store_false',
            help='Visible to administrators only')
        parser.add_argument('--disabled', metavar='<true|false>', type=_bool,
                            default=False,
                            help='Refuse the flavor for new instances')
        parser.add_argument('--description', metavar='<description>',
                            help='Description')
        parser.add_argument(
            '--resource', metavar='<class=amount>', dest='resources',
            action=parseractions.KeyValueAction, default={},
            help='Amount of a resource class (can be repeated)')
        parser.add_argument(
            '--trait', metavar='<trait>', dest='traits', action='append',
            help='Trait that its nodes must have (can be repeated)')
        parser.add_argument(
            '--resource-aggregate', metavar='<key=value>', action='append',
            help=f'Refused: {_NO_AGGREGATES}')
        return parser

    def take_action(self, parsed_args):
        if parsed_args.resource_aggregate:
            raise exceptions.CommandError(
                f'--resource-aggregate: {_NO_AGGREGATES}')
        attrs = {'name': parsed_args.name, 'is_public': parsed_args.public,
                 'disabled': parsed_args.disabled,
                 'resources': parsed_args.resources}
        for name in ('description', 'traits'):
            if (value := getattr(parsed_args, name)) is not None:
                attrs[name] = value
        return _rows(self.client.create_flavor(**attrs))


class ListFlavor(commands.Lister):
    """List flavors."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('--long', action='store_true',
                            help='List additional fields')
        return parser

    def take_action(self, parsed_args):
        chosen = fields.FLAVORS_LONG if parsed_args.long else fields.FLAVORS
        return fields.headings(chosen), (
            fields.values(one, chosen) for one in self.client.flavors())


class ShowFlavor(commands.ShowOne):
    """Show a flavor."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        _add_flavor(parser)
        return parser

    def take_action(self, parsed_args):
        return _rows(_found(self.client, parsed_args.flavor))


class SetFlavor(commands.Command):
    """Change a flavor; its resources stay as they are."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        _add_flavor(parser)
        parser.add_argument('--name', metavar='<name>', help='New name')
        parser.add_argument('--description', metavar='<description>',
                            help='New description')
        parser.add_argument('--is-public', metavar='<true|false>',
                            type=_bool, help='Visible to all projects')
        parser.add_argument('--disabled', metavar='<true|false>', type=_bool,
                            help='Refuse the flavor for new instances')
        parser.add_argument('--project', metavar='<project>',
                            help=f'Refused: {_NO_ACCESS}')
        return parser

    def take_action(self, parsed_args):
        _refuse_project(parsed_args)
        attrs = {name: value for name in ('name', 'description', 'is_public',
                                          'disabled')
                 if (value := getattr(parsed_args, name)) is not None}
        found = _found(self.client, parsed_args.flavor)
        if attrs:
            self.client.update_flavor(found, **attrs)


class UnsetFlavor(commands.Command):
    """Remove the description of a flavor."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        _add_flavor(parser)
        parser.add_argument('--description', action='store_true',
                            help='Remove the description')
        parser.add_argument('--project', metavar='<project>',
                            help=f'Refused: {_NO_ACCESS}')
        return parser

    def take_action(self, parsed_args):
        _refuse_project(parsed_args)
        found = _found(self.client, parsed_args.flavor)
        if parsed_args.description:
            self.client.update_flavor(found, description=None)


class DeleteFlavor(commands.Command):
    """Delete flavors that no instance uses."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('flavors', metavar='<flavor>', nargs='+',
                            help='Name or UUID')
        return parser

    def take_action(self, parsed_args):
        outcomes = [each.Outcome(name) for name in parsed_args.flavors]
        for one in outcomes:
            with one.noting():
                self.client.delete_flavor(_found(self.client, one.name),
                                          ignore_missing=False)
        return each.tell(self.app, outcomes)


def _add_flavor(parser):
    parser.add_argument('flavor', metavar='<flavor>', help='Name or UUID')


def _found(client, name):
    return client.find_flavor(name, ignore_missing=False)


def _rows(flavor):
    return fields.headings(fields.FLAVOR), fields.values(
        flavor, fields.FLAVOR)


def _refuse_project(parsed_args):
    if parsed_args.project:
        raise exceptions.CommandError(f'--project: {_NO_ACCESS}')


def _bool(text):
    try:
        return strutils.bool_from_string(text, strict=True)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text} must be true or false') from None

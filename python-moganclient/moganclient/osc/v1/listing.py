# SPDX-License-Identifier: Apache-2.0
"""List, show, history."""

import argparse
import contextlib
import itertools
import sys

from moganclient import exceptions
from moganclient.osc.v1 import commands, fields, naming, shown


class ListInstance(commands.Lister):
    """List instances."""

    short, long = fields.INSTANCES, fields.INSTANCES_LONG
    #: What the short one has too where there are several projects.
    of_all_projects = (fields.PROJECT,)

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('--long', action='store_true',
                            help='List additional fields')
        parser.add_argument(
            '-n', '--no-name-lookup', action='store_true',
            help='Show UUIDs of flavors, and do not look up their names')
        add_limit(parser)
        _add_filters(parser)
        return parser

    def take_action(self, parsed_args):
        client = self.client
        found = itertools.islice(
            client.instances(**_query(client, parsed_args)),
            parsed_args.limit)
        names = {} if parsed_args.no_name_lookup else {
            flavor.id: flavor.name for flavor in client.flavors()}
        chosen = self.long if parsed_args.long else self.short
        if parsed_args.all_projects and not parsed_args.long:
            chosen += self.of_all_projects
        return fields.headings(chosen), (
            fields.values(one, chosen,
                          flavor=names.get(one.flavor_uuid, one.flavor_uuid))
            for one in found)


class ListServer(ListInstance):
    """List instances, with the columns of 0.1.0."""

    short, long = fields.SERVERS, fields.SERVERS_LONG
    of_all_projects = ()


class ShowInstance(commands.ShowOne):
    """Show an instance."""

    #: Whether it is shown as 0.1.0 did.
    server = False

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        naming.add_instance(parser)
        return parser

    def take_action(self, parsed_args):
        found = naming.instance(self.client, parsed_args.instance,
                                parsed_args.all_projects, anywhere=True)
        return shown.rows(self.client, found, server=self.server)


class ShowServer(ShowInstance):
    """Show an instance, with the fields of 0.1.0."""

    server = True


class ShowHistory(commands.Lister):
    """List the requests for an instance, refusals included, newest first.

    Administrators see those of a deleted instance, too, by its UUID.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        naming.add_instance(parser)
        parser.add_argument('--long', action='store_true',
                            help='List additional fields')
        add_limit(parser)
        return parser

    def take_action(self, parsed_args):
        chosen = (fields.ACTIONS_LONG if parsed_args.long
                  else fields.ACTIONS)
        return fields.headings(chosen), [
            fields.values(one, chosen) for one in self._actions(parsed_args)]

    def _actions(self, parsed_args):
        name, limit = parsed_args.instance, parsed_args.limit
        if naming.is_uuid(name):
            # A deleted instance is not found any more.
            with contextlib.suppress(exceptions.NotFound):
                return self._history(name, limit)
        return self._history(naming.instance(
            self.client, name, parsed_args.all_projects, anywhere=True),
            limit)

    def _history(self, instance, limit):
        return list(itertools.islice(self.client.instance_actions(
            instance, limit=_page(limit)), limit))


def add_limit(parser):
    """Add --limit of a list."""
    parser.add_argument('--limit', type=_positive, metavar='<number>',
                        help='Maximum number of rows')


def _positive(text):
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text} is not a number') from None
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text} must be at least 1')
    # islice() takes no more.
    return min(number, sys.maxsize)


def _page(limit):
    """Return the size of a page, 1000 at most."""
    return limit and min(limit, 1000)


def _add_filters(parser):
    parser.add_argument('--marker', metavar='<instance>',
                        help='Start after this instance (name or UUID)')
    locked = parser.add_mutually_exclusive_group()
    locked.add_argument('--locked', dest='locked', action='store_true',
                        default=None, help='Only locked instances')
    locked.add_argument('--unlocked', dest='locked', action='store_false',
                        default=None, help='Only unlocked instances')
    parser.add_argument('--name', metavar='<text>',
                        help='Only instances with this string in their name')
    parser.add_argument('--status', metavar='<status>',
                        help='Only instances with this status')
    parser.add_argument('--flavor', metavar='<flavor>',
                        help='Only instances with this flavor (name or UUID)')
    parser.add_argument(
        '--node', metavar='<uuid>',
        help='Only the instance on this node (for administrators)')
    parser.add_argument(
        '--project', metavar='<project-id>',
        help='Only instances of this project (for administrators, with '
             '--all-projects)')
    parser.add_argument(
        '--all-projects', action='store_true',
        help='List instances of all projects (for administrators)')
    parser.add_argument(
        '--sort', metavar='<key>[:<direction>]',
        help='Sort by id (order of creation), created_at, name or status; '
             'asc or desc')


def _query(client, parsed_args):
    key, _, direction = (parsed_args.sort or '').partition(':')
    query = {'name': parsed_args.name, 'status': parsed_args.status,
             'locked': parsed_args.locked, 'node_uuid': parsed_args.node,
             'project_id': parsed_args.project,
             'all_projects': parsed_args.all_projects,
             'sort_key': key or None, 'sort_dir': direction or None,
             'limit': _page(parsed_args.limit)}
    if parsed_args.flavor:
        query['flavor_uuid'] = client.find_flavor(
            parsed_args.flavor, ignore_missing=False).id
    if parsed_args.marker:
        query['marker'] = naming.instance(
            client, parsed_args.marker, parsed_args.all_projects).id
    return query

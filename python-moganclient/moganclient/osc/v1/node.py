# SPDX-License-Identifier: Apache-2.0
"""Nodes, those that can be taken over, and zones of nodes."""

from moganclient.osc.v1 import commands, fields


class ListNode(commands.Lister):
    """List the names of the nodes."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('--long', action='store_true',
                            help='Show more of each')
        return parser

    def take_action(self, parsed_args):
        chosen = fields.NODES_LONG if parsed_args.long else fields.NODES
        return fields.headings(chosen), (
            fields.values(one, chosen)
            for one in self.client.nodes(details=parsed_args.long))


class ListManageableServer(commands.Lister):
    """List the nodes that can be taken over as instances."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('--long', action='store_true',
                            help='Show more of each')
        return parser

    def take_action(self, parsed_args):
        chosen = (fields.MANAGEABLE_LONG if parsed_args.long
                  else fields.MANAGEABLE)
        return fields.headings(chosen), (
            fields.values(one, chosen)
            for one in self.client.manageable_servers())


class ListAvailabilityZone(commands.Lister):
    """List the zones that an instance can be wanted in."""

    def take_action(self, parsed_args):
        return fields.headings(fields.ZONES), (
            fields.values(one, fields.ZONES)
            for one in self.client.availability_zones())

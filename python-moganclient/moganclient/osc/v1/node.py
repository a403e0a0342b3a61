# SPDX-License-Identifier: Apache-2.0
"""Nodes, manageable servers, and availability zones."""

from moganclient.osc.v1 import commands, fields


class ListNode(commands.Lister):
    """List nodes, by name."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('--long', action='store_true',
                            help='List additional fields')
        return parser

    def take_action(self, parsed_args):
        chosen = fields.NODES_LONG if parsed_args.long else fields.NODES
        return fields.headings(chosen), (
            fields.values(one, chosen) for one in sorted(
                self.client.nodes(details=True),
                key=lambda node: (node.name or '', node.uuid)))


class ListManageableServer(commands.Lister):
    """List nodes that can be adopted as instances."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('--long', action='store_true',
                            help='List additional fields')
        return parser

    def take_action(self, parsed_args):
        chosen = (fields.MANAGEABLE_LONG if parsed_args.long
                  else fields.MANAGEABLE)
        return fields.headings(chosen), (
            fields.values(one, chosen)
            for one in self.client.manageable_servers())


class ListAvailabilityZone(commands.Lister):
    """List availability zones for instances."""

    def take_action(self, parsed_args):
        return fields.headings(fields.ZONES), (
            fields.values(one, fields.ZONES)
            for one in self.client.availability_zones())

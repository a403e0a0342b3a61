# SPDX-License-Identifier: Apache-2.0
"""Create, manage, change, rebuild, delete."""

from osc_lib import exceptions
from osc_lib.cli import parseractions

from moganclient.exceptions import InstanceFailed
from moganclient.osc.v1 import commands, each, inputs, naming, shown, waiting

_LONG = 3600  # seconds


class _Made(commands.ShowOne):
    """A command that shows the instance that it has created."""

    #: Whether it is shown as 0.1.0 did.
    server = False

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('--description', metavar='<description>',
                            help='Description')
        _add_properties(parser)
        waiting.add_options(parser, _LONG)
        return parser

    def make(self, parsed_args, attrs):
        """Send the request; `attrs`: the common attributes."""
        raise NotImplementedError

    def take_action(self, parsed_args):
        attrs = {'name': parsed_args.name}
        if parsed_args.description is not None:
            attrs['description'] = parsed_args.description
        if parsed_args.properties:
            attrs['metadata'] = parsed_args.properties
        made = self.make(parsed_args, attrs)
        if parsed_args.wait:
            clock = waiting.Clock(parsed_args.timeout)
            # What is taken over may be off.
            with waiting.bounded(made.id, parsed_args.timeout):
                made = self.client.wait_for_instance(
                    made, until=waiting.is_settled, timeout=clock.left,
                    callback=waiting.Progress(made.name, clock))
        return shown.rows(self.client, made, server=self.server)


class CreateInstance(_Made):
    """Create an instance."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('name', metavar='<name>',
                            help='Name of the instance')
        parser.add_argument('--flavor', metavar='<flavor>', required=True,
                            help='Flavor (name or UUID)')
        parser.add_argument('--image', metavar='<image>', required=True,
                            help='Image for its disk (name or UUID)')
        parser.add_argument('--availability-zone', metavar='<zone>',
                            help='Availability zone')
        inputs.add_options(parser)
        return parser

    def make(self, parsed_args, attrs):
        attrs |= inputs.read(parsed_args)
        attrs['flavor_uuid'] = self.client.find_flavor(
            parsed_args.flavor, ignore_missing=False).id
        attrs['image_uuid'] = naming.image(
            self.app.client_manager, parsed_args.image)
        if parsed_args.availability_zone is not None:
            attrs['availability_zone'] = parsed_args.availability_zone
        return self.send(parsed_args, attrs)

    def send(self, parsed_args, attrs):
        """Send the request of the instance API."""
        return self.client.create_instance(**attrs)


class CreateServer(CreateInstance):
    """Create an instance, with the options of 0.1.0."""

    server = True

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        inputs.add_networks(parser)
        for name in ('--min', '--max'):
            parser.add_argument(name, metavar='<count>', type=int, default=1,
                                help='Only 1 is supported')
        parser.add_argument(
            '--file', metavar='<dest-filename=source-filename>',
            action='append',
            help='Not supported: use --user-data to write files')
        parser.add_argument(
            '--hint', metavar='<key=value>', action='append',
            help='Not supported: use --availability-zone')
        return parser

    def make(self, parsed_args, attrs):
        if (parsed_args.min, parsed_args.max) != (1, 1):
            raise exceptions.CommandError(
                '--min and --max: instances are created one at a time')
        if parsed_args.file:
            raise exceptions.CommandError(
                '--file is not supported: use --user-data to write files')
        if parsed_args.hint:
            raise exceptions.CommandError(
                '--hint is not supported: use --availability-zone')
        return super().make(parsed_args, attrs)

    def send(self, parsed_args, attrs):
        if not parsed_args.networks:
            return super().send(parsed_args, attrs)
        return self.client.create_server(
            **attrs, networks=parsed_args.networks)


class ManageInstance(_Made):
    """Adopt a node that is deployed already, as an instance.

    Its disk is left alone. Deleting the instance wipes it.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('node_uuid', metavar='<node_uuid>',
                            help='Node to adopt, one of: openstack '
                                 'baremetalcompute manageable server list')
        parser.add_argument('name', metavar='<name>',
                            help='Name of the instance')
        return parser

    def make(self, parsed_args, attrs):
        return self.client.manage_server(
            node_uuid=parsed_args.node_uuid, **attrs)


class ManageServer(ManageInstance):
    """Adopt a node that is deployed already, with the fields of 0.1.0.

    Its disk is left alone. Deleting the instance wipes it.
    """

    server = True


class SetInstance(commands.Command):
    """Change the name, description and properties of an instance."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        naming.add_instance(parser)
        parser.add_argument('--name', metavar='<name>', help='New name')
        parser.add_argument('--description', metavar='<description>',
                            help='New description')
        _add_properties(parser)
        return parser

    def take_action(self, parsed_args):
        found = naming.instance(self.client, parsed_args.instance,
                                parsed_args.all_projects)
        attrs = {name: value for name in ('name', 'description')
                 if (value := getattr(parsed_args, name)) is not None}
        if parsed_args.properties:
            attrs['metadata'] = (found.metadata or {}) | parsed_args.properties
        _change(self.client, found, attrs)


class UnsetInstance(commands.Command):
    """Remove description and properties of an instance."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        naming.add_instance(parser)
        parser.add_argument('--description', action='store_true',
                            help='Remove the description')
        parser.add_argument(
            '--property', metavar='<key>', action='append', default=[],
            dest='properties', help='Remove this property (can be repeated)')
        return parser

    def take_action(self, parsed_args):
        found = naming.instance(self.client, parsed_args.instance,
                                parsed_args.all_projects)
        attrs = {'description': None} if parsed_args.description else {}
        if parsed_args.properties:
            attrs['metadata'] = {
                key: value for key, value in (found.metadata or {}).items()
                if key not in parsed_args.properties}
        _change(self.client, found, attrs)


class RebuildInstance(each.ForEach):
    """Rebuild instances from an image; their data is lost."""

    seconds = _LONG

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--image', metavar='<image>',
            help='New image (name or UUID)')
        parser.add_argument(
            '--preserve-ephemeral', action='store_true',
            help='Not supported: a rebuild overwrites the whole disk')
        return parser

    def ask(self, instance, parsed_args):
        if parsed_args.preserve_ephemeral:
            raise exceptions.CommandError(
                '--preserve-ephemeral is not supported: a rebuild overwrites '
                'the whole disk')
        image = parsed_args.image and naming.image(
            self.app.client_manager, parsed_args.image)
        self.client.rebuild_instance(
            instance, image_uuid=image or instance.image_uuid)

    def settle(self, instance, **waits):
        # One that was refused returns to its previous status.
        seen = self.client.wait_for_instance(
            instance, until=waiting.is_settled, **waits)
        fault = seen.fault or {}
        if fault.get('cause') == 'rebuild':
            raise InstanceFailed(
                f'Rebuild failed: the instance {seen.id} is {seen.status}: '
                f'{fault.get("message")}', seen)
        return seen.status


class DeleteInstance(each.ForEach):
    """Delete instances; those that are locked are refused.

    The command that releases the lock is printed, never carried out.
    """

    seconds = _LONG

    def ask(self, instance, parsed_args):
        self.client.delete_instance(instance, ignore_missing=False)

    def settle(self, instance, **waits):
        self.client.wait_for_deleted(instance, **waits)
        return 'deleted'


def _add_properties(parser):
    parser.add_argument(
        '--property', metavar='<key=value>', dest='properties',
        action=parseractions.KeyValueAction,
        help='Property to set (can be repeated)')


def _change(client, instance, attrs):
    if attrs:
        client.update_instance(instance, **attrs)

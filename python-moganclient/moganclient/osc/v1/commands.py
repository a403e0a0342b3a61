# SPDX-License-Identifier: Apache-2.0
"""Base classes of the commands."""

from osc_lib import exceptions
from osc_lib.command import command

from moganclient.osc.v1 import faults


class _Plugin:
    def get_epilog(self):
        """Return the end of the help text.

        cliff reads the metadata of all installed packages for it, with each
        command: a lock takes 0.86 of the time without that.
        """
        return 'This command is provided by the python-moganclient plugin.'


class _Base(_Plugin):
    @property
    def client(self):
        """Return the proxy of the service."""
        return self.app.client_manager.baremetal_compute

    def run(self, parsed_args):
        """Exit statuses and output as the command says; errors of one
        line."""
        with faults.told(getattr(parsed_args, 'instance', None)):
            return super().run(parsed_args)


class Command(_Base, command.Command):
    """A command without output."""


class Lister(_Base, command.Lister):
    """A command that lists rows."""


class ShowOne(_Base, command.ShowOne):
    """A command that shows one resource."""


class NotOffered(_Plugin, command.Command):
    """A command of 0.1.0 that is not supported, whatever its options."""

    auth_required = False
    #: What the service does not have.
    what = ''

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.description = f'The service has no {self.what}.'
        known = parser.parse_known_args
        parser.parse_args = lambda args=None: known(args)[0]
        return parser

    def take_action(self, parsed_args):
        raise exceptions.CommandError(f'The service has no {self.what}')

# SPDX-License-Identifier: Apache-2.0
"""Start, stop, reboot."""

from moganclient.osc.v1 import each


class _Power(each.ForEach):
    #: What is asked for, and where there is a gentle way, that.
    target = ''
    soft_target = None
    #: The status that it ends in.
    status = 'active'

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        if self.soft_target:
            parser.add_argument(
                '--soft', action='store_true',
                help='Ask the operating system, in place of the hardware')
        return parser

    def ask(self, instance, parsed_args):
        soft = self.soft_target and parsed_args.soft
        self.client.set_instance_power_state(
            instance, self.soft_target if soft else self.target)

    def settle(self, instance, **waits):
        return self.client.wait_for_instance(
            instance, until=self.status, **waits).status


class Start(_Power):
    """Turn instances on."""

    target = 'on'


class Stop(_Power):
    """Turn instances off."""

    target = 'off'
    soft_target = 'soft_off'
    status = 'stopped'


class Reboot(_Power):
    """Turn instances off and on again."""

    target = 'reboot'
    soft_target = 'soft_reboot'

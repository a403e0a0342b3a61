# SPDX-License-Identifier: Apache-2.0
"""Start, stop, reboot."""

from moganclient import exceptions
from moganclient.osc.v1 import each, waiting

# What a fault is the fault of, where a power change has failed.
_CAUSES = frozenset({'power_on', 'power_off', 'soft_power_off', 'reboot',
                     'soft_reboot'})


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
                help='Ask the operating system instead of the hardware')
        return parser

    def ask(self, instance, parsed_args):
        soft = self.soft_target and parsed_args.soft
        self.client.set_instance_power_state(
            instance, self.soft_target if soft else self.target)

    def settle(self, instance, **waits):
        # One that fails returns to its previous status, which for a reboot
        # is that of a success.
        seen = self.client.wait_for_instance(
            instance, until=waiting.is_settled, **waits)
        fault = seen.fault or {}
        if seen.status != self.status or fault.get('cause') in _CAUSES:
            raise exceptions.InstanceFailed(
                f'Power change failed: the instance {seen.id} is '
                f'{seen.status}: '
                f'{fault.get("message") or "no reason given"}', seen)
        return seen.status


class Start(_Power):
    """Power instances on."""

    target = 'on'


class Stop(_Power):
    """Power instances off."""

    target = 'off'
    soft_target = 'soft_off'
    status = 'stopped'


class Reboot(_Power):
    """Reboot instances."""

    target = 'reboot'
    soft_target = 'soft_reboot'

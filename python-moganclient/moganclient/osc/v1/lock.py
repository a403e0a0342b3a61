# SPDX-License-Identifier: Apache-2.0
"""Lock and unlock."""

from moganclient.osc.v1 import each


class Lock(each.ForEach):
    """Lock instances: nobody can delete or rebuild them."""

    anywhere = True

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--reason', metavar='<reason>',
            help='Reason, shown to everybody who sees the instance; replaces '
                 'the reason of an instance that is locked already')
        return parser

    def ask(self, instance, parsed_args):
        self.client.lock_instance(instance, reason=parsed_args.reason)

    def settle(self, instance, **waits):
        return self.client.wait_for_instance(
            instance, until='locked', **waits).lock_state


class Unlock(each.ForEach):
    """Unlock instances."""

    anywhere = True

    def ask(self, instance, parsed_args):
        self.client.unlock_instance(instance)

    def settle(self, instance, **waits):
        return self.client.wait_for_instance(
            instance, until='unlocked', **waits).lock_state

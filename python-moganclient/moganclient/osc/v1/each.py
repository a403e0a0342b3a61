# SPDX-License-Identifier: Apache-2.0
"""The same request for several instances, with a result for each."""

import contextlib
import dataclasses
from typing import Any

from osc_lib import exceptions as osc

from moganclient import exceptions
from moganclient.osc.v1 import commands, faults, naming, waiting

# What is seen of an instance that will not come to be as asked for.
_LOST = (exceptions.InstanceFailed, exceptions.NotFound)


@dataclasses.dataclass
class Outcome:
    """The result of the request for one instance; `name`: as the user named
    it.

    An error with another result than `failed` is one of the wait only.
    """

    name: str
    instance: Any = None
    result: str = 'failed'
    error: osc.CommandError | None = None

    @contextlib.contextmanager
    def noting(self):
        """Record an error."""
        try:
            with faults.told(self.name):
                yield
        except osc.CommandError as error:
            self.error = error

    @property
    def line(self):
        """Return the error message, with the name as its prefix."""
        text = str(self.error)
        named = text.startswith(f'{self.name} ')
        return text if named else f'{self.name}: {text}'

    def row(self, with_error):
        """Return name, UUID, result and, if requested, the error."""
        found = self.instance
        row = (found.name if found else self.name,
               found.id if found else None, self.result)
        if with_error:
            row += (str(self.error) if self.error else None,)
        return row


def tell(app, outcomes):
    """Write a line for each error; returns the exit status.

    If there is only one instance, its failure is that of the command.
    """
    wrong = [one for one in outcomes if one.error]
    if wrong and len(outcomes) == 1 and wrong[0].result == 'failed':
        raise wrong[0].error
    for one in wrong:
        app.LOG.error(one.line)
    return int(bool(wrong))


class ForEach(commands.Lister):
    """A command that sends all requests first and then waits, so that the
    work proceeds concurrently."""

    #: Whether a name is looked for in other projects too.
    anywhere = False
    #: Seconds to wait at most, by default.
    seconds = 600

    _status = 0

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        naming.add_instance(parser, many=True)
        waiting.add_options(parser, self.seconds)
        return parser

    def ask(self, instance, parsed_args):
        """Send the request for one instance."""
        raise NotImplementedError

    def settle(self, instance, **waits):
        """Wait until one is done; returns its result."""
        raise NotImplementedError

    def take_action(self, parsed_args):
        outcomes = [Outcome(name) for name in parsed_args.instances]
        for one in outcomes:
            with one.noting():
                one.instance = naming.instance(
                    self.client, one.name, parsed_args.all_projects,
                    self.anywhere)
                self.ask(one.instance, parsed_args)
                one.result = 'accepted'
        if parsed_args.wait:
            self._settle(outcomes, parsed_args.timeout)
        self._status = tell(self.app, outcomes)
        return self._shown(outcomes, parsed_args.formatter != 'table')

    def run(self, parsed_args):
        """Return 0 if all succeeded, else 1."""
        return super().run(parsed_args) or self._status

    def _settle(self, outcomes, seconds):
        clock = waiting.Clock(seconds)
        for one in outcomes:
            if one.error:
                continue
            progress = waiting.Progress(one.name, clock)
            with one.noting(), waiting.bounded(one.name, seconds):
                try:
                    one.result = self.settle(
                        one.instance, timeout=clock.left, callback=progress)
                except _LOST:
                    one.result = 'failed'
                    raise
                progress.show(one.result)
            if isinstance(one.error, waiting.Interrupted):
                return

    @staticmethod
    def _shown(outcomes, with_errors):
        """Return whether the output has the errors; a table has not."""
        headings = ('Name', 'UUID', 'Result')
        return (headings + ('Error',) * with_errors,
                [one.row(with_errors) for one in outcomes])

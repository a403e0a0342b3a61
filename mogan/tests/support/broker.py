# SPDX-License-Identifier: Apache-2.0
"""A broker from the distribution's binaries, which may be stopped and
killed.  It listens on 127.0.0.1 only."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import amqp
import kombu

from mogan.tests.support import processes
from mogan.tests.support.processes import Family, SetupError
from mogan.tests.support.servers import Server

_BINARIES: Final = '/usr/lib/rabbitmq/bin'
PROGRAMS: Final = (f'{_BINARIES}/rabbitmq-server', 'epmd', 'erl_call')


class Broker(Server):
    """A RabbitMQ of its own."""

    name = 'rabbitmq'
    grace = 20
    unprivileged = True

    def __init__(self, family: Family, directory: pathlib.Path) -> None:
        super().__init__(family, directory)
        self._node = f'mogan-rig-{self.port}@localhost'
        self._mapper_port = processes.free_port()
        self._distribution = processes.free_port()
        # Another one than the host's, which other brokers use.
        family.start(
            'epmd', ['epmd', '-port', str(self._mapper_port), '-address',
                     '127.0.0.1'], **processes.account())
        self.url = f'rabbit://guest:guest@127.0.0.1:{self.port}/'

    def start(self) -> None:
        """Start it, without waiting for it."""
        self.begin([f'{_BINARIES}/rabbitmq-server'], **self._environment())

    def _environment(self) -> dict[str, str]:
        home = self.directory
        configuration = home / 'rabbitmq.conf'
        configuration.write_text(
            f'listeners.tcp.1 = 127.0.0.1:{self.port}\n'
            'vm_memory_high_watermark.absolute = 512MB\n'
            'disk_free_limit.absolute = 50MB\n')
        return {
            'HOME': str(home), 'RABBITMQ_CONFIG_FILE': str(configuration),
            'RABBITMQ_NODENAME': self._node,
            'RABBITMQ_NODE_PORT': str(self.port),
            'RABBITMQ_DIST_PORT': str(self._distribution),
            'RABBITMQ_MNESIA_BASE': str(home / 'data'),
            'RABBITMQ_LOG_BASE': str(home / 'log'),
            'RABBITMQ_LOGS': '-',
            'RABBITMQ_ENABLED_PLUGINS_FILE': str(home / 'plugins'),
            'RABBITMQ_PID_FILE': str(home / 'pid'),
            'RABBITMQ_CONF_ENV_FILE': '/dev/null',
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS':
                '+sbwt none +sbwtdcpu none +sbwtdio none +S 2:2'
                ' -kernel inet_dist_use_interface {127,0,0,1}',
            'ERL_EPMD_PORT': str(self._mapper_port),
            'ERL_EPMD_ADDRESS': '127.0.0.1',
            # So that the process is the broker, and not a shell.
            'RUNNING_UNDER_SYSTEMD': 'true'}

    def call(self, module: str, function: str, *arguments: str) -> None:
        """Call a function of the broker's own with binaries.  Raises
        SetupError.

        It is what rabbitmqctl does too, which takes seconds to start.
        """
        texts = ','.join(f'<<"{argument}">>' for argument in arguments)
        said = self._evaluate(f'ok = {module}:{function}({texts}), done')
        if said != 'done':
            raise SetupError(f'{module}:{function}({texts}): {said}')

    def _evaluate(self, expression: str) -> str:
        """Evaluate Erlang in the broker; return the value as a string."""
        said = processes.run([
            processes.program('erl_call'), '-sname', self._node, '-c',
            (self.directory / '.erlang.cookie').read_text(), '-e'],
            reads=f'{expression}.\n',
            environment=self._environment(), cwd=self.directory,
            **processes.account())
        return said.strip().removeprefix('{ok,').removesuffix('}').strip()

    def close_connections(self, user: str, reason: str) -> None:
        """Close a user's connections."""
        def close() -> bool:
            # It fails where one is going away by itself just then.
            try:
                self.call('rabbit_networking', 'close_all_user_connections',
                          user, reason)
            except SetupError:
                return False
            return True
        processes.eventually(close, 30, f'closed connections of {user}')

    def make_classic(self, queue: str) -> None:
        """Put a classic queue in the place of one, whatever that is."""
        def put() -> bool:
            with self._channel() as channel:
                channel.queue_delete(queue)
                # Unless somebody has been faster.
                channel.queue_declare(queue, durable=True, auto_delete=False)
            return True
        processes.eventually(lambda: _succeeds(put), 30, queue)

    def remove_queue(self, queue: str) -> None:
        """Remove one."""
        with self._channel() as channel:
            channel.queue_delete(queue)

    def has_leader(self, queue: str) -> bool:
        """Return False for a quorum queue without a leader, which answers
        nobody; the election gets some seconds."""
        server = f"{{'%2F_{queue}', node()}}"
        return self._evaluate(
            'F = fun F(0) -> lost; F(N) -> '
            f'case ra:members({server}, 1000) of '
            '{timeout, _} -> F(N - 1); _ -> there end end, F(5)') == 'there'

    def listeners(self, queue: str) -> int:
        """Count the consumers of a queue, as far as the broker lets
        anybody see it.  Raises OSError."""
        try:
            with self._channel() as channel:
                return channel.queue_declare(
                    queue, passive=True).consumer_count
        except amqp.exceptions.AMQPError:
            return 0

    @contextlib.contextmanager
    def _channel(self) -> Iterator[Any]:
        with (kombu.Connection(f'amqp://guest:guest@127.0.0.1:{self.port}//',
                               connect_timeout=5) as connection,
              connection.channel() as channel):
            yield channel


def _succeeds(put: Callable[[], bool]) -> bool:
    try:
        return put()
    except amqp.exceptions.AMQPError:
        return False

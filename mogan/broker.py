# SPDX-License-Identifier: Apache-2.0
"""Checks of the message broker: credentials, permissions and queue types."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import kombu.exceptions
import oslo_messaging
from oslo_messaging._drivers import common, impl_rabbit

# Errors that sending, calling or listening can end with: oslo.messaging lets
# those of the libraries below it through where it was never connected.
ERRORS: Final = (
    oslo_messaging.MessagingException, common.RPCException,
    kombu.exceptions.KombuError, kombu.exceptions.OperationalError,
    kombu.exceptions.ConnectionError, kombu.exceptions.ChannelError, OSError)

_NOT_FOUND: Final = 404
# By the reply codes of AMQP.
_KINDS: Final = {
    403: 'refuses the login, or a permission',
    406: 'has a queue or an exchange of another type than configured',
    530: 'refuses access to the virtual host'}
# Seconds between two attempts to listen on a connection that was lost.
_PAUSE: Final = 1.0
_silenced: Final[set[int]] = set()


class BrokerError(Exception):
    """The broker cannot be used; the text is one line.

    `kind` classifies the error and reveals nothing of the configuration.
    """

    def __init__(self, error: BaseException,
                 kind: str | None = None) -> None:
        refusal = _refusal(error)
        code = getattr(refusal, 'reply_code', None)
        text = getattr(refusal, 'reply_text', '') or getattr(
            refusal, 'strerror', '') or str(refusal)
        text = ' '.join(text.split()) or type(refusal).__name__
        if kind is None:
            kind = _KINDS.get(code or 0, 'does not answer')
        self.kind = kind
        super().__init__(f'the broker {self.kind}: {text}')


def _refusal(error: BaseException) -> BaseException:
    """Return the broker's own reply in a chain of exceptions, or else the root
    cause."""
    while not getattr(error, 'reply_code', None) and (
            following := error.__cause__ or error.__context__) and (
                str(following)):
        error = following
    return error


def check(transport: Any, *queues: str) -> None:
    """Check that the broker accepts this service and that existing queues have
    the configured type; missing queues are not created.

    One attempt, without a time limit of its own. Raises BrokerError.
    """
    driver = _rabbit(transport)
    if driver is None:
        return
    exchange = driver._get_exchange(  # noqa: SLF001 - no public way
        oslo_messaging.Target())
    with _connected(driver) as connection:
        for queue in queues:
            if _state(connection, queue) is not None:
                # It changes nothing where all is as it should be.
                connection.declare_topic_consumer(exchange, queue)


def unconsumed(transport: Any, *queues: str) -> list[str]:
    """Return the queues that have no consumer.

    One attempt, without a time limit of its own. Raises BrokerError.
    """
    driver = _rabbit(transport)
    if driver is None:
        return []
    with _connected(driver) as connection:
        states = {queue: _state(connection, queue) for queue in queues}
    return [queue for queue, state in states.items()
            if state is None or not state.consumer_count]


def _rabbit(transport: Any) -> Any:
    """Return the transport's driver if it is RabbitMQ's."""
    driver = transport._driver  # noqa: SLF001 - the public ways wait for ever
    return driver if isinstance(driver, impl_rabbit.RabbitDriver) else None


@contextlib.contextmanager
def _connected(driver: Any) -> Iterator[Any]:
    hosts = len(driver._url.hosts) or 1  # noqa: SLF001
    try:
        with quiet(), contextlib.closing(
                driver._connection_pool.create(  # noqa: SLF001
                    common.PURPOSE_LISTEN, retry=hosts - 1)) as connection:
            yield connection
    except (*ERRORS, RuntimeError) as error:
        raise BrokerError(error) from error


def _state(connection: Any, queue: str) -> Any:
    """Return the broker's answer about a queue, None where there is none of
    that name."""
    # On a channel of its own: a refusal closes it.
    channel = connection.connection.channel()
    try:
        return channel.queue_declare(queue=queue, passive=True)
    except kombu.exceptions.ChannelError as error:
        if error.reply_code != _NOT_FOUND:
            raise
        return None
    finally:
        connection.connection.maybe_close_channel(channel)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress the library's logging in this thread, which handles the errors
    itself."""
    thread = threading.get_ident()
    _silenced.add(thread)
    try:
        yield
    finally:
        _silenced.discard(thread)


class _Connection(impl_rabbit.Connection):
    """A connection that pauses after a refusal: the library's own loops would
    listen again at once and log a traceback each time."""

    def consume(self, timeout: float | None = None) -> None:
        try:
            with quiet():
                super().consume(timeout)
        except common.Timeout:
            raise
        except ERRORS:
            time.sleep(_PAUSE)
            raise common.Timeout from None


def prepare(transport: Any) -> Any:
    """Return the transport with connections that tolerate a broker's
    refusal."""
    driver = transport._driver  # noqa: SLF001 - nothing public says so
    if isinstance(driver, impl_rabbit.RabbitDriver):
        driver._connection_pool.connection_cls = _Connection  # noqa: SLF001
    return transport


impl_rabbit.LOG.logger.addFilter(
    lambda record: record.thread not in _silenced)

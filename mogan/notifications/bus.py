# SPDX-License-Identifier: Apache-2.0
"""The message bus: sends notifications over oslo.messaging and reports whether
they were sent."""

from collections.abc import Sequence
from typing import Any, Final

import oslo_messaging
import stevedore
from oslo_config import cfg
from oslo_messaging import opts, transport

from mogan import broker, rpc

_GROUP: Final = 'oslo_messaging_notifications'
# One: with none, oslo.messaging gives up on a connection that a restarted
# broker has closed.
_RETRIES: Final = 1


class BusError(Exception):
    """A notification was not sent, as far as is known."""


class Bus:
    """Notifications to the topics, by one thread at a time.

    `driver` and `url` in place of those of [oslo_messaging_notifications].
    To be made after a fork.  Raises ValueError where there is no such
    driver.
    """

    def __init__(self, conf: cfg.ConfigOpts, publisher: str,
                 topics: Sequence[str], *, driver: str | None = None,
                 url: str | None = None) -> None:
        check(conf, driver)
        found = oslo_messaging.get_notification_transport(conf, url=url)
        self._transport = _Attentive(found._driver)  # noqa: SLF001
        self._notifier = oslo_messaging.Notifier(
            self._transport, publisher, driver=driver, topics=list(topics),
            retry=_RETRIES)

    def send(self, event: str, payload: dict[str, Any]) -> None:
        """Send a notification.  Raises BusError.

        It has been sent when RabbitMQ has confirmed it.
        """
        self._transport.error = None
        with broker.quiet():
            self._notifier.info({}, event, payload)
        if self._transport.error is not None:
            raise BusError(broker.BrokerError(self._transport.error)
                           ) from self._transport.error

    def close(self) -> None:
        """Close the connection to the broker."""
        rpc.close(self._transport)


class _Attentive(transport.NotificationTransport):
    """A transport that keeps the error that the library's drivers only log."""

    def __init__(self, driver: Any) -> None:
        super().__init__(driver)
        self.error: Exception | None = None

    def _send_notification(self, target: Any, ctxt: Any,
                           message: dict[str, Any], version: float,
                           retry: int | None = None) -> None:
        # Sent again, it is the same message for whoever knows these ids.
        message['message_id'] = message['payload'].get(
            'event_id', message['message_id'])
        try:
            super()._send_notification(target, ctxt, message, version,
                                       retry=retry)
        except Exception as error:  # noqa: BLE001 - raised by `send`
            self.error = error


def enabled(conf: cfg.ConfigOpts) -> bool:
    """Return whether notifications are enabled."""
    return any(name != 'noop' for name in _drivers(conf))


def check(conf: cfg.ConfigOpts, driver: str | None = None) -> None:
    """Raise ValueError for an unknown driver: oslo.messaging would send
    nothing and report success."""
    known: Any = stevedore.ExtensionManager('oslo.messaging.notify.drivers')
    names = _drivers(conf)
    for name in names if driver is None else [driver]:
        if name not in known.names():
            raise ValueError(f'driver {name} not found')


def _drivers(conf: cfg.ConfigOpts) -> list[str]:
    conf.register_opts(dict(opts.list_opts())[_GROUP], group=_GROUP)
    names: list[str] = conf[_GROUP].driver
    return names

# SPDX-License-Identifier: Apache-2.0
"""What others ask of the engines."""

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

import kombu.exceptions
import oslo_messaging
from oslo_log import log

from mogan import aside, exception, rpc
from mogan.baremetal.driver import DriverError
from mogan.context import RequestContext

LOG = log.getLogger(__name__)

# oslo.messaging lets the broker library's own error through where it was
# never connected.
_BROKER_ERRORS = (oslo_messaging.MessagingException,
                  kombu.exceptions.OperationalError, OSError)
# Seconds in which messages gather under load.
_GATHERED = 0.002
# Calls that may wait for a broker at a time.
_CALLS = 4


class EngineClient:
    """Casts and calls to whichever engine takes them from the topic.

    `call_timeout` is in seconds.  `hurry`: an engine of this process, which
    hears of work before the message comes.  One retry: with none
    oslo.messaging gives up on a connection that a restarted broker has
    closed, without a number it waits for ever.
    """

    def __init__(self, transport: Any, topic: str,
                 call_timeout: float = 5,
                 hurry: Callable[[str], None] | None = None) -> None:
        client = rpc.client(transport, topic)
        self._call_timeout = call_timeout
        self._hurry = hurry
        self._slots = threading.Semaphore(_CALLS)
        self._cast = client.prepare(retry=1)
        self._call = client.prepare(timeout=call_timeout, retry=1)
        self._aside = aside.Aside('nudges', delay=_GATHERED)

    def close(self) -> None:
        """Send the last messages."""
        self._aside.close()

    def nudge(self, context: RequestContext, instance_uuid: str) -> None:
        """Say that an instance has work to do, without waiting for it to
        be heard; losing this costs time only, since the engines look by
        themselves."""
        if self._hurry:
            self._hurry(instance_uuid)
        if not self._aside.call(self._nudge, context, instance_uuid):
            LOG.warning('Too many messages wait for the broker; an engine '
                        'will find the work of %s by itself', instance_uuid)

    def _nudge(self, context: RequestContext, instance_uuid: str) -> None:
        try:
            self._cast.cast(context, 'nudge', instance_uuid=instance_uuid)
        except _BROKER_ERRORS as error:
            LOG.warning('No message about %s could be sent; an engine will '
                        'find the request by itself: %s',
                        instance_uuid, error, context=context)

    def list_nodes(self, context: RequestContext, marker: str | None,
                   limit: int) -> list[dict[str, Any]]:
        """A page of the driver's nodes, by uuid.

        Raises EngineUnavailable.
        """
        found: list[dict[str, Any]] = self._ask(
            context, 'list_nodes', marker=marker, limit=limit)
        return found

    def list_zones(self, context: RequestContext) -> list[str]:
        """The availability zones that nodes are in, sorted.

        Raises EngineUnavailable.
        """
        found: list[str] = self._ask(context, 'list_zones')
        return found

    def list_manageable(self, context: RequestContext, marker: str | None,
                        limit: int) -> list[dict[str, Any]]:
        """A page of the nodes that an instance can take over, by uuid.

        Raises EngineUnavailable.
        """
        found: list[dict[str, Any]] = self._ask(
            context, 'list_manageable', marker=marker, limit=limit)
        return found

    def get_node(self, context: RequestContext,
                 node_uuid: str) -> dict[str, Any] | None:
        """A node, if there is one, and the `obstacle` to taking it over.

        Raises EngineUnavailable.
        """
        found: dict[str, Any] | None = self._ask(
            context, 'get_node', node_uuid=node_uuid)
        return found

    def _ask(self, context: RequestContext, method: str,
             **arguments: Any) -> Any:
        # Before its time limit counts, oslo.messaging waits for a broker
        # for as long as there is none: not in the request's own thread.
        if not self._slots.acquire(blocking=False):
            raise exception.EngineUnavailable
        answer: concurrent.futures.Future[Any] = concurrent.futures.Future()
        threading.Thread(
            target=self._wait_for, daemon=True, name='call',
            args=(answer, context, method, arguments)).start()
        try:
            return answer.result(self._call_timeout + 1)
        except (TimeoutError, *_BROKER_ERRORS, DriverError) as error:
            raise exception.EngineUnavailable from error

    def _wait_for(self, answer: 'concurrent.futures.Future[Any]',
                  context: RequestContext, method: str,
                  arguments: dict[str, Any]) -> None:
        try:
            answer.set_result(self._call.call(context, method, **arguments))
        except Exception as error:  # noqa: BLE001 - raised by `result`
            answer.set_exception(error)
        finally:
            self._slots.release()

# SPDX-License-Identifier: Apache-2.0
"""The RPC client of the engines."""

import concurrent.futures
import threading
import time
from collections.abc import Callable
from typing import Any

import oslo_messaging
from oslo_log import log

from mogan import background, broker, exception, rpc
from mogan.baremetal.driver import DriverError
from mogan.context import RequestContext
from mogan.fault_log import FaultLog

LOG = log.getLogger(__name__)

# Seconds in which messages gather under load.
_GATHERED = 0.002
# Calls that may wait for a broker at a time.
_CALLS = 4
# Seconds without an attempt after one that the broker has not taken.
_PAUSE = 1.0


class EngineClient:
    """A client that casts to and calls whichever engine takes the message.

    `call_timeout` is in seconds.  `hurry` notifies an engine of this process
    without a message.  One retry: with none oslo.messaging gives up on a
    connection that a restarted broker has closed, without a number it waits
    for ever.
    """

    def __init__(self, transport: oslo_messaging.Transport, topic: str,
                 call_timeout: float = 5,
                 hurry: Callable[[str], None] | None = None) -> None:
        client = rpc.client(transport, topic)
        self._call_timeout = call_timeout
        self._hurry = hurry
        self._slots = threading.Semaphore(_CALLS)
        self._cast = client.prepare(retry=1)
        self._call = client.prepare(timeout=call_timeout, retry=1)
        self._queue = background.BackgroundQueue('nudges', delay=_GATHERED)
        self._next_cast = 0.0
        self._fault = FaultLog(
            'No messages can be sent to the engines, which find requests in '
            'the database alone', 'Messages are sent to the engines again')

    def close(self) -> None:
        """Send the last messages."""
        self._queue.close()

    def nudge(self, context: RequestContext, instance_uuid: str) -> None:
        """Cast that an instance has work to do, in the background; a lost
        message costs time only, since the engines find the work anyway."""
        if self._hurry:
            self._hurry(instance_uuid)
        if not self._queue.call(self._nudge, context, instance_uuid):
            LOG.warning('Too many messages wait for the broker; an engine '
                        'will find the work of instance %s by itself',
                        instance_uuid)

    def _nudge(self, context: RequestContext, instance_uuid: str) -> None:
        # A broker that takes no messages is not asked for each.
        if time.monotonic() < self._next_cast:
            return
        failure: BaseException | None = None
        try:
            with broker.quiet():
                self._cast.cast(context, 'nudge',
                                instance_uuid=instance_uuid)
        except broker.ERRORS as error:
            failure = error
        if failure:
            self._next_cast = time.monotonic() + _PAUSE
            self._fault.failed(broker.BrokerError(failure))
        else:
            self._fault.succeeded()

    def list_nodes(self, context: RequestContext, marker: str | None,
                   limit: int) -> list[dict[str, Any]]:
        """Return a page of the driver's nodes, by uuid.

        Raises EngineUnavailable.
        """
        found: list[dict[str, Any]] = self._call_engine(
            context, 'list_nodes', marker=marker, limit=limit)
        return found

    def list_zones(self, context: RequestContext) -> list[str]:
        """Return the availability zones that nodes are in, sorted.

        Raises EngineUnavailable.
        """
        found: list[str] = self._call_engine(context, 'list_zones')
        return found

    def list_manageable(self, context: RequestContext, marker: str | None,
                        limit: int) -> list[dict[str, Any]]:
        """Return a page of the nodes that an instance can adopt, by uuid.

        Raises EngineUnavailable.
        """
        found: list[dict[str, Any]] = self._call_engine(
            context, 'list_manageable', marker=marker, limit=limit)
        return found

    def get_node(self, context: RequestContext,
                 node_uuid: str) -> dict[str, Any] | None:
        """Return a node, if it exists, with the `obstacle` to adopting it.

        Raises EngineUnavailable.
        """
        found: dict[str, Any] | None = self._call_engine(
            context, 'get_node', node_uuid=node_uuid)
        return found

    def _call_engine(self, context: RequestContext, method: str,
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
        except (TimeoutError, *broker.ERRORS, DriverError) as error:
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

# SPDX-License-Identifier: Apache-2.0
"""What others ask of the engines."""

from typing import Any

import kombu.exceptions
import oslo_messaging
from oslo_log import log

from mogan import exception, rpc
from mogan.baremetal.driver import DriverError
from mogan.context import RequestContext

LOG = log.getLogger(__name__)

# oslo.messaging lets the broker library's own error through where it was
# never connected.
_BROKER_ERRORS = (oslo_messaging.MessagingException,
                  kombu.exceptions.OperationalError, OSError)


class EngineClient:
    """Casts and calls to whichever engine takes them from the topic.

    `call_timeout` is in seconds.  One retry: with none oslo.messaging gives
    up on a connection that a restarted broker has closed, without a number
    it waits for ever.
    """

    def __init__(self, transport: Any, topic: str,
                 call_timeout: float = 5) -> None:
        client = rpc.client(transport, topic)
        self._cast = client.prepare(retry=1)
        self._call = client.prepare(timeout=call_timeout, retry=1)

    def nudge(self, context: RequestContext, instance_uuid: str) -> None:
        """Say that an instance has work to do; losing this costs time
        only, since the engines look by themselves."""
        try:
            self._cast.cast(context, 'nudge', instance_uuid=instance_uuid)
        except _BROKER_ERRORS as error:
            LOG.warning('No message about %s could be sent; an engine will '
                        'find the request by itself: %s',
                        instance_uuid, error)

    def list_nodes(self, context: RequestContext, marker: str | None,
                   limit: int) -> list[dict[str, Any]]:
        """A page of the driver's nodes, by uuid.

        Raises EngineUnavailable.
        """
        try:
            return self._call.call(context, 'list_nodes', marker=marker,
                                   limit=limit)
        except (*_BROKER_ERRORS, DriverError) as error:
            raise exception.EngineUnavailable from error

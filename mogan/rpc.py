# SPDX-License-Identifier: Apache-2.0
"""Messages between the API and the engines."""

import threading
from typing import Any

import oslo_messaging
from oslo_messaging.rpc import dispatcher

from mogan import context

VERSION = '1.0'


class ContextSerializer(oslo_messaging.JsonPayloadSerializer):
    """JSON bodies, and the caller's context beside them."""

    def serialize_context(self, ctxt: Any) -> dict[str, Any]:
        return ctxt.to_dict()

    def deserialize_context(self, ctxt: dict[str, Any]) -> Any:
        return context.RequestContext.from_message(ctxt)


def set_defaults() -> None:
    """Our own defaults of oslo.messaging's options: an exchange apart, so
    that quorum queues never meet another service's, and queues that
    survive a broker's restart."""
    oslo_messaging.set_transport_defaults('mogan')


def transport(conf: Any, url: str | None = None) -> Any:
    """The connection to the broker that [DEFAULT] transport_url names."""
    return oslo_messaging.get_rpc_transport(conf, url)


def close(rpc_transport: Any, timeout: float = 3) -> None:
    """Let go of the broker.

    Whoever still waits for one that is away holds what this needs, so that
    it waits `timeout` seconds at most.
    """
    closing = threading.Thread(target=rpc_transport.cleanup, daemon=True,
                               name='close')
    closing.start()
    closing.join(timeout)


def client(rpc_transport: Any, topic: str) -> Any:
    """A client of the engines of a topic."""
    return oslo_messaging.get_rpc_client(
        rpc_transport, oslo_messaging.Target(topic=topic, version=VERSION),
        serializer=ContextSerializer())


def server(rpc_transport: Any, topic: str, name: str,
           endpoint: object) -> Any:
    """A server that shares a topic's work with the others."""
    return oslo_messaging.get_rpc_server(
        rpc_transport, oslo_messaging.Target(topic=topic, server=name),
        [endpoint], serializer=ContextSerializer(),
        access_policy=dispatcher.DefaultRPCAccessPolicy)

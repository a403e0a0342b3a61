# SPDX-License-Identifier: Apache-2.0
"""RPC between the API and the engines, over oslo.messaging."""

import threading
from typing import Any

import oslo_messaging
from oslo_config import cfg
from oslo_messaging.rpc import dispatcher

from mogan import broker, context

VERSION = '1.0'


class ContextSerializer(oslo_messaging.JsonPayloadSerializer):
    """Serializes bodies as JSON, and the caller's context beside them."""

    def serialize_context(self, ctxt: Any) -> dict[str, Any]:
        return ctxt.to_dict()

    def deserialize_context(self, ctxt: dict[str, Any]) -> Any:
        return context.RequestContext.from_message(ctxt)


def set_defaults() -> None:
    """Set our own defaults of oslo.messaging's options: a separate exchange,
    so that quorum queues never meet those of another service, and queues that
    survive a restart of the broker."""
    oslo_messaging.set_transport_defaults('mogan')


def transport(conf: cfg.ConfigOpts, url: str | None = None,
              ) -> oslo_messaging.Transport:
    """Return a transport to the broker of [DEFAULT] transport_url."""
    return broker.prepare(oslo_messaging.get_rpc_transport(conf, url))


def close(rpc_transport: oslo_messaging.Transport, timeout: float = 3) -> None:
    """Close the connections to the broker.

    A thread that waits for an unreachable broker holds the lock that this
    needs, so give up after `timeout` seconds.
    """
    closing = threading.Thread(target=rpc_transport.cleanup, daemon=True,
                               name='close')
    closing.start()
    closing.join(timeout)


def client(rpc_transport: oslo_messaging.Transport, topic: str,
           ) -> oslo_messaging.RPCClient:
    """Return an RPC client for the engines of a topic."""
    return oslo_messaging.get_rpc_client(
        rpc_transport, oslo_messaging.Target(topic=topic, version=VERSION),
        serializer=ContextSerializer())


def server(rpc_transport: oslo_messaging.Transport, topic: str, name: str,
           endpoint: object) -> oslo_messaging.MessageHandlingServer:
    """Return an RPC server that shares a topic with those of other engines."""
    return oslo_messaging.get_rpc_server(
        rpc_transport, oslo_messaging.Target(topic=topic, server=name),
        [endpoint], serializer=ContextSerializer(),
        access_policy=dispatcher.DefaultRPCAccessPolicy)

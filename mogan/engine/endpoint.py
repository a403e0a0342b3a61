# SPDX-License-Identifier: Apache-2.0
"""The RPC endpoint of an engine."""

import dataclasses
from typing import Any

import oslo_messaging

from mogan import rpc
from mogan.baremetal import driver
from mogan.context import RequestContext
from mogan.engine.reconcile import Reconciler


class EngineEndpoint:
    """The methods that oslo.messaging calls."""

    target = oslo_messaging.Target(version=rpc.VERSION)

    def __init__(self, reconciler: Reconciler,
                 hardware: driver.Driver) -> None:
        self._reconciler = reconciler
        self._driver = hardware

    def nudge(self, ctxt: RequestContext, instance_uuid: str) -> None:
        """Process an instance at once."""
        self._reconciler.hurry(instance_uuid)

    @oslo_messaging.expected_exceptions(driver.DriverError)
    def list_nodes(self, ctxt: RequestContext, marker: str | None,
                   limit: int) -> list[dict[str, Any]]:
        """Return a page of nodes, as plain values."""
        return [dataclasses.asdict(node) for node in self._driver.nodes(
            marker=marker, limit=limit)]

    @oslo_messaging.expected_exceptions(driver.DriverError)
    def list_zones(self, ctxt: RequestContext) -> list[str]:
        """Return the availability zones that nodes are in."""
        return self._driver.zones()

    @oslo_messaging.expected_exceptions(driver.DriverError)
    def list_manageable(self, ctxt: RequestContext, marker: str | None,
                        limit: int) -> list[dict[str, Any]]:
        """Return a page of the nodes that an instance can adopt."""
        return [dataclasses.asdict(node) for node in self._driver.manageable(
            marker=marker, limit=limit)]

    @oslo_messaging.expected_exceptions(driver.DriverError)
    def get_node(self, ctxt: RequestContext,
                 node_uuid: str) -> dict[str, Any] | None:
        """Return a node, with the obstacle to adopting it."""
        node = self._driver.look([node_uuid]).get(node_uuid)
        if node is None:
            return None
        return dataclasses.asdict(node) | {'obstacle': node.obstacle}

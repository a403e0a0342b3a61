# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterable

from moganclient.sdk.v1.node import Node
from moganclient.v1 import base


class NodeManager(base.Manager[Node]):
    """The machines that instances are deployed on."""

    def _members(self) -> Iterable[Node]:
        return self.api.nodes(details=True)

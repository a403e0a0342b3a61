# SPDX-License-Identifier: Apache-2.0
"""What a node looks like."""

from typing import Final

from wsme import types as wtypes

from mogan.api import types, views
from mogan.api.controllers.v1.shapes import words


class Node(wtypes.Base):
    """A node as the hardware's driver sees it."""

    uuid = types.attribute(str, schema=words.UUID)
    name = types.attribute(str)
    resource_class = types.attribute(str)
    power_state = types.attribute(str, nullable=True)
    availability = types.attribute(str)
    instance_uuid = types.attribute(str, nullable=True, schema=words.UUID)
    protected = types.attribute(bool)
    protected_reason = types.attribute(str, nullable=True)
    traits = types.attribute([str])
    maintenance = types.attribute(bool)
    last_error = types.attribute(str, nullable=True)
    availability_zone = types.attribute(str, nullable=True)


class NodeNames(wtypes.Base):
    """A page of nodes by name."""

    nodes = types.attribute([str])
    next = types.attribute(str, optional=True)


class Nodes(wtypes.Base):
    """A page of nodes."""

    nodes = types.attribute([Node])
    next = types.attribute(str, optional=True)


VIEW: Final = views.View(Node, mapping=True)

# SPDX-License-Identifier: Apache-2.0
"""Schemas of nodes."""

from typing import Final

from wsme import types as wtypes

from mogan.api import serialization, types
from mogan.api.v1.schemas import fields


class Node(wtypes.Base):
    """A node in the view of the bare-metal driver."""

    uuid = types.attribute(str, schema=fields.UUID)
    name = types.attribute(str)
    resource_class = types.attribute(str)
    power_state = types.attribute(str, nullable=True)
    availability = types.attribute(str)
    instance_uuid = types.attribute(str, nullable=True, schema=fields.UUID)
    protected = types.attribute(bool)
    protected_reason = types.attribute(str, nullable=True)
    traits = types.attribute([str])
    maintenance = types.attribute(bool)
    last_error = types.attribute(str, nullable=True)
    availability_zone = types.attribute(str, nullable=True)


class NodeNames(wtypes.Base):
    """A page of node names."""

    nodes = types.attribute([str])
    next = types.attribute(str, optional=True)


class Nodes(wtypes.Base):
    """A page of nodes."""

    nodes = types.attribute([Node])
    next = types.attribute(str, optional=True)


VIEW: Final = serialization.View(Node, mapping=True)

# SPDX-License-Identifier: Apache-2.0
"""Schemas of an instance's states, and of requests to change them."""

from typing import Any, Final

from wsme import types as wtypes

from mogan import states
from mogan.api import serialization, types
from mogan.api.v1.schemas import fields

# The words of the API for the verbs that change the power.
TARGETS: Final = {
    'on': states.Verb.POWER_ON,
    'off': states.Verb.POWER_OFF,
    'soft_off': states.Verb.SOFT_POWER_OFF,
    'reboot': states.Verb.REBOOT,
    'soft_reboot': states.Verb.SOFT_REBOOT,
}

_REASON: Final[dict[str, Any]] = {
    'type': 'string', 'minLength': 1, 'maxLength': fields.LONGEST,
    **fields.LINE}


class LockReason(wtypes.Base):
    """The reason of a lock."""

    reason = types.field(str, _REASON, required=True)


class Lock(wtypes.Base):
    """A request to lock an instance, with or without a reason."""

    lock = types.field(
        LockReason, types.body_schema(LockReason) | {
            'type': ['object', 'null']}, required=True)


class Unlock(wtypes.Base):
    """A request to unlock an instance; its value is always null."""

    unlock = types.field(LockReason, {'type': 'null'}, required=True)


class Power(wtypes.Base):
    """A request to change the power state."""

    target = types.field(str, {'enum': list(TARGETS)}, required=True)


class Provision(wtypes.Base):
    """A request to rebuild an instance."""

    target = types.field(str, {'enum': ['rebuild']}, required=True)
    image_uuid = types.field(str, fields.UUID)


class States(wtypes.Base):
    """An instance's states in responses."""

    status = types.attribute(str, schema=fields.one_of(states.Status))
    power_state = types.attribute(str, nullable=True)
    locked = types.attribute(bool)
    lock_state = types.attribute(str, schema=fields.one_of(states.LockState))
    locked_at = types.attribute(types.timestamp, nullable=True)
    locked_reason = types.attribute(str, nullable=True)
    locked_by = types.attribute(str, admin=True, nullable=True)


VIEW: Final = serialization.View(States)

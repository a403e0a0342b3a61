# SPDX-License-Identifier: Apache-2.0
"""An instance's states, and what is asked of them."""

from typing import Any, Final

from wsme import types as wtypes

from mogan import states
from mogan.api import types, views
from mogan.api.controllers.v1.shapes import words

# The words of the API for the verbs that change the power.
TARGETS: Final = {
    'on': states.Verb.POWER_ON,
    'off': states.Verb.POWER_OFF,
    'soft_off': states.Verb.SOFT_POWER_OFF,
    'reboot': states.Verb.REBOOT,
    'soft_reboot': states.Verb.SOFT_REBOOT,
}

_REASON: Final[dict[str, Any]] = {
    'type': 'string', 'minLength': 1, 'maxLength': words.LONGEST,
    'pattern': words.TEXT}
LOCK: Final = words.members({'lock': {
    'type': ['object', 'null'], 'properties': {'reason': _REASON},
    'required': ['reason'], 'additionalProperties': False}}, 'lock')
UNLOCK: Final = words.members({'unlock': {'type': 'null'}}, 'unlock')
POWER: Final = words.members({'target': {'enum': list(TARGETS)}}, 'target')
PROVISION: Final = words.members(
    {'target': {'enum': ['rebuild']}, 'image_uuid': words.UUID},
    'target', 'image_uuid')


class LockReason(wtypes.Base):
    """Why something is locked."""

    reason = wtypes.wsattr(str, mandatory=True)


class Lock(wtypes.Base):
    """A lock that is asked for, with a reason or without."""

    lock = wtypes.wsattr(LockReason)


class Unlock(wtypes.Base):
    """The end of a lock; there is nothing to say about it."""

    unlock = wtypes.wsattr(LockReason)


class Power(wtypes.Base):
    """A change of power that is asked for."""

    target = wtypes.wsattr(wtypes.Enum(str, *TARGETS), mandatory=True)


class Provision(wtypes.Base):
    """A rebuild that is asked for."""

    target = wtypes.wsattr(wtypes.Enum(str, 'rebuild'), mandatory=True)
    image_uuid = wtypes.wsattr(str, mandatory=True)


class States(wtypes.Base):
    """An instance's states as they are shown."""

    status = types.attribute(str, schema=words.one_of(states.Status))
    power_state = types.attribute(str, nullable=True)
    locked = types.attribute(bool)
    lock_state = types.attribute(str, schema=words.one_of(states.LockState))
    locked_at = types.attribute(types.moment, nullable=True)
    locked_reason = types.attribute(str, nullable=True)
    locked_by = types.attribute(str, admin=True, nullable=True)


VIEW: Final = views.View(States)

# SPDX-License-Identifier: Apache-2.0
"""What an entry of an instance's history looks like."""

from typing import Final

from wsme import types as wtypes

from mogan.api import types, views


class _Arguments(wtypes.UserType):
    """What was asked for; each verb has its own members."""

    basetype = dict
    name = 'arguments'


class Action(wtypes.Base):
    """A request that was accepted, or refused because of a lock.

    `outcome` is null while there is still work to do.  `times`: how often
    the same refusal was given.
    """

    uuid = types.attribute(str)
    instance_uuid = types.attribute(str)
    action = types.attribute(str, source='verb')
    arguments = types.attribute(_Arguments())
    outcome = types.attribute(str)
    error = types.attribute(str)
    attempts = types.attribute(int)
    times = types.attribute(int)
    request_id = types.attribute(str)
    user_id = types.attribute(str, admin=True)
    created_at = types.attribute(types.moment)
    updated_at = types.attribute(types.moment)
    finished_at = types.attribute(types.moment)


class Actions(wtypes.Base):
    """A page of a history, the newest first."""

    actions = types.attribute([Action])
    next = types.attribute(str)


VIEW: Final = views.View(Action)

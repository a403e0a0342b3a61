# SPDX-License-Identifier: Apache-2.0
"""What an entry of an instance's history looks like."""

from typing import Final

from wsme import types as wtypes

from mogan import states
from mogan.api import types, views
from mogan.api.controllers.v1.shapes import words
from mogan.db.actions import Outcome


class _Arguments(wtypes.UserType):
    """What was asked for; each verb has its own members."""

    basetype = dict
    name = 'arguments'
    schema = {'type': 'object'}


class Action(wtypes.Base):
    """A request that was accepted, or refused because of a lock.

    `outcome` is null while there is still work to do.  `times`: how often
    the same refusal was given.
    """

    uuid = types.attribute(str, schema=words.UUID)
    instance_uuid = types.attribute(str, schema=words.UUID)
    action = types.attribute(
        str, source='verb', schema=words.one_of(states.Verb))
    arguments = types.attribute(_Arguments())
    outcome = types.attribute(
        str, nullable=True, schema=words.one_of(Outcome))
    error = types.attribute(str, nullable=True)
    attempts = types.attribute(int)
    times = types.attribute(int)
    request_id = types.attribute(str, nullable=True, schema=words.REQUEST_ID)
    user_id = types.attribute(str, admin=True)
    created_at = types.attribute(types.moment)
    updated_at = types.attribute(types.moment, nullable=True)
    finished_at = types.attribute(types.moment, nullable=True)


class Actions(wtypes.Base):
    """A page of a history, the newest first."""

    actions = types.attribute([Action])
    next = types.attribute(str, optional=True)


VIEW: Final = views.View(Action)

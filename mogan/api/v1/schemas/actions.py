# SPDX-License-Identifier: Apache-2.0
"""Schemas of the entries in an instance's history."""

from typing import Final

from wsme import types as wtypes

from mogan import states
from mogan.api import serialization, types
from mogan.api.v1.schemas import fields
from mogan.db.actions import Outcome


class _Arguments(wtypes.UserType):
    """The arguments of the request; each verb has its own fields."""

    basetype = dict
    name = 'arguments'
    schema = {'type': 'object'}


class Action(wtypes.Base):
    """A request that was accepted, or refused because of a lock.

    `outcome` is null while the action is unfinished. `times`: the count of
    repetitions of the same refusal.
    """

    uuid = types.attribute(str, schema=fields.UUID)
    instance_uuid = types.attribute(str, schema=fields.UUID)
    action = types.attribute(
        str, source='verb', schema=fields.one_of(states.Verb))
    arguments = types.attribute(_Arguments())
    outcome = types.attribute(
        str, nullable=True, schema=fields.one_of(Outcome))
    error = types.attribute(str, nullable=True)
    attempts = types.attribute(int)
    times = types.attribute(int)
    request_id = types.attribute(str, nullable=True, schema=fields.REQUEST_ID)
    user_id = types.attribute(str, admin=True)
    created_at = types.attribute(types.timestamp)
    updated_at = types.attribute(types.timestamp, nullable=True)
    finished_at = types.attribute(types.timestamp, nullable=True)


class Actions(wtypes.Base):
    """A page of a history, newest first."""

    actions = types.attribute([Action])
    next = types.attribute(str, optional=True)


VIEW: Final = serialization.View(Action)

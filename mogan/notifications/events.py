# SPDX-License-Identifier: Apache-2.0
"""The events of an action, and the payloads of their notifications.

Only the fields that are named here leave the service: a new field of an
instance, or a new argument of a request, stays inside until it is added here
with the readers of notifications in mind.
"""

import datetime
import enum
import itertools
import uuid
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from mogan import states, timestamps
from mogan.db import rows
from mogan.db.actions import Outcome, PendingNotifications

VERSION: Final = '1.0'
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, 'mogan.notifications')

INSTANCE: Final = (
    'uuid', 'name', 'description', 'project_id', 'user_id', 'status',
    'power_state', 'availability_zone', 'flavor_uuid', 'image_uuid',
    'metadata', 'locked', 'lock_state', 'locked_at', 'locked_reason',
    'locked_by', 'node_uuid', 'node_protection', 'created_at', 'updated_at',
    'launched_at', 'deleted_at')
ACTION: Final = (
    'uuid', 'verb', 'outcome', 'error', 'attempts', 'created_at',
    'finished_at')
_UNKNOWN: Final = {'outcome': None, 'error': None, 'finished_at': None,
                   'attempts': 0}
ARGUMENTS: Final = ('reason', 'image_uuid', 'node_uuid', 'fields')


class Phase(enum.StrEnum):
    """The phase of an action that an event reports."""

    START = 'start'
    END = 'end'
    ERROR = 'error'


class Event(NamedTuple):
    """An event to publish; `action` is its row."""

    occurred_at: datetime.datetime
    number: int
    phase: Phase
    action: rows.Action

    @property
    def type(self) -> str:
        """Return the event type."""
        return f'instance.{family(self.action.verb)}.{self.phase}'

    @property
    def id(self) -> str:
        """Return the id of the event, the same each time it is published."""
        return str(uuid.uuid5(_NAMESPACE,
                              f'{self.action.uuid}.{self.phase}'))

    def payload(self, instance: rows.Instance | None) -> dict[str, Any]:
        """Return the payload, with the instance's row as it is now."""
        action = self.action
        told = _named(action, ACTION)
        if self.phase is Phase.START:
            # By now it may have ended, which is another event.
            told |= _UNKNOWN
        return {
            'version': VERSION, 'event_id': self.id,
            'occurred_at': timestamps.show(self.occurred_at),
            'request_id': action.request_id, 'user_id': action.user_id,
            'project_id': action.project_id,
            'action': told | {'arguments': {
                name: value for name, value in action.arguments.items()
                if name in ARGUMENTS}},
            'instance': None if instance is None else (
                _named(instance, INSTANCE)
                | {'locked': bool(instance.locked),
                   'fault': instance.fault or instance.lock_fault})}


def family(verb: str) -> str:
    """Return the part of the event type that stands for a verb."""
    return 'power' if verb in states.POWER else verb


def of(action: rows.Action) -> list[Event]:
    """Return the pending events of an action, in order.

    A refusal has no start; its row is written again when the refusal is
    repeated, but the first time counts.
    """
    if action.outcome == Outcome.REFUSED:
        return [Event(action.created_at, action.id, Phase.ERROR, action)]
    found = []
    if action.unpublished == PendingNotifications.ALL:
        found.append(Event(action.created_at, action.id, Phase.START,
                           action))
    if action.finished_at is not None:
        phase = (Phase.END if action.outcome == Outcome.DONE
                 else Phase.ERROR)
        # The database's clock may have gone back since the start.
        occurred_at = max([action.finished_at,
                           *(one.occurred_at for one in found)])
        found.append(Event(occurred_at, action.id, phase, action))
    return found


def in_order(actions: Iterable[rows.PendingAction], *,
             more: bool) -> list[Event]:
    """Return the pending events of these actions, the oldest of all, in order.

    `more`: other actions follow these, so that events after the last action's
    first event have to wait for them.
    """
    rows = list(actions)
    # Sorted stably: at the same time, a start comes before its end.
    found = sorted(itertools.chain.from_iterable(map(of, rows)),
                   key=lambda event: event[:2])
    if more:
        last = rows[-1].occurred_at, rows[-1].id
        found = [event for event in found if event[:2] <= last]
    return found


def _named(row: object, names: Iterable[str]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {name: timestamps.show(value)
            if isinstance(value, datetime.datetime) else value
            for name, value in values.items()}

# SPDX-License-Identifier: Apache-2.0
"""What there is to tell of an action, and in which words.

Only what is named here leaves the service: what is added to an instance or
to the arguments of a request stays inside until somebody has thought of who
reads notifications.
"""

import datetime
import enum
import itertools
import uuid
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from mogan import states
from mogan.db.actions import Outcome, Unpublished

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
    """What has become of a request."""

    START = 'start'
    END = 'end'
    ERROR = 'error'


class Event(NamedTuple):
    """Something to tell; `action` is its row."""

    moment: datetime.datetime
    number: int
    phase: Phase
    action: Any

    @property
    def type(self) -> str:
        """The event's name."""
        return f'instance.{family(self.action.verb)}.{self.phase}'

    @property
    def id(self) -> str:
        """The event's id, the same whenever it is told."""
        return str(uuid.uuid5(_NAMESPACE,
                              f'{self.action.uuid}.{self.phase}'))

    def payload(self, instance: Any) -> dict[str, Any]:
        """What is told, with the instance's row as it is now."""
        action = self.action
        told = _named(action, ACTION)
        if self.phase is Phase.START:
            # By now it may have ended, which is another event.
            told |= _UNKNOWN
        return {
            'version': VERSION, 'event_id': self.id,
            'occurred_at': _shown(self.moment),
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
    """The word for a verb in the names of its events."""
    return 'power' if verb in states.POWER else verb


def of(action: Any) -> list[Event]:
    """What is still to be told of an action, in that order.

    A refusal has no start; its row is written again when it is given
    again, but the first time counts.
    """
    if action.outcome == Outcome.REFUSED:
        return [Event(action.created_at, action.id, Phase.ERROR, action)]
    found = []
    if action.unpublished == Unpublished.ALL:
        found.append(Event(action.created_at, action.id, Phase.START,
                           action))
    if action.finished_at is not None:
        phase = (Phase.END if action.outcome == Outcome.DONE
                 else Phase.ERROR)
        found.append(Event(action.finished_at, action.id, phase, action))
    return found


def in_order(actions: Iterable[Any], *, more: bool) -> list[Event]:
    """What is to be told of these, the first of them all, as it happened.

    `more`: others come behind these, so that what happened after the first
    of the last one's events has to wait for them.
    """
    rows = list(actions)
    # Sorted stably: of one moment, a start comes before its end.
    found = sorted(itertools.chain.from_iterable(map(of, rows)),
                   key=lambda event: event[:2])
    if more:
        last = rows[-1].moment, rows[-1].id
        found = [event for event in found if event[:2] <= last]
    return found


def _named(row: Any, names: Iterable[str]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {name: _shown(value) if isinstance(value, datetime.datetime)
            else value for name, value in values.items()}


def _shown(moment: datetime.datetime) -> str:
    return f'{moment.isoformat("T", "microseconds")}Z'

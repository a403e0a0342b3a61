# SPDX-License-Identifier: Apache-2.0
"""What the payloads of the events look like, as JSON Schema.

tools/notifications.py writes them into schemas/, for those who read them.
"""

import pathlib
from typing import Any, Final

from mogan import states
from mogan.db.actions import Outcome
from mogan.notifications import events
from mogan.notifications.events import Phase

DIRECTORY: Final = pathlib.Path(__file__).parent / 'schemas'

_TEXT: Final = {'type': 'string'}
_TEXT_OR_NOT: Final = {'type': ['string', 'null']}
_UUID: Final = {'type': 'string', 'pattern': (
    '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')}
_UUID_OR_NOT: Final = _UUID | {'type': ['string', 'null']}
_MOMENT: Final = {'type': 'string', 'pattern': (
    r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$')}
_MOMENT_OR_NOT: Final = _MOMENT | {'type': ['string', 'null']}
_TEXTS: Final = {'type': 'object', 'additionalProperties': _TEXT}

_INSTANCE: Final[dict[str, Any]] = dict.fromkeys(
    events.INSTANCE, _TEXT_OR_NOT) | {
        'uuid': _UUID, 'name': _TEXT, 'project_id': _TEXT, 'user_id': _TEXT,
        'flavor_uuid': _UUID_OR_NOT, 'image_uuid': _UUID_OR_NOT,
        'node_uuid': _UUID_OR_NOT, 'metadata': _TEXTS,
        'status': {'enum': list(states.Status)},
        'locked': {'type': 'boolean'},
        'lock_state': {'enum': list(states.LockState)},
        'node_protection': _TEXT,
        'fault': _TEXTS | {'type': ['object', 'null']},
        'created_at': _MOMENT} | dict.fromkeys(
            ('locked_at', 'updated_at', 'launched_at', 'deleted_at'),
            _MOMENT_OR_NOT)
_ARGUMENTS: Final[dict[str, Any]] = {
    'reason': _TEXT, 'image_uuid': _UUID, 'node_uuid': _UUID,
    'fields': {'type': 'array', 'items': _TEXT}}
_OUTCOMES: Final[dict[Phase, list[Outcome | None]]] = {
    Phase.START: [None],
    Phase.END: [Outcome.DONE],
    Phase.ERROR: [Outcome.FAILED, Outcome.SUPERSEDED, Outcome.REFUSED]}

FAMILIES: Final = tuple(dict.fromkeys(map(events.family, states.Verb)))
# Each event by its name, with the family that it belongs to.
EVENTS: Final = {f'instance.{family}.{phase}': (family, phase)
                 for family in FAMILIES for phase in Phase}


def of(event: str) -> dict[str, Any]:
    """The schema of an event's payload, by the event's name."""
    family, phase = EVENTS[event]
    verbs = [verb.value for verb in states.Verb
             if events.family(verb) == family]
    action = dict.fromkeys(events.ACTION, _TEXT_OR_NOT) | {
        'uuid': _UUID, 'verb': {'enum': verbs},
        'outcome': {'enum': [outcome and outcome.value
                             for outcome in _OUTCOMES[phase]]},
        'attempts': {'type': 'integer', 'minimum': 0},
        'arguments': {'type': 'object', 'properties': _ARGUMENTS},
        'created_at': _MOMENT,
        'finished_at': ({'type': 'null'} if phase is Phase.START
                        else _MOMENT)}
    return {
        '$schema': 'https://json-schema.org/draft/2020-12/schema',
        'title': event,
        **_object({
            'version': {'type': 'string', 'pattern': r'^1\.\d+$'},
            'event_id': _UUID, 'occurred_at': _MOMENT,
            'request_id': _TEXT_OR_NOT, 'user_id': _TEXT,
            'project_id': _TEXT_OR_NOT,
            'action': _object(action),
            'instance': _object(_INSTANCE) | {'type': ['object', 'null']}})}


def _object(members: dict[str, Any]) -> dict[str, Any]:
    """One with these members; others may come with a later version."""
    return {'type': 'object', 'properties': members,
            'required': list(members)}

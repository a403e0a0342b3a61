# SPDX-License-Identifier: Apache-2.0
"""The JSON Schemas of the notification payloads.

tools/notifications.py writes them into schemas/, for consumers.
"""

import pathlib
from typing import Any, Final

from mogan import states
from mogan.db.actions import Outcome
from mogan.notifications import events
from mogan.notifications.events import Phase

DIRECTORY: Final = pathlib.Path(__file__).parent / 'schemas'

_STRING: Final = {'type': 'string'}
_STRING_OR_NULL: Final = {'type': ['string', 'null']}
_UUID: Final = {'type': 'string', 'pattern': (
    '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')}
_UUID_OR_NULL: Final = _UUID | {'type': ['string', 'null']}
_TIMESTAMP: Final = {'type': 'string', 'pattern': (
    r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$')}
_TIMESTAMP_OR_NULL: Final = _TIMESTAMP | {'type': ['string', 'null']}
_STRINGS: Final = {'type': 'object', 'additionalProperties': _STRING}

_INSTANCE: Final[dict[str, Any]] = dict.fromkeys(
    events.INSTANCE, _STRING_OR_NULL) | {
        'uuid': _UUID, 'name': _STRING, 'project_id': _STRING,
        'user_id': _STRING,
        'flavor_uuid': _UUID_OR_NULL, 'image_uuid': _UUID_OR_NULL,
        'node_uuid': _UUID_OR_NULL, 'metadata': _STRINGS,
        'status': {'enum': list(states.Status)},
        'locked': {'type': 'boolean'},
        'lock_state': {'enum': list(states.LockState)},
        'node_protection': _STRING,
        'fault': _STRINGS | {'type': ['object', 'null']},
        'created_at': _TIMESTAMP} | dict.fromkeys(
            ('locked_at', 'updated_at', 'launched_at', 'deleted_at'),
            _TIMESTAMP_OR_NULL)
_ARGUMENTS: Final[dict[str, Any]] = {
    'reason': _STRING, 'image_uuid': _UUID, 'node_uuid': _UUID,
    'fields': {'type': 'array', 'items': _STRING}}
_OUTCOMES: Final[dict[Phase, list[Outcome | None]]] = {
    Phase.START: [None],
    Phase.END: [Outcome.DONE],
    Phase.ERROR: [Outcome.FAILED, Outcome.SUPERSEDED, Outcome.REFUSED]}

FAMILIES: Final = tuple(dict.fromkeys(map(events.family, states.Verb)))
# Each event by its name, with the family that it belongs to.
EVENTS: Final = {f'instance.{family}.{phase}': (family, phase)
                 for family in FAMILIES for phase in Phase}


def of(event: str) -> dict[str, Any]:
    """Return the schema of the payload of an event type."""
    family, phase = EVENTS[event]
    verbs = [verb.value for verb in states.Verb
             if events.family(verb) == family]
    action = dict.fromkeys(events.ACTION, _STRING_OR_NULL) | {
        'uuid': _UUID, 'verb': {'enum': verbs},
        'outcome': {'enum': [outcome and outcome.value
                             for outcome in _OUTCOMES[phase]]},
        'attempts': {'type': 'integer', 'minimum': 0},
        'arguments': {'type': 'object', 'properties': _ARGUMENTS},
        'created_at': _TIMESTAMP,
        'finished_at': ({'type': 'null'} if phase is Phase.START
                        else _TIMESTAMP)}
    return {
        '$schema': 'https://json-schema.org/draft/2020-12/schema',
        'title': event,
        **_object({
            'version': {'type': 'string', 'pattern': r'^1\.\d+$'},
            'event_id': _UUID, 'occurred_at': _TIMESTAMP,
            'request_id': _STRING_OR_NULL, 'user_id': _STRING,
            'project_id': _STRING_OR_NULL,
            'action': _object(action),
            'instance': _object(_INSTANCE) | {'type': ['object', 'null']}})}


def _object(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with these fields; a later version may
    add others."""
    return {'type': 'object', 'properties': fields,
            'required': list(fields)}

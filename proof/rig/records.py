# SPDX-License-Identifier: Apache-2.0
"""The check that the service's own history has every acknowledgement and every
refusal because of a lock."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from proof.rig import history, wire
from proof.rig.history import Operation, by_instance
from proof.rig.wire import Connection, Request
from proof.spec import POWER

# The verbs of the service's history.
_VERBS: Final = {f'{history.POWER} {target}': verb
                 for target, (verb, _, _) in POWER.items()}
# An accepted request of these changes something, so it has an entry of its
# own; a lock of what is locked has none.
_CHANGING: Final = frozenset({history.REBUILD, *_VERBS})


def fetch(connection: Connection, uuid: str) -> list[dict[str, Any]]:
    """Return the history of an instance, deleted or not.  Raises Unreachable,
    LookupError."""
    found: list[dict[str, Any]] = []
    while True:
        marker = f'&marker={found[-1]["uuid"]}' if found else ''
        _, answer = connection.ask(Request(
            'list', 'GET', f'/v1/instances/{uuid}/actions?limit=1000{marker}'))
        if answer.status != 200:  # noqa: PLR2004
            raise LookupError(f'{uuid}: {answer}')
        found += answer.json['actions']
        if 'next' not in answer.json:
            return found


def check(operations: Sequence[Operation],
          entries: Iterable[dict[str, Any]]) -> list[str]:
    """Return what is missing in one instance's history, or too much, in
    words."""
    entries = list(entries)
    accepted = [entry for entry in entries if entry['outcome'] != 'refused']
    wrong = [f'not on record: {one}' for one in operations
             if one.answer == history.DONE and one.kind in _CHANGING
             and not any(entry['request_id'] == one.request_id
                         and entry['action'] == _verb(one.kind)
                         for entry in accepted)]
    counts = Counter(entry['action'] for entry in accepted)
    done = Counter(_verb(one.kind) for one in operations
                   if one.answer == history.DONE)
    unknown = Counter(_verb(one.kind) for one in operations
                      if one.answer == history.UNKNOWN)
    for verb, number in counts.items():
        if verb == 'create':
            continue
        if number > done[verb] + unknown[verb]:
            wrong.append(f'{number} entries of {verb} for {done[verb]} '
                         f'acknowledged requests')
    wrong += [f'no entry of {verb}' for verb in ('lock', 'delete', 'create')
              if done[verb] and not counts[verb]]
    if counts['delete'] > 1 or counts['create'] > 1:
        wrong.append(f'more than one life: {dict(counts)}')
    return wrong + _refusals(operations, entries)


def _verb(kind: str) -> str:
    return _VERBS.get(kind, kind)


def _refusals(operations: Sequence[Operation],
              entries: Sequence[dict[str, Any]]) -> list[str]:
    refused = Counter((one.user, _verb(one.kind)) for one in operations
                   if one.answer == history.LOCKED)
    unknown = Counter((one.user, _verb(one.kind)) for one in operations
                      if one.answer == history.UNKNOWN)
    recorded: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        if entry['outcome'] == 'refused':
            recorded[entry['user_id'], entry['action']] += entry['times']
    return [f'{who} was refused {verb} {refused[who, verb]} times, on record '
            f'are {recorded[who, verb]}'
            for who, verb in refused.keys() | recorded.keys()
            if not refused[who, verb] <= recorded[who, verb]
            <= refused[who, verb] + unknown[who, verb]]


def resolve(operations: Sequence[Operation],
            entries: Iterable[dict[str, Any]]) -> list[Operation]:
    """Return one instance's operations without those of unknown outcome that
    certainly changed nothing.

    An accepted request is on record from the moment of its effect.  So
    where each entry of a verb belongs to a request that was answered, no
    other request of that verb was accepted.
    """
    answered = {one.request_id for one in operations
                if one.answer == history.DONE}
    possible = {entry['action'] for entry in entries
                if entry['outcome'] != 'refused'
                and entry['request_id'] not in answered}
    return [one for one in operations if one.answer != history.UNKNOWN
            or _verb(one.kind) in possible]


def compare(port: int, operations: Sequence[Operation],
            ) -> tuple[list[Operation], list[str]]:
    """`resolve` and `check` for all instances of a run: the operations
    that are left, and what is wrong."""
    left: list[Operation] = []
    wrong = []
    with wire.administrator(port) as connection:
        for uuid, its_own in by_instance(operations).items():
            try:
                entries = fetch(connection, uuid)
            except (wire.Unreachable, LookupError) as error:
                wrong.append(f'{uuid}: its history cannot be had: {error!r}')
                left += its_own
                continue
            wrong += [f'{uuid}: {fault}'
                      for fault in check(its_own, entries)]
            left += resolve(its_own, entries)
    return left, wrong

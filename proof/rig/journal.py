# SPDX-License-Identifier: Apache-2.0
"""The verdict of the hardware's journal: which locks were broken, and whether
a call reached a node that was somebody else's."""

from collections.abc import Iterable, Sequence

from proof import spec
from proof.rig import history
from proof.rig.history import Entry, Operation


def broken_locks(operations: Iterable[Operation],
                 entries: Iterable[Entry]) -> list[tuple[Operation, Entry]]:
    """Return the acknowledged locks of one instance under which the data on
    its node was destroyed, each with the first effect that did it.

    Nothing is reckoned as destroyed that may have been before the answer,
    or after an unlock that was accepted or may have been.
    """
    locks = [one for one in operations if one.kind == history.LOCK
             and one.answer == history.DONE]
    unlocks = [one for one in operations if one.kind == history.UNLOCK
               and one.answer in {history.DONE, history.UNKNOWN}]
    effects = sorted(
        (entry for entry in entries if entry.outcome == 'effect'
         and entry.call in spec.DESTRUCTIVE), key=lambda entry: entry.id)
    broken = []
    for lock in locks:
        # An unlock that was over before the lock was sent is none of it.
        until = min((unlock.sent for unlock in unlocks
                     if unlock.answered >= lock.sent), default=history.NEVER)
        first = next((entry for entry in effects
                      if lock.answered < entry.at
                      and entry.before < until), None)
        if first is not None:
            broken.append((lock, first))
    return broken


def misdirected(entries: Sequence[Entry]) -> list[str]:
    """Return what took effect on a node that did not carry the instance, by
    the journal alone: in words, all nodes together."""
    carried: dict[str, str] = {}
    wiped: set[str] = set()
    wrong = []
    for entry in entries:
        if entry.outcome != 'effect' or not entry.instance or (
                entry.node is None):
            continue
        carrier = carried.get(entry.node)
        if entry.call == 'claim':
            if carrier is not None and entry.node not in wiped:
                wrong.append(f'{entry}: {entry.node} still carried '
                             f'{carrier}')
            others = [node for node, instance in carried.items()
                      if instance == entry.instance and node not in wiped]
            if others:
                wrong.append(f'{entry}: {entry.instance} had the node '
                             f'{others[0]}')
            carried[entry.node] = entry.instance
            wiped.discard(entry.node)
        elif entry.call in spec.DESTRUCTIVE or entry.call in {
                'power', 'protect', 'unprotect'}:
            if carrier != entry.instance:
                wrong.append(f'{entry}: {entry.node} carried {carrier}, '
                             f'not {entry.instance}')
            if entry.call == 'undeploy':
                wiped.add(entry.node)
            elif entry.call == 'deploy':
                wiped.discard(entry.node)
    return wrong

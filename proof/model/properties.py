# SPDX-License-Identifier: Apache-2.0
"""The properties of every state, and of a settled one."""

import itertools
from collections.abc import Iterable

from mogan.states import ENDS, UNDER_WAY, LockState, Status, Verb
from proof.model import requests
from proof.model.rules import Bounds
from proof.model.state import (
    ABSENT,
    ACTIVE,
    CREATE,
    DELETING,
    ERROR,
    FINISH,
    GONE,
    LOCKED,
    NODE_ACTIVE,
    NODE_REBUILDING,
    UNLOCKED,
    VERB_OF,
    Node,
    Part,
    Row,
)
from proof.model.workers import drifted


def broken(part: Part, node: Node, me: int) -> str:
    """Which property an instance and its node violate, in words."""
    row = part.row
    wrong = requests.broken(part)
    if wrong:
        return wrong
    if node.carries != me:
        return ''
    if row.status in (ABSENT, GONE):
        return (f'instance {me} is gone, and a node carries it for ever')
    # A deploy that goes on has nothing of the instance's to destroy.
    if row.promise and node.work == NODE_REBUILDING:
        return ('L1: the node is still being rebuilt under an acknowledged '
                'lock')
    return _misprotected(row, node)


def _misprotected(row: Row, node: Node) -> str:
    if row.lock == LOCKED and row.protection == 'applied' and not (
            node.protected or node.meddled) and node.work == NODE_ACTIVE:
        return ('the row says that the node is protected, and it is not, '
                'though no outsider has been at it')
    if row.lock == UNLOCKED and node.protected and not node.foreign:
        return ('the instance is unlocked and its node protected, though no '
                'outsider has been at it')
    return ''


def settled(part: Part, node: Node, me: int) -> bool:
    """Return whether nothing is left to be done for an instance."""
    row = part.row
    if row.status in (ABSENT, GONE):
        return True
    # A delete waits for a protection that is not ours to take off.
    waits = row.status == DELETING and node.carries == me and node.foreign
    if row.live or row.lock in VERB_OF or (
            row.status in VERB_OF and not waits):
        return False
    # Repairs are explored with the first instance alone.
    return me > 1 or not drifted(row, node, me) or (
        row.lock == LOCKED and row.protection == 'pending'
        and node.work != NODE_ACTIVE)


def unreached(parts: Iterable[Part], bounds: Bounds) -> list[str]:
    """Return what an exploration should have reached and has not: each status
    with each lock state, each end of each verb."""
    rows, ends = set(), set()
    for part in parts:
        rows.add((part.row.status, part.row.lock))
        ends |= {(worker.verb, worker.detail[0]) for worker in part.workers
                 if worker.place == FINISH}
    verbs = (CREATE, *(verb.value for verb in requests.asked(bounds)))
    modelled = {ACTIVE, ERROR} | {
        UNDER_WAY[Verb(verb)].value for verb in verbs} & set(Status)
    wanted = {f'{status} and {lock.value}'
              for status, lock in itertools.product(modelled, LockState)
              if lock is LockState.UNLOCKED
              or status not in requests.NOT_LOCKABLE}
    found = {f'{status} and {lock}' for status, lock in rows}
    for verb in verbs:
        wanted |= {f'{verb} ends in {GONE if end is None else end.value}'
                   for end in ENDS[UNDER_WAY[Verb(verb)]]
                   if end is not Status.STOPPED}
    found |= {f'{verb} ends in {end}' for verb, end in ends}
    return sorted(wanted - found)

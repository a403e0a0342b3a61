# SPDX-License-Identifier: Apache-2.0
"""The node and its driver: what a call does when it arrives."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from proof.model.rules import Bounds, Rules
from proof.model.state import (
    AVAILABLE,
    DEPLOY,
    DEPLOYING,
    DESTRUCTIVE,
    FAILED,
    FORCED,
    NODE_ACTIVE,
    NODE_REBUILDING,
    POWER,
    REBUILD_NODE,
    SEAL,
    SEAL_OLDER,
    SOFT,
    SOFT_POWER,
    TAKE_NODE,
    TEARDOWN,
    UNDEPLOY,
    UNDEPLOYING,
    UNPROTECT,
    Fences,
    Node,
)

# A driver's answers.
OK: Final = 'ok'
NODE_BUSY: Final = 'busy'
NOT_OURS: Final = 'not ours'
REFUSED: Final = 'refused'
FENCED: Final = 'fenced'
NOT_PROTECTABLE: Final = 'not protectable'
PROTECTED: Final = 'protected'
FOREIGN: Final = 'foreign'
NO_NODE: Final = 'no node'
UNAVAILABLE: Final = 'unavailable'


class Landing(NamedTuple):
    """A call has arrived; `effect`: it changed what the node does."""

    answer: str
    fences: Fences
    node: Node
    effect: bool = False


def land(kind: str, number: int, me: int, fences: Fences, node: Node,
         rules: Rules) -> Landing:
    """Check a call and give it its effect, in one step."""
    if kind in (SEAL, SEAL_OLDER):
        sealed = number - (kind == SEAL_OLDER)
        return Landing(OK, fences._replace(
            sealed=max(sealed, fences.sealed)), node)
    if kind == TAKE_NODE:
        return _take(number, me, fences, node, rules)
    if node.carries != me and (rules.checks_instance or not node.carries):
        return Landing(NOT_OURS, fences, node)
    if kind in DESTRUCTIVE:
        return _destroy(kind, number, fences, node, rules)
    if kind in (POWER, SOFT_POWER):
        return _power(kind, number, fences, node, rules)
    return _protect(kind, number, fences, node, rules)


def _admitted(kind: str, number: int, fences: Fences, rules: Rules) -> bool:
    if not rules.fencing:
        return True
    if kind == UNDEPLOY and not rules.undeploy_is_fenced:
        return True
    return number > fences.sealed and not (
        rules.begun_fenced and number < fences.begun)


def _take(number: int, me: int, fences: Fences, node: Node,
          rules: Rules) -> Landing:
    if not _admitted(TAKE_NODE, number, fences, rules):
        return Landing(FENCED, fences, node)
    if node.carries == me:
        return Landing(OK, fences, node)
    if node.carries:
        return Landing(NO_NODE, fences, node)
    return Landing(OK, _begun(fences, TAKE_NODE, number, rules),
                   node._replace(carries=me), effect=True)


def _begun(fences: Fences, kind: str, number: int, rules: Rules) -> Fences:
    if not rules.fencing:
        return fences
    return fences._replace(begun=number, work=kind)


def _destroy(kind: str, number: int, fences: Fences, node: Node,
             rules: Rules) -> Landing:
    if not _admitted(kind, number, fences, rules):
        return Landing(FENCED, fences, node)
    repeated = rules.fencing and rules.repeats_recognized and (
        (fences.work, fences.begun) == (kind, number))
    work = {DEPLOY: DEPLOYING, REBUILD_NODE: NODE_REBUILDING,
            UNDEPLOY: UNDEPLOYING}[kind]
    if kind == UNDEPLOY:
        nothing = node.work == UNDEPLOYING
    else:
        nothing = repeated or (kind == DEPLOY and node.work in (
            DEPLOYING, NODE_ACTIVE))
    if nothing:
        return Landing(OK, fences, node)
    if node.protected and kind != DEPLOY:
        return Landing(PROTECTED, fences, node)
    if node.busy:
        return Landing(NODE_BUSY, fences, node)
    return Landing(OK, _begun(fences, kind, number, rules),
                   node._replace(work=work), effect=True)


def _power(kind: str, number: int, fences: Fences, node: Node,
           rules: Rules) -> Landing:
    if rules.fencing:
        if number < fences.power:
            return Landing(FENCED, fences, node)
        if number == fences.power:
            return Landing(OK, fences, node)
    if node.busy and (kind, node.powering) != (POWER, SOFT):
        return Landing(NODE_BUSY, fences, node)
    if rules.fencing:
        fences = fences._replace(power=number)
    return Landing(OK, fences, node._replace(
        powering=FORCED if kind == POWER else SOFT))


def _protect(kind: str, number: int, fences: Fences, node: Node,
             rules: Rules) -> Landing:
    seen = fences
    if rules.fencing:
        if rules.protection_fenced and number < fences.protection:
            return Landing(FENCED, fences, node)
        seen = fences._replace(protection=max(number, fences.protection))
    protects = kind != UNPROTECT
    if protects and not (node.protected or node.work == NODE_ACTIVE):
        return Landing(NOT_PROTECTABLE, fences, node)
    if node.foreign and rules.protects_own:
        return Landing(FOREIGN, seen, node)
    return Landing(OK, seen, node._replace(
        protected=protects, foreign=False, meddled=False))


def damage(kind: str, me: int, before: Node, landing: Landing,
           promise: int) -> str:
    """Return what a call's arrival breaks, in words."""
    if landing.node == before:
        return ''
    if before.carries != me and kind != TAKE_NODE:
        return (f'a call for instance {me} has changed the node of instance '
                f'{before.carries}')
    if before.foreign and not landing.node.foreign:
        return f'the {kind} changes a protection of somebody else'
    if kind in TEARDOWN and landing.effect and promise:
        return f'L1: the {kind} takes effect under an acknowledged lock'
    return ''


def moves(node: Node, bounds: Bounds) -> Iterator[tuple[tuple, Node, bool]]:
    """Yield what the node does by itself, and what outsiders do to it."""
    if node.powering:
        yield ('powered',), node._replace(powering=''), True
    elif node.work == UNDEPLOYING:
        yield ('wiped',), Node(), True
    elif node.busy:
        yield ('installed',), node._replace(work=NODE_ACTIVE), True
    if node.busy and not node.powering and bounds.faults:
        yield ('broken',), node._replace(work=FAILED), False
    if not bounds.meddling or node.carries != 1:
        return
    if bounds.foreign and node.work == NODE_ACTIVE and not node.foreign:
        yield (('outsider protects',), node._replace(
            protected=True, foreign=True, meddled=False), False)
    if node.protected:
        yield (('outsider unprotects',), node._replace(
            protected=False, foreign=False, meddled=True), False)
    elif not node.busy and node.work != AVAILABLE:
        yield (('outsider undeploys',),
               node._replace(work=UNDEPLOYING), False)


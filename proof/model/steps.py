# SPDX-License-Identifier: Apache-2.0
"""What each verb does next, as in mogan/engine/actions.

Everything here is local to one worker: it has seen the node, or has an
answer, and decides on its next place.
"""

from typing import Final, NamedTuple

from proof.model.node import (
    FENCED,
    NO_NODE,
    NOT_OURS,
    NOT_PROTECTABLE,
    OK,
    REFUSED,
)
from proof.model.rules import Rules
from proof.model.state import (
    ACTIVE,
    AVAILABLE,
    CALL,
    CREATE,
    DELETE,
    DEPLOY,
    ERROR,
    FAILED,
    FINISH,
    GONE,
    LOCK,
    LOCKED,
    LOOK,
    NODE_ACTIVE,
    POWER,
    PROTECT,
    REBOOT,
    REBUILD,
    REBUILD_NODE,
    RECORD,
    RELEASE,
    REPAIR,
    SEAL,
    SEAL_OLDER,
    TAKE_NODE,
    UNDEPLOY,
    UNDEPLOYING,
    UNLOCKED,
    UNPROTECT,
    Node,
    Row,
)


class Next(NamedTuple):
    """A place, and what has to be remembered there.

    look: what of the row the step knows, or that it has sealed; call: kind,
    and the end that follows a seal; record: what follows; finish: the end,
    and the node's protection, or that the node is written down; release:
    whether the driver has begun, and the protection.
    """

    place: str
    detail: tuple = ()


AGAIN: Final = Next(RELEASE, (False, ''))
BEGUN: Final = Next(RELEASE, (True, ''))
TOO_LONG: Final = 'too long'
# What a rebuild's look is for: it goes on, gives up, or ends as the node is.
_GOES_ON, _GIVES_UP, _ENDS = range(3)
_HOPELESS: Final = frozenset({NOT_OURS, FENCED, REFUSED, NO_NODE})


def first(verb: str, row: Row, rules: Rules) -> list[tuple[str, Next]]:
    """Where the work on an action begins; the second way, if any, is that
    of an action which takes too long."""
    if verb == CREATE and not row.on_node:
        return [('', Next(CALL, (TAKE_NODE,))),
                (TOO_LONG, sealed(CREATE, ERROR, rules))]
    if verb == LOCK:
        return [('', Next(LOOK, (row.on_node,)))]
    if verb == REBUILD:
        return [('', Next(LOOK, (row.started, _GOES_ON)))]
    if verb == REBOOT:
        return [('', Next(LOOK, (row.started,)))]
    return [('', Next(LOOK))]


def look(verb: str, detail: tuple, node: Node, me: int,
         rules: Rules) -> list[tuple[str, Next]]:
    """What a look at the node leads to, in the same way."""
    ours = node.carries == me
    if verb == DELETE:
        return [('', _delete(ours, node, detail, rules))]
    if verb == CREATE:
        return _create(ours, node, detail, rules)
    if verb == REBUILD:
        return _rebuild(ours, node, *detail, rules)
    if verb == REBOOT:
        return _reboot(ours, node, *detail)
    if verb == LOCK:
        return [('', _lock(ours, *detail, rules))]
    return [('', Next(CALL, (UNPROTECT,)) if ours
             else Next(FINISH, (UNLOCKED, 'none')))]


def _lock(ours: bool, on_node: bool, rules: Rules) -> Next:
    if not ours:
        if on_node and not rules.not_ours_settles:
            return AGAIN
        return Next(FINISH, (LOCKED, 'none'))
    return Next(CALL, (PROTECT,)) if on_node else Next(RECORD, (PROTECT,))


def _delete(ours: bool, node: Node, detail: tuple, rules: Rules) -> Next:
    if ours and detail:
        return AGAIN
    if not ours:
        if rules.delete_seals_older and not detail and rules.fencing:
            return Next(CALL, (SEAL_OLDER,))
        return sealed(DELETE, GONE, rules)
    if node.work == UNDEPLOYING:
        return AGAIN
    if node.protected and rules.delete_unprotects:
        return Next(CALL, (UNPROTECT,))
    return Next(CALL, (UNDEPLOY,))


def _create(ours: bool, node: Node, detail: tuple,
            rules: Rules) -> list[tuple[str, Next]]:
    if detail:
        return [('', Next(FINISH, (ERROR, 'recorded' if ours else '')))]
    return go_on(_seen(node) if ours else 'lost', rules)


def _seen(node: Node) -> str:
    if node.work == NODE_ACTIVE and not node.powering:
        return 'active'
    if node.work in (FAILED, AVAILABLE):
        return node.work
    return 'busy'


def go_on(seen: str, rules: Rules) -> list[tuple[str, Next]]:
    """Carry on with a build whose node has been seen like this."""
    if seen == 'active':
        return [('', sealed(CREATE, ACTIVE, rules))]
    error = sealed(CREATE, ERROR, rules)
    if seen in (FAILED, 'lost'):
        return [('', error)]
    usual = Next(CALL, (DEPLOY,)) if seen == AVAILABLE else AGAIN
    return [('', usual), (TOO_LONG, error)]


def recorded(verb: str, detail: tuple,
             rules: Rules) -> list[tuple[str, Next]]:
    """What follows when the node has been written down."""
    if verb == LOCK:
        return [('', Next(CALL, detail))]
    return go_on(*detail, rules)


def _rebuilt(ours: bool, node: Node, purpose: int) -> Next:
    if ours and node.busy:
        return AGAIN
    good = ours and purpose == _ENDS and node.work == NODE_ACTIVE
    return Next(FINISH, (ACTIVE if good else ERROR, ''))


def _rebuild(ours: bool, node: Node, started: bool, purpose: int,
             rules: Rules) -> list[tuple[str, Next]]:
    if purpose != _GOES_ON:
        return [('', _rebuilt(ours, node, purpose))]
    error = sealed(REBUILD, ERROR, rules)
    if not ours:
        return [('', error)]
    if started and not node.busy:
        good = (node.work == NODE_ACTIVE
                or rules.rebuild_waits == 'sealed')
        return [('', sealed(REBUILD, ACTIVE, rules) if good else error)]
    if node.busy and rules.rebuild_waits == 'seen':
        return [('', AGAIN)]
    if node.busy:
        usual = AGAIN
    elif node.work == AVAILABLE:
        usual = Next(CALL, (DEPLOY,))
    else:
        usual = Next(CALL, (REBUILD_NODE,))
    return [('', usual), (TOO_LONG, error)]


def _reboot(ours: bool, node: Node,
            started: bool) -> list[tuple[str, Next]]:
    if not ours:
        return [('', Next(FINISH, (ERROR, '')))]
    done = Next(FINISH, (ACTIVE, ''))
    if started and not node.busy:
        return [('', done)]
    usual = AGAIN if node.busy else Next(CALL, (POWER,))
    return [('', usual), (TOO_LONG, done)]


def sealed(verb: str, end: str, rules: Rules) -> Next:
    """An end, after a seal where the verb has one."""
    seals = {CREATE: rules.build_seals, REBUILD: rules.rebuild_seals,
             DELETE: rules.delete_seals}[verb]
    if seals and rules.fencing and rules.seals_first:
        return Next(CALL, (SEAL, end))
    return _ended(verb, end, rules)


def _ended(verb: str, end: str, rules: Rules) -> Next:
    # One whose answer was lost may have been given a node all the same.
    if (verb, end) == (CREATE, ERROR):
        return Next(LOOK, ('sealed',))
    # What it has begun goes on.
    if verb == REBUILD and rules.rebuild_waits == 'sealed':
        return Next(LOOK, (False, _GIVES_UP if end == ERROR else _ENDS))
    return Next(FINISH, (end, ''))


def answered(verb: str, detail: tuple, answer: str, node: Node,
             rules: Rules) -> Next:
    """What a call's answer leads to; `node` is as the call has left it."""
    kind = detail[0]
    if kind == SEAL:
        return _ended(verb, detail[1], rules) if answer == OK else AGAIN
    if kind == SEAL_OLDER:
        return Next(LOOK, (True,)) if answer == OK else AGAIN
    if kind == POWER:
        return _powered(answer)
    if verb in (CREATE, REBUILD):
        return _installs(verb, kind, answer, node, rules)
    if verb == DELETE:
        return _deletes(kind, answer, rules)
    return (_repairs(kind, answer) if verb == REPAIR
            else _protects(verb, answer, rules))


def _powered(answer: str) -> Next:
    if answer == NOT_OURS:
        return Next(FINISH, (ERROR, ''))
    if answer == REFUSED:
        return Next(FINISH, (ACTIVE, ''))
    return BEGUN if answer == OK else AGAIN


def _installs(verb: str, kind: str, answer: str, node: Node,
              rules: Rules) -> Next:
    if answer == NOT_OURS and not rules.not_ours_settles:
        return AGAIN
    if answer in _HOPELESS:
        return sealed(verb, ERROR, rules)
    if kind == TAKE_NODE and answer == OK:
        return Next(RECORD, (_seen(node),))
    # A build does not ask whether it has begun.
    return BEGUN if answer == OK and verb == REBUILD else AGAIN


def _deletes(kind: str, answer: str, rules: Rules) -> Next:
    if answer == NOT_OURS:
        if not rules.not_ours_settles:
            return AGAIN
        if rules.delete_seals_older:
            return Next(CALL, (SEAL_OLDER,))
        return sealed(DELETE, GONE, rules)
    if kind == UNPROTECT and answer == OK:
        return Next(CALL, (UNDEPLOY,))
    if answer != OK and rules.delete_turns_back:
        return Next(FINISH, (ERROR, ''))
    return AGAIN


def _repairs(kind: str, answer: str) -> Next:
    if answer == OK:
        found = 'applied' if kind == PROTECT else 'none'
    else:
        found = 'pending' if answer == NOT_PROTECTABLE else ''
    return Next(RELEASE, (False, found))


def _protects(verb: str, answer: str, rules: Rules) -> Next:
    end = LOCKED if verb == LOCK else UNLOCKED
    if answer == NOT_OURS and rules.not_ours_settles:
        return Next(FINISH, (end, 'none'))
    if answer == NOT_PROTECTABLE and rules.not_protectable_settles:
        return Next(FINISH, (end, 'pending'))
    if answer != OK:
        return AGAIN
    return Next(FINISH, (end, 'applied' if verb == LOCK else 'none'))

# SPDX-License-Identifier: Apache-2.0
"""The engines' workers: claims, steps, and everything that can stop them.

A worker may pause at each of its places for as long as it likes.  A nudge
adds nothing: a worker may take any instance at any moment, or never.
"""

from collections.abc import Iterator

from mogan.states import FOLLOWS, Column, Status
from proof.model import node as hardware
from proof.model import steps
from proof.model.numbers import next_number
from proof.model.requests import overtaken, owner
from proof.model.rules import Bounds, Rules
from proof.model.state import (
    ABSENT,
    CALL,
    DEPLOY,
    EXPIRED,
    FINISH,
    GONE,
    HOLDS,
    LOCK,
    LOCKED,
    LOOK,
    LOST,
    NO_LOCK,
    PROTECT,
    REBOOT,
    REBUILD_NODE,
    RECORD,
    RELEASE,
    RELEASING,
    REPAIR,
    SEAL,
    SEAL_OLDER,
    STOLEN,
    TAKE_NODE,
    UNLOCK,
    UNLOCKED,
    UNPROTECT,
    VERB_OF,
    Late,
    Move,
    Node,
    Part,
    Row,
    Worker,
)
from proof.model.steps import Next

# What a look at the node may make of a row at any time, whatever the node
# is; the model has no status that stands for a power that is off.
_FOLLOWS = {status.value: tuple(sorted(
    end.value for end in ends if end is not Status.STOPPED))
    for status, ends in FOLLOWS.items() if status is not Status.STOPPED}
# What a driver's service may refuse for reasons of its own.
_REFUSABLE = frozenset({TAKE_NODE, DEPLOY, REBUILD_NODE})


def alone(part: Part, rules: Rules, bounds: Bounds,
          name: int = 0) -> Iterator[Move]:
    """What the engines can do with an instance whatever its node does;
    `name` is that of a new worker."""
    if _can_take(part, rules, bounds):
        for remark, worker in _begin(part.row, name, rules):
            yield Move(('takes', name, worker.verb, remark),
                       _claimed(part, worker, rules), helps=not remark)
    yield from _follow(part, rules, bounds)
    if part.row.live and bounds.mishaps:
        yield Move(('expires',), _expire(part, rules), helps=True)
    for position, worker in enumerate(part.workers):
        if bounds.mishaps:
            yield Move(('stops', worker.name, worker.place, worker.detail),
                       _without(part, position),
                       helps=worker.claim != HOLDS)
        if worker.place == RECORD:
            yield from _record(part, position, worker, rules)
        elif worker.place == FINISH:
            yield _finish(part, position, worker, rules)
        elif worker.place == RELEASE:
            yield Move(('releases', worker.name),
                       _release(part, position, worker, rules), helps=True)
    for position, call in enumerate(part.late):
        yield Move(('never', call.name, call.kind), part._replace(
            late=part.late[:position] + part.late[position + 1:]),
            helps=True)


def moves(part: Part, node: Node, me: int, rules: Rules, bounds: Bounds,
          name: int = 0) -> Iterator[Move]:
    """What else they can do, which depends on the node or changes it."""
    row = part.row
    if (rules.repairs and row.on_node and not bounds.successor
            and _can_take(part, rules, bounds)):
        yield from _repair(part, node, me, rules, name)
    for position, worker in enumerate(part.workers):
        if worker.place == CALL:
            yield from _call(part, position, node, me, rules, bounds)
        elif worker.place == LOOK:
            yield from _look(part, position, node, me, rules, bounds)
    for position, call in enumerate(part.late):
        yield from _arrive(part, position, call, node, me, rules)


def _follow(part: Part, rules: Rules, bounds: Bounds) -> Iterator[Move]:
    """What is written without a claim, where no action holds the status."""
    row = part.row
    if rules.follows and row.on_node and not bounds.successor:
        for status in _FOLLOWS.get(row.status, ()):
            yield Move(('follows', status), part._replace(
                row=row._replace(status=status)))


def _can_take(part: Part, rules: Rules, bounds: Bounds) -> bool:
    free = not part.row.live or rules.claim == 'none'
    return (free and part.row.status not in (ABSENT, GONE)
            and len(part.workers) < bounds.engines)


def _claimed(part: Part, worker: Worker, rules: Rules) -> Part:
    return part._replace(
        row=part.row._replace(live=rules.claim != 'none'),
        workers=(*(other._replace(claim=LOST)
                   if other.claim == EXPIRED else other
                   for other in part.workers), worker))


def _repair(part: Part, node: Node, me: int, rules: Rules,
            name: int) -> Iterator[Move]:
    """What a round of repairs has seen may be old: it can come at any
    time, and goes by the row as claimed."""
    row = part.row
    if row.lock not in (UNLOCKED, LOCKED) and rules.repair_waits:
        return
    kinds = [UNPROTECT if row.lock == UNLOCKED else PROTECT]
    if not rules.repair_rereads:
        kinds = [UNPROTECT, PROTECT]
    number = next_number(part, rules, counts=rules.repairs_count)
    if rules.explicit_fence:
        part = part._replace(row=row._replace(fence=number))
    for kind in kinds:
        worker = Worker(REPAIR, number, CALL, (kind,), name=name)
        yield Move(('repairs', name, kind), _claimed(part, worker, rules),
                   helps=drifted(row, node, me))


def _begin(row: Row, name: int,
           rules: Rules) -> Iterator[tuple[str, Worker]]:
    """A worker with the row's unfinished actions, if any, the lock's first,
    at each place where it may begin."""
    verbs = [VERB_OF[state] for state in (row.lock, row.status)
             if state in VERB_OF]
    if not verbs:
        return
    verb, *others = verbs
    number = (row.lock_number if verb in (LOCK, UNLOCK) else row.number)
    rest = (row.number, row.started, True) if others else ()
    for remark, (place, detail) in steps.first(verb, row, rules):
        yield remark, Worker(verb, number, place, detail, rest=rest,
                             name=name)


def drifted(row: Row, node: Node, me: int) -> bool:
    """Whether a repair has something to do, as mogan/engine/repair.py."""
    if node.carries != me or row.lock not in (UNLOCKED, LOCKED):
        return False
    if row.lock == UNLOCKED:
        return node.protected
    return not node.protected or row.protection != 'applied'


def _expire(part: Part, rules: Rules) -> Part:
    late = part.late
    if not rules.fencing:
        late = tuple(call for call in late if not call.bound)
    return part._replace(
        row=part.row._replace(live=False), late=late,
        workers=tuple(worker._replace(claim=EXPIRED)
                      if worker.claim == HOLDS else worker
                      for worker in part.workers))


def _look(part: Part, position: int, node: Node, me: int, rules: Rules,
          bounds: Bounds) -> Iterator[Move]:
    worker = part.workers[position]
    for remark, following in steps.look(worker.verb, worker.detail, node, me,
                                        rules):
        yield Move(('looks', worker.name, worker.verb, remark),
                   _onward(part, position, following), helps=not remark)
    if bounds.faults:
        yield Move(('looks', worker.name, worker.verb, 'in vain'),
                   _onward(part, position, steps.AGAIN))


def _without(part: Part, position: int) -> Part:
    workers = part.workers
    return part._replace(
        workers=workers[:position] + workers[position + 1:])


def _become(part: Part, position: int, worker: Worker) -> Part:
    workers = part.workers
    return part._replace(workers=(*workers[:position], worker,
                                  *workers[position + 1:]))


def _onward(part: Part, position: int, following: Next) -> Part:
    """Move a worker on; what it cannot need any more is forgotten."""
    worker = part.workers[position]
    if following.place == RELEASE and worker.rest:
        # The next action of the same look.
        number, started, named = worker.rest
        return _become(part, position, worker._replace(
            verb=REBOOT, number=number, place=LOOK, detail=(started,),
            named=named, rest=()))
    over = following.place in (FINISH, RELEASE)
    return _become(part, position, worker._replace(
        place=following.place, detail=following.detail,
        number=0 if over else worker.number))


def _arrives(worker: Worker, rules: Rules) -> bool:
    """Whether a call that the worker stands before can still land."""
    return (rules.fencing or worker.claim in (HOLDS, STOLEN)
            or not rules.lease_checked)


def _call(part: Part, position: int, node: Node, me: int, rules: Rules,
          bounds: Bounds) -> Iterator[Move]:
    worker = part.workers[position]
    kind = worker.detail[0]
    if _arrives(worker, rules):
        yield from _send(part, position, node, me, rules, bounds)
    if bounds.faults:
        refusals = [hardware.UNAVAILABLE]
        if kind in _REFUSABLE:
            refusals.append(hardware.REFUSED)
        for refusal in refusals:
            yield Move(('fails', worker.name, kind, refusal), _onward(
                part, position, steps.answered(
                    worker.verb, worker.detail, refusal, node, rules)))


def _send(part: Part, position: int, node: Node, me: int, rules: Rules,
          bounds: Bounds) -> Iterator[Move]:
    """A call that arrives, with or without an answer, or hangs."""
    worker = part.workers[position]
    kind, who = worker.detail[0], worker.name
    landing = hardware.land(kind, worker.number, me, part.fences, node,
                            rules)
    breaks = hardware.damage(kind, me, node, landing, part.row.promise)
    landed = part._replace(fences=landing.fences)
    yield Move(('calls', who, kind, landing.answer), _onward(
        landed, position, steps.answered(
            worker.verb, worker.detail, landing.answer, landing.node,
            rules)), landing.node, helps=True, breaks=breaks)
    if not bounds.mishaps:
        return
    if (landing.node, landing.fences) != (node, part.fences):
        yield Move(('no answer', who, kind),
                   _unanswered(landed, position, rules), landing.node,
                   breaks=breaks)
    if len(part.late) < bounds.late:
        sent = Late(kind, worker.number, bound=(
            not rules.fencing and worker.claim == HOLDS), name=who)
        yield Move(('on its way', who, kind), _unanswered(
            part._replace(late=(*part.late, sent)), position, rules))


def _unanswered(part: Part, position: int, rules: Rules) -> Part:
    if rules.unknown_stops:
        return _without(part, position)
    return _onward(part, position, steps.AGAIN)


def _holds(worker: Worker, row: Row, rules: Rules) -> bool:
    """Whether the row is still under the worker's claim, or looks so."""
    if rules.claim == 'none' or worker.claim == HOLDS:
        return True
    if worker.claim == EXPIRED and not rules.finish_needs_live:
        return True
    # Another thread of the same process holds it.
    return row.live and not rules.finish_names_claim


def _record(part: Part, position: int, worker: Worker,
            rules: Rules) -> Iterator[Move]:
    if not (_holds(worker, part.row, rules) and worker.named) and (
            rules.record_needs_claim):
        yield Move(('forgets', worker.name), _without(part, position),
                   helps=True)
        return
    recorded = part._replace(row=part.row._replace(on_node=True))
    for remark, following in steps.recorded(worker.verb, worker.detail,
                                            rules):
        yield Move(('records', worker.name, remark),
                   _onward(recorded, position, following), helps=not remark)


def _finish(part: Part, position: int, worker: Worker,
            rules: Rules) -> Move:
    if not _holds(worker, part.row, rules):
        return Move(('forgets', worker.name), _without(part, position),
                    helps=True)
    if rules.finish_names_action and not worker.named:
        return Move(('is overtaken', worker.name),
                    _onward(part, position, steps.AGAIN), helps=True)
    end, protection = worker.detail
    row = part.row
    if end == GONE:
        row = Row(GONE, promise=row.promise, waiting=row.waiting)
    elif owner(worker.verb) is Column.LOCK:
        promise = row.promise
        if end == UNLOCKED and promise == RELEASING:
            promise = NO_LOCK
        row = row._replace(lock=end, lock_number=0, protection=protection,
                           promise=promise)
    else:
        row = row._replace(
            status=end, number=0, started=False,
            on_node=row.on_node or protection == 'recorded')
    part = part._replace(row=row, workers=tuple(
        other if at == position else overtaken(other, owner(worker.verb))
        for at, other in enumerate(part.workers)))
    following = _onward(part, position, steps.AGAIN)
    if not worker.rest:
        following = _let_go(part, position, worker)
    return Move(('finishes', worker.name, worker.verb, end), following,
                helps=True)


def _let_go(part: Part, position: int, worker: Worker) -> Part:
    """End a worker and the row's claim, whosever that is."""
    rest = tuple(other._replace(claim=STOLEN)
                 if other.claim == HOLDS and worker.claim != HOLDS else other
                 for other in _without(part, position).workers)
    return part._replace(row=part.row._replace(live=False), workers=rest)


def _release(part: Part, position: int, worker: Worker,
             rules: Rules) -> Part:
    if not _holds(worker, part.row, rules) and rules.release_needs_claim:
        return _without(part, position)
    row = part.row
    started, protection = worker.detail
    if started and worker.named and rules.begun_kept:
        row = row._replace(started=True)
    if protection:
        row = row._replace(protection=protection)
    return _let_go(part._replace(row=row), position, worker)


def _arrive(part: Part, position: int, call: Late, node: Node, me: int,
            rules: Rules) -> Iterator[Move]:
    rest = part.late[:position] + part.late[position + 1:]
    without = part._replace(late=rest)
    if call.kind == LOOK:
        verb, *detail = call.detail
        for remark, following in steps.look(verb, tuple(detail), node, me,
                                            rules):
            if following.place == CALL and (
                    following.detail[0] in _HARMLESS or not rules.renewed):
                sent = Late(following.detail[0], call.number,
                            name=call.name)
                yield Move(('looks late', call.name, verb, sent.kind),
                           part._replace(late=(*rest, sent)),
                           helps=not remark)
        return
    landing = hardware.land(call.kind, call.number, me, part.fences, node,
                            rules)
    yield Move(('lands', call.name, call.kind, landing.answer),
               without._replace(fences=landing.fences), landing.node,
               helps=True, breaks=hardware.damage(
                   call.kind, me, node, landing, part.row.promise))


# What a worker sends without renewing its lease.
_HARMLESS = frozenset({PROTECT, UNPROTECT, SEAL, SEAL_OLDER})

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
    AHEAD,
    CALL,
    DEPLOY,
    EXPIRED,
    FINISH,
    GONE,
    HOLDS,
    LOCK,
    LOCKED,
    LOST,
    NO_LOCK,
    POLL,
    PROTECT,
    REBUILD_NODE,
    RECORD,
    RELEASE,
    RELEASING,
    RENEWED,
    REPAIR,
    STOLEN,
    TAKE_NODE,
    UNLOCK,
    UNLOCKED,
    UNPROTECT,
    VERB_OF,
    WATCHED,
    Late,
    Move,
    Node,
    Part,
    Row,
    Worker,
)
from proof.model.steps import Next

# What a poll of the node may make of a row at any time, whatever the node
# is; the model has no status that stands for a power that is off.
_FOLLOWS = {status.value: tuple(sorted(
    end.value for end in ends if end is not Status.STOPPED))
    for status, ends in FOLLOWS.items() if status is not Status.STOPPED}
# What a driver's service may refuse for reasons of its own.
_REFUSABLE = frozenset({TAKE_NODE, DEPLOY, REBUILD_NODE})


def alone(part: Part, rules: Rules, bounds: Bounds,
          name: int = 0) -> Iterator[Move]:
    """Yield what the engines can do with an instance whatever its node does;
    `name` is that of a new worker."""
    free = _free(part, rules, bounds)
    if free is not None:
        for remark, worker in _begin(part.row, name, rules):
            yield Move(('takes', name, worker.verb, remark),
                       _claimed(free, worker, rules), helps=not remark)
    yield from _follow(part, rules, bounds)
    if part.row.live:
        yield from _pass_time(part, rules, bounds)
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
    """Yield what else they can do, which depends on the node or changes
    it."""
    row = part.row
    if rules.repairs and row.on_node and not bounds.successor:
        free = _free(part, rules, bounds)
        if free is not None:
            yield from _repair(free, node, me, rules, name)
    for position, worker in enumerate(part.workers):
        if worker.place == CALL:
            yield from _call(part, position, node, me, rules, bounds)
        elif worker.place == POLL:
            yield from _look(part, position, node, me, rules, bounds)
    for position, call in enumerate(part.late):
        yield from _arrive(part, position, call, node, me, rules)


def _follow(part: Part, rules: Rules, bounds: Bounds) -> Iterator[Move]:
    """Yield what is written without a claim, where no action holds the
    status."""
    row = part.row
    if rules.follows and row.on_node and not bounds.successor:
        for status in _FOLLOWS.get(row.status, ()):
            yield Move(('follows', status), part._replace(
                row=row._replace(status=status)))


def _free(part: Part, rules: Rules, bounds: Bounds) -> Part | None:
    """Return the part with a claim that may be taken over, if it may."""
    row = part.row
    if row.status in (ABSENT, GONE) or len(part.workers) >= bounds.engines:
        return None
    if not row.live or rules.claim == 'none':
        return part
    if row.ahead == WATCHED:
        # Whoever has not renewed it all the while has seen its lease end.
        return _expire(part, rules)
    if row.ahead == RENEWED or (row.ahead
                                and rules.ahead_taken == 'at once'):
        return part._replace(
            row=row._replace(live=False),
            workers=tuple(worker._replace(claim=STOLEN)
                          if worker.claim == HOLDS else worker
                          for worker in part.workers))
    return None


def _pass_time(part: Part, rules: Rules, bounds: Bounds) -> Iterator[Move]:
    """Let a lease expire, or the database's clock step back under the claim,
    and yield what follows."""
    row = part.row
    if bounds.mishaps:
        yield Move(('expires',), _expire(part, rules),
                   helps=not (row.ahead and _unfinished(row)))
    if bounds.clock and not row.ahead:
        yield Move(('clock',), part._replace(row=row._replace(ahead=AHEAD)))
    if not row.ahead:
        return
    if row.ahead == AHEAD and rules.ahead_taken in ('unchanged',
                                                    'same claim'):
        yield Move(('watches',), part._replace(
            row=row._replace(ahead=WATCHED)), helps=True)
    for worker in part.workers:
        if worker.claim != HOLDS:
            continue
        yield Move(('renews', worker.name), part._replace(
            row=row._replace(ahead='')))
        if row.ahead == WATCHED and rules.ahead_taken == 'same claim':
            # And the clock goes back once more.
            yield Move(('renews', worker.name), part._replace(
                row=row._replace(ahead=RENEWED)))


def _unfinished(row: Row) -> bool:
    return row.status in VERB_OF or row.lock in VERB_OF


def _claimed(part: Part, worker: Worker, rules: Rules) -> Part:
    return part._replace(
        row=part.row._replace(live=rules.claim != 'none', ahead=''),
        workers=(*(other._replace(claim=LOST)
                   if other.claim == EXPIRED else other
                   for other in part.workers), worker))


def _repair(part: Part, node: Node, me: int, rules: Rules,
            name: int) -> Iterator[Move]:
    """Yield the repairs of a round that has seen an old state: it can come at
    any time, and goes by the row as claimed."""
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
        worker = Worker(REPAIR, number, *steps.repair(kind, rules),
                        name=name)
        yield Move(('repairs', name, kind), _claimed(part, worker, rules),
                   helps=drifted(row, node, me))


def _begin(row: Row, name: int,
           rules: Rules) -> Iterator[tuple[str, Worker]]:
    """Yield a worker with the row's unfinished actions, if any, the lock's
    first, at each place where it may begin."""
    verbs = [VERB_OF[state] for state in (row.lock, row.status)
             if state in VERB_OF]
    if not verbs:
        return
    verb, *others = verbs
    number = (row.lock_number if verb in (LOCK, UNLOCK) else row.number)
    rest = (row.number, row.started, True, *others) if others else ()
    for remark, (place, detail) in steps.first(verb, row.on_node,
                                               row.started, rules):
        yield remark, Worker(verb, number, place, detail, rest=rest,
                             name=name)


def drifted(row: Row, node: Node, me: int) -> bool:
    """Return whether a repair has something to do."""
    return row.lock in (UNLOCKED, LOCKED) and steps.drifted(
        row.lock, row.protection, node, me)


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
    for remark, following in steps.poll(worker.detail, node, me):
        yield Move(('polls', worker.name, worker.verb, remark),
                   _onward(part, position, following, rules),
                   helps=not remark)
    if bounds.faults:
        for _, following in steps.in_vain(worker.detail):
            yield Move(('polls', worker.name, worker.verb, steps.IN_VAIN),
                       _onward(part, position, following, rules))


def _without(part: Part, position: int) -> Part:
    workers = part.workers
    return part._replace(
        workers=workers[:position] + workers[position + 1:])


def _become(part: Part, position: int, worker: Worker) -> Part:
    workers = part.workers
    return part._replace(workers=(*workers[:position], worker,
                                  *workers[position + 1:]))


def _onward(part: Part, position: int, following: Next,
            rules: Rules) -> Part:
    """Move a worker on; what it cannot need any more is forgotten."""
    worker = part.workers[position]
    if following.place == RELEASE and worker.rest:
        # The next action of the same visit, of an instance with a node.
        number, started, named, verb = worker.rest
        [(_, (place, detail))] = steps.first(verb, True, started, rules)
        return _become(part, position, worker._replace(
            verb=verb, number=number, place=place, detail=detail,
            named=named, rest=()))
    over = following.place in (FINISH, RELEASE)
    return _become(part, position, worker._replace(
        place=following.place, detail=following.detail,
        number=0 if over else worker.number))


def _arrives(worker: Worker, rules: Rules) -> bool:
    """Return whether a call that the worker stands before can still land."""
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
            for remark, following in steps.answered(worker.detail, refusal,
                                                    node, me):
                yield Move(('fails', worker.name, kind, refusal, remark),
                           _onward(part, position, following, rules))


def _send(part: Part, position: int, node: Node, me: int, rules: Rules,
          bounds: Bounds) -> Iterator[Move]:
    """Yield the outcomes of a call: it arrives, with or without an answer, or
    hangs."""
    worker = part.workers[position]
    kind, who = worker.detail[0], worker.name
    landing = hardware.land(kind, worker.number, me, part.fences, node,
                            rules)
    breaks = hardware.damage(kind, me, node, landing, part.row.promise)
    landed = part._replace(fences=landing.fences)
    for remark, following in steps.answered(worker.detail, landing.answer,
                                            landing.node, me):
        yield Move(('calls', who, kind, landing.answer, remark),
                   _onward(landed, position, following, rules),
                   landing.node, helps=not remark, breaks=breaks)
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
    return _onward(part, position, steps.AGAIN, rules)


def _holds(worker: Worker, row: Row, rules: Rules) -> bool:
    """Return whether the row is still under the worker's claim, or looks
    so."""
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
    for remark, following in steps.recorded(worker.detail):
        yield Move(('records', worker.name, remark),
                   _onward(recorded, position, following, rules),
                   helps=not remark)


def _finish(part: Part, position: int, worker: Worker,
            rules: Rules) -> Move:
    if not _holds(worker, part.row, rules):
        return Move(('forgets', worker.name), _without(part, position),
                    helps=True)
    if rules.finish_names_action and not worker.named:
        return Move(('is overtaken', worker.name),
                    _onward(part, position, steps.AGAIN, rules), helps=True)
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
    following = _onward(part, position, steps.AGAIN, rules)
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
    # It helps nobody: it may never arrive as well.
    rest = part.late[:position] + part.late[position + 1:]
    without = part._replace(late=rest)
    if call.kind == POLL:
        verb, *detail = call.detail
        for _, (place, following) in steps.poll(tuple(detail), node, me):
            # A lease that it does not hold cannot be renewed.
            if place == CALL and not following[1]:
                sent = Late(following[0], call.number, name=call.name)
                yield Move(('polls late', call.name, verb, sent.kind),
                           part._replace(late=(*rest, sent)))
        return
    landing = hardware.land(call.kind, call.number, me, part.fences, node,
                            rules)
    yield Move(('lands', call.name, call.kind, landing.answer),
               without._replace(fences=landing.fences), landing.node,
               breaks=hardware.damage(
                   call.kind, me, node, landing, part.row.promise))


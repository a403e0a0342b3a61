# SPDX-License-Identifier: Apache-2.0
"""Makes equal what cannot be told apart by anything that may follow.

Numbers are compared, never added to, and each new one is above all others.
So only their order counts, and a number that the driver keeps is forgotten
once nothing that is left could be below it.  That makes the number of states
finite for any number of requests and repairs.
"""

from proof.model import steps
from proof.model.rules import Rules
from proof.model.state import (
    CALL,
    CREATE,
    DELETE,
    DESTRUCTIVE,
    HOLDS,
    LOCK,
    POLL,
    POWER,
    PROTECTION,
    REBOOT,
    REBUILD,
    REPAIR,
    SEAL,
    SEAL_OLDER,
    SOFT_POWER,
    SOFT_REBOOT,
    STOLEN,
    UNLOCK,
    VERB_OF,
    Fences,
    Late,
    Part,
    Worker,
)

# Whose calls destroy, protect or unprotect, change the power.
_CALLERS = (frozenset({CREATE, REBUILD, DELETE}),
            frozenset({LOCK, UNLOCK, REPAIR, DELETE}),
            frozenset({REBOOT, SOFT_REBOOT}))
_KINDS = {**dict.fromkeys(DESTRUCTIVE, 0), **dict.fromkeys(PROTECTION, 1),
          POWER: 2, SOFT_POWER: 2}
_SEALS = frozenset({SEAL, SEAL_OLDER})
_ABOVE = 1 << 30    # above every number


def next_number(part: Part, rules: Rules, *, counts: bool) -> int:
    """Return the number of a new action or repair."""
    if rules.explicit_fence:
        return part.row.fence + counts
    return max(_numbers(part), default=0) + 1


def tidy(part: Part, rules: Rules, room: int) -> Part:
    """Return the part that is equivalent to all that behave like this one.

    `room`: how many late calls it may have.
    """
    if part.row.ahead and not part.row.live:
        part = part._replace(row=part.row._replace(ahead=''))
    row, fences, workers, late = part
    if any(worker.claim != HOLDS for worker in workers) and (
            rules.losers_stop):
        workers, late = _stop_losers(workers, late, rules, room)
    if not rules.fencing:
        return Part(row._replace(number=0, lock_number=0, fence=0),
                    Fences(),
                    tuple(sorted(w._replace(number=0) for w in workers)),
                    tuple(sorted(c._replace(number=0) for c in late)))
    late = tuple(call for call in late
                 if not hopeless(call, fences, rules))
    part = Part(row, fences, workers, late)
    part = _forget(part, rules)
    return _rank(part)


def _stop_losers(workers: tuple[Worker, ...], late: tuple[Late, ...],
                 rules: Rules, room: int,
                 ) -> tuple[tuple[Worker, ...], tuple[Late, ...]]:
    """Leave of a worker without its claim what it may still do."""
    kept = []
    for worker in workers:
        if worker.claim == HOLDS:
            kept.append(worker)
        elif len(late) < room and (
                rules.fencing or worker.claim == STOLEN
                or not rules.lease_checked):
            if worker.place == CALL:
                late += (Late(worker.detail[0], worker.number,
                              name=worker.name),)
            elif worker.place == POLL and rules.fencing:
                late += _after_look(worker)
    return tuple(kept), late


def _after_look(worker: Worker) -> tuple[Late, ...]:
    """Return the calls that a worker may still send that polls the node
    without its claim."""
    kinds = steps.sends(worker.detail)
    if len(kinds) > 1:
        return (Late(POLL, worker.number, (worker.verb, *worker.detail),
                     name=worker.name),)
    # The call asks again for all that the poll may show.
    return tuple(Late(kind, worker.number, name=worker.name)
                 for kind in kinds)


def hopeless(call: Late, fences: Fences, rules: Rules) -> bool:
    """Return whether the driver will refuse the call whenever it arrives."""
    if call.kind in DESTRUCTIVE:
        return call.number <= fences.sealed or (
            rules.begun_fenced and call.number < fences.begun)
    if call.kind in PROTECTION:
        return (rules.protection_fenced
                and call.number < fences.protection)
    if call.kind in (POWER, SOFT_POWER):
        return call.number <= fences.power
    if call.kind == SEAL:
        return call.number <= fences.sealed
    return False


def _forget(part: Part, rules: Rules) -> Part:
    """Drop the numbers that nothing left could be below."""
    row, fences, workers, late = part
    destroying, protecting, powering = _lowest(part, rules)
    sealed, protection, power, begun, work = fences
    if destroying > sealed:
        sealed = 0
    if destroying > begun:
        begun, work = 0, ''
    if protecting >= protection:
        protection = 0
    if powering > power:
        power = 0
    if any(call.kind in _SEALS and call.number < destroying
           for call in late):
        late = tuple(call for call in late if not (
            call.kind in _SEALS and call.number < destroying))
    return Part(row, Fences(sealed, protection, power, begun, work),
                workers, late)


def _lowest(part: Part, rules: Rules) -> tuple[int, int, int]:
    """Return the lowest numbers that a call may still carry: one that
    destroys, that protects or unprotects, that changes the power."""
    found = [_ABOVE], [_ABOVE], [_ABOVE]
    row = part.row
    if row.status in VERB_OF:
        _note(found, VERB_OF[row.status], row.number)
    if row.lock in VERB_OF:
        _note(found, VERB_OF[row.lock], row.lock_number)
    for worker in part.workers:
        if worker.number:
            _note(found, worker.verb, worker.number)
        if worker.rest:
            _note(found, worker.rest[3], worker.rest[0])
    for call in part.late:
        if call.kind == POLL:
            # What destroys would have to renew the lease.
            _note(found, call.detail[0], call.number, int(rules.renewed))
        elif call.kind not in _SEALS:
            found[_KINDS[call.kind]].append(call.number)
    return min(found[0]), min(found[1]), min(found[2])


def _note(found: tuple[list[int], ...], verb: str, number: int,
          least: int = 0) -> None:
    for at in range(least, len(_CALLERS)):
        if verb in _CALLERS[at]:
            found[at].append(number)


def _numbers(part: Part) -> set[int]:
    row, fences, workers, late = part
    numbers = {row.number, row.lock_number, row.fence, fences.sealed,
               fences.protection, fences.power, fences.begun}
    for worker in workers:
        numbers.add(worker.number)
        if worker.rest:
            numbers.add(worker.rest[0])
    for call in late:
        numbers.add(call.number)
    numbers.discard(0)
    return numbers


def _rank(part: Part) -> Part:
    row, fences, workers, late = part
    numbers = _numbers(part)
    if numbers and len(numbers) != max(numbers):
        to = {number: rank
              for rank, number in enumerate(sorted(numbers), 1)}
        to[0] = 0
        row = row._replace(number=to[row.number],
                           lock_number=to[row.lock_number],
                           fence=to[row.fence])
        fences = Fences(to[fences.sealed], to[fences.protection],
                        to[fences.power], to[fences.begun], fences.work)
        workers = tuple(
            worker._replace(
                number=to[worker.number],
                rest=worker.rest and (to[worker.rest[0]], *worker.rest[1:]))
            for worker in workers)
        late = tuple(call._replace(number=to[call.number]) for call in late)
    if len(workers) > 1:
        workers = tuple(sorted(workers))
    if len(late) > 1:
        late = tuple(sorted(late))
    return Part(row, fences, workers, late)

# SPDX-License-Identifier: Apache-2.0
"""All judgements of one run, put together."""

import collections
import dataclasses
from collections.abc import Iterable, Sequence

from proof.rig import history, journal, linearize
from proof.rig.history import Entry, Operation, Split, by_instance


@dataclasses.dataclass(slots=True)
class Verdict:
    """Counts, and what is wrong, in words.

    `pairs`: a lock and a delete or rebuild of one instance whose times
    overlap.  Of these, exactly one was acknowledged in `contested`, and both
    in `both`, which is right only where there was an unlock, or the end of
    a rebuild, in between.  `broken`: acknowledged locks under which the
    node was destroyed.
    """

    operations: int = 0
    instances: int = 0
    locks: int = 0
    refusals: int = 0
    pairs: int = 0
    contested: int = 0
    both: int = 0
    effects: int = 0
    broken: int = 0
    violations: list[str] = dataclasses.field(default_factory=list)


def without_stale(operations: Iterable[Operation],
                  splits: Iterable[Split]) -> list[Operation]:
    """Return the operations but those that acknowledge nothing and may have
    been answered by the former primary, as stale reads.

    What was acknowledged counts always, and by the new primary's word.
    """
    splits = list(splits)
    return [one for one in operations
            if one.answer in {history.DONE, history.UNKNOWN}
            or one.answer.startswith(history.ODD)
            or not any(one.sent < split.ended and split.began < one.answered
                       for split in splits)]


def judge(operations: Sequence[Operation],
          entries: Sequence[Entry]) -> Verdict:
    """Look at every instance by itself, and at all nodes together."""
    verdict = Verdict(
        operations=len(operations),
        refusals=sum(one.answer == history.LOCKED for one in operations),
        locks=sum(one.kind == history.LOCK and one.answer == history.DONE
                  for one in operations))
    effects: dict[str, list[Entry]] = collections.defaultdict(list)
    for entry in entries:
        if entry.instance and entry.outcome == 'effect':
            effects[entry.instance].append(entry)
            verdict.effects += 1
    asked = by_instance(operations)
    for uuid in asked.keys() | effects.keys():
        _judge_one(verdict, asked.get(uuid, []), effects.get(uuid, []))
        verdict.instances += 1
    verdict.violations += journal.misdirected(entries)
    return verdict


def _judge_one(verdict: Verdict, operations: list[Operation],
               effects: list[Entry]) -> None:
    for pair in overlapping(operations):
        verdict.pairs += 1
        accepted = [one for one in pair if one.answer == history.DONE]
        verdict.contested += len(accepted) == 1
        verdict.both += len(accepted) == 2  # noqa: PLR2004
    broken = journal.broken_locks(operations, effects)
    verdict.broken += len(broken)
    verdict.violations += [
        f'a lock was broken: {lock}, and then {entry}'
        for lock, entry in broken]
    requests = [one for one in operations if one.kind != history.CREATE]
    found = linearize.check(requests, effects)
    if found is not None:
        verdict.violations.append(str(found))


def overlapping(operations: Iterable[Operation],
                ) -> list[tuple[Operation, Operation]]:
    """Locks and deletes or rebuilds that met, with known outcomes."""
    known = [one for one in operations if one.answered != history.NEVER]
    locks = [one for one in known if one.kind == history.LOCK]
    others = sorted((one for one in known if one.kind in {
        history.DELETE, history.REBUILD}), key=lambda one: one.sent)
    return [(lock, other) for lock in locks for other in others
            if lock.sent < other.answered and other.sent < lock.answered]

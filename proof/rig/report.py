# SPDX-License-Identifier: Apache-2.0
"""The plan of a run, and its report."""

import collections
import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Final

from proof.rig import settle
from proof.rig.services import Variant
from proof.rig.verdict import Verdict

_SHOWN: Final = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a run; `faults` None for all.  `most` is the number of
    seconds after which the clients have ended in any case."""

    database: str
    topology: str
    seed: int
    variant: Variant
    seconds: float | None
    operations: int | None
    faults: list[str] | None
    keep: bool
    clients: int
    most: int

    def words(self) -> str:
        """Return the plan in a line."""
        length = (f'{self.operations} operations' if self.operations
                  else f'{self.seconds:g} seconds')
        faults = ('all faults' if self.faults is None
                  else ', '.join(self.faults) or 'no faults')
        return (f'{self.variant.name} on {self.database}, {self.topology}, '
                f'{length}, '
                f'{faults}, seed {self.seed}')


@dataclasses.dataclass(slots=True)
class Report:
    """The outcome of a run."""

    plan: Plan
    directory: pathlib.Path
    verdict: Verdict
    seconds: float
    requests: int
    unknown: int
    open: int
    faults: collections.Counter[str]
    exits: list[str]
    stuck: list[str]
    settled: settle.Settled
    off_record: list[str]
    mistaken: list[str]

    @property
    def right(self) -> bool:
        """Return whether nothing is wrong."""
        return not (self.verdict.violations or self.settled.left
                    or self.off_record or self.stuck or self.mistaken)

    def __str__(self) -> str:
        verdict = self.verdict
        faults = ', '.join(f'{name} {count}' for name, count
                           in sorted(self.faults.items()))
        text = f"""\
  {self.requests} requests in {self.seconds:.0f} s about \
{verdict.instances} instances; {self.unknown} with unknown outcome, of which \
{self.open} may have been accepted
  {verdict.locks} locks acknowledged, {verdict.refusals} requests refused \
because of one
  {verdict.pairs} times a lock and a delete or rebuild met; one of the two \
was acknowledged {verdict.contested} times, both {verdict.both} times
  {verdict.effects} calls took effect on the hardware
  {sum(self.faults.values())} faults: {faults or 'none'}
  {len(self.exits)} services ended by themselves {self.exits[:_SHOWN]}
  settled {self.settled.seconds:.1f} s after all was mended\
{f", the last: {self.settled.last[0]}" if self.settled.last else ""}
  acknowledged locks broken: {verdict.broken}
  violations: {len(verdict.violations)}
  not on record: {len(self.off_record)}
  wrong answers about rows that are not understood: {len(self.mistaken)}
  unsettled: {len(self.settled.left)}, stuck: {len(self.stuck)}"""
        lines = [text]
        for found in (verdict.violations, self.off_record, self.mistaken,
                      self.settled.left, self.stuck):
            lines += found[:_SHOWN]
        return '\n'.join(lines)


def total(reports: Sequence[Report]) -> str:
    """Return the sum of all runs, in a line."""
    verdicts = [report.verdict for report in reports]
    return (f'together {sum(one.requests for one in reports)} requests, '
            f'{sum(one.locks for one in verdicts)} locks acknowledged, '
            f'{sum(one.pairs for one in verdicts)} met a delete or rebuild, '
            f'{sum(sum(one.faults.values()) for one in reports)} faults: '
            f'{sum(one.broken for one in verdicts)} broken, '
            f'{sum(len(one.violations) for one in verdicts)} violations, '
            f'{sum(len(one.settled.left) for one in reports)} unsettled')

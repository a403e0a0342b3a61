# SPDX-License-Identifier: Apache-2.0
"""Measured values, with their goals."""

import dataclasses
import json
from collections.abc import Iterable
from typing import Final


@dataclasses.dataclass(frozen=True)
class Result:
    """One result; `goal`: the most it may be, where there is a goal, or
    the `least`.

    `detail` says what it was made of.
    """

    name: str
    database: str
    value: float
    unit: str
    goal: float | None = None
    detail: str = ''
    least: bool = False

    @property
    def verdict(self) -> str:
        """Return how the value compares with its goal."""
        if self.goal is None:
            return ''
        value = round(self.value, 2)
        if self.least:
            return 'ok' if value >= self.goal else 'under'
        return 'ok' if value <= self.goal else 'over'


_HEAD: Final = ('result', 'database', 'measured', 'goal', '', 'from')


def table(results: Iterable[Result]) -> str:
    """Return the results as a table."""
    rows = [_HEAD, *(_row(result) for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (map(str.ljust, row, widths) for row in rows)
    return '\n'.join('  '.join(line).rstrip() for line in lines)


def _row(result: Result) -> tuple[str, ...]:
    goal = '' if result.goal is None else f'{result.goal:g} {result.unit}'
    if result.least:
        goal = f'at least {goal}'
    return (result.name, result.database,
            f'{result.value:.2f} {result.unit}'.strip(), goal.strip(),
            result.verdict, result.detail)


def as_json(results: Iterable[Result]) -> str:
    """Return the results as JSON."""
    return json.dumps([dataclasses.asdict(result)
                       | {'verdict': result.verdict or None}
                       for result in results], indent=2)

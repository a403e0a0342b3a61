# SPDX-License-Identifier: Apache-2.0
"""Measured values, with their goals."""

import dataclasses
import json
from collections.abc import Iterable
from typing import Final


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure; `goal`: the most it may be, where there is a goal, or
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


_HEAD: Final = ('figure', 'database', 'measured', 'goal', '', 'from')


def table(figures: Iterable[Figure]) -> str:
    """Return the results as a table."""
    rows = [_HEAD, *(_row(figure) for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (map(str.ljust, row, widths) for row in rows)
    return '\n'.join('  '.join(line).rstrip() for line in lines)


def _row(figure: Figure) -> tuple[str, ...]:
    goal = '' if figure.goal is None else f'{figure.goal:g} {figure.unit}'
    if figure.least:
        goal = f'at least {goal}'
    return (figure.name, figure.database,
            f'{figure.value:.2f} {figure.unit}'.strip(), goal.strip(),
            figure.verdict, figure.detail)


def as_json(figures: Iterable[Figure]) -> str:
    """Return the results as JSON."""
    return json.dumps([dataclasses.asdict(figure)
                       | {'verdict': figure.verdict or None}
                       for figure in figures], indent=2)

"""The bill of a month as a value, and its two tables in docs/costs.md."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.pool_formulas import OURS
from bench.pool_scenarios import SCENARIOS

PAGE: Final = Path(__file__).parents[1] / "docs" / "costs.md"
_APART: Final = "without its grace"
_COUNTS: Final = {
    "cold starts": "cold_starts",
    "nodes started for nothing": "for_nothing",
    "nodes started without a task": "idle_starts",
    "runs cut": "cut",
    "runs not served": "unserved",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """
    What a month comes to under one formula.

    Attributes:
        node_minutes: With a machine, from allocation to removal.
        kept_minutes: Of these, after the last task of their node.
        useful_minutes: The time that completed runs took on their last try.
        cold_starts: Nodes on which a task ran.
        idle_starts: Nodes that were allocated while no task waited or ran.
        for_nothing: Nodes on which no task ran, though nothing was wrong with them.
        cut: Tasks that lost their node because the pool shrank.
        runs: That were submitted.
        unserved: Of these, those that never ended.
        waiting_minutes: On average, of the runs that started.
    """

    node_minutes: float
    kept_minutes: float
    useful_minutes: float
    cold_starts: int
    idle_starts: int
    for_nothing: int
    cut: int
    runs: int
    unserved: int
    waiting_minutes: float

    @property
    def ratio(self) -> float | None:
        """Node minutes per useful minute; None where nothing was useful."""
        return self.node_minutes / self.useful_minutes if self.useful_minutes else None

    @property
    def ratio_without_grace(self) -> float | None:
        """The same without the time that nodes stayed after their last task."""
        if not self.useful_minutes:
            return None
        return (self.node_minutes - self.kept_minutes) / self.useful_minutes


type Bills = Mapping[str, Bill]
"""By the scenario."""

type Rows = Mapping[str, Mapping[str, str]]
"""Of each table, by its name: the rows by the formula."""


def rows_of(found: Mapping[str, Bills]) -> Rows:
    """Return the rows of both tables for these formulas."""
    minutes: dict[str, str] = {}
    counts: dict[str, str] = {}
    for name, mine in found.items():
        months = [mine[scenario.name] for scenario in SCENARIOS]
        minutes[name] = _row(name, (_ratio(one, one.ratio) for one in months))
        if name.startswith(OURS):
            row = f"{name}, {_APART}"
            minutes[row] = _row(row, (_ratio(one, one.ratio_without_grace) for one in months))
        sums = (sum(getattr(one, of) for one in mine.values()) for of in _COUNTS.values())
        counts[name] = _row(name, (f"{number:,}" for number in sums))
    return {"minutes": minutes, "counts": counts}


def _ratio(one: Bill, ratio: float | None) -> str:
    if ratio is None:
        return "none served"
    return f"{ratio:.2f}" + (f" ({one.unserved} not served)" if one.unserved else "")


def _row(name: str, cells: Iterable[str]) -> str:
    return f"| {' | '.join((name, *cells))} |"


def _head(*cells: str) -> str:
    return f"{_row('formula', cells)}\n|---|{'---|' * len(cells)}"


_HEADS: Final = {
    "minutes": _head(*(scenario.name for scenario in SCENARIOS)),
    "counts": _head(*_COUNTS),
}


def with_tables(page: str, rows: Rows) -> str:
    """
    Return the page with these rows in its tables; other rows stay as they are.

    Raises:
        ValueError: The page lacks a table's markers.
    """
    for name, mine in rows.items():
        there = read_rows(page, name)
        lines = "\n".join((_HEADS[name], *{**there, **mine}.values()))
        begin, end = _markers(name)
        page = f"{page.partition(begin)[0]}{begin}\n{lines}\n{end}{page.partition(end)[2]}"
    return page


def read_rows(page: str, name: str) -> dict[str, str]:
    """
    Return the rows of one of the page's tables, by the formula.

    Raises:
        ValueError: The page lacks the table's markers.
    """
    begin, end = _markers(name)
    if (found := re.search(f"{re.escape(begin)}\n(.*?){re.escape(end)}", page, re.DOTALL)) is None:
        raise ValueError(f"the page must hold {begin} and {end}")
    return {line.split(" | ")[0].removeprefix("| "): line for line in found[1].splitlines()[2:]}


def _markers(name: str) -> tuple[str, str]:
    return (
        f"<!-- {name}: written by `python -m bench.pool_bill --write` -->",
        f"<!-- end of {name} -->",
    )

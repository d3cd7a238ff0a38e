"""
Tables: on a terminal they fit its width by leaving columns out, elsewhere they are complete.

Ids and times are never cut, and no cell takes two lines: each row is one line. What a terminal
would obey is escaped, line feeds included.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from orchestrator.decisions.last_words import escape_controls
from recur.formats import NOTHING
from recur.output import Format, Printer

_BETWEEN: Final = "  "
_CUT: Final = "…"
_SHORTEST: Final = 8
"""Cells that prose is cut to at most, while columns are left out instead."""

_LONGEST_WORD: Final = 65
"""Cells of an id of Batch and a colon behind it: no word that is as short is cut."""

_TIME: Final = r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?\S*"
_WORD: Final = re.compile(rf"{_TIME}|\S+")

type Cell = str | Text
"""A text, or one with a style."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """
    A column of a table. A table is a constant of its module: the tests look for it there.

    Attributes:
        name: Its heading.
        rank: 0 for the one column that always stays; of the others the highest goes first where
            the terminal is too narrow.
        prose: Whether its cells may be cut short behind a word: sentences, and nothing that people
            copy.
        wide: Whether it is shown by ``-o wide`` alone.
        optional: Whether it is left out where no row has anything in it; not by ``-o wide``.
    """

    name: str
    rank: int
    prose: bool = False
    wide: bool = False
    optional: bool = False


def show_table(
    output: Printer,
    table: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    headings: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, ...]:
    """
    Print rows below the names of their columns.

    Off terminals each row is one line and nothing is left out: programs read it.

    Args:
        output: Where they go.
        table: Their columns.
        rows: A cell for each column.
        headings: Other headings than the names of columns, by these names.

    Returns:
        The names of the columns that were left out since the terminal is too narrow.
    """
    cells = [[_text(cell) for cell in row] for row in rows]
    chosen = [
        n
        for n, one in enumerate(table)
        if output.form is Format.WIDE or _is_shown(one, [row[n].plain for row in cells])
    ]
    some = [replace(table[n], name=headings.get(table[n].name, table[n].name)) for n in chosen]
    kept, lines = layout(some, [[row[n] for n in chosen] for row in cells], output.table_width)
    for line in lines:
        output.people.print(line, markup=False)
    return tuple(one.name for one in some if one not in kept)


def _is_shown(column: Column, cells: Sequence[str]) -> bool:
    return not column.wide and (not column.optional or any({*cells} - {"", NOTHING}))


def layout(
    table: Sequence[Column], rows: Sequence[Sequence[Text]], width: int | None
) -> tuple[list[Column], list[Text]]:
    """
    Return the columns that fit, and the lines of a table, the heading first.

    Args:
        table: Its columns.
        rows: Their cells.
        width: That no line may exceed, in cells; None: every column at its full width. One column
            alone stays as wide as its ids and times are.
    """
    heading = [_text(Text(one.name, style="bold")) for one in table]
    columns = list(zip(heading, *rows, strict=True))
    widths = [max(map(_length, cells)) for cells in columns]
    kept = list(range(len(table)))
    if width is not None:
        least = [
            min(full, _least(cells)) if one.prose else full
            for one, cells, full in zip(table, columns, widths, strict=True)
        ]
        while len(kept) > 1 and _whole_width([least[n] for n in kept]) > width:
            kept.remove(max(kept, key=lambda n: table[n].rank))
        _cut_prose(table, kept, widths, least, width)
    lines = [_line([row[n] for n in kept], [widths[n] for n in kept]) for row in [heading, *rows]]
    return [table[n] for n in kept], lines


def _least(cells: Sequence[Text]) -> int:
    """Return the width at which the heading and the first word of each cell stay whole."""
    heading, *others = cells
    return max(_SHORTEST, _length(heading), *map(_least_of, others))


def _least_of(cell: Text) -> int:
    text = cell.plain
    first = _WORD.search(text)
    if first is None or cell_len(first[0]) > _LONGEST_WORD:
        return min(cell_len(text), _SHORTEST)
    return cell_len(first[0]) + (len(_CUT) if first.end() < len(text) else 0)


def _cut_prose(
    table: Sequence[Column],
    kept: Sequence[int],
    widths: list[int],
    least: Sequence[int],
    width: int,
) -> None:
    """Take from the prose of the columns that are kept what makes their lines too wide."""
    for n in sorted(kept, key=lambda n: table[n].rank, reverse=True):
        too_wide = _whole_width([widths[one] for one in kept]) - width
        if too_wide > 0:
            widths[n] = min(widths[n], max(least[n], widths[n] - too_wide))


def _whole_width(widths: Sequence[int]) -> int:
    return sum(widths) + len(_BETWEEN) * (len(widths) - 1)


def _line(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for n, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        shown = cell if _length(cell) <= width else Text(_cut(cell.plain, width), style=cell.style)
        line.append(_BETWEEN if n else "")
        line.append_text(shown)
        line.append(" " * (width - _length(shown)))
    line.rstrip()
    return line


def _cut(text: str, width: int) -> str:
    """Cut a text behind the last word that fits whole; a longer word than any id is cut itself."""
    left = width - len(_CUT)
    ends = [one.end() for one in _WORD.finditer(text)]
    fitting = [end for end in ends if cell_len(text[:end]) <= left]
    if fitting:
        return text[: fitting[-1]] + _CUT
    return set_cell_size(text, left) + _CUT


def _text(cell: Cell) -> Text:
    if isinstance(cell, str):
        return Text(escape_controls(cell))
    return Text(escape_controls(cell.plain), style=cell.style)


def _length(cell: Text) -> int:
    return cell_len(cell.plain)

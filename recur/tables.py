"""
Tables: on a terminal they fit its width by leaving columns out, elsewhere they are complete.

Ids and times are never cut, and no cell takes two lines: each row is one line. What a terminal
would obey is escaped, line feeds included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from orchestrator.decisions.last_words import escape_controls
from recur.output import Format, Printer

_BETWEEN: Final = "  "
_SHORTEST: Final = 8
"""Cells that prose is cut to at most, while columns are left out instead."""

type Cell = str | Text
"""A text, or one with a style."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """
    A column of a table.

    Attributes:
        name: Its heading.
        rank: 0 for the one column that always stays; of the others the highest goes first where
            the terminal is too narrow.
        prose: Whether its cells may be cut short: sentences, and nothing that people copy.
        wide: Whether it is shown by ``-o wide`` alone.
    """

    name: str
    rank: int
    prose: bool = False
    wide: bool = False


def show_table(output: Printer, table: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """
    Print rows below the names of their columns.

    Off terminals each row is one line and nothing is left out: programs read it.
    """
    chosen = [n for n, one in enumerate(table) if output.form is Format.WIDE or not one.wide]
    cells = [[_text(row[n]) for n in chosen] for row in rows]
    for line in layout([table[n] for n in chosen], cells, output.table_width):
        output.people.print(line, markup=False)


def layout(
    table: Sequence[Column], rows: Sequence[Sequence[Text]], width: int | None
) -> list[Text]:
    """
    Return the lines of a table, the heading first.

    Args:
        table: Its columns.
        rows: Their cells.
        width: That no line may exceed, in cells; None: every column at its full width. One column
            alone stays as wide as its ids and times are.
    """
    heading = [_text(Text(one.name, style="bold")) for one in table]
    widths = [max(map(_length, some)) for some in zip(heading, *rows, strict=True)]
    kept = list(range(len(table)))
    if width is not None:
        kept = _fitting(table, widths, width)
        _cut_prose(table, kept, widths, width)
    return [_line([row[n] for n in kept], [widths[n] for n in kept]) for row in [heading, *rows]]


def _fitting(table: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Return the columns that fit, with prose cut as short as it may be."""
    kept = list(range(len(table)))
    least = [_least(one, widths[n]) for n, one in enumerate(table)]
    while len(kept) > 1 and _whole_width([least[n] for n in kept]) > width:
        kept.remove(max(kept, key=lambda n: table[n].rank))
    return kept


def _least(column: Column, width: int) -> int:
    return min(width, max(_SHORTEST, len(column.name))) if column.prose else width


def _cut_prose(table: Sequence[Column], kept: Sequence[int], widths: list[int], width: int) -> None:
    """Take from the prose of the columns that are kept what makes their lines too wide."""
    for n in sorted(kept, key=lambda n: table[n].rank, reverse=True):
        too_wide = _whole_width([widths[one] for one in kept]) - width
        if too_wide > 0:
            widths[n] = max(_least(table[n], widths[n]), widths[n] - too_wide)


def _whole_width(widths: Sequence[int]) -> int:
    return sum(widths) + len(_BETWEEN) * (len(widths) - 1)


def _line(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for n, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        shown, length = cell, _length(cell)
        if length > width:
            shown = Text(f"{set_cell_size(cell.plain, width - 1)}…", style=cell.style)
            length = width
        line.append(_BETWEEN if n else "")
        line.append_text(shown)
        line.append(" " * (width - length))
    line.rstrip()
    return line


def _text(cell: Cell) -> Text:
    if isinstance(cell, str):
        return Text(escape_controls(cell))
    return Text(escape_controls(cell.plain), style=cell.style)


def _length(cell: Text) -> int:
    return cell_len(cell.plain)

"""Tables for people: folded to the terminal's width, and never cut where a program reads them."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from recur.output import Output


def show_table(output: Output, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below the names of their columns; off terminals one line for each row."""
    if not output.people.is_terminal:
        cells = [columns, *rows]
        widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
        for row in cells:
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            output.say("  ".join(padded).rstrip())
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for n, name in enumerate(columns):  # what comes first is what people copy
        table.add_column(name, overflow="fold", no_wrap=not n)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    output.people.print(table, soft_wrap=False)

"""
What a command says: to people on a terminal, or as one JSON document to programs.

Whatever is printed here is escaped first: what stands in a document, a record or a file name never
reaches the terminal as a control character, and never as markup.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, override

import typer
from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from orchestrator.decisions.last_words import escape_controls
from recur.errors import CliError

_DELETE: Final = "\x7f"


class _Console(Console):
    """
    A console that escapes what it prints, and outlives its reader.

    What a command does is done, whoever reads on.
    """

    @override
    def print(self, *objects: Any, **options: Any) -> None:
        super().print(
            *(escape_controls(one) if isinstance(one, str) else one for one in objects), **options
        )

    @override
    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(escape_controls(segment.text, keep="\n"), segment.style)

    @override
    def on_broken_pipe(self) -> None:
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


class Printer:
    """
    Where a command's words go.

    People get lines and tables on stdout and progress on stderr. With ``--json`` stdout holds one
    JSON document and nothing else.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.people: Console = _Console(quiet=as_json, highlight=False, emoji=False, soft_wrap=True)
        self.progress: Console = _Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)

    def say(self, text: str) -> None:
        r"""Print a line for people; a line feed in it is printed as ``\n``."""
        self.people.print(text, markup=False)

    def confirm(self, question: str) -> bool:
        """Ask a question on stderr, and return whether the answer is yes."""
        return typer.confirm(escape_controls(question), err=True)

    def result(self, value: object) -> None:
        """Print the result for programs; for people it has been said already."""
        if self.as_json:
            text = json.dumps(value, indent=2, default=_plain)
            sys.stdout.write(text.replace(_DELETE, r"\u007f") + "\n")  # json leaves it as it is

    def fail(self, error: CliError) -> None:
        """Print an error and what to do next, to stderr or into the JSON document."""
        if self.as_json:
            told = {"code": int(error.code), "message": error.message, "next": error.next_step}
            self.result({"error": told, **error.details})
        first, *others = map(escape_controls, error.lines)
        text = "".join([f"recur: {first}\n", *(f"  {line}\n" for line in others)])
        if error.next_step:
            text += f"  next: {escape_controls(error.next_step)}\n"
        sys.stderr.write(text)


def show_table(output: Printer, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """
    Print rows below the names of their columns, folded to the width of the terminal.

    Off terminals each row is one line, and nothing is cut: programs read it.
    """
    columns = [escape_controls(name) for name in columns]
    rows = [[escape_controls(cell) for cell in row] for row in rows]
    if not output.people.is_terminal:
        cells = [columns, *rows]
        widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
        for row in cells:
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            output.say("  ".join(padded).rstrip())
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for n, name in enumerate(columns):  # what comes first is what people copy
        table.add_column(Text(name), overflow="fold", no_wrap=not n)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    output.people.print(table, soft_wrap=False)


def _plain(value: Any) -> Any:  # noqa: ANN401 - json's own hook
    """Put a value into JSON: times as ISO 8601 UTC, durations in seconds."""
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)

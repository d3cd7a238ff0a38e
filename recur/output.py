"""What a command says: to people on a terminal, or as one JSON document to programs."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, override

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recur.errors import CliError


class _Console(Console):
    """A console that outlives its reader: what a command does is done, whoever reads on."""

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
        """Print a line for people."""
        self.people.print(text, markup=False)

    def result(self, value: object) -> None:
        """Print the result for programs; for people it has been said already."""
        if self.as_json:
            json.dump(value, sys.stdout, indent=2, default=_plain)
            sys.stdout.write("\n")

    def fail(self, error: CliError) -> None:
        """Print an error and what to do next, to stderr or into the JSON document."""
        if self.as_json:
            told = {"code": int(error.code), "message": error.message, "next": error.next_step}
            self.result({"error": told, **error.details})
        sys.stderr.write(f"recur: {error.message}\n")
        if error.next_step:
            sys.stderr.write(f"  next: {error.next_step}\n")


def show_table(output: Printer, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """
    Print rows below the names of their columns, folded to the width of the terminal.

    Off terminals each row is one line, and nothing is cut: programs read it.
    """
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


def _plain(value: Any) -> Any:  # noqa: ANN401 - json's own hook
    """Put a value into JSON: times as ISO 8601 UTC, durations in seconds."""
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)

"""What people read is what was written."""

import json
import re
from io import StringIO
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from recur.errors import CliError, Exit
from recur.output import Printer, show_table

CODES = "convert 0:100:2 a:bug:b [bold]x"


def test_a_line_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands and notes hold what elsewhere stands for a picture or a style."""
    output = Printer(as_json=False)

    output.say(CODES)
    output.people.print(f"[green]good[/] {escape(CODES)}")
    output.progress.print(CODES, markup=False)

    told = capsys.readouterr()
    assert told.out == f"{CODES}\ngood {CODES}\n"
    assert told.err == f"{CODES}\n"


@pytest.mark.parametrize("width", [60, 80, 100])
def test_what_stands_first_in_a_table_can_be_copied(width: int) -> None:
    """However narrow the terminal is, a run id is not broken."""
    output = Printer(as_json=False)
    output.people = Console(file=StringIO(), force_terminal=True, width=width)
    run = "nightly-report-20261123T070000Z"
    columns = ("RUN", "NOMINAL", "LATE", "STATE", "REASON", "TOOK")

    show_table(output, columns, [(run, "2026-11-23 02:00-05:00", "5 s", "submitted", "", "3 min")])

    assert run in cast("StringIO", output.people.file).getvalue()


HOSTILE = (
    "\x1b]0;title\x07\x1b[2J\x9b31m\x7f\u202e\u2066\u2028\x85\r\b[red]x[/red]\nall is well\tz\udcff"
)
SHOWN = r"\x1b]0;title\x07\x1b[2J\x9b31m\x7f\u202e\u2066\u2028\x85\r\x08[red]x[/red]\nall is well\tz\udcff"
"""Sets a title, clears the screen, turns the writing, forges a line, and has half a surrogate."""

_OBEYED = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def test_nothing_that_is_printed_reaches_the_terminal_as_a_control(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Lines, questions of progress and errors: one line each, with the markup as it was written."""
    output = Printer(as_json=False)

    output.say(HOSTILE)
    output.progress.print(HOSTILE, markup=False)
    show_table(output, ("NAME",), [(HOSTILE,)])
    output.fail(CliError(Exit.REFUSED, HOSTILE, HOSTILE, lines=[HOSTILE]))

    told = capsys.readouterr()
    assert told.out == f"{SHOWN}\nNAME\n{SHOWN}\n"
    assert told.err == f"{SHOWN}\nrecur: {SHOWN}\n  {SHOWN}\n  next: {SHOWN}\n"


def _on_a_terminal(output: Printer) -> StringIO:
    """Let a printer write onto a colourless terminal, and return what it writes to."""
    output.people.file = shown = StringIO()
    output.people._force_terminal = True  # noqa: SLF001 # rich offers no other way once it is made
    output.people._color_system = None  # noqa: SLF001 # the same
    return shown


@given(st.text(), st.text())
def test_a_table_on_a_terminal_holds_no_control_and_no_forged_row(left: str, right: str) -> None:
    """Whatever a cell holds, there is a head, a rule, and one line of 500 columns."""
    output = Printer(as_json=False)
    shown = _on_a_terminal(output)
    output.people.width = 500

    show_table(output, ("A", "B"), [(left[:20], right[:20])])

    assert not _OBEYED.search(shown.getvalue())
    assert shown.getvalue().count("\n") == 3


def test_what_rich_renders_for_others_is_escaped_too() -> None:
    """A table, or a text of another module: rich itself takes out no more than five controls."""
    output = Printer(as_json=False)
    shown = _on_a_terminal(output)
    table = Table("name", box=None)
    table.add_row(Text(HOSTILE.replace("\n", "")))

    output.people.print(table)
    output.people.print(Text("\x1b[2J\u202e"))

    assert not _OBEYED.search(shown.getvalue())
    assert r"\x1b[2J\u202e" in shown.getvalue()


def test_a_json_document_holds_no_control(capsys: pytest.CaptureFixture[str]) -> None:
    """And is read back to the same text."""
    Printer(as_json=True).result({"name": HOSTILE})

    told = capsys.readouterr().out
    assert not _OBEYED.search(told)
    assert json.loads(told) == {"name": HOSTILE}


def test_further_lines_of_an_error_are_in_its_message() -> None:
    """Programs read them there."""
    error = CliError(Exit.REFUSED, "two problems:", lines=["one", "two"])

    assert error.message == str(error) == "two problems:\n  one\n  two"

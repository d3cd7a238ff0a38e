"""What people read is what was written."""

from io import StringIO
from typing import cast

import pytest
from rich.console import Console
from rich.markup import escape

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

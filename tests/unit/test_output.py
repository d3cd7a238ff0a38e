"""What people read is what was written."""

import pytest
from rich.markup import escape

from cli.output import Output

CODES = "convert 0:100:2 a:bug:b [bold]x"


def test_a_line_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands and notes hold what elsewhere stands for a picture or a style."""
    output = Output(as_json=False)

    output.say(CODES)
    output.people.print(f"[green]good[/] {escape(CODES)}")
    output.progress.print(CODES, markup=False)

    told = capsys.readouterr()
    assert told.out == f"{CODES}\ngood {CODES}\n"
    assert told.err == f"{CODES}\n"

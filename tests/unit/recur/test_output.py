"""What people read is what was written."""

import csv
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from recur.errors import CliError, Exit
from recur.output import Format, Printer
from recur.tables import Cell, Column, show_table

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
    show_table(output, (Column(name="NAME", rank=0),), [(HOSTILE,)])
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


@given(st.text(), st.one_of(st.text(), st.text().map(lambda text: Text(text, style="red"))))
def test_a_table_on_a_terminal_holds_no_control_and_no_forged_row(left: str, right: Cell) -> None:
    """Whatever a cell holds, with a style or without, there is a head and one line."""
    output = Printer(as_json=False)
    shown = _on_a_terminal(output)

    show_table(output, (Column(name="A", rank=0), Column(name="B", rank=1)), [(left, right)])

    assert not _OBEYED.search(shown.getvalue())
    assert shown.getvalue().count("\n") == 2


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


ITEMS: list[dict[str, object]] = [
    {"id": "a", "at": datetime(2026, 11, 23, 7, tzinfo=UTC), "ok": True, "tags": ["x", "y"]},
    {"id": 'b, "c"', "at": None, "ok": False, "tags": []},
]


def listed(
    form: Format,
    capsys: pytest.CaptureFixture[str],
    items: Sequence[Mapping[str, object]] = ITEMS,
) -> str:
    Printer(form=form).listing({"all": items}, items, ["id", "at", "ok", "tags"])
    return capsys.readouterr().out


def test_programs_get_a_list_as_one_document_or_a_line_for_each_item(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the same keys; CSV has JSON in a cell for what is no single value."""
    document = json.loads(listed(Format.JSON, capsys))
    lines = [json.loads(line) for line in listed(Format.JSONL, capsys).splitlines()]
    rows = list(csv.reader(StringIO(listed(Format.CSV, capsys))))

    assert document == {"all": lines}
    assert lines[0] == {"id": "a", "at": "2026-11-23T07:00:00Z", "ok": True, "tags": ["x", "y"]}
    assert rows == [
        ["id", "at", "ok", "tags"],
        ["a", "2026-11-23T07:00:00Z", "true", '["x", "y"]'],
        ['b, "c"', "", "false", "[]"],
    ]


def test_a_list_without_items_has_the_heading_of_its_csv(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """So programs find its columns on a quiet day as well."""
    assert listed(Format.CSV, capsys, []) == "id,at,ok,tags\n"
    assert not listed(Format.JSONL, capsys, [])


@pytest.mark.parametrize("form", [Format.JSON, Format.JSONL, Format.CSV])
@pytest.mark.parametrize("length", [1, 1_000_000])
def test_a_list_outlives_its_reader(
    form: Format, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind `| head -1`: the command is done, and its exit code is its own."""
    reader, writer = os.pipe()
    os.close(reader)
    items = [{"a": "x" * length}, {"a": "y"}]

    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        Printer(form=form).listing(items, items, ["a"])


@pytest.mark.parametrize("form", [Format.JSONL, Format.CSV])
def test_what_is_no_list_is_not_written_as_one(form: Format) -> None:
    """Rather than as nothing."""
    with pytest.raises(CliError, match="works only with lists"):
        Printer(form=form).result({})


@pytest.mark.parametrize("form", [Format.JSON, Format.JSONL, Format.CSV])
def test_programs_read_no_words_for_people(
    form: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the result."""
    Printer(form=form).say("all is well")

    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=cmd()", "'=cmd()"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+1+cmd()", "'+1+cmd()"),
        ("-cmd()", "'-cmd()"),
        ("+05:30", "+05:30"),
        ("a=b", "a=b"),
        (-3, "-3"),
    ],
)
def test_a_spreadsheet_takes_no_text_for_a_formula(
    text: object, cell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An apostrophe stands before it in CSV; JSON has the text itself."""
    for form in (Format.CSV, Format.JSONL):
        Printer(form=form).listing({}, [{"note": text}], ["note"])

    _, row, line = capsys.readouterr().out.splitlines()
    assert row == cell
    assert json.loads(line) == {"note": text}


@pytest.mark.parametrize("form", [Format.JSONL, Format.CSV])
def test_a_list_for_programs_holds_no_control(
    form: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor a line that is none."""
    Printer(form=form).listing({}, [{"name": HOSTILE, "all": [HOSTILE]}], ["name", "all"])

    told = capsys.readouterr().out
    assert not _OBEYED.search(told)
    assert told.count("\n") == (1 if form is Format.JSONL else 2)

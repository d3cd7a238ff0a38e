"""Help texts fit 80 columns, name no types, and answer the words of other tools."""

import re
from itertools import pairwise

import pytest
from typer.testing import CliRunner, Result

from recur.app import app
from recur.commands import MEANT, NAMES, PANELS

NARROW = {"COLUMNS": "80"}


def told(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env=NARROW)


@pytest.mark.parametrize("name", [None, *NAMES])
def test_a_help_text_fits_and_names_no_type(name: str | None) -> None:
    """Its paragraphs fill their lines, and flags take nothing."""
    shown = told(*([name] if name else []), "--help")

    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any(f"<{kind}" in shown.output for kind in ("bool", "str", "int", "list", "path"))
    prose = [line.strip() for line in lines[: next(n for n, one in enumerate(lines) if "╭" in one)]]
    short = [
        (line, after)
        for line, after in pairwise(prose)
        if line and after and len(line) + 1 + len(after.split()[0]) < 78
    ]
    assert short == []


def test_a_help_text_is_found_by_each_way_to_ask_for_it() -> None:
    """-h, --help, and the word before the name."""
    texts = {told("stop", "-h").output, told("stop", "--help").output, told("help", "stop").output}

    assert len(texts) == 1
    assert told("help").output == told("--help").output


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("list", "recur runs"),
        ("ls", "recur runs"),
        ("get", "recur show"),
        ("cancel", "recur stop"),
        ("run", "recur trigger"),
        ("rerun", "recur backfill"),
    ],
)
def test_the_words_of_other_tools_name_the_command_that_is_meant(word: str, meant: str) -> None:
    """Not what is only written nearly so."""
    shown = told(word, "nightly")

    assert shown.exit_code == 2
    assert meant in shown.output


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("stop", "recur stop [OPTIONS] RUN..."),
        ("pause", "recur pause [OPTIONS] [SCHEDULE...]"),
        ("trigger", "recur trigger [OPTIONS] SCHEDULE"),
        ("runs", "recur runs [OPTIONS] [SCHEDULE]"),
        ("backfill", "recur backfill [OPTIONS] SCHEDULE"),
    ],
)
def test_a_usage_line_has_brackets_around_what_may_be_left_out(name: str, usage: str) -> None:
    """And nothing around what has to be given."""
    (line,) = [line for line in told(name, "--help").output.splitlines() if "Usage:" in line]

    assert line.split("Usage: ")[1].strip().replace("root ", "recur ") == usage


def test_no_word_of_other_tools_is_a_command() -> None:
    """A command that there is answers itself."""
    assert not {*MEANT} & {*NAMES}


def test_placeholders_are_in_upper_case() -> None:
    """Of arguments and of options."""
    shown = told("runs", "--help").output

    assert "[SCHEDULE]" in shown
    assert "OUTCOME" in shown
    assert "never_started" in shown


@pytest.mark.parametrize(
    ("name", "table"),
    [("apply", "[schedules.<id>]"), ("costs", "[prices]"), ("rehearse", "[prices.pools]")],
)
def test_a_help_text_names_tables_of_the_document(name: str, table: str) -> None:
    """In brackets, which are no style of the terminal."""
    assert table in told(name, "--help").output


def test_the_list_of_commands_groups_them_by_what_they_are_for() -> None:
    """Each once, in its panel, the daily ones first."""
    lines = told("--help").output.splitlines()

    titles = [line.strip("╭─╮ ") for line in lines if line.startswith("╭─")]
    named = [line.split()[1] for line in lines if re.match(r"│ [a-z]", line)]
    assert titles == ["Options", *PANELS]
    assert named == [*NAMES]
    assert len({*NAMES}) == len(NAMES)

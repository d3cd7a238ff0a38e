"""Texts of others on the command line: documents, file names, arguments."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recur.app import app

TITLE = "\x1b]0;owned\x07"
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")

DOCUMENT = r"""
[schedules.nightly]
cron = "0 2 * * *"
command = "true"
time_zone = "\u001b]0;owned\u0007\nrecur: all is well"
"key\u001b[2J\nforged" = 1

[schedules."\u009b31m\u202e[red]evil"]
cron = "0 2 * * *"
command = "true"
"""


def _told(*arguments: str) -> str:
    """Return all that a command prints that ends by an error."""
    told = CliRunner().invoke(app, arguments)
    assert told.exit_code in {2, 3}
    return told.output


def test_a_hostile_document_is_refused_in_plain_text(tmp_path: Path) -> None:
    """Its keys, values and ids are shown with their controls escaped, each in its own line."""
    file = tmp_path / "schedules.toml"
    file.write_text(DOCUMENT)

    told = _told("validate", str(file))

    assert not CONTROLS.search(told)
    assert r"\x1b]0;owned\x07" in told
    assert "[red]evil" in told
    assert "\nforged" not in told
    assert "\nrecur: all is well" not in told


@pytest.mark.parametrize(
    "arguments",
    [
        ("validate", f"{TITLE}\nnext: rm.toml"),
        ("--settings", f"{TITLE}\nrecur: fine.json", "runs"),
        ("validate", "a.toml", TITLE),
        (f"{TITLE}command",),
        ("validate", f"--{TITLE}"),
        ("runs", "-n", TITLE),
        ("trigger", "nightly", "--by", TITLE),
        ("trigger", "nightly", "--env", TITLE),
    ],
    ids=["file", "settings", "argument", "command", "option", "number", "by", "variable"],
)
def test_a_hostile_command_line_is_refused_in_plain_text(arguments: tuple[str, ...]) -> None:
    """Whether our own words say what is wrong with it, or those of the library."""
    told = _told(*arguments)

    assert not CONTROLS.search(told)
    assert "\nrecur: fine" not in told
    assert "\nnext: rm" not in told

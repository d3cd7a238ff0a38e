"""The options that all commands share stand anywhere in a line."""

import pytest
from typer.testing import CliRunner

from recur.app import app
from recur.shared_options import hoisted, wants_json


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("runs --json", "--json runs"),
        ("runs -o csv nightly", "-o csv runs nightly"),
        ("runs -ocsv --open", "-ocsv runs --open"),
        ("gaps --utc --zone=UTC --zone Asia/Tokyo", "--utc --zone=UTC --zone Asia/Tokyo gaps"),
        ("import -- --json", "import -- --json"),
        ("logs r --output x", "logs r --output x"),
        ("runs -o", "-o"),
        ("help runs", "runs --help"),
        ("--settings x help runs --json", "--settings x --json runs --help"),
        ("--utc help", "--utc --help"),
        ("help help", "--help"),
        ("runs help", "runs help"),
        ("runs --json nightly --zone", "--json --zone"),
    ],
)
def test_they_are_put_in_front(line: str, found: str) -> None:
    """Behind -- they are no options."""
    assert hoisted(line.split()) == found.split()


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("runs --json", True),
        ("runs -o json", True),
        ("runs -ojson", True),
        ("runs -o jsonl", False),
        ("runs json", False),
    ],
)
def test_it_is_known_beforehand_whether_programs_get_a_document(line: str, wanted: bool) -> None:
    """So that a wrong line is told as one too."""
    assert wants_json(line.split()) is wanted


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "doctor -o csv",
            "works only with commands that print lists: answer, costs, document, gaps, logs, next, rehearse, runs",
        ),
        ("runs --json -o csv", "exclude each other"),
        ("runs --utc --zone Europe/Paris", "exclude each other"),
        ("runs --zone", "'--zone' requires an argument"),
        ("runs -o", "'-o' requires an argument"),
        ("runs --zone EST", "did you mean 'America/New_York'?"),
    ],
)
def test_what_does_not_go_together_is_refused(line: str, said: str) -> None:
    """Before anything is asked for."""
    told = CliRunner().invoke(app, line.split(), env={"COLUMNS": "200"})

    assert told.exit_code == 2
    assert said in told.output

"""`recur import`: what it prints, for people and programs, and its exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.document.parse import parse
from recur.app import app


def test_programs_get_the_document_and_what_changes(tmp_path: Path) -> None:
    """Exit code 1 says that a line has no equivalent."""
    file = tmp_path / "crontab.txt"
    file.write_text("0 2 * * * one\n@reboot two\n")

    result = CliRunner().invoke(app, ["--json", "import", str(file), "--time-zone", "Asia/Tokyo"])

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert list(parse(told["document"]).schedules) == ["one"]
    assert told["system"] == "a crontab"
    assert told["schedules"] == [
        {"schedule": "one", "source": "line 1: 0 2 * * * one", "changes": [], "refused": None},
        {
            "schedule": "two",
            "source": "line 2: @reboot two",
            "changes": [],
            "refused": "Recur has no schedule that is due when a machine starts",
        },
    ]


@pytest.mark.parametrize(
    ("content", "options", "code", "says"),
    [
        (None, (), 3, "cannot be read: No such file"),
        (b"\xff", (), 3, "is not UTF-8, at byte 0"),
        (b"# nothing\n", (), 3, "it contains no schedule"),
        (b"{", (), 3, "it looks like JSON, but cannot be read"),
        (b"0 2 * * * one", ("--time-zone", "Europe/Pari"), 2, "did you mean 'Europe/Paris'?"),
    ],
)
def test_a_refusal_says_why(
    tmp_path: Path, content: bytes | None, options: tuple[str, ...], code: int, says: str
) -> None:
    """With what is read instead."""
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)

    result = CliRunner().invoke(app, ["import", str(file), *options])

    assert says in result.output
    assert result.exit_code == code


def test_standard_input_is_read() -> None:
    """As in `crontab -l | recur import -`."""
    result = CliRunner().invoke(app, ["import", "-"], input="0 2 * * * one\n")

    assert result.exit_code == 0
    assert result.output.startswith("# Imported from standard input, a crontab, by recur import.\n")
    assert list(parse(result.output).schedules) == ["one"]


def test_standard_input_of_another_encoding_is_refused() -> None:
    """With the place of the first byte that is wrong."""
    result = CliRunner().invoke(app, ["import", "-"], input=b"0 2 * * * caf\xe9\n")

    assert result.exit_code == 3
    assert "standard input is not UTF-8, at byte 13" in result.output


def test_half_a_character_is_a_comment() -> None:
    """JSON may hold it, and TOML may not."""
    manifest = {
        "kind": "CronJob",
        "spec": {
            "schedule": "@daily",
            "jobTemplate": {
                "spec": {"template": {"spec": {"containers": [{"command": ["\ud800"]}]}}}
            },
        },
    }

    result = CliRunner().invoke(app, ["import", "-"], input=json.dumps(manifest))

    assert result.exit_code == 1
    assert "# Not imported: not TOML" in result.output
    assert parse(result.output).schedules == {}

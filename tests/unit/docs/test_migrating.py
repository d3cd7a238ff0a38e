"""docs/migrating.md says what the product does: its lines, its files, its commands."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.document.dialects.reading import keys, missing
from orchestrator.document.dialects.recognition import readings
from orchestrator.document.parse import parse
from recur.app import app
from recur.importing.tables import DST

WHOLE = (Path(__file__).parents[3] / "docs/migrating.md").read_text()
PAGE, _, OF_ACCOUNTS = WHOLE.partition("\n## A job schedule of Batch\n")
"""What needs no deployment; tests/contract/docs/test_migrating.py has the rest."""

_BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
_EXAMPLES = ("schedule.json", "trigger.json")
_JSON = dict(zip(_EXAMPLES, [text for kind, text in _BLOCKS if kind == "json"], strict=True))
_NAMED = {
    text.split("\n", 1)[0].removeprefix("# "): text.split("\n", 1)[1]
    for kind, text in _BLOCKS
    if kind in {"toml", "text", "yaml"}
}
SHOWN = [
    tuple(one.split("\n", maxsplit=1))
    for kind, block in _BLOCKS
    if kind == "console"
    for one in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
]
ROW = re.compile(r"^\| `(.+?)` \| (`.+?`) \| .+ \|$", re.MULTILINE)
LACKS = re.compile(r"^\| `([^`]+)` \| ([^`|]+) \|$", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the files of the page, in which commands are typed."""
    for name, text in (_NAMED | _JSON).items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("line", "here"), ROW.findall(PAGE), ids=str)
def test_each_line_becomes_what_stands_beside_it(line: str, here: str) -> None:
    """To the letter, by `recur convert`."""
    result = CliRunner().invoke(app, ["convert", line, "--from", "2026-12-01"])

    written = [one for one in result.output.splitlines() if not one.startswith("#")]
    assert ", ".join(f"`{one}`" for one in written) == here
    assert result.exit_code == 0


@pytest.mark.parametrize(("line", "lacks"), LACKS.findall(PAGE), ids=str)
def test_each_line_without_an_equivalent_is_told_why(line: str, lacks: str) -> None:
    """In the words of the page."""
    (reading,) = readings(line)

    assert missing(reading) == lacks
    assert keys(reading) == []


@pytest.mark.parametrize(("typed", "told"), SHOWN, ids=[typed for typed, _ in SHOWN])
@pytest.mark.usefixtures("folder")
def test_every_command_tells_what_is_shown(typed: str, told: str) -> None:
    """To the letter; exit codes are those that the page names."""
    program, *arguments = shlex.split(typed)

    result = CliRunner().invoke(app, arguments)

    assert program == "recur"
    assert result.output == told
    assert result.exit_code == (
        3 if "is refused" in told else int("keep one" in told or "Not imported" in told)
    )


@pytest.mark.parametrize("file", [typed.split()[2] for typed, _ in SHOWN if " import " in typed])
def test_what_is_imported_is_a_document(file: str, folder: Path) -> None:
    """`recur validate` takes it."""
    written = CliRunner().invoke(app, ["import", file]).output
    (folder / "imported.toml").write_text(written)

    assert CliRunner().invoke(app, ["validate", "imported.toml"]).exit_code == 0
    assert "[schedules." in written


def test_every_kind_of_file_is_shown() -> None:
    """A crontab, a manifest, a schedule and a trigger."""
    shown = {typed.split()[2] for typed, _ in SHOWN if " import " in typed}

    assert shown == {"crontab.txt", "cronjob.yaml", *_EXAMPLES}


def test_the_rest_of_the_page_is_tested_elsewhere() -> None:
    """It shows commands, and is not empty by a slip of its heading."""
    assert "$ recur import job-schedule" in OF_ACCOUNTS
    assert "job-schedule" not in "".join(typed for typed, _ in SHOWN)


def test_every_table_of_clock_changes_is_valid() -> None:
    """A reader may copy each; `recur convert` writes the same."""
    rows = re.findall(r"^\| ([\w, ]+) \|.*\| `dst = (\{.*?\})` \|$", PAGE, re.MULTILINE)
    tables = {name: table for names, table in rows for name in names.split(", ")}

    for table in tables.values():
        text = f"[schedules.it]\ncron = '0 2 * * *'\ncommand = 'true'\ndst = {table}\n"
        assert parse(text).problems == (), table
    assert tables == {dialect.removesuffix("'s cron"): table for dialect, table in DST.items()}

"""docs/schedules.md says what the product does: its documents, its commands, its tables."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestrator.document.keys import json_schema
from orchestrator.document.parse import parse
from orchestrator.enums import Overlap
from orchestrator.model import Retries
from recur.app import app
from recur.description.policy_text import policies_of
from recur.lint.command_notes import command_notes
from recur.lint.notes import Code
from tests.support.schedules import schedule

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/schedules.md").read_text()
DOCUMENTS = dict(re.findall(r"^```toml\n# (\S+\.toml)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
SHOWN = [
    tuple(one.split("\n", maxsplit=1))
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for one in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
]
# A month in virtual time takes seconds: tests/system/test_rehearse_command.py compares it.
QUICK = [(typed, told) for typed, told in SHOWN if not typed.startswith("recur rehearse ")]
ROW = re.compile(r"^\| `([a-z_.]+)` \| (?:`(.*?)`)? ?\| .+ \|$", re.MULTILINE)


def section(title: str) -> str:
    _, _, after = PAGE.partition(f"\n## {title}\n")
    return after.partition("\n## ")[0]


def test_every_document_is_named_and_valid() -> None:
    """A reader may copy each."""
    assert len(DOCUMENTS) == PAGE.count("```toml")
    assert {name: parse(text).problems for name, text in DOCUMENTS.items()} == dict.fromkeys(
        DOCUMENTS, ()
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the documents of the page, in which commands are typed."""
    for name, text in DOCUMENTS.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("typed", "told"), QUICK, ids=[typed for typed, _ in QUICK])
@pytest.mark.usefixtures("folder")
def test_every_command_tells_what_is_shown(typed: str, told: str) -> None:
    """To the letter: tables of New York, Lord Howe, Cairo and Apia among them."""
    program, *arguments = shlex.split(typed)

    result = CliRunner().invoke(app, arguments)

    assert program == "recur"
    assert result.output == told
    assert result.exit_code == 0


def test_there_are_tables_for_each_way_in_which_clocks_change() -> None:
    """By an hour at night, by half an hour, at midnight, by a day."""
    asked = {shlex.split(typed)[2] for typed, _ in SHOWN if " next " in typed}

    assert asked >= {"new-york", "new-york-early", "lord-howe", "cairo", "apia"}
    assert any("--compare" in typed for typed, _ in SHOWN)


def keys(table: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of the dialect with their defaults, those of inner tables with a dot."""
    found: dict[str, Any] = {}
    for name, key in table["properties"].items():
        inner = definitions.get(key.get("$ref", "").removeprefix("#/$defs/"), {})
        if "properties" in inner:
            found[name] = None
            found |= {f"{name}.{k}": v for k, v in keys(inner, definitions).items()}
        else:
            found[name] = key.get("default")
    return found


def test_every_key_stands_there_with_its_default() -> None:
    """And no other does."""
    definitions = json_schema()["$defs"]
    documented = {
        name: (None if not default else json.loads(default))
        for name, default in ROW.findall(section("Keys"))
    }

    assert documented == keys(definitions["ScheduleTable"], definitions)


def test_every_note_is_explained() -> None:
    """And no other is."""
    assert re.findall(r"^\| `([a-z-]+)` \|", section("Notes"), re.MULTILINE) == list(Code)


def test_every_command_of_the_page_works_as_written() -> None:
    """No note on one: a reader copies it."""
    documents = [parse(text) for text in DOCUMENTS.values()]

    commands = [one.command for document in documents for one in document.schedules.values()]
    assert [note for command in commands for note in command_notes(command)] == []


def test_every_overlap_policy_is_explained() -> None:
    """In the order of its words."""
    assert re.findall(r"^\| `([a-z]+)` \|", section("Overlap"), re.MULTILINE)[1:] == list(Overlap)


def test_the_document_of_the_beginning_is_taken_for_what_it_says(folder: Path) -> None:
    """Its schedules inherit the zone."""
    nightly, hourly = parse((folder / "reports.toml").read_text()).schedules.values()

    assert nightly.recurrence.time_zone == hourly.recurrence.time_zone == "America/Montreal"
    assert (nightly.retries.max, hourly.recurrence.cron) == (1, ())


def test_a_job_schedule_becomes_an_interval(folder: Path) -> None:
    """`recurrenceInterval` is `every`, `doNotRunUntil` is `start` and with it the anchor."""
    (one,) = parse((folder / "interval.toml").read_text()).schedules.values()

    assert one.recurrence.every is not None
    assert one.recurrence.every.total_seconds() == 1800
    assert one.recurrence.anchor == one.start


def test_the_most_attempts_are_said_as_recur_describe_says_them() -> None:
    """The page quotes it for one retry."""
    text = " ".join(section("Retries").split())
    policies = policies_of(schedule(retries=Retries(max=1)))

    (said,) = re.findall(r'`max = 1` means "([^"]+)"', text)
    (retries,) = (policy.text for policy in policies if policy.name == "retries")
    assert retries.startswith(f"{said}, ")

"""`recur rehearse`: what it prints for people and for programs, and what docs/schedules.md shows."""

import json
import re
import shlex
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from recur.app import app
from recur.errors import Exit

TEXT = """
[prices]
currency = "USD"
dedicated = 0.12

[schedules.nightly-report]
cron = "0 2 * * MON-FRI"
command = "true"

[schedules.refresh]
every = "30m"
command = "true"
"""
PAGE = (Path(__file__).parents[2] / "docs/schedules.md").read_text()
SHOWN = re.findall(
    r"^\$ (recur rehearse [^\n]*)\n(.*?)(?=^\$ |^```)", PAGE, re.DOTALL | re.MULTILINE
)
COMMAND = ("--days", "2", "--from", "2027-03-01", "--duration", "5m")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "schedules.toml"
    file.write_text(TEXT)
    return file


def rehearse(*arguments: str) -> Any:  # noqa: ANN401 - a result
    return CliRunner().invoke(app, list(arguments), env={"RECUR_SETTINGS": None})


def test_people_see_schedules_and_the_pool(document: Path) -> None:
    """One line for each schedule, one for the pool."""
    shown = rehearse(
        "rehearse", str(document), *COMMAND, "--duration", "nightly-report=2h", "--nodes", "2"
    )

    assert shown.exit_code == Exit.DONE, shown.output
    lines = shown.output.splitlines()
    assert lines[0].split() == [
        "SCHEDULE",
        "RUNS",
        "SKIPPED",
        "WAITING",
        "LONGEST",
        "NODE",
        "TIME",
        "COST",
    ]
    assert lines[1].startswith("nightly-report  2")
    assert "4 h" in lines[1]
    assert "0.48 USD" in lines[1]
    assert lines[2].startswith("refresh         96")
    assert lines[5].startswith("dedicated")


def test_programs_get_the_same_numbers(document: Path) -> None:
    """With times in seconds; another seed gives other boots, the same seed the same."""
    shown = [
        json.loads(rehearse("--json", "rehearse", str(document), *COMMAND, "--seed", seed).output)
        for seed in ("1", "1", "2")
    ]

    assert shown[0] == shown[1] != shown[2]
    told = shown[0]
    assert (told["from"], told["until"]) == ("2027-03-01T00:00:00Z", "2027-03-03T00:00:00Z")
    nightly, refresh = told["schedules"]
    assert (nightly["schedule"], nightly["runs"], nightly["node_seconds"]) == (
        "nightly-report",
        2,
        600,
    )
    assert refresh["ended"] == 96
    assert refresh["amount"] == pytest.approx(96 * 300 * 0.12 / 3600)
    assert told["currency"] == "USD"
    assert told["pool"]["busy_seconds"] == (96 + 2) * 300


def test_a_pool_without_a_price_costs_nothing_that_is_known(document: Path) -> None:
    """The document has no price of Spot nodes, and that is said."""
    shown = rehearse("rehearse", str(document), *COMMAND, "--spot")

    assert "USD" not in shown.output
    assert "No cost: the document gives no price for these nodes" in shown.output


def test_what_is_not_known_is_asked_for(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a deployment there is no history; the message names the schedules."""
    monkeypatch.chdir(tmp_path)
    shown = rehearse("rehearse", str(document), "--duration", "refresh=5m")

    assert shown.exit_code == Exit.USAGE
    assert "is not known for 1 schedule(s): nightly-report" in shown.output
    assert "--duration SCHEDULE=10m" in shown.output


def test_the_days_are_those_of_recur_next(document: Path) -> None:
    """From their first second on, and not to the first second after them."""
    tables = {
        "first-one": 'at = ["2027-03-01T00:00:00"]',
        "odd-one": 'every = "300d"\nstart = 2027-03-01T00:00:20Z',
        "last-one": 'at = ["2027-03-03T00:00:00"]',
    }
    document.write_text(
        "".join(f'[schedules.{name}]\n{keys}\ncommand = "true"\n' for name, keys in tables.items())
    )
    for begin, due in (
        ("2027-03-01T00:00:00Z", {"first-one", "odd-one"}),
        ("2027-03-01T00:00:30Z", {"last-one"}),
    ):
        days = ("--days", "2", "--from", begin, "--duration", "5m")
        shown = rehearse("--json", "rehearse", str(document), *days)
        end = datetime.fromisoformat(begin) + timedelta(days=2)
        rehearsed = json.loads(shown.stdout)
        assert {one["schedule"] for one in rehearsed["schedules"] if one["runs"]} == due
        assert datetime.fromisoformat(rehearsed["until"]) == end
        for name in tables:
            told = rehearse("--json", "next", name, "--file", str(document), "--from", begin)
            coming = json.loads(told.stdout).get("occurrences", ()) if told.stdout else ()
            soon = [one for one in coming if datetime.fromisoformat(one["utc"]) < end]
            assert bool(soon) == (name in due)


def test_a_schedule_without_a_run_in_these_days_needs_no_duration(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is due next year, one is paused."""
    monkeypatch.chdir(tmp_path)
    document.write_text(
        TEXT
        + '[schedules.rare]\ncron = "0 2 1 7 *"\ncommand = "true"\n'
        + '[schedules.off]\ncron = "0 2 * * *"\ncommand = "true"\npaused = true\n'
    )
    days = ("--days", "2", "--from", "2027-03-01")
    lengths = ("--duration", "refresh=5m", "--duration", "nightly-report=5m")

    shown = rehearse("rehearse", str(document), *days, *lengths)

    assert shown.exit_code == Exit.DONE, shown.output
    assert "off             0     2 paused" in shown.output


def test_a_pool_without_prices_of_its_own_is_named(document: Path) -> None:
    """The prices of all other pools are not taken for it without a word."""
    shown = rehearse("rehearse", str(document), *COMMAND, "--pool", "nix")

    assert shown.exit_code == Exit.USAGE
    assert "the document has no prices for the pool nix" in shown.output
    assert "without --pool, the prices of [prices] are used" in shown.output


def test_a_document_with_problems_is_refused(tmp_path: Path) -> None:
    """As by validate."""
    file = tmp_path / "schedules.toml"
    file.write_text('[schedules.one]\ncron = "61 * * * *"\ncommand = "true"\n')

    assert rehearse("rehearse", str(file), "--duration", "5m").exit_code == Exit.REFUSED


def test_a_document_without_schedules_has_nothing_to_rehearse(tmp_path: Path) -> None:
    """It is not blamed for prices that it has."""
    file = tmp_path / "schedules.toml"
    file.write_text('[prices]\ncurrency = "USD"\ndedicated = 0.12\n')

    shown = rehearse("rehearse", str(file))

    assert shown.exit_code == Exit.DONE, shown.output
    assert "Nothing to rehearse: the document has no schedules." in shown.output
    assert "No cost" not in shown.output


@pytest.mark.parametrize(("typed", "told"), SHOWN, ids=[typed for typed, _ in SHOWN])
def test_the_page_shows_what_is_rehearsed(
    typed: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the letter: a month of its document."""
    _, _, name, *arguments = shlex.split(typed)
    (text,) = re.findall(
        rf"^```toml\n# {re.escape(name)}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE
    )
    (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)

    shown = rehearse("rehearse", name, *arguments)

    assert shown.output == told
    assert shown.exit_code == Exit.DONE


def test_the_page_shows_rehearsals() -> None:
    """Each that the page of schedules leaves to this file."""
    assert len(SHOWN) == PAGE.count("$ recur rehearse ") >= 2

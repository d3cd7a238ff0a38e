"""The queries of the alerts against the code that tells what they ask for, and their runbook."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from orchestrator.adapters.telemetry import KEYS, Event
from orchestrator.enums import BlockedReason, MissReason, Outcome, Reason, SkipReason

ROOT = Path(__file__).parents[3]
QUERIES = {path.stem: path.read_text() for path in (ROOT / "infra/alerts").glob("*.kql")}
METRIC_RULES = {"start-task-failed", "node-unusable", "node-idle", "node-long-running"}
_NAME = re.compile(r'"([a-z]+\.[a-z]+)"')
_PROPERTY = re.compile(r'\bProperties(?:\.(\w+)|\["(\w+)"\])')


def _statements(query: str) -> Iterator[tuple[set[str], set[str]]]:
    """Return of each statement the events that it names and the properties that it reads."""
    without_comments = re.sub(r"^\s*//.*$", "", query, flags=re.MULTILINE)
    for statement in without_comments.split(";"):
        properties = set(filter(None, chain.from_iterable(_PROPERTY.findall(statement))))
        yield set(_NAME.findall(statement)), properties


def _unknown(query: str) -> set[str]:
    """Return the events and properties that the code never tells."""
    unknown = set()
    for names, properties in _statements(query):
        events = names & {*Event}
        told = {key for name in events for key in KEYS[Event(name)]}
        unknown |= (names - events) | (properties - told)
    return unknown


@pytest.mark.parametrize("alert", QUERIES)
def test_a_query_asks_for_what_the_code_tells(alert: str) -> None:
    """An event or a key that is renamed is an alert that never fires."""
    assert _unknown(QUERIES[alert]) == set()


@pytest.mark.parametrize(
    ("alert", "sound", "mutant"),
    [
        ("run-failed", '"run.finished"', '"run.ended"'),
        ("run-failed", "Properties.outcome", "Properties.result"),
        ("tick-silent", 'Properties["function"]', 'Properties["name"]'),
        ("schedule-overdue", "max_gap_seconds", "maximum_gap_seconds"),
        ("schedule-overdue", "schedule.reported", "tick.finished"),
    ],
)
def test_a_renamed_event_or_key_is_found(alert: str, sound: str, mutant: str) -> None:
    """Also a key that only another event has."""
    assert sound in QUERIES[alert]
    assert _unknown(QUERIES[alert].replace(sound, mutant))


def test_what_an_operator_has_to_know_is_asked_for_somewhere() -> None:
    """An event without an alert is one that needs nobody."""
    asked = {
        name for query in QUERIES.values() for names, _ in _statements(query) for name in names
    }

    assert {*Event} - asked == {
        Event.DOCUMENT_REJECTED,  # every heartbeat says it again, as long as it holds
        Event.OCCURRENCE_SKIPPED,  # as the schedule itself wants it
    }


def test_the_words_that_queries_compare_are_those_of_the_code() -> None:
    """Outcomes, reasons, and the functions."""
    functions = re.findall(r"async def (\w+)\(timer", (ROOT / "function_app.py").read_text())

    assert f'!= "{Outcome.SUCCEEDED}"' in QUERIES["run-failed"]
    assert f'!= "{MissReason.SUPERSEDED}"' in QUERIES["run-failed"]
    assert f"""["{'", "'.join(functions)}"]""" in QUERIES["tick-silent"]


def test_every_alert_has_its_runbook() -> None:
    """A section with what it means, what to look at and what to do; and a price."""
    page = (ROOT / "docs/alerts.md").read_text()
    sections = dict(
        re.findall(r"^## Alert: (\S+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    )

    assert set(sections) == {*QUERIES} | METRIC_RULES
    for name, text in sections.items():
        for part in ("**Means.**", "**Look.**", "**Do.**"):
            assert part in text, name
        assert re.search(rf"^\| {name}\b.*\$", page, re.MULTILINE), name


def test_every_word_of_the_tables_is_one_of_the_code() -> None:
    """Outcomes, their reasons, why nothing ran and why a job waits: all of them, and no other."""
    page = (ROOT / "docs/alerts.md").read_text()

    def words(title: str, column: int) -> set[str]:
        section = page.partition(f"# {title}\n")[2].partition("\n## ")[0]
        rows = [line.split("|") for line in section.splitlines() if line.startswith("| ")]
        return {row[column].strip().strip("`") for row in rows[1:]}

    assert words("Outcomes and reasons", 1) == {*Outcome}
    assert words("Reasons of outcomes", 1) == {*Reason}
    assert words("Reasons of outcomes", 2) <= _lists_of_outcomes()
    assert words("Why an occurrence did not run", 2) == {*SkipReason, *MissReason}
    assert words("Why an attempt is blocked", 1) == {*BlockedReason}


def _lists_of_outcomes() -> set[str]:
    """Return each outcome, and each two of them."""
    return {*Outcome} | {f"{one}, {other}" for one in Outcome for other in Outcome}

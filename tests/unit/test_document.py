"""The schedule document: every problem at once, with its place, what is wrong and what is right."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.document import MAX_SCHEDULES, parse
from orchestrator.errors import DocumentError
from orchestrator.words import ScheduleId

GOOD = """
[schedules.nightly]
cron = "0  2 * * MON-FRI"
time_zone = "America/Montreal"
command = "python3 x.py"
overlap = "skip"
catch_up = { mode = "latest", window = "6h", max = 3 }
start_timeout = "90s"
run_timeout = "P1DT30M"
start = 2026-12-01T00:00:00-05:00
paused = true
"""


def table(**keys: str) -> str:
    values = {"cron": '"0 2 * * *"', "command": '"true"'} | keys
    return "[schedules.bad]\n" + "\n".join(f"{key} = {value}" for key, value in values.items())


def problems(text: str) -> list[str]:
    return [str(problem) for problem in parse(text).problems]


def test_every_key_is_read() -> None:
    """What the document says is what the schedule holds; the rest has defaults."""
    schedules = parse(
        GOOD + '[schedules.plain-1]\ncron = "* * * * *"\ncommand = "true"\n'
    ).schedules
    nightly, plain = schedules[ScheduleId("nightly")], schedules[ScheduleId("plain-1")]

    assert nightly.calendar.cron == ("0 2 * * MON-FRI",)
    assert nightly.start_timeout == timedelta(seconds=90)
    assert nightly.run_timeout == timedelta(days=1, minutes=30)
    assert nightly.catch_up.window == timedelta(hours=6)
    assert nightly.start == datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert nightly.paused
    assert (plain.calendar.time_zone, plain.paused, plain.start) == ("UTC", False, None)
    assert (plain.start_timeout, plain.run_timeout) == (timedelta(minutes=30), timedelta(hours=6))


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("cron", '"0 2 * *"', "instead of five"),
        ("cron", '"0 0 31 2 *"', "bad day-of-month"),
        ("cron", '["0 2 * * *"]', "valid string"),
        ("time_zone", '"America/Montreel"', "did you mean 'America/Montreal'"),
        ("time_zone", '"Eastern Standard Time"', "no time zone"),
        ("command", '"  "', "must not be empty"),
        ("overlap", '"sometimes"', "it can be 'skip', 'queue', 'replace' or 'allow'"),
        ("catch_up", '{ mode = "some" }', "it can be 'latest', 'all' or 'none'"),
        ("catch_up", '{ windows = "1d" }', "did you mean 'window'"),
        ("start_timeout", '"half an hour"', '"PT30M"'),
        ("start_timeout", '"0s"', "above zero"),
        ("run_timeout", "3600", '"PT30M"'),
        ("run_timeout", '"200d"', "180 days"),
        ("start", "2026-12-01T00:00:00", "with its offset"),
        ("start", '"2026-12-01T00:00:00Z"', "unquoted"),
        ("start", "9999-12-31T23:59:59-14:00", "between the years"),
        ("start", "0001-01-01T00:00:00Z", "between the years"),
        ("start_timeout", '"٣h"', '"PT30M"'),
        ("catch_up", '"latest"', "must be a table"),
        ("catch_up", '{ window = "1s" }', "at least 5 minutes"),
        ("time_zone", '"EST"', "no time zone"),
        ("paused", '"yes"', "valid boolean"),
        ("retries", "{ max = 1 }", "not supported yet"),
        ("environment", '{ A = "b" }', "not supported yet"),
        ("comand", '"x"', "did you mean 'command'"),
        ("zzz", "1", "unknown key"),
    ],
)
def test_a_bad_value_is_told_with_table_and_key(key: str, value: str, says: str) -> None:
    """One problem, its place first, and the table is known to be invalid."""
    found = parse(table(**{key: value}))

    (problem,) = [str(problem) for problem in found.problems]
    assert problem.startswith(f"[schedules.bad]: {key}")
    assert says in problem
    assert found.invalid == {"bad"}
    assert not found.schedules


def test_one_bad_table_leaves_the_good_ones() -> None:
    """Its schedule stands still, the others go on, and all of its problems are told at once."""
    found = parse(GOOD + table(cron='"x"', time_zone='"Mars"', colour='"red"'))

    assert set(found.schedules) == {"nightly"}
    assert len(found.problems) == 3


@pytest.mark.parametrize("name", ["A", "a", "Nightly", '"a b"', "1st", "a-", "x" * 41])
def test_a_bad_name_is_told(name: str) -> None:
    """Ids become Batch job ids and blob names."""
    (problem,) = problems(f'[schedules.{name}]\ncron = "* * * * *"\ncommand = "true"\n')
    assert "2 to 40 characters" in problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[schedules.a\n", "not TOML"),
        ("schedules = 1\n", "must be tables"),
        ("n = " + "9" * 5000, "not TOML"),
        ("n = " + "[" * 3000, "nested too deeply"),
        ("[schedule.ab]\n", "unknown"),
        ("[defaults]\n", "not supported yet"),
        ("\n".join(f"[schedules.s{n}]" for n in range(MAX_SCHEDULES + 1)), "at most 1000"),
    ],
)
def test_a_document_that_cannot_be_used_decides_nothing(text: str, says: str) -> None:
    """It is refused as a whole, with the reason."""
    with pytest.raises(DocumentError, match=says):
        parse(text)


def test_an_empty_document_has_no_schedules() -> None:
    """Which is how the last schedule is removed."""
    assert not parse("").schedules

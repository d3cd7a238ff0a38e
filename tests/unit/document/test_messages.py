"""What is said of a bad value, and how much of it."""

import re

import pytest

from orchestrator.document.key_hints import ELSEWHERE, INNER
from orchestrator.document.keys import ScheduleTable
from orchestrator.document.messages import KEYS
from orchestrator.document.parse import parse
from tests.support.documents import table


def problems(text: str) -> list[str]:
    return [str(problem) for problem in parse(text).problems]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cron", '"' + "1," * 9000 + '"'),
        ("overlap", '"' + "x" * 9000 + '"'),
        ("max_queued", '"' + "9" * 9000 + '"'),
    ],
)
def test_a_long_value_is_not_repeated_in_full(key: str, value: str) -> None:
    """Problems stand in events and mails."""
    assert all(len(problem) < 300 for problem in problems(table(**{key: value})))


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("cron", "5", 'an expression such as "0 2 * * MON-FRI", or a list of expressions, not 5'),
        ("cron", "2026-12-25", "a list of expressions, not 2026-12-25"),
        (
            "except",
            '"2026-12-25"',
            """a list such as ["2026-12-25", "* * * 8 *"], not '2026-12-25'""",
        ),
        ("command", "2026-12-25T18:00:00Z", "a string, not 2026-12-25T18:00:00Z"),
        ("command", "18:00:00", "a string, not 18:00:00"),
        ("command", '["a", true, 1.5]', "a string, not ['a', true, 1.5]"),
        ("command", "{ a = { b = { c = 1 } } }", "a string, not { a = { b = { ... } } }"),
        ("command", "[[[1]], {}, []]", "a string, not [[[...]], {}, []]"),
        ("command", f"[{'1,' * 20}]", "a string, not [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ...]"),
        ("outputs", '"a"', """must be a list such as ["report/*.csv"], not 'a'"""),
        ("retries", "1", "must be a table such as { max = 1 }, not 1"),
        ("retries", '{ on = "lost" }', """must be a list such as ["lost", "failed"], not 'lost'"""),
        ("retries", "{ exit_codes = 75 }", 'must be a list such as [75, "SIGKILL"], not 75'),
        ("dst", '"skip"', """must be a table such as { gap = "skip" }, not 'skip'"""),
    ],
)
def test_a_value_of_another_kind_is_shown_as_toml_beside_what_is_right(
    key: str, value: str, says: str
) -> None:
    """Not as Python has it."""
    (problem,) = problems(table(**{key: value}))

    assert says in problem


ODD = (
    "1",
    "1.5",
    "true",
    '"x"',
    "2026-12-25",
    "2026-12-25T18:00:00Z",
    "18:00:00",
    "[]",
    "[[]]",
    "{}",
    "{ a = 1 }",
    "nan",
)


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("key", [key for key in ScheduleTable.model_fields if key != "except_"])
def test_no_message_speaks_python(key: str, value: str) -> None:
    """Whatever stands at whichever key."""
    document = parse(table(**{key: value}))

    for problem in map(str, document.problems):
        assert not re.search(
            r"datetime|Input|dict|None|True|False|instance|_type|str\b|input", problem
        ), problem


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("enabled", "false", "write paused = true"),
        ("enabled", "true", "write paused = false"),
        ("disabled", "true", "write paused = true"),
        ("suspend", "true", "write paused = true"),
        ("suspend", '"yes"', "write paused = true if it must not run"),
        ("tz", '"UTC"', "write time_zone"),
        ("timezone", '"UTC"', "did you mean 'time_zone'?"),
        ("timeZone", '"UTC"', "did you mean 'time_zone'?"),
        ("time-zone", '"UTC"', "did you mean 'time_zone'?"),
        ("env", "{}", "write environment"),
        ("schedule", '"0 2 * * *"', "write cron"),
        ("concurrency", "1", "write overlap"),
        ("concurrencyPolicy", '"Forbid"', 'write overlap = "skip"'),
        ("startingDeadlineSeconds", "60", "write catch_up.window"),
        ("recurrenceInterval", '"PT30M"', "write every"),
        ("timeout", "60", "write run_timeout"),
        ("until", "2026-12-24T18:00:00Z", "write end"),
        ("doNotRunAfter", "2026-12-24T18:00:00Z", "write end"),
        ("start_time", "1", "write start"),
        ("retry", "1", "write retries"),
        ("window", '"1d"', "did you mean 'catch_up.window'?"),
        ("max", "1", "did you mean 'catch_up.max' or 'retries.max'?"),
        ("dts", "{}", "did you mean 'dst'?"),
        ("crn", '"x"', "did you mean 'cron'?"),
        ("pause", "true", "did you mean 'paused'?"),
        ("exept", "[]", "did you mean 'except'?"),
        ("outptus", "[]", "did you mean 'outputs'?"),
        ("retries", "{ attempts = 1 }", "write max"),
        ("retries", "{ delay = 1 }", "write backoff"),
        (
            "retries",
            '{ command = "x" }',
            "it is a key of the schedule: write it above the table retries",
        ),
        ("retries", "{ zzz = 1 }", "known are max, on, exit_codes, backoff"),
        ("catch_up", '{ windows = "1d" }', "did you mean 'window'?"),
        ("dst", "{ folds = 1 }", "write overlap"),
    ],
)
def test_a_key_of_another_scheduler_has_its_counterpart(key: str, value: str, says: str) -> None:
    """What it is called here; with its value where that is known."""
    (problem,) = problems(table(**{key: value}))

    assert problem.endswith(f"unknown key; {says}")


@pytest.mark.parametrize(
    "key",
    ["user", "name", "pool", "id", "image", "type", "title", "notify", "memory", "cpu", "hour", "minute", "email", "x" * 9000],
)  # fmt: skip
def test_no_key_is_suggested_by_letters_alone(key: str) -> None:
    """`user` is not `paused`."""
    (problem,) = problems(table(**{key: "1"}))

    assert problem.endswith("unknown key")


def test_every_counterpart_is_a_key() -> None:
    """And no key of ours is called that of another."""
    keys = set(KEYS) | {f"{outer}.{key}" for outer, inner in KEYS.items() for key in inner}

    assert set(ELSEWHERE.values()) <= keys
    assert not ELSEWHERE.keys() & {key.replace("_", "") for key in KEYS}
    assert all(set(meant.values()) <= set(KEYS[outer]) for outer, meant in INNER.items())


def test_a_value_of_the_environment_is_not_repeated() -> None:
    """It may be a secret that was not quoted."""
    (problem,) = problems(table(environment="{ PIN = 123456 }"))

    assert "123456" not in problem


def test_a_number_too_long_for_python_to_spell_is_told() -> None:
    """Written in another base it can be read, and not be shown."""
    found = problems(table(overlap='"queue"', max_queued=f"0x{'F' * 9000}"))
    assert found == [
        "[schedules.bad]: max_queued: must be at most 1000, not a number of too many digits"
    ]

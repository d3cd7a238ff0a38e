"""Notes on what is valid and may not be meant: each where it belongs, and nowhere else."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.document.parse import parse
from orchestrator.model import Recurrence
from orchestrator.timing.placement import placements
from recur.lint.document_notes import lint, note_lines
from recur.lint.notes import Code, Note, shortest_period
from recur.lint.secret_patterns import looks_secret

ROOT = Path(__file__).parents[4]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
QUIET = {"cron": '"0 2 * * *"', "command": '"true"', "run_timeout": '"1h"'}


def notes(text: str) -> list[Note]:
    document = parse(text)
    assert document.problems == ()
    return lint(text, document, NOW)


def of(**keys: str) -> list[Note]:
    """Return the notes on a schedule on which there would be none but for some keys."""
    values = {key: one for key, one in (QUIET | keys).items() if one}
    return notes("[schedules.one]\n" + "\n".join(f"{key} = {one}" for key, one in values.items()))


def test_an_ordinary_schedule_has_no_notes() -> None:
    """Nor has the sample, so that a note means something."""
    assert of() == []
    assert of(cron='"0 2 * * MON-FRI"') == []
    assert of(cron='"*/30 * * * *"', run_timeout='"20m"') == []
    assert of(cron="", every='"1h"', run_timeout='"50m"') == []


@pytest.mark.parametrize(
    ("code", "key", "says", "keys"),
    [
        (Code.SECONDS_FIELD, "cron", "read as '0 2 * * *'", {"cron": '["0 0 2 * * *"]'}),
        (Code.SECONDS_FIELD, "except", "five fields", {"except": '["0 0 2 1 * *"]'}),
        (Code.DAY_OR_WEEKDAY, "cron", "either will do", {"cron": '"0 2 13 * FRI"'}),
        (Code.DAY_AND_WEEKDAY, "cron", "both", {"cron": '"0 2 */2 * FRI"', "catch_up": '{ window = "14d" }'}),
        (Code.DAY_AND_WEEKDAY, "cron", "both", {"cron": '"0 2 1-7 * */2"'}),
        (Code.SHORT_MONTHS, "cron", "5 month(s) that have no day 31", {"cron": '"0 2 31 * *"', "catch_up": '{ window = "60d" }'}),
        (Code.SHORT_MONTHS, "cron", "1 month(s) that have no day 30", {"cron": '"0 2 30 * *"', "catch_up": '{ window = "60d" }'}),
        (Code.RARE_DATE, "cron", "next on 2028-02-29", {"cron": '"0 2 29 2 *"'}),
        (Code.RARE_DATE, "cron", "next on 2032-02-29", {"cron": '"0 0 29 2 *"', "start": "2028-03-01T00:00:00Z"}),
        (Code.RARE_DATE, "cron", "next on 2028-02-29", {"cron": '"0 0 29 2 *"', "start": "2028-02-29T00:00:00Z"}),
        (Code.RARE_DATE, "cron", "next on 2032-02-29", {"cron": '"0 0 29 2 *"', "start": "2028-02-28T11:00:00Z", "time_zone": '"Pacific/Kiritimati"'}),
        (Code.NEVER_DUE, "cron", "'except' has left out", {"except": '["* 2 * * *"]'}),
        (Code.NEVER_DUE, "every", "nine years", {"cron": "", "every": '"90m"', "except": '["* * * * *"]', "anchor": "2026-01-01T00:00:00Z"}),
        (Code.SHORT_MONTHS, "cron", "5 month(s) that have no day 31", {"cron": '"0 2 31W * *"', "catch_up": '{ window = "60d" }'}),
        (Code.SHORT_MONTHS, "cron", "1 month(s) that have no day 30", {"cron": '"0 2 L-29 * *"', "catch_up": '{ window = "60d" }'}),
        (Code.WINDOW_UNDER_PERIOD, "catch_up.window", "occurrences are 14 days apart", {"cron": '"0 2 * * MON"', "interval": '{ every = 2, unit = "weeks", anchor = 2026-12-07 }', "catch_up": '{ window = "13d" }'}),
        (Code.ENDED, "end", "last occurrence is over", {"end": "2026-11-22T00:00:00Z"}),
        (Code.PAST_TIMES, "at", "1 of 2 time(s) are over, the last 2026-11-23 00:00", {"cron": "", "at": "[2026-11-23T00:00:00, 2026-11-24T00:00:00]"}),
        (Code.SHORT_PERIOD, "at", "every 1 minute;", {"cron": "", "at": "[2027-01-23T00:00:00, 2027-01-23T00:01:00]", "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "cron", "every 5 minutes;", {"at": "[2031-01-23T01:55:00]", "overlap": '"allow"'}),
        (Code.CATCH_UP_STORM, "catch_up.max", "12 runs", {"cron": "", "at": "[" + ",".join(f"2031-06-01T{hour:02}:00:00" for hour in range(12)) + "]", "catch_up": '{ mode = "all", max = 50 }', "overlap": '"allow"', "max_parallel": "60"}),
        (Code.INTERVAL_DRIFTS, "every", "do not divide a day", {"cron": "", "every": '"7h"'}),
        (Code.INTERVAL_DRIFTS, "every", "clock of Europe/Paris", {"cron": "", "every": '"1d"', "time_zone": '"Europe/Paris"'}),
        (Code.DST_UNUSED, "dst", "no effect", {"cron": "", "every": '"6h"', "dst": '{ gap = "skip" }'}),
        (Code.SHORT_PERIOD, "cron", "every 5 minutes; a pool from zero needs about 10 minutes", {"cron": '"*/5 * * * *"', "run_timeout": '"4m"'}),
        (Code.SHORT_PERIOD, "every", "infra/pool/pool.json", {"cron": "", "every": '"2m"', "run_timeout": '"1m"'}),
        (Code.SHORT_PERIOD, "cron", "every 1 minute;", {"cron": '["0 2 * * *", "* * * 12 *"]', "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "cron", "every 5 minutes;", {"cron": '["0 2 * * *", "0,5 3 1 6 *"]', "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "cron", "every 5 minutes;", {"cron": '["0 2 * * *", "5 2 29-30 2 *"]', "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "cron", "every 1 minute;", {"cron": '["59 23 31 12 *", "0 0 1 1 *"]', "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "cron", "every 6 minutes;", {"cron": '"*/3 * * * *"', "except": '["3-59/6 * * * *"]', "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "every", "every 6 minutes;", {"cron": "", "every": '"3m"', "except": '["3-59/6 * * * *"]', "overlap": '"allow"'}),
        (Code.TIMEOUT_OVER_PERIOD, "run_timeout", "can be due after 30 minutes", {"cron": '["0 2 * * *", "0,30 3 24 12 *"]'}),
        (Code.JITTER_CUT, "jitter", "which can be 20 minutes", {"cron": '["0 2 * * *", "0,20 3 24 12 *"]', "jitter": '"25m"', "overlap": '"allow"'}),
        (Code.JITTER_CUT, "jitter", "cut", {"cron": '"0 * * * *"', "jitter": '"2h"'}),
        (Code.CATCH_UP_STORM, "catch_up.max", "50 runs", {"catch_up": '{ mode = "all", max = 50, window = "90d" }', "overlap": '"allow"', "max_parallel": "60"}),
        (Code.CATCH_UP_STORM, "catch_up.max", "24 runs", {"cron": '"0 * * * *"', "catch_up": '{ mode = "all", max = 50 }', "overlap": '"queue"', "max_queued": "50"}),
        (Code.CATCH_UP_FIRST_ONLY, "catch_up.mode", "the oldest 1 and skips", {"cron": '"0 * * * *"', "catch_up": '{ mode = "all" }'}),
        (Code.CATCH_UP_FIRST_ONLY, "catch_up.mode", "of 3 occurrences", {"cron": '["0 2 * * *", "0,20 3 24 12 *"]', "catch_up": '{ mode = "all" }', "run_timeout": '"15m"'}),
        (Code.CATCH_UP_FIRST_ONLY, "catch_up.mode", "the oldest 2 and skips", {"cron": '"0 * * * *"', "catch_up": '{ mode = "all" }', "overlap": '"queue"'}),
        (Code.CATCH_UP_LAST_ONLY, "catch_up.mode", "only the newest", {"cron": '"0 * * * *"', "catch_up": '{ mode = "all" }', "overlap": '"replace"'}),
        (Code.WINDOW_UNDER_PERIOD, "catch_up.window", "is 1 day, and occurrences are 7 days apart", {"cron": '"0 2 * * MON"'}),
        (Code.TIMEOUT_OVER_PERIOD, "run_timeout", "lets up to 6 be skipped", {"cron": '"0 * * * *"', "run_timeout": ""}),
        (Code.RETRY_TOO_LATE, "retries", "after never_started", {"cron": '"*/30 * * * *"', "run_timeout": '"20m"', "retries": "{ max = 1 }"}),
        (Code.RETRY_TOO_LATE, "retries", "after failed", {"cron": '"*/30 * * * *"', "run_timeout": '"20m"', "retries": '{ max = 1, on = ["failed"], backoff = "30m" }'}),
        (Code.EXIT_CODES_UNUSED, "retries.exit_codes", 'add "failed"', {"retries": "{ max = 1, exit_codes = [75] }"}),
        (Code.SECRET, "environment.DB_PASSWORD", "Key Vault", {"environment": '{ DB_PASSWORD = "x" }'}),
        (Code.SECRET, "command", "Key Vault", {"command": '"psql postgres://me:hunter2@db/x"'}),
    ],
)  # fmt: skip
def test_what_may_not_be_meant_is_noted(
    code: Code, key: str, says: str, keys: dict[str, str]
) -> None:
    """With its code, its place, and what to do; and nothing else is noted."""
    (note,) = of(**keys)

    assert (note.code, note.schedule, note.key) == (code, "one", key)
    assert says in note.message


@pytest.mark.parametrize(
    "keys",
    [
        {"cron": '"0 2 L * *"', "catch_up": '{ window = "40d" }'},
        {"cron": '"0 2 29 * *"', "catch_up": '{ window = "40d" }'},
        {"cron": '"0 2 * * MON"', "catch_up": '{ mode = "none" }'},
        {"cron": "", "every": '"1d"'},
        {"cron": '"0 * * * *"', "overlap": '"queue"', "run_timeout": '"5h"'},
        {"cron": '"*/30 * * * *"', "overlap": '"queue"', "retries": "{ max = 3 }"},
        {"catch_up": '{ mode = "all", max = 1 }'},
        {"catch_up": '{ mode = "all" }'},
        {"environment": '{ PASSWORD = "", TOKEN_URL = "https://x", KEYBOARD = "us" }'},
        {"retries": '{ max = 1, on = ["failed"], exit_codes = [75] }'},
        {"cron": '["0 2 * * *", "0 3 * * *"]', "run_timeout": '"1h"'},
    ],
)
def test_what_is_meant_is_not_noted(keys: dict[str, str]) -> None:
    """Near misses of the notes."""
    assert of(**keys) == []


PATTERNS = (
    "*/7 1-2 * * *",
    "0 0 29 2 *",
    "59 23 L * *",
    "0 0 1 */2 *",
    "30 9 * * MON",
    "3 5 13 * FRI",
)
LEFT_OUT = ("* 1 * * *", "*/2 * * * *", "* * 1-15 * *", "* * * * SUN", "2027-12-31")


@settings(max_examples=40)
@given(
    st.one_of(
        st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3, unique=True),
        st.sampled_from([450, 600, 3601, 7000, 86_399, 300_000]).map(
            lambda n: timedelta(seconds=n)
        ),
    ),
    st.lists(st.sampled_from(LEFT_OUT), max_size=2, unique=True),
)
def test_the_shortest_period_is_that_of_a_list_of_all(
    when: list[str] | timedelta, left_out: list[str]
) -> None:
    """Over a common year and a leap year."""
    recurrence = Recurrence(except_=tuple(left_out))
    if isinstance(when, timedelta):
        recurrence = replace(recurrence, every=when)
    else:
        recurrence = replace(recurrence, cron=tuple(when))
    begin = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    end = begin + timedelta(days=732)

    found = [one.nominal for one in placements(recurrence, after=begin, until=end, excluded=False)]

    periods = (later - earlier for earlier, later in pairwise(found))
    assert shortest_period(recurrence) == min(
        (one for one in periods if one < timedelta(days=365)), default=None
    )


def test_what_a_schedule_inherits_is_looked_at_as_well() -> None:
    """In the table that inherits it."""
    (note,) = notes(
        '[defaults]\ncron = "0 0 2 * * *"\ncommand = "true"\nrun_timeout = "1h"\n[schedules.one]\n'
    )

    assert (note.code, note.schedule) == (Code.SECONDS_FIELD, "one")


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("API_KEY", "x", True),
        ("STORAGE_CONNECTION_STRING", "x", True),
        ("github_token", "x", True),
        ("X", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc==;", True),
        ("X", "Server=db;Password=abc", True),
        ("X", "https://a.blob.core.windows.net/c?sv=1&sig=" + "a1B2" * 11, True),
        ("X", "-----BEGIN PRIVATE KEY-----", True),
        ("X", "eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + ".c", True),
        ("X", "A" * 86 + "==", True),
        ("SECRET", "", False),
        ("TOKEN_FILE", "/run/token", False),
        ("PASSWORD_RULES", "long", False),
        ("MONKEY", "x", False),
        ("X", "https://host:8080/path", False),
        ("X", "https://me:$PASSWORD@host/", False),
        ("X", "a" * 86, False),
    ],
)
def test_secrets_are_told_by_their_names_and_forms(name: str, value: str, secret: bool) -> None:
    """And what only reminds of one is left alone."""
    assert looks_secret(name, value) is secret


def test_a_note_does_not_repeat_a_secret() -> None:
    """Notes stand in logs of pipelines."""
    found = of(environment='{ DB_PASSWORD = "hunter2" }', command='"x://me:hunter2@db"')

    assert len(list(note_lines(found))) == 3
    assert not any("hunter2" in line for line in note_lines(found))


def test_the_pool_is_evaluated_as_often_as_the_note_says() -> None:
    """It names the file, so that who changes one looks at the other."""
    pool = json.loads((ROOT / "infra/pool/pool.json").read_text())
    (note,) = of(cron='"*/5 * * * *"', run_timeout='"4m"')

    assert pool["scaleSettings"]["autoScale"]["evaluationInterval"] == "PT5M"
    assert "evaluated every 5 minutes" in note.message


def test_a_thousand_schedules_are_looked_at() -> None:
    """Each of them, and who waits is told how far it is."""
    table = 'cron = "*/5 * * * *"\ncommand = "true"\nrun_timeout = "4m"\n'
    text = "".join(f"[schedules.s-{n}]\n{table}" for n in range(1000))
    steps: list[int] = []

    found = lint(text, parse(text), NOW, advance=steps.append)

    assert [note.code for note in found] == [Code.SHORT_PERIOD] * 1000
    assert sum(steps) == 1000

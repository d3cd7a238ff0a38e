"""Notes on what is valid and may not be meant: each where it belongs, and nowhere else."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.document.parse import parse
from orchestrator.model import Recurrence
from orchestrator.timing.placement import placements
from recur.lint.document_notes import lint, note_lines
from recur.lint.notes import Code, Note, shortest_period
from recur.lint.secret_patterns import looks_secret
from tests.support.breadth import examples

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
        (Code.DAY_OR_WEEKDAY, "cron", "and also on each such weekday", {"cron": '"0 2 13 * FRI"', "catch_up": '{ window = "30d" }'}),
        (Code.DAY_AND_WEEKDAY, "cron", "only if both fields match", {"cron": '"0 2 */2 * FRI"', "catch_up": '{ window = "14d" }'}),
        (Code.DAY_AND_WEEKDAY, "cron", "only if both fields match", {"cron": '"0 2 1-7 * */2"', "catch_up": '{ window = "30d" }'}),
        (Code.SHORT_MONTHS, "cron", "5 month(s) that have no day 31", {"cron": '"0 2 31 * *"', "catch_up": '{ window = "60d" }'}),
        (Code.SHORT_MONTHS, "cron", "1 month(s) that have no day 30", {"cron": '"0 2 30 * *"', "catch_up": '{ window = "60d" }'}),
        (Code.RARE_DATE, "cron", "next on 2028-02-29", {"cron": '"0 2 29 2 *"', "catch_up": '{ window = "30d" }'}),
        (Code.RARE_DATE, "cron", "next on 2032-02-29", {"cron": '"0 0 29 2 *"', "start": "2028-03-01T00:00:00Z", "catch_up": '{ window = "30d" }'}),
        (Code.RARE_DATE, "cron", "next on 2028-02-29", {"cron": '"0 0 29 2 *"', "start": "2028-02-29T00:00:00Z", "catch_up": '{ window = "30d" }'}),
        (Code.RARE_DATE, "cron", "next on 2032-02-29", {"cron": '"0 0 29 2 *"', "start": "2028-02-28T11:00:00Z", "time_zone": '"Pacific/Kiritimati"', "catch_up": '{ window = "30d" }'}),
        (Code.NEVER_DUE, "cron", "because of 'except'", {"except": '["* 2 * * *"]'}),
        (Code.NEVER_DUE, "every", "nine years", {"cron": "", "every": '"90m"', "except": '["* * * * *"]', "anchor": "2026-01-01T00:00:00Z"}),
        (Code.SHORT_MONTHS, "cron", "5 month(s) that have no day 31", {"cron": '"0 2 31W * *"', "catch_up": '{ window = "60d" }'}),
        (Code.SHORT_MONTHS, "cron", "1 month(s) that have no day 30", {"cron": '"0 2 L-29 * *"', "catch_up": '{ window = "60d" }'}),
        (Code.WINDOW_UNDER_PERIOD, "catch_up.window", "occurrences are 14 d apart", {"cron": '"0 2 * * MON"', "interval": '{ every = 2, unit = "weeks", anchor = 2026-12-07 }', "catch_up": '{ window = "13d" }'}),
        (Code.ENDED, "end", "last occurrence is in the past", {"end": "2026-11-22T00:00:00Z"}),
        (Code.PAST_TIMES, "at", "1 of 2 time(s) are over, the last 2026-11-23 00:00", {"cron": "", "at": "[2026-11-23T00:00:00, 2026-11-24T00:00:00]"}),
        (Code.SHORT_PERIOD, "at", "every 1 min;", {"cron": "", "at": "[2027-01-23T00:00:00, 2027-01-23T00:01:00]", "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "cron", "every 5 min;", {"at": "[2031-01-23T01:55:00]", "overlap": '"allow"'}),
        (Code.CATCH_UP_STORM, "catch_up.max", "12 runs", {"cron": "", "at": "[" + ",".join(f"2031-06-01T{hour:02}:00:00" for hour in range(12)) + "]", "catch_up": '{ mode = "all", max = 50 }', "overlap": '"allow"', "max_parallel": "60"}),
        (Code.INTERVAL_DRIFTS, "every", "do not divide a day", {"cron": "", "every": '"7h"'}),
        (Code.INTERVAL_DRIFTS, "every", "clock of Europe/Paris", {"cron": "", "every": '"1d"', "time_zone": '"Europe/Paris"'}),
        (Code.DST_UNUSED, "dst", "no effect", {"cron": "", "every": '"6h"', "dst": '{ gap = "skip" }'}),
        (Code.SHORT_PERIOD, "cron", "every 5 min; an empty pool needs about 10 min", {"cron": '"*/5 * * * *"', "run_timeout": '"4m"'}),
        (Code.SHORT_PERIOD, "every", "is due every 2 min;", {"cron": "", "every": '"2m"', "run_timeout": '"1m"'}),
        (Code.SHORT_PERIOD, "cron", "every 1 min;", {"cron": '["0 2 * * *", "* * * 12 *"]', "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "cron", "every 5 min;", {"cron": '["0 2 * * *", "0,5 3 1 6 *"]', "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "cron", "every 5 min;", {"cron": '["0 2 * * *", "5 2 29-30 2 *"]', "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "cron", "every 1 min;", {"cron": '["59 23 31 12 *", "0 0 1 1 *"]', "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "cron", "every 6 min;", {"cron": '"*/3 * * * *"', "except": '["3-59/6 * * * *"]', "overlap": '"allow"'}),
        (Code.SHORT_PERIOD, "every", "every 6 min;", {"cron": "", "every": '"3m"', "except": '["3-59/6 * * * *"]', "overlap": '"allow"'}),
        (Code.TIMEOUT_OVER_PERIOD, "run_timeout", "can be due after 30 min", {"cron": '["0 2 * * *", "0,30 3 24 12 *"]'}),
        (Code.JITTER_CUT, "jitter", "which can be 20 min", {"cron": '["0 2 * * *", "0,20 3 24 12 *"]', "jitter": '"25m"', "overlap": '"allow"'}),
        (Code.JITTER_CUT, "jitter", "is limited to", {"cron": '"0 * * * *"', "jitter": '"2h"'}),
        (Code.CATCH_UP_STORM, "catch_up.max", "50 runs", {"catch_up": '{ mode = "all", max = 50, window = "90d" }', "overlap": '"allow"', "max_parallel": "60"}),
        (Code.CATCH_UP_STORM, "catch_up.max", "24 runs", {"cron": '"0 * * * *"', "catch_up": '{ mode = "all", max = 50 }', "overlap": '"queue"', "max_queued": "50"}),
        (Code.CATCH_UP_FIRST_ONLY, "catch_up.mode", "the oldest 1 and skips", {"cron": '"0 * * * *"', "catch_up": '{ mode = "all" }'}),
        (Code.CATCH_UP_FIRST_ONLY, "catch_up.mode", "of 3 late occurrences", {"cron": '["0 2 * * *", "0,20 3 24 12 *"]', "catch_up": '{ mode = "all" }', "run_timeout": '"15m"'}),
        (Code.CATCH_UP_FIRST_ONLY, "catch_up.mode", "the oldest 2 and skips", {"cron": '"0 * * * *"', "catch_up": '{ mode = "all" }', "overlap": '"queue"'}),
        (Code.CATCH_UP_LAST_ONLY, "catch_up.mode", "only the newest", {"cron": '"0 * * * *"', "catch_up": '{ mode = "all" }', "overlap": '"replace"'}),
        (Code.WINDOW_UNDER_PERIOD, "catch_up.window", "is 1 d, and occurrences are 7 d apart", {"cron": '"0 2 * * MON"'}),
        (Code.TIMEOUT_OVER_PERIOD, "run_timeout", "one hanging run can cause 6 skips", {"cron": '"0 * * * *"', "run_timeout": ""}),
        (Code.RETRY_TOO_LATE, "retries", "after never_started", {"cron": '"*/30 * * * *"', "run_timeout": '"20m"', "retries": "{ max = 1 }"}),
        (Code.RETRY_TOO_LATE, "retries", "after failed", {"cron": '"*/30 * * * *"', "run_timeout": '"20m"', "retries": '{ max = 1, on = ["failed"], backoff = "30m" }'}),
        (Code.EXIT_CODES_UNUSED, "retries.exit_codes", 'add "failed"', {"retries": "{ max = 1, exit_codes = [75] }"}),
        (Code.WINDOW_UNDER_PERIOD, "catch_up.window", "6 d 23 h apart", {"cron": '["0 2 * * MON", "30 2 * * MON"]', "run_timeout": '"20m"'}),
        (Code.WINDOW_UNDER_PERIOD, "catch_up.window", "a year or more apart", {"cron": '"0 2 1 1 *"'}),
        (Code.WINDOW_UNDER_PERIOD, "catch_up.window", "30 d apart", {"cron": "", "every": '"30d"'}),
        (Code.UNEVEN_STEP, "cron", "minute '*/45' starts again each hour: after 45 comes 0; every = \"45m\" keeps an even distance", {"cron": '"*/45 * * * *"', "run_timeout": '"10m"'}),
        (Code.UNEVEN_STEP, "cron", "minute '5/25' starts again each hour: after 55 comes 5", {"cron": '"5/25 9-17 * * *"', "run_timeout": '"9m"'}),
        (Code.UNEVEN_STEP, "cron", "hour '*/5' starts again each day: after 20 comes 0; every = \"5h\" keeps an even distance", {"cron": '"0 */5 * * *"'}),
        (Code.UNEVEN_STEP, "cron", "day '*/2' starts again each month: after 31 comes 1; an interval of 2 days keeps an even distance", {"cron": '"0 2 */2 * *"', "catch_up": '{ window = "3d" }'}),
        (Code.UNEVEN_STEP, "cron", "month '*/5' starts again each year: after 11 comes 1", {"cron": '"0 2 1 */5 *"', "catch_up": '{ window = "30d" }'}),
        (Code.UNEVEN_STEP, "cron", "weekday '*/2' starts again each week: after 6 comes 0", {"cron": '"0 2 * * */2"', "catch_up": '{ window = "3d" }'}),
        (Code.STEP_OVER_FIELD, "cron", "minute '*/90' matches only 0, since the step is longer than the hour; every = \"90m\" keeps an even distance", {"cron": '"*/90 * * * *"', "run_timeout": '"50m"'}),
        (Code.STEP_OVER_FIELD, "cron", "minute '30/40' matches only 30", {"cron": '"30/40 2 * * *"'}),
        (Code.STEP_OVER_FIELD, "cron", "hour '*/36' matches only 0, since the step is longer than the day", {"cron": '"0 */36 * * *"'}),
        (Code.STEP_OVER_FIELD, "cron", "minute '5-50/60' matches only 5, since the step is longer than the range", {"cron": '"5-50/60 2 * * *"'}),
        (Code.STEP_OVER_FIELD, "cron", "hour '1-20/30' matches only 1", {"cron": '"0 1-20/30 * * *"'}),
        (Code.ANCHOR_AHEAD, "anchor", "delays nothing", {"cron": "", "every": '"6h"', "anchor": "2026-12-24T00:00:00Z", "run_timeout": '"5h"'}),
        (Code.ANCHOR_AHEAD, "anchor", "delays nothing", {"cron": "", "every": '"6h"', "start": "2026-12-01T00:00:00Z", "anchor": "2026-12-24T00:00:00Z"}),
        (Code.REPLACED_TOO_SOON, "overlap", "each run is replaced after 5 min", {"cron": '"*/5 * * * *"', "overlap": '"replace"'}),
        (Code.REPLACED_TOO_SOON, "overlap", "each run is replaced after 10 min", {"cron": '"*/10 * * * *"', "overlap": '"replace"'}),
        (Code.SHORT_START_TIMEOUT, "start_timeout", "is 2 min, but an empty pool needs about 10 min", {"start_timeout": '"2m"'}),
        (Code.RELATIVE_SCRIPT, "command", "'report.py' does not exist: the task's folder is empty", {"command": '"python3 report.py"'}),
        (Code.RELATIVE_SCRIPT, "command", "'./night.sh' does not exist", {"command": "\"/bin/bash -c './night.sh --all'\""}),
        (Code.RELATIVE_SCRIPT, "command", "'./run.sh' does not exist", {"command": '"./run.sh --all"'}),
        (Code.RELATIVE_SCRIPT, "command", "'bin/report' does not exist", {"command": '"bin/report"'}),
        (Code.RELATIVE_SCRIPT, "command", "'a b.sh' does not exist", {"command": "'''\nset -eu\n# it's\nexport A=1; A=b exec sh -x \"a b.sh\" | cat'''"}),
        (Code.RELATIVE_SCRIPT, "command", "'job.jar' does not exist", {"command": '"timeout -k 5 60 java -Xmx1g -jar job.jar"'}),
        (Code.RELATIVE_SCRIPT, "command", "'report.sh' does not exist", {"command": '"date && report.sh"'}),
        (Code.SHEBANG, "command", "/bin/sh runs it, not '/bin/bash'", {"command": '"#!/bin/bash\\necho a"'}),
        (Code.SHEBANG, "command", "/bin/sh runs it, not '/usr/bin/env'", {"command": '"#! /usr/bin/env python3\\nprint()"'}),
        (Code.PERCENT_VARIABLE, "command", "Linux does not expand '%RECUR_RUN_ID%'; write $RECUR_RUN_ID", {"command": '"echo %RECUR_RUN_ID%"'}),
        (Code.UNKNOWN_PACKAGE, "command", "no package 'reports'; infra/pool/pool.json has pythonsetup, pythonscript", {"command": "'sh \"$AZ_BATCH_APP_PACKAGE_reports/x.sh\"'"}),
        (Code.PACKAGE_VERSION, "command", "leave out _v0123456789ab", {"command": "'sh \"$AZ_BATCH_APP_PACKAGE_pythonscript_v0123456789ab/x.sh\"'"}),
        (Code.LITERAL_VARIABLE, "environment.PATH", "'$PATH' is not expanded", {"environment": '{ PATH = "/opt/x/bin:$PATH" }'}),
        (Code.LITERAL_VARIABLE, "environment.OUT", "'${RECUR_RUN_ID}' is not expanded", {"environment": '{ OUT = "a/${RECUR_RUN_ID}" }'}),
        (Code.PERCENT_VARIABLE, "command", "write $AZ_BATCH_APP_PACKAGE_pythonscript", {"command": '"python3 %AZ_BATCH_APP_PACKAGE_pythonscript%/a.py"'}),
        (Code.LITERAL_VARIABLE, "environment.OUT", "'${AZ_BATCH_APP_PACKAGE_pyt...' is not expanded", {"environment": '{ OUT = "${AZ_BATCH_APP_PACKAGE_pythonscript}/out" }'}),
        (Code.LITERAL_VARIABLE, "environment.OUT", "'%TEMP%' is not expanded", {"environment": '{ OUT = "%TEMP%" }'}),
        (Code.SECRET, "environment.DB_PASSWORD", "Key Vault", {"environment": '{ DB_PASSWORD = "x" }'}),
        (Code.SECRET, "command", "Key Vault", {"command": '"psql postgres://me:hunter2@db/x"'}),
        (Code.SECRET, "command", "Key Vault", {"command": '"curl -u me:hunter2 https://example.org"'}),
        (Code.SECRET, "command", "Key Vault", {"command": '"PGPASSWORD=hunter2 psql"'}),
    ],
)  # fmt: skip
def test_what_may_not_be_meant_is_noted(
    code: Code, key: str, says: str, keys: dict[str, str]
) -> None:
    """With its code, its place, and what to do; and nothing else is noted."""
    (note,) = of(**keys)

    assert (note.code, note.schedule, note.key) == (code, "one", key)
    assert says in note.message
    assert len(note.message) <= 120


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
        {"cron": '"*/45 2 * * *"', "run_timeout": '"40m"'},
        {"cron": '"*/20 */6 * * *"', "run_timeout": '"10m"'},
        {"cron": '"0-30/20 9-17/5 * * *"', "run_timeout": '"10m"'},
        {"cron": '"0 */5 1 * *"', "catch_up": '{ window = "30d" }'},
        {"cron": '"0 2 * * MON"', "catch_up": '{ window = "7d" }'},
        {"cron": '"0 2 1 1 *"', "catch_up": '{ window = "30d" }'},
        {"cron": "", "every": '"6h"', "start": "2026-12-24T00:00:00Z"},
        {
            "cron": "",
            "every": '"6h"',
            "start": "2026-12-24T00:00:00Z",
            "anchor": "2026-12-24T00:00:00Z",
        },
        {"cron": "", "every": '"6h"', "anchor": "2026-11-23T05:00:00Z"},
        {"cron": '"0 * * * *"', "overlap": '"replace"'},
        {"start_timeout": '"10m"'},
        {"command": '"python3 -m report"'},
        {"command": "'python3 -c \"import x.py\"'"},
        {"command": '"python3 /opt/report.py"'},
        {"command": "'python3 \"$AZ_BATCH_APP_PACKAGE_pythonscript/report.py\" input.sh'"},
        {"command": "'cd \"$AZ_BATCH_APP_PACKAGE_pythonscript\" && python3 report.py'"},
        {"command": '"curl -O https://example.org/x.sh && sh x.sh"'},
        {"command": '"echo it is; ~/bin/report.sh"'},
        {"command": '"echo don\'t\\nreport.sh"'},
        {"command": '"#!/bin/sh\\necho a"'},
        {"command": '"#!/usr/bin/env sh\\necho a"'},
        {"command": '"date +%Y-%m-%d; date +%H%M%S"'},
        {"command": "'powershell -File \"%AZ_BATCH_APP_PACKAGE_pythonscript%\\report.ps1\"'"},
        {"environment": '{ PRICE = "5 $", RATE = "50% of 100%", NOTE = "$path" }'},
    ],
)
def test_what_is_meant_is_not_noted(keys: dict[str, str]) -> None:
    """Near misses of the notes."""
    assert of(**keys) == []


LONG_CRON = ",".join(map(str, range(0, 60, 2)))


@pytest.mark.parametrize(
    "keys",
    [
        {"cron": f'["0 {LONG_CRON} 2,3 13,14 * MON,TUE"]'},
        {"cron": f'"{LONG_CRON} 2,3 13,14,15,16,17,18,19,20 * MON,TUE"'},
        {"cron": f'"{LONG_CRON} 2,3 */2 * MON,TUE"'},
        {"cron": f'"{LONG_CRON} 2,3 31 * *"'},
        {"cron": f'"{LONG_CRON} 2,3 29 2 *"'},
        {"cron": '"000000045/000000000000059 0000/000000000000000000023 0001/00000000030 1/000000011 *"'},
        {"cron": "", "every": '"365d23h59m59s"', "time_zone": '"America/Argentina/ComodRivadavia"'},
        {"cron": "", "every": '"365d23h59m59s"', "time_zone": '"America/North_Dakota/New_Salem"'},
        {"cron": "", "every": '"7h59m59s"', "catch_up": '{ window = "2h59m59s" }', "dst": '{ gap = "skip" }', "anchor": "2028-01-01T00:00:00Z"},
        {"cron": "", "every": '"9m59s"', "jitter": '"23h59m59s"', "run_timeout": '"179d23h59m59s"', "start_timeout": '"9m59s"'},
        {"cron": "", "every": '"9m59s"', "overlap": '"replace"', "catch_up": '{ mode = "all", window = "399d23h", max = 100 }'},
        {"cron": "", "every": '"9m59s"', "overlap": '"queue"', "max_queued": "98", "catch_up": '{ mode = "all", window = "399d23h", max = 100 }'},
        {"cron": "", "every": '"9m59s"', "overlap": '"allow"', "max_parallel": "98", "catch_up": '{ mode = "all", window = "399d23h", max = 100 }'},
        {"cron": "", "every": '"9m59s"', "retries": '{ max = 1, on = ["lost", "never_started", "timed_out", "failed"], backoff = "1h" }'},
        {"retries": '{ max = 1, on = ["lost"], exit_codes = [1] }', "environment": "{ " + "A" * 90 + '_PASSWORD = "x" }'},
        {"command": f'"python3 {"x" * 90}.py %{"A" * 90}% $AZ_BATCH_APP_PACKAGE_{"b" * 60}_v0123456789ab"'},
        {"command": f'"#!/usr/{"x" * 90}"', "environment": '{ A = "${' + "B" * 90 + '}" }'},
        {"command": '"psql postgres://me:hunter2@db/x $AZ_BATCH_APP_PACKAGE_pythonscript_v0123456789ab"'},
        {"except": '["* * * * *"]'},
        {"except": f'["0 {LONG_CRON} 2 1 1 *"]'},
    ],
)  # fmt: skip
def test_a_note_has_at_most_120_characters(keys: dict[str, str]) -> None:
    """With the longest values that there are."""
    found = of(**keys)

    assert found
    assert [len(note.message) for note in found if len(note.message) > 120] == []


PATTERNS = (
    "*/7 1-2 * * *",
    "0 0 29 2 *",
    "59 23 L * *",
    "0 0 1 */2 *",
    "30 9 * * MON",
    "3 5 13 * FRI",
)
LEFT_OUT = ("* 1 * * *", "*/2 * * * *", "* * 1-15 * *", "* * * * SUN", "2027-12-31")


@examples(40)
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
    """Whoever changes one looks at the other."""
    pool = json.loads((ROOT / "infra/pool/pool.json").read_text())
    (note,) = of(cron='"*/5 * * * *"', run_timeout='"4m"')

    assert pool["scaleSettings"]["autoScale"]["evaluationInterval"] == "PT5M"
    assert "evaluates it every 5 min" in note.message


def test_a_thousand_schedules_are_looked_at() -> None:
    """Each of them, and who waits is told how far it is."""
    table = 'cron = "*/5 * * * *"\ncommand = "true"\nrun_timeout = "4m"\n'
    text = "".join(f"[schedules.s-{n}]\n{table}" for n in range(1000))
    steps: list[int] = []

    found = lint(text, parse(text), NOW, advance=steps.append)

    assert [note.code for note in found] == [Code.SHORT_PERIOD] * 1000
    assert sum(steps) == 1000


@pytest.mark.parametrize(
    ("calendar", "noted"),
    [
        ("dates = [2026-11-22]", True),
        ("dates = [2026-11-23]", False),
        ("ranges = [{ first = 2026-01-01, last = 2026-12-31 }]", False),
        ('weekdays = ["SUN"]', False),
    ],
)
def test_a_calendar_without_a_day_to_come_is_noted(calendar: str, *, noted: bool) -> None:
    """It ran out, and nobody may have noticed."""
    keys = "\n".join(f"{key} = {one}" for key, one in QUIET.items())
    found = notes(f'[schedules.one]\n{keys}\nholidays = ["bank"]\n[calendars.bank]\n{calendar}\n')
    assert [one.code for one in found] == ([Code.HOLIDAYS_OVER] if noted else [])


def test_an_end_to_which_holidays_leave_nothing_says_so() -> None:
    """The last occurrence is not over: there was none, since a holiday moves it past the end."""
    found = notes(
        '[schedules.one]\ncommand = "true"\nrun_timeout = "1h"\ncron = "0 9 13 3 *"\n'
        'catch_up = { window = "60d" }\nend = 2027-03-15T00:00:00Z\n'
        'holidays = ["bank"]\non_holiday = "next_working_day"\n'
        "[calendars.bank]\ndates = [2027-03-13]\n"
    )

    (message,) = [one.message for one in found if one.code is Code.ENDED]
    assert message.startswith("holidays leave it no occurrence before its end: nothing is due")
    assert len(message) <= 120

"""The description on a terminal: no line wider than it, times and ids whole; and as JSON."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from orchestrator import ids
from orchestrator.document.parse import parse
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Action
from orchestrator.ledger.result import result_of
from orchestrator.ledger.state import ScheduleState
from orchestrator.ledger.summaries import NotRun, Recent, day_of, numbers_of, with_results
from orchestrator.model import Pause, Timing
from orchestrator.timing.occurrences import occurrences
from orchestrator.timing.zones import parse_zone
from recur.description.describing import Sources, describe
from recur.description.rendering import description_json, show_description
from recur.description.value import AppliedVersion, Description
from recur.output import Printer
from recur.status.readings import Blob, InForce
from tests.support.records import decided, ran
from tests.support.status_readings import (
    NIGHTLY,
    document,
    open_line,
    readings,
    recent,
    recent_run,
    submit,
)

TITLE = r"\x1b]0;owned\x07\x9b2J\u202e"
PAGE = (Path(__file__).parents[4] / "docs/operations.md").read_text()
NOW = datetime(2026, 3, 9, 10, tzinfo=UTC)
DAY = timedelta(days=1)
CHANGE = datetime(2026, 3, 8, 7, tzinfo=UTC)
"""02:30 on this day does not exist in New York."""

TEXT = """[defaults]
time_zone = "America/New_York"

[schedules.nightly]
cron = "30 2 * * *"
command = "true"
description = "The nightly report"
"""


def a_schedule() -> Description:
    """Return the description of a schedule that has a bit of everything."""
    table = parse(TEXT).schedules[NIGHTLY]
    timing = Timing(since=NOW - 99 * DAY, recurrence=table.recurrence)
    pause = Pause(since=NOW - DAY, until=NOW + DAY, by="eva", note="moving")
    state = ScheduleState(timings=(timing,), decided_until=NOW, pauses=(pause,))
    nominal = CHANGE + DAY - timedelta(minutes=30)
    skipped = int((CHANGE - 3 * DAY).timestamp()), int((CHANGE - 2 * DAY).timestamp())
    failed = ran(nominal, Outcome.FAILED, Reason.EXIT_CODE)
    running = open_line(state=AttemptState.SUBMITTED, since=NOW - timedelta(hours=2))
    read = readings(
        running,
        now=NOW,
        document=document(TEXT),
        submit=submit(state),
        recent=recent(
            recent_run(nominal=CHANGE),
            recent_run(Outcome.FAILED, Reason.EXIT_CODE, nominal=nominal),
            not_run=(NotRun(*skipped, 2, Action.SKIPPED, "paused"),),
        ),
    )
    return describe(
        Sources(
            schedule=NIGHTLY,
            readings=read,
            state=state,
            data=TEXT.encode(),
            version=AppliedVersion(number=3, at=NOW - DAY, by="eva@host", note="quiet"),
            days=(numbers_of([result_of(ran(CHANGE)), result_of(failed)]),),
            records={failed.run_id: failed},
        )
    )


def shown(
    description: Description, *, width: int | None = None, zone: str | None = None
) -> list[str]:
    """Return the lines that people get; without a width, off a terminal."""
    output = Printer()
    output.people = Console(
        file=StringIO(), width=width, force_terminal=width is not None, soft_wrap=True,
        color_system=None,
    )  # fmt: skip
    show_description(output, description, parse_zone(zone) if zone else None)
    return cast("StringIO", output.people.file).getvalue().splitlines()


def test_all_of_it_is_shown() -> None:
    """How it stands, what it is, what is open, what was, what comes, and its table."""
    lines = shown(a_schedule())

    assert lines[0] == (
        "nightly: running for 2 h; paused until 2026-03-10 06:00-04:00 by eva (moving); "
        "the next that runs: 2026-03-11 02:30-04:00 (in 1 d 20 h)"
    )
    for line in (
        "  due                   at 02:30, every day, America/New_York",
        "  description           The nightly report",
        "  overlap               skip: while an earlier run goes on, an occurrence is skipped",
        "  document              version 3, applied by eva@host 2026-03-08 06:00-04:00: quiet",
        "  last 30 days          1 of 2 runs succeeded (50.0%); 1 failed",
        "  duration              median 2 min, p95 2 min",
        "  lateness              median 6 s, p95 6 s",
    ):
        assert line in lines
    past = lines.index("last occurrences")
    cells = [line.split("  ") for line in lines[past + 2 : past + 5]]
    assert [cell[:2] for cell in cells] == [
        ["2026-03-09 02:30-04:00", "failed (3)"],
        ["2026-03-08 03:00-04:00", "succeeded"],
        ["2026-03-06 02:00-05:00", "skipped ×2"],
    ]
    assert "shifted from 02:30" in lines[past + 3]
    assert lines[past + 2].endswith(ids.run_id(NIGHTLY, CHANGE + DAY - timedelta(minutes=30)))
    coming = lines.index("next occurrences")
    assert lines[coming + 2].startswith("2026-03-10 02:30-04:00  -")
    assert "paused until 2026-03-10 10:00Z by eva: moving" in lines[coming + 2]
    assert lines[coming + 3].startswith("2026-03-11 02:30-04:00  1 d 20 h")
    assert lines[lines.index("definition") + 1 :] == [
        *TEXT.splitlines()[3:],
        "# and by [defaults]: time_zone",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Ids and times are whole: each time has its offset behind it."""
    lines = shown(a_schedule(), width=width)
    until = lines.index("definition")

    assert max(map(len, lines[:until])) <= width
    for line in lines[:until]:
        words = line.split()
        for n, word in enumerate(words):
            if word.startswith("2026-"):
                assert words[n + 1][:5].replace(":", "").isdigit(), line
    whole = {str(one.run_id) for one in a_schedule().open_runs}
    assert whole <= {word for line in lines for word in line.split()}


REPORT = ScheduleId("nightly-report")
REPORTS = """[defaults]
time_zone = "America/Montreal"
retries = { max = 1 }

[schedules.nightly-report]
cron = "0 2 * * MON-FRI"
except = [2026-12-25, 2027-01-01]
command = 'sh "$AZ_BATCH_APP_PACKAGE_pythonscript/report.sh"'
owner = "finance"
run_timeout = "PT2H"
"""


def a_report() -> Description:
    """Return the description that docs/operations.md shows."""
    now = datetime(2026, 11, 5, 12, tzinfo=UTC)
    table = parse(REPORTS).schedules[REPORT]
    timing = Timing(since=now - 99 * DAY, recurrence=table.recurrence)
    state = ScheduleState(timings=(timing,), decided_until=now)
    every = occurrences(timing, after=now - 42 * DAY, until=now)
    records = [ran(one.nominal, schedule=REPORT) for one in every]
    records[-1] = ran(records[-1].nominal, Outcome.FAILED, Reason.EXIT_CODE, schedule=REPORT)
    paused = [
        decided(one.nominal, Action.SKIPPED, reason="paused", schedule=REPORT)
        for one in records[-4:-2]
    ]
    records[-4:-2] = paused
    results = [result_of(one) for one in records]
    days = (now - timedelta(days=30)).date()
    content = InForce(document=parse(REPORTS), number=12, data=REPORTS.encode())
    read = readings(
        now=now,
        document=Blob(content=content, etag="e", modified=now - 9 * DAY),
        submit=submit(schedules={REPORT: state}),
        recent=with_results(Recent(), results),
        collect=None,
    )
    version = AppliedVersion(number=12, at=now - 9 * DAY, by="jane@laptop", note="quiet holidays")
    newest = records[-1]
    return describe(
        Sources(
            schedule=REPORT,
            readings=read,
            state=state,
            data=REPORTS.encode(),
            version=version,
            days=tuple(numbers_of([one]) for one in results if day_of(one) > days),
            records={newest.run_id: newest},
        )
    )


def test_the_page_shows_what_is_shown() -> None:
    """The console block of docs/operations.md, line for line, on a terminal of 98 columns."""
    _, _, block = PAGE.partition("$ recur describe nightly-report\n")
    block, _, _ = block.partition("```")

    assert shown(a_report(), width=98) == block.splitlines()


def test_times_are_in_the_zone_that_is_named() -> None:
    """By default in the schedule's own, whose clock changes."""
    lines = shown(a_schedule(), zone="UTC")

    assert "paused until 2026-03-10 10:00Z by eva" in lines[0]
    assert any(line.startswith("2026-03-08 07:00Z  succeeded") for line in lines)


def test_a_removed_schedule_has_nothing_to_come() -> None:
    """By which version, and who applied that."""
    timing = Timing(since=NOW - DAY, recurrence=None, removed=True, version=4)
    state = ScheduleState(timings=(timing,), decided_until=NOW)
    other = '[schedules.other]\ncron = "0 3 * * *"\ncommand = "true"\n'
    read = readings(now=NOW, document=document(other), submit=submit(state), recent=recent())
    version = AppliedVersion(number=4, at=NOW - DAY, by="eva@host")
    applied = "applied by eva@host 2026-03-08 10:00Z"

    lines = shown(describe(Sources(schedule=NIGHTLY, readings=read, state=state, version=version)))

    assert lines == [
        "nightly: removed by version 4 of the document",
        "  due                   nothing tells when",
        f"  document              version 4, which removed it, {applied}",
        "",
        "last occurrences",
        "none is recorded; `recur runs nightly` lists triggered runs too",
    ]


@pytest.mark.parametrize(
    ("version", "text"),
    [
        (
            AppliedVersion(number=None, at=NOW),
            "no version yet, uploaded without recur 2026-03-09 10:00Z",
        ),
        (AppliedVersion(number=7), "version 7"),
    ],
)
def test_a_version_of_which_little_is_known(version: AppliedVersion, text: str) -> None:
    """Nothing is made up of who applied it."""
    one = a_schedule()
    one = replace(one, definition=replace(one.definition, version=version))

    assert f"  document              {text}" in shown(one, zone="UTC")


def test_hostile_texts_are_shown_in_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Who applied a version, why, and what the document holds: no control, no line of its own."""
    title, forged = "\x1b]0;owned\x07\x9b2J\u202e", "\nnightly: [red]all is well[/red]"
    one = a_schedule()
    version = AppliedVersion(number=3, at=NOW, by=f"eva{title}{forged}", note=f"why{title}{forged}")
    toml = f"[schedules.nightly]\ncommand = 'echo{title}'\n"
    one = replace(one, definition=replace(one.definition, version=version, toml=toml))

    show_description(Printer(), one, None)
    lines = capsys.readouterr().out.splitlines()

    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("nightly: [red]") for line in lines)
    assert rf"command = 'echo{TITLE}'" in lines
    assert max(map(len, shown(one, width=80))) <= 80, "escapes are folded as well"


def test_programs_get_the_same() -> None:
    """As one value, with what is to come as `recur next` has it."""
    told = json.loads(json.dumps(description_json(a_schedule()), default=str))

    assert told["definition"]["timing"] == "at 02:30, every day, America/New_York"
    assert told["definition"]["about"]["description"] == "The nightly report"
    assert told["definition"]["version"]["by"] == "eva@host"
    assert [one["outcome"] for one in told["past"]] == ["failed", "succeeded", "skipped"]
    assert told["past"][0]["exit_code"] == 3
    assert set(told["coming"][0]) == {"wall", "offset", "utc", "runs", "notes"}
    assert told["figures"]["success_rate"] == 0.5
    assert told["open_runs"][0]["state"] == "running"

"""What is said of a schedule, whatever there is of it: from what was read, without a process."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator import ids
from orchestrator.document.parse import parse
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Action, Kind
from orchestrator.ledger.result import result_of
from orchestrator.ledger.state import ScheduleState
from orchestrator.ledger.summaries import NotRun, RecentRun, numbers_of
from orchestrator.model import Pause, Timing
from recur.causes.surroundings import Unreadable
from recur.description.describing import Sources, describe
from recur.description.history import SHOWN, first_day, records_worth_reading
from recur.description.value import AppliedVersion, Description, Presence
from recur.status.readings import Blob, InForce, Readings, Work
from recur.status.value import State
from tests.support.records import ran
from tests.support.status_readings import (
    NIGHTLY,
    NOBODY,
    NOW,
    TWO,
    document,
    open_line,
    readings,
    recent,
    recent_run,
    state,
    submit,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NEW_YORK = """
[defaults]
time_zone = "America/New_York"
retries = { max = 2, backoff = "PT5M" }

# the boss reads it at eight
[schedules.nightly]
cron = "30 2 * * *"
command = "true"
owner = "eva"
retries = { max = 1 }

[schedules.other]
every = "1h"
command = "true"
"""
VERSION = AppliedVersion(number=3, at=NOW - DAY, by="eva@host", note="quiet")


def described(read: Readings | None = None, **changes: Any) -> Description:  # noqa: ANN401 - fields
    """Return the description of the nightly schedule, of which all is well but for changes."""
    read = read or readings()
    schedule_state = read.state.schedules.get(NIGHTLY) if read.state else None
    sources = Sources(schedule=NIGHTLY, readings=read, state=schedule_state, days=())
    return describe(replace(sources, **changes))


def in_new_york(now: datetime, *runs: RecentRun, not_run: tuple[NotRun, ...] = ()) -> Description:
    """Return the description of a schedule that is due where clocks change."""
    timing = Timing(since=now - 99 * DAY, recurrence=parse(NEW_YORK).schedules[NIGHTLY].recurrence)
    read = readings(
        now=now,
        document=document(NEW_YORK, modified=now - DAY),
        submit=submit(ScheduleState(timings=(timing,), decided_until=now)),
        recent=recent(*runs, not_run=not_run),
    )
    return described(read, data=NEW_YORK.encode(), version=VERSION)


def not_run(nominal: datetime, reason: str = "paused", last: datetime | None = None) -> NotRun:
    count = 1 if last is None else (last - nominal) // DAY + 1
    last = last or nominal
    return NotRun(int(nominal.timestamp()), int(last.timestamp()), count, Action.SKIPPED, reason)


def test_a_definition_is_told_in_words_and_as_it_stands() -> None:
    """With its comment, with what it inherits, and with who applied it."""
    definition = in_new_york(NOW).definition

    assert definition.timing == "at 02:30, every day, America/New_York"
    assert definition.time_zone == "America/New_York"
    assert definition.toml is not None
    assert definition.toml.splitlines()[:2] == [
        "# the boss reads it at eight",
        "[schedules.nightly]",
    ]
    assert "other" not in definition.toml
    assert definition.inherited == ("retries.backoff", "time_zone")
    assert definition.about is not None
    assert definition.about.owner == "eva"
    assert definition.version == VERSION


def test_what_the_clock_did_is_seen_before_and_after_now() -> None:
    """On the night of 8 March 2026 the clock was put forward in New York, in November back."""
    march = datetime(2026, 3, 8, 7, tzinfo=UTC)  # 03:00, to which 02:30 is shifted
    past = in_new_york(march + 5 * HOUR, recent_run(nominal=march)).past
    coming = in_new_york(march - 5 * HOUR).coming

    assert past[0].notes == coming[0].notes == ("shifted from 02:30",)
    assert (coming[0].nominal, len(coming)) == (march, SHOWN)


def test_what_became_of_the_last_ten_occurrences_is_told() -> None:
    """The newest first; equal neighbours that got no run are one; a triggered run is none."""
    nights = [TWO - n * DAY for n in range(1, 15)]
    runs = [recent_run(nominal=one) for one in nights[4:]]
    failed = recent_run(Outcome.FAILED, Reason.EXIT_CODE, nominal=TWO)
    triggered = RecentRun(int(NOW.timestamp()), Outcome.SUCCEEDED, 1.0, None, "", "nightly-mx")
    skipped = [not_run(one) for one in nights[:3]]
    far = not_run(nights[3], "overlap")
    read = readings(recent=recent(*runs[::-1], failed, triggered, not_run=(far, *skipped[::-1])))

    past = described(read).past

    assert [(one.outcome, one.occurrences, one.reason) for one in past[:4]] == [
        ("failed", 1, "exit_code"),
        ("skipped", 3, "paused"),
        ("skipped", 1, "overlap"),
        ("succeeded", 1, None),
    ]
    assert (past[1].nominal, past[1].last) == (nights[2], nights[0])
    assert [one.nominal for one in past][3:] == nights[4:11]
    assert len(past) == SHOWN
    assert records_worth_reading(past) == {
        past[0].run_id: ids.blob_of(ids.run_id(NIGHTLY, TWO)),
    }


def test_a_failure_has_its_exit_code_where_its_record_was_read() -> None:
    """That of the last attempt."""
    run = ids.run_id(NIGHTLY, TWO)
    read = readings(recent=recent(recent_run(Outcome.FAILED, Reason.EXIT_CODE)))

    one = described(read, records={run: ran(TWO, Outcome.FAILED, Reason.EXIT_CODE)}).past[0]
    other = described(read).past[0]

    assert (one.exit_code, other.exit_code) == (3, None)


def test_figures_are_those_of_all_days_together() -> None:
    """Whoever asked for a run; but only a scheduled one is late."""
    night, trigger, back = (
        ran(TWO),
        ran(TWO, Outcome.LOST, Reason.JOB_MISSING, kind=Kind.TRIGGERED),
        ran(TWO - 9 * DAY, kind=Kind.BACKFILLED),
    )
    days = [numbers_of(map(result_of, some)) for some in ([night, trigger], [back, night])]

    figures = described(days=tuple(days)).figures

    assert figures is not None
    assert (figures.since, figures.runs) == (first_day(NOW), 4)
    assert (NOW.date() - figures.since).days == 29
    assert figures.outcomes == {"succeeded": 3, "lost": 1}
    assert figures.success_rate == 0.75
    assert (figures.duration.count, figures.duration.median_seconds) == (4, 120.0)
    assert (figures.lateness.count, figures.lateness.p95_seconds) == (2, 6.0)


def test_without_runs_there_are_no_figures_to_divide() -> None:
    """A new schedule."""
    figures = described(readings(recent=recent())).figures

    assert figures is not None
    assert (figures.runs, figures.success_rate, figures.duration.median_seconds) == (0, None, None)


def test_open_runs_are_those_of_the_schedule() -> None:
    """With what they do; also why they are blocked."""
    other = open_line(schedule=ScheduleId("other"), run_id=ids.run_id(ScheduleId("other"), TWO))
    running = open_line(state=AttemptState.SUBMITTED, kind=Kind.BACKFILLED)
    blocked = open_line("quota", run_id=ids.run_id(NIGHTLY, TWO + HOUR), nominal=TWO + HOUR)

    found = described(readings(blocked, other, running)).open_runs

    assert [(one.state, one.kind, one.reason) for one in found] == [
        (State.RUNNING, Kind.BACKFILLED, None),
        (State.BLOCKED, Kind.SCHEDULED, "quota"),
    ]


def test_a_pause_is_told_with_what_it_skips() -> None:
    """By whom, until when and why."""
    pause = Pause(since=NOW - HOUR, until=NOW + 2 * DAY, by="eva", note="moving")

    told = described(readings(submit=submit(state(pauses=(pause,)))))

    assert told.status is not None
    assert told.status.pause is not None
    assert told.status.pause.note == "moving"
    assert [one.runs for one in told.coming][:3] == [False, False, True]
    assert told.coming[0].notes == ("paused until 2026-06-04 03:00Z by eva: moving",)


def test_a_removed_schedule_keeps_its_past() -> None:
    """Its definition is the last one; nothing comes."""
    gone = state()
    timing = Timing(since=NOW - HOUR, recurrence=None, removed=True, version=4)
    gone = replace(gone, timings=(*gone.timings, timing))
    data = b'[schedules.nightly]\ncron = "0 2 * * *"\ncommand = "true"\noverlap = "queue"\n'
    other = '[schedules.other]\ncron = "0 3 * * *"\ncommand = "true"\n'
    read = readings(document=document(other), submit=submit(gone))

    told = described(read, data=data, version=replace(VERSION, number=4))

    assert (told.presence, told.status, told.coming) == (Presence.REMOVED, None, ())
    assert told.definition.timing == "at 02:00, every day, UTC"
    assert told.definition.toml == data.decode()
    assert told.definition.policies[0].text.startswith("queue: ")
    assert told.definition.version is not None
    assert told.definition.version.number == 4
    assert [one.outcome for one in told.past] == ["succeeded"]


def test_a_removed_schedule_of_which_only_timings_are_left() -> None:
    """They tell when it was due."""
    timing = Timing(since=NOW - HOUR, recurrence=None, removed=True)
    gone = replace(state(), timings=(*state().timings, timing))
    other = '[schedules.other]\ncron = "0 3 * * *"\ncommand = "true"\n'

    told = described(readings(document=document(other), submit=submit(gone)))

    assert told.definition.timing == "at 02:00, every day, UTC"
    assert (told.definition.toml, told.definition.policies) == (None, ())


def test_an_invalid_table_is_shown_with_what_is_wrong() -> None:
    """It stands still: nothing is said of what comes."""
    text = '[schedules.nightly]\ncron = "0 99 * * *"\ncommand = "true"\n'

    told = described(readings(document=document(text)), data=text.encode())

    assert told.presence is Presence.INVALID
    assert told.definition.toml == text
    assert "stands still" in told.troubles[0].cause
    assert told.coming == ()
    assert told.definition.timing == "at 02:00, every day, UTC", "that of its timings"


def test_a_schedule_without_runs_has_none() -> None:
    """A tick has just taken it over."""
    told = described(readings(recent=recent(), collect=None))

    assert (told.past, told.open_runs) == ((), ())
    assert len(told.coming) == SHOWN


@pytest.mark.parametrize("part", ["submit", "collect", "recent", "work", "document"])
def test_what_cannot_be_read_is_a_doubt(part: str) -> None:
    """And no error: all else is told."""
    told = described(readings(**{part: NOBODY}))

    assert told.doubts == ("access is refused (next: the role Reader is missing)",)


def test_a_document_that_decides_nothing_is_a_doubt() -> None:
    """And so are summaries that are missing."""
    broken = InForce(document=Unreadable(why="not TOML", next_step="x", damaged=True), number=3)
    read = readings(document=Blob(content=broken, etag="e", modified=NOW), recent=None)

    told = described(read, doubts=("the numbers of 2026-06-01 cannot be read",))

    assert told.presence is Presence.UNKNOWN
    assert told.doubts == (
        "the document in force cannot be read: not TOML",
        "there are no summaries: nothing is known of past occurrences (next: recur runs)",
        "the numbers of 2026-06-01 cannot be read",
    )


def test_nothing_is_open_where_the_work_list_is_empty() -> None:
    """An empty ledger."""
    assert described(readings(work=Work())).open_runs == ()

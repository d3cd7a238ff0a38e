"""The status as people read it, and as programs do."""

import io
import json
from dataclasses import replace
from datetime import UTC, timedelta, tzinfo
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from orchestrator import ids
from orchestrator.enums import AttemptState, BlockedReason, Outcome, Reason
from orchestrator.ledger.record import LastWords
from orchestrator.ledger.state import OpenRun
from orchestrator.ledger.summaries import Recent, ScheduleRecent
from orchestrator.model import About, Pause
from orchestrator.timing.zones import parse_zone
from recur.causes.surroundings import Unreadable
from recur.output import Printer
from recur.status.overview import status_of, with_details
from recur.status.rendering import show_status, status_json
from recur.status.value import Status
from tests.support.records import claimed, ran, replaced
from tests.support.status_readings import (
    HOUR,
    MINUTE,
    NIGHTLY,
    NOBODY,
    NOW,
    TEXT,
    TWO,
    document,
    node,
    open_line,
    readings,
    recent,
    recent_run,
    state,
    submit,
)

PAGE = (Path(__file__).parents[4] / "docs/operations.md").read_text()
REPORTS = """
[defaults]
command = "true"

[schedules.nightly-report]
cron = "0 2 * * *"
runbook = "https://wiki.example/nightly-report"

[schedules.hourly-import]
every = "1h"
overlap = "queue"

[schedules.cleanup]
cron = "30 4 * * SUN"
"""


def shown(
    status: Status, *, width: int | None = None, zone: tzinfo = UTC, colours: str | None = None
) -> list[str]:
    """Return the lines that people get, on a terminal of this width or into a file."""
    output = Printer(as_json=False)
    text = io.StringIO()
    terminal = {"force_terminal": True, "width": width, "color_system": colours} if width else {}
    output.people = Console(file=text, highlight=False, soft_wrap=True, **terminal)  # type: ignore[arg-type]
    show_status(output, status, zone)
    return text.getvalue().splitlines()


def test_one_screen_says_that_all_is_well() -> None:
    """Both timers, the pool, the ledger, the document; then each schedule."""
    assert shown(status_of(readings(nodes=(node("idle"), node("running"))))) == [
        "good     submit   ran 30 s ago",
        "good     collect  ran 30 s ago",
        "good     pool     recur: 1 idle, 1 running",
        "good     ledger   it belongs to https://batch.example",
        "good     document version 3, since 2026-06-02 02:00Z: 1 schedule",
        "",
        "SCHEDULE  STATE  LAST               NEXT",
        "nightly   idle   succeeded 1 h ago  in 23 h",
        "",
        "all is well",
    ]


def test_a_next_step_of_several_lines_is_said_once() -> None:
    """Below the last of them; other steps stay where they are."""
    down = Unreadable(why="no answer", next_step="`make up` starts it")
    lines = shown(status_of(readings(timers=down, document=down, submit=down, work=down)))

    (only,) = [n for n, line in enumerate(lines) if line == "         next: `make up` starts it"]
    assert lines[only - 1].startswith("unknown  document")
    told = status_json(status_of(readings(document=down, submit=down)))
    assert told["ledger"]["finding"]["next_step"] == down.next_step


def test_what_is_wrong_comes_with_its_run_and_its_next_step() -> None:
    """And the verdict counts it."""
    lines = shown(status_of(readings(open_line(BlockedReason.QUOTA))))

    begin = lines.index("problem  nightly: the account holds as many active jobs as it may (quota)")
    assert lines[begin + 1 : begin + 3] == [
        "         blocked for 10 min: nightly-20260602T020000Z",
        "         next: recur runs --open lists jobs to end; or ask for a higher quota of active jobs",
    ]
    assert lines[-1] == "action needed: 1 problem"
    assert any(line.startswith("nightly   blocked 10 min  succeeded 1 h ago") for line in lines)


def test_a_trouble_comes_with_the_runbook_of_its_schedule() -> None:
    """And the table with who answers for it."""
    about = 'owner = "jane"\nrunbook = "https://wiki.example/nightly"\n'
    failed = recent(recent_run(Outcome.FAILED, Reason.EXIT_CODE))

    lines = shown(status_of(readings(document=document(TEXT + about), recent=failed)))

    assert "         runbook: https://wiki.example/nightly" in lines
    assert [line.split()[-1] for line in lines if line.startswith("nightly ")] == ["jane"]


def test_a_runbook_is_named_once() -> None:
    """The remedy of a run whose record was read names it already."""
    page = "https://wiki.example/nightly"
    text = f'{TEXT}runbook = "{page}"\n'
    failed = status_of(
        readings(
            document=document(text), recent=recent(recent_run(Outcome.FAILED, Reason.EXIT_CODE))
        )
    )
    record = ran(TWO, Outcome.FAILED, Reason.EXIT_CODE, about=About(runbook=page))
    status = with_details(failed, {record.run_id: record}, on_laptop=False)

    assert "\n".join(shown(status)).count(page) == 1


@pytest.mark.parametrize("width", [40, 80, 200])
def test_nothing_that_a_run_wrote_makes_a_line_too_wide(width: int) -> None:
    """Wide characters, control characters and one endless word included; times stay whole."""
    words = "日本 " * 60 + "\n" + "\x1b[2J \u202e " * 30 + "\n" + "x" * 1900
    record = ran(TWO, Outcome.FAILED, Reason.EXIT_CODE, last_words=LastWords(stderr=words))
    failed = status_of(readings(recent=recent(recent_run(Outcome.FAILED, Reason.EXIT_CODE))))
    status = with_details(failed, {record.run_id: record}, on_laptop=False)

    lines = shown(replace(status, schedules=()), width=width)

    wide = [line for line in lines if cell_len(line) > width]
    assert [line for line in wide if "xxxx" not in line and len(line.split()) > 1] == []
    assert sum("x" * 100 in line for line in lines) == 1
    assert max(map(len, lines)) <= max(width, 320)
    assert any("2026-06-02 02:00Z" in line for line in lines)
    assert not any("\x1b" in line or "\u202e" in line for line in lines)


def test_what_is_unknown_is_never_summed_up_as_well() -> None:
    """Its role stands below it."""
    lines = shown(status_of(readings(pool=NOBODY)))

    assert "unknown  pool     recur: access is refused" in lines
    assert "         next: the role Reader is missing" in lines
    assert lines[-1] == "action needed: 1 unknown"


def test_all_times_are_in_one_zone() -> None:
    """That which is named: of the document, and of the end of a pause."""
    lines = shown(a_night(), zone=parse_zone("America/Bogota"))

    assert "good     document version 3, since 2026-06-01 21:00-05:00: 3 schedules" in lines
    assert any("paused until 2026-06-02 09:00-05:00 by jane: move" in line for line in lines)


def test_outcomes_and_states_have_colours() -> None:
    """As in every other table."""
    lines = "\n".join(shown(a_night(), width=200, colours="standard"))

    assert "\x1b[31mfailed (127)" in lines
    assert "\x1b[33mpaused" in lines
    assert "\x1b[36mrunning" in lines


def many(count: int) -> Status:
    """Return the status of so many schedules whose runs are blocked by the same."""
    names = [ids.ScheduleId(f"s{number:04}") for number in range(count)]
    line = open_line(BlockedReason.POOL_MISSING)
    lines = [replace(line, run=of(line.run, name)) for name in names]
    text = "".join(TEXT.replace("nightly", name) for name in names)
    every = dict.fromkeys(names, state())
    return status_of(
        readings(
            *lines,
            document=document(text),
            submit=submit(schedules=every),
            recent=Recent(),
            pool=None,
        )
    )


def of(run: OpenRun, name: ids.ScheduleId) -> OpenRun:
    return replace(run, schedule=name, run_id=ids.run_id(name, TWO))


def test_troubles_of_one_cause_are_told_once() -> None:
    """With the first schedules by name; the table has every one of them."""
    lines = shown(many(300))

    (told,) = [line for line in lines if "(pool_missing)" in line]
    assert told == (
        "problem  s0000, s0001, s0002, s0003, s0004 and 295 more: "
        "the pool does not exist (pool_missing)"
    )
    assert "         blocked for 10 min: s0000-20260602T020000Z, and 299 more" in lines
    assert sum("  blocked 10 min  " in line for line in lines) == 300


def test_blocked_runs_of_one_reason_are_told_once_although_few_records_are_read() -> None:
    """With the detail of the first."""
    ids_ = [ids.ScheduleId(name) for name in ("a1", "b2", "c3")]
    text = "".join(TEXT.replace("nightly", id_) for id_ in ids_)
    lines_of_work = [
        replace(one, run=replace(one.run, schedule=id_, run_id=ids.run_id(id_, TWO)))
        for id_ in ids_
        for one in [open_line(BlockedReason.QUOTA)]
    ]
    record = claimed(TWO, schedule=ids_[0])
    quota = {"blocked": BlockedReason.QUOTA, "blocked_detail": "All 100 are active."}
    first = record.with_attempt(replaced(record.attempt, **quota))
    status = status_of(readings(*lines_of_work, document=document(text)))

    lines = shown(with_details(status, {first.run_id: first}, on_laptop=False))

    (told,) = [line for line in lines if line.startswith("problem")]
    assert told == (
        "problem  a1, b2, c3: the account holds as many active jobs as it may (quota): "
        "All 100 are active"
    )


@pytest.mark.parametrize("width", [40, 80, 200])
def test_sentences_fit_the_terminal_and_ids_stay_whole(width: int) -> None:
    """They are folded between words; what is longer than a line is an id or an address."""
    failed = recent(recent_run(Outcome.FAILED, Reason.COMMAND_NOT_FOUND))
    status = status_of(readings(recent=failed, timers={}, pool=None))

    lines = shown(replace(status, schedules=()), width=width)

    assert all(len(line) <= width for line in lines)
    assert any("nightly-20260602T020000Z" in line for line in lines)


def test_programs_get_the_same_value() -> None:
    """With every time as an instant, and whether somebody is needed."""
    status = status_of(readings(nodes=(node("idle"),)))

    told = json.loads(json.dumps(status_json(status), default=str))

    assert told["needs_person"] is False
    assert told["pool"]["nodes"] == {"idle": 1}
    assert [one["finding"]["health"] for one in told["timers"]] == ["good", "good"]
    assert told["schedules"][0]["schedule"] == NIGHTLY
    assert told["schedules"][0]["next_due"] == str(TWO + timedelta(days=1))
    assert told["at"] == str(NOW)


def a_night() -> Status:
    """Return what the page speaks of: a command that is not there, beside a run and a pause."""
    report, import_, cleanup = map(ids.ScheduleId, ("nightly-report", "hourly-import", "cleanup"))
    (timing,) = state().timings
    young = state(timings=(replace(timing, since=TWO - MINUTE),))
    pause = Pause(since=TWO - MINUTE, until=TWO + 12 * HOUR, by="jane", note="move", request="r")
    every = {report: young, import_: young, cleanup: replace(young, pauses=(pause,))}
    line = open_line(state=AttemptState.SUBMITTED, since=NOW - 12 * MINUTE)
    run = ids.run_id(import_, NOW)
    failed = ran(TWO, Outcome.FAILED, Reason.COMMAND_NOT_FOUND, schedule=report)
    failed = replace(
        failed.with_attempt(replace(failed.attempt, exit_code=127)),
        sentence="The command was not found: exit code 127.",
        last_words=LastWords(stderr="/bin/sh: 1: report: not found\n"),
    )
    ended = {
        report: ScheduleRecent(runs=(recent_run(Outcome.FAILED, Reason.COMMAND_NOT_FOUND),)),
        import_: ScheduleRecent(runs=(recent_run(),)),
    }
    status = status_of(
        readings(
            replace(line, run=replace(line.run, schedule=import_, run_id=run)),
            document=document(REPORTS),
            submit=submit(schedules=every),
            recent=Recent(schedules=ended),
            nodes=(node("running"),),
        )
    )
    return with_details(status, {failed.run_id: failed}, on_laptop=False)


def test_the_page_shows_what_is_shown() -> None:
    """The console block of docs/operations.md, line for line."""
    _, _, block = PAGE.partition("$ recur status\n")
    block, _, _ = block.partition("```")

    assert shown(a_night()) == block.splitlines()

"""Each occurrence is explained by one sentence, whatever became of it, and by its evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orchestrator.enums import After, AttemptState, BlockedReason, Outcome, Reason
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import Action, How, Kind, Output, Past, Record
from orchestrator.ledger.state import OpenRun, ScheduleState
from orchestrator.model import Pause, Recurrence, Timing
from recur.explain.case import WRONG, Background, Case, Fact, Verdict
from recur.explain.explanation import explain
from recur.timing_lookup import occurrence_after, occurrence_at, occurrence_before
from tests.support.records import BOGOTA, NIGHTLY, claimed, decided, missed, ran, replaced
from tests.support.status_readings import surroundings

NOMINAL = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
NOW = NOMINAL + timedelta(hours=3)
WHO = "nightly of 2026-11-20 02:30-05:00"
TIMING = Timing(since=NOMINAL - timedelta(days=30), recurrence=BOGOTA)


def background(*timings: Timing, **keys: Any) -> Background:  # noqa: ANN401 - fields
    state = ScheduleState(
        timings=timings or (TIMING,),
        decided_until=keys.pop("decided_until", NOW),
        pauses=keys.pop("pauses", ()),
    )
    given: dict[str, Any] = {
        "schedule": NIGHTLY,
        "zone": ZoneInfo("America/Bogota"),
        "state": state,
        "around": surroundings(now=keys.pop("now", NOW), **keys.pop("around", {})),
    }
    return Background(**(given | keys))


def case(nominal: datetime = NOMINAL, *, of: Background | None = None, **keys: Any) -> Case:  # noqa: ANN401 - fields
    state = (of or background()).state
    assert state
    occurrence = occurrence_at(state.timings, nominal)
    around = {
        "before": occurrence_before(state.timings, nominal),
        "after": occurrence_after(state.timings, nominal),
    }
    return Case(nominal=nominal, occurrence=occurrence, **(around | keys))


def submitted(**keys: Any) -> Record:  # noqa: ANN401 - fields of the attempt
    record = claimed(NOMINAL)
    times = {"state": AttemptState.SUBMITTED, "submitted": NOMINAL + timedelta(seconds=6)}
    return record.with_attempt(replaced(record.attempt, **(times | keys)))


def held(**keys: Any) -> Record:  # noqa: ANN401 - fields of the attempt
    record = claimed(NOMINAL)
    return record.with_attempt(replaced(record.attempt, **keys))


OPEN = {
    "claimed": (claimed(NOMINAL), "is claimed since 2026-11-20 02:30:05-05:00; the next tick"),
    "submitted": (submitted(), "is submitted and waits for a node since 2026-11-20 02:30:06-05:00"),
    "running": (
        submitted(started=NOMINAL + timedelta(minutes=5)),
        "is running since 2026-11-20 02:35-05:00, for 2 h 55 min",
    ),
    "put back": (
        submitted(
            started=NOMINAL + timedelta(minutes=5), waiting_since=NOMINAL + timedelta(minutes=9)
        ),
        "waits for a node since 2026-11-20 02:39-05:00",
    ),
    "disabled": (
        submitted(diagnosis="Its job is disabled."),
        "waits for a node since 2026-11-20 02:30:06-05:00. Its job is disabled.",
    ),
    "disabled while it runs": (
        submitted(started=NOMINAL + timedelta(minutes=5), diagnosis="Its job is disabled."),
        "for 2 h 55 min. Its job is disabled.",
    ),
    "blocked": (
        held(blocked=BlockedReason.POOL_MISSING, blocked_detail="pool recur is gone"),
        "has no job yet, blocked (pool_missing) since 2026-11-20 02:30:05-05:00: pool recur",
    ),
    "queue": (held(after=After.QUEUE), "earlier runs of its schedule to end (queue): nightly-2"),
    "replace": (held(after=After.REPLACE), "what it replaces has ended (replace)"),
    "backfill": (held(after=After.BACKFILL), "one at a time, the oldest first (backfill)"),
    "retry": (
        held(number=2, after=After.RETRY),
        "its next attempt waits for the submitted runs of its schedule to end (retry)",
    ),
    "jitter": (
        held(not_before=NOW + timedelta(minutes=9)),
        "put off until 2026-11-20 05:39-05:00 (jitter)",
    ),
    "backoff": (
        replaced(
            held(),
            attempts=(
                submitted(state=AttemptState.ENDED, outcome=Outcome.LOST).attempt,
                held(number=2, not_before=NOW + timedelta(minutes=9)).attempt,
            ),
        ),
        "put off until 2026-11-20 05:39-05:00 (backoff)",
    ),
    "jitter before a queue": (
        held(not_before=NOW + timedelta(minutes=9), after=After.QUEUE),
        "put off until 2026-11-20 05:39-05:00 (jitter)",
    ),
    "stopping": (
        replaced(
            submitted(started=NOMINAL),
            stop=Stop(cause=Reason.STOPPED, reason=Reason.STOPPED, sentence="x", at=NOW),
        ),
        "is being ended (stopped) since 2026-11-20 05:30-05:00",
    ),
    "finishing": (
        submitted(state=AttemptState.ENDED, outcome=Outcome.FAILED, finished=NOW),
        "has ended (failed); its final record is about to be written",
    ),
}


def other(hours: int, **keys: Any) -> OpenRun:  # noqa: ANN401 - fields
    """Return another open run, so many hours after this one."""
    nominal = NOMINAL + timedelta(hours=hours)
    given: dict[str, Any] = {
        "run_id": RunId(f"nightly-{nominal:%Y%m%dT%H%M%SZ}"),
        "schedule": NIGHTLY,
        "nominal": nominal,
        "kind": Kind.SCHEDULED,
        "forced": False,
        "state": AttemptState.SUBMITTED,
        "attempt": 1,
        "not_before": None,
        "after": None,
        "blocked": False,
        "stop": False,
        "untried": False,
    }
    return OpenRun(**(given | keys))


@pytest.mark.parametrize(("record", "says"), OPEN.values(), ids=OPEN)
def test_an_open_run_says_what_it_does_or_waits_for(record: Record, says: str) -> None:
    """And since when."""
    told = explain(case(open=record), background(open_runs=(other(-24),)))

    assert told.verdict is Verdict.OPEN
    assert told.sentence.startswith(WHO)
    assert says in told.sentence
    assert any(fact.source == f"open/{record.run_id}.json" for fact in told.facts)


@pytest.mark.parametrize(
    ("after", "hours"),
    [
        (After.QUEUE, [-24, 24, 30]),
        (After.REPLACE, [-24, 24, 30]),
        (After.RETRY, [-24, 24, 30]),
        (After.BACKFILL, [-48]),
    ],
)
def test_only_the_runs_that_are_waited_for_are_named(after: After, hours: list[int]) -> None:
    """As the tick judges: what is earlier, and what has been started; backfills for backfills."""
    claimed_only: dict[str, Any] = {"state": AttemptState.CLAIMED, "after": After.QUEUE}
    runs = (
        other(-48, kind=Kind.BACKFILLED),
        other(-30, forced=True),
        other(-26, state=AttemptState.ENDED),
        other(-25, **claimed_only, stop=True, untried=True),
        other(-24, **claimed_only),
        other(24),
        other(30, state=AttemptState.CLAIMED),
        other(48, **claimed_only),
    )

    told = explain(case(open=held(after=after)), background(open_runs=runs))

    named = [run for run in runs if run.run_id in told.sentence]
    assert named == [
        run for run in runs if run.nominal - NOMINAL in {timedelta(hours=n) for n in hours}
    ]


def test_a_gate_that_is_open_is_told() -> None:
    """Nothing that it waited for is open any more."""
    told = explain(case(open=held(after=After.QUEUE)), background())

    assert told.sentence.endswith("so the next tick submits it.")


def test_a_blocked_run_says_how_long_it_is_tried() -> None:
    """Until its catch-up window has passed."""
    told = explain(case(open=held(blocked=BlockedReason.QUOTA)), background())

    assert "each tick tries again, until 2026-11-21T07:30:05Z" in told.sentence
    assert "ask for a higher quota" in (told.next_step or "")


def test_a_run_that_succeeded_says_when_and_how_long() -> None:
    """Its beginning against its time."""
    told = explain(case(final=ran(NOMINAL), blob="runs/x"), background())

    assert told.verdict is Verdict.ENDED
    assert told.sentence == f"{WHO} succeeded: it began 1 min after its time and took 2 min."
    assert told.next_step == "recur logs nightly-20261120T073000Z"
    assert any("attempt 1" in fact.says for fact in told.facts)


@pytest.mark.parametrize(
    ("outcome", "reason", "says"),
    [
        (Outcome.FAILED, Reason.EXIT_CODE, "failed (exit_code): it began"),
        (Outcome.TIMED_OUT, Reason.RUN_TIMEOUT, "timed out (run_timeout)"),
        (Outcome.TERMINATED, Reason.STOPPED, "was terminated (stopped)"),
        (Outcome.LOST, Reason.JOB_MISSING, "was lost (job_missing)"),
    ],
)
def test_a_run_that_did_not_succeed_says_why(outcome: Outcome, reason: Reason, says: str) -> None:
    """And where its output is."""
    record = ran(NOMINAL, outcome, reason)

    told = explain(case(final=record, blob="runs/x"), background())

    assert told.verdict is Verdict.ENDED
    assert says in told.sentence
    assert f"recur logs {record.run_id}" in (told.next_step or "")


def test_a_run_that_never_started_says_why() -> None:
    """There is no duration to tell."""
    record = ran(NOMINAL, Outcome.NEVER_STARTED, Reason.NO_NODE)
    record = record.with_attempt(replaced(record.attempt, started=None))

    told = explain(case(final=record, blob="runs/x"), background())

    assert told.sentence == f"{WHO} never started (no_node). It never_started."
    assert told.verdict is Verdict.ENDED, "it did not run"


WRITTEN = {
    "stdout": ((How.PUSHED, How.PUSHED), "recur logs {}"),
    "stderr": ((How.MISSING, How.PUSHED), "recur logs {}"),
    "nothing": (
        (How.MISSING, How.MISSING),
        "recur logs {} --outputs says why nothing is stored",
    ),
}


@pytest.mark.parametrize(("how", "step"), WRITTEN.values(), ids=WRITTEN)
def test_output_is_offered_where_there_is_some(how: tuple[How, How], step: str) -> None:
    """In whichever stream; where there is none, the list says why."""
    record = ran(NOMINAL, Outcome.FAILED, Reason.EXIT_CODE)
    paths = zip(("stdout.txt", "stderr.txt"), how, strict=True)
    record = replaced(record, outputs=tuple(Output(path=path, how=one) for path, one in paths))

    told = explain(case(final=record, blob="runs/x"), background())

    assert told.next_step == step.format(record.run_id)


def tried_twice(*outcome: Any, **keys: Any) -> Record:  # noqa: ANN401 - of the record, the attempt
    """Return a run that failed first and began again nine minutes after its time."""
    record = ran(NOMINAL, *outcome)
    times = {
        "started": NOMINAL + timedelta(minutes=9),
        "finished": NOMINAL + timedelta(minutes=10),
    }
    second = replaced(record.attempt, number=2, **(times | keys))
    return replaced(record, attempts=(record.attempt, second))


def test_a_run_that_was_tried_again_says_when_it_first_began() -> None:
    """And at which attempt it ended so."""
    told = explain(case(final=tried_twice(), blob="runs/x"), background())

    assert told.sentence == (
        f"{WHO} succeeded at attempt 2 of 2: it first began 1 min after its time; its last attempt "
        "began 2026-11-20 02:39-05:00 and took 1 min."
    )


def test_an_attempt_that_never_started_leaves_the_output_of_the_one_before() -> None:
    """Which began."""
    record = tried_twice(Outcome.NEVER_STARTED, Reason.NO_NODE, started=None)
    record = replaced(record, outputs=())

    told = explain(case(final=record, blob="runs/x"), background())

    assert told.sentence == (
        f"{WHO} never started (no_node) at attempt 2 of 2: it first began 1 min after its time. "
        "It never_started."
    )
    assert told.next_step == (
        "recur doctor names the problem of the pool, and its fix; "
        f"recur logs {record.run_id} --attempt 1 shows what that attempt wrote"
    )


@pytest.mark.parametrize("code", [-9, 137])
def test_a_run_that_ran_out_of_memory_is_told_to_use_less(code: int) -> None:
    """As far as SIGKILL tells."""
    record = ran(NOMINAL, Outcome.FAILED, Reason.EXIT_CODE)
    record = record.with_attempt(replaced(record.attempt, exit_code=code))

    told = explain(case(final=record, blob="runs/x"), background())

    assert "less memory" in (told.next_step or "")


def test_a_run_that_is_held_back_in_batch_names_the_command_that_lets_it_go() -> None:
    """And the one that ends it."""
    record = submitted(diagnosis="Its job is disabled.")

    told = explain(case(open=record), background())

    assert told.next_step == (
        f"az batch job enable --job-id {record.run_id}, or recur stop {record.run_id}"
    )


def test_attempts_from_before_a_backfill_do_not_count() -> None:
    """They are those of another run."""
    past = Past(kind=Kind.SCHEDULED, decision=decided(NOMINAL, Action.SUBMIT).decision, attempts=1)
    record = replaced(tried_twice(), kind=Kind.BACKFILLED, history=(past,))

    told = explain(case(final=record, blob="runs/x"), background())

    assert told.sentence == (
        f"{WHO} succeeded: a backfill ran it at 2026-11-20 02:39-05:00; it took 1 min."
    )


def test_a_missing_output_is_evidence() -> None:
    """With its reason."""
    record = replaced(
        ran(NOMINAL), outputs=(Output(path="stdout.txt", how=How.MISSING, why="no node"),)
    )

    told = explain(case(final=record, blob="runs/x"), background())

    assert any("stdout.txt is missing: no node" in fact.says for fact in told.facts)


def test_a_skipped_occurrence_says_why_and_because_of_which_run() -> None:
    """In the words of its record."""
    record = decided(
        NOMINAL,
        Action.SKIPPED,
        reason="overlap",
        because="nightly-x",
        sentence="Skipped: run nightly-x had not ended yet.",
    )

    told = explain(case(final=record, blob="runs/x"), background())

    assert told.verdict is Verdict.SKIPPED
    assert told.sentence == f"{WHO} did not run. Skipped: run nightly-x had not ended yet."
    assert any("skipped (overlap), because of nightly-x" in fact.says for fact in told.facts)


def test_a_paused_occurrence_names_who_paused_it() -> None:
    """And until when, and why."""
    record = decided(NOMINAL, Action.SKIPPED, reason="paused", sentence="Skipped.")
    pause = Pause(
        since=NOMINAL - timedelta(days=1), until=NOW, by="someone@desk", note="maintenance"
    )

    told = explain(case(final=record, blob="runs/x"), background(pauses=(pause,)))

    assert any(
        "paused by someone@desk" in fact.says and "maintenance" in fact.says for fact in told.facts
    )


def test_an_occurrence_within_a_range_says_how_many_there_are() -> None:
    """One record stands for all."""
    record = missed(NOMINAL - timedelta(days=9), NOMINAL, 10)

    told = explain(case(final=record, blob="runs/x"), background())

    assert told.verdict is Verdict.MISSED
    assert told.sentence.startswith(f"{WHO} did not run. Missed:")
    assert any("one record for 10 occurrences" in fact.says for fact in told.facts)


def test_a_backfilled_run_tells_what_it_was_before() -> None:
    """And when the backfill ran it, not how late."""
    history = (Past(kind=Kind.SCHEDULED, decision=decided(NOMINAL, Action.MISSED).decision),)
    record = replaced(ran(NOMINAL, kind=Kind.BACKFILLED, request="r1"), history=history)

    told = explain(case(final=record, blob="runs/x"), background())

    assert "a backfill ran it at 2026-11-20 02:31-05:00" in told.sentence
    assert any("before: missed" in fact.says for fact in told.facts)
    assert any("request r1" in fact.says for fact in told.facts)


def test_the_open_record_is_the_newer_truth() -> None:
    """What a backfill runs again, with what it was before as evidence."""
    old = ran(NOMINAL, Outcome.FAILED, Reason.EXIT_CODE)

    told = explain(
        case(open=claimed(NOMINAL, kind=Kind.BACKFILLED), final=old, blob="runs/x"), background()
    )

    assert told.verdict is Verdict.OPEN
    assert any(fact.source == "runs/x" and "failed" in fact.says for fact in told.facts)


def test_a_decision_in_the_plan_is_a_decision() -> None:
    """A tick is about to carry it out."""
    told = explain(case(planned=claimed(NOMINAL)), background())

    assert told.verdict is Verdict.PLANNED
    assert "is decided (submit)" in told.sentence


def test_what_is_not_due_names_its_neighbours() -> None:
    """Before and after."""
    told = explain(case(NOMINAL + timedelta(minutes=1)), background())

    assert told.verdict is Verdict.NOT_DUE
    assert told.sentence == (
        "nightly has no occurrence at 2026-11-20 02:31-05:00. The one before is 2026-11-20 "
        "02:30-05:00, the next is 2026-11-21 02:30-05:00."
    )


def test_a_day_without_occurrence_is_told_as_a_day() -> None:
    """Not as the midnight it begins with."""
    told = explain(replace(case(), occurrence=None, day=NOMINAL.date()), background())

    assert told.sentence.startswith("nightly has no occurrence on 2026-11-20.")


def test_what_lies_before_the_beginning_says_when_it_begins() -> None:
    """And which occurrence is the first."""
    told = explain(case(NOMINAL - timedelta(days=31)), background())

    assert told.verdict is Verdict.NOT_BEGUN
    assert "begins after 2026-10-21 02:30-05:00" in told.sentence
    assert "The next is 2026-10-22 02:30-05:00." in told.sentence


def test_what_lies_after_the_removal_says_so() -> None:
    """And when that was."""
    removed = Timing(since=NOMINAL - timedelta(hours=1), recurrence=None, removed=True)
    there = background(TIMING, removed)

    told = explain(case(of=there), there)

    assert told.verdict is Verdict.REMOVED
    assert "removed from the document at 2026-11-20 01:30-05:00" in told.sentence


def test_the_past_is_judged_by_the_timing_of_its_time() -> None:
    """A later change of the document does not reach back."""
    noon = replace(BOGOTA, cron=("0 12 * * *",))
    there = background(TIMING, Timing(since=NOMINAL + timedelta(hours=1), recurrence=noon))

    told = explain(case(of=there, final=ran(NOMINAL), blob="runs/x"), there)

    assert any("30 2 * * * in America/Bogota" in fact.says for fact in told.facts)
    later = explain(case(NOMINAL + timedelta(days=1), of=there), there)
    assert later.verdict is Verdict.NOT_DUE
    assert any("0 12 * * * in America/Bogota" in fact.says for fact in later.facts)


def test_the_future_says_in_how_long() -> None:
    """Nothing is decided yet."""
    told = explain(case(NOMINAL + timedelta(days=1)), background())

    assert told.verdict is Verdict.FUTURE
    assert told.sentence.endswith("lies in the future: it is due in 21 h.")


FUTURE = {
    "paused by request": ({"pauses": (Pause(since=NOW, by="me", note="x"),)}, TIMING, "by me"),
    "paused by the document": ({}, replace(TIMING, paused=True), "paused = true"),
    "excluded": (
        {},
        replace(TIMING, recurrence=replace(BOGOTA, except_=("2026-11-21",))),
        "(excluded)",
    ),
    "invalid": ({"trouble": "no command"}, TIMING, "until the document is mended"),
}


@pytest.mark.parametrize(("keys", "timing", "says"), FUTURE.values(), ids=FUTURE)
def test_the_future_says_what_is_known_of_it(
    keys: dict[str, Any], timing: Timing, says: str
) -> None:
    """That it will be skipped, as things are."""
    there = background(timing, **keys)

    told = explain(case(NOMINAL + timedelta(days=1), of=there), there)

    assert told.verdict is Verdict.FUTURE
    assert says in told.sentence


def test_what_is_due_this_minute_awaits_the_next_tick() -> None:
    """Nothing is wrong yet."""
    now = NOMINAL + timedelta(seconds=90)
    there = background(decided_until=NOMINAL - timedelta(days=1), now=now)

    told = explain(case(of=there), there)

    assert told.verdict is Verdict.DUE
    assert told.verdict not in WRONG


def test_a_silent_tick_is_told() -> None:
    """What is long due and undecided, how far it is decided, and what to do."""
    there = background(decided_until=NOMINAL - timedelta(days=1), written=NOMINAL)

    told = explain(case(of=there), there)

    assert told.verdict is Verdict.UNDECIDED
    assert "no submit tick has decided its occurrence of 3 h ago" in told.sentence
    assert "decided up to 2026-11-19T07:30:00Z" in told.sentence
    assert "last written 2026-11-20T07:30:00Z" in told.sentence
    assert "recur tick" in (told.next_step or "")


def test_what_is_due_this_minute_waits_as_long_as_those_before_it() -> None:
    """A schedule of every minute has always one that is due right now."""
    every_minute = Timing(since=NOW - timedelta(days=1), recurrence=Recurrence(cron=("* * * * *",)))
    there = background(every_minute, decided_until=NOW - timedelta(minutes=15))

    told = explain(case(NOW, of=there), there)

    assert told.verdict is Verdict.UNDECIDED
    assert "no submit tick has decided its occurrence of 14 min ago" in told.sentence


def test_a_document_that_holds_a_schedule_up_is_told() -> None:
    """With what is wrong with it."""
    there = background(decided_until=NOMINAL - timedelta(days=1), trouble="command: is missing")

    told = explain(case(of=there), there)

    assert told.verdict is Verdict.UNDECIDED
    assert "command: is missing" in told.sentence
    assert "recur apply" in (told.next_step or "")


def test_a_record_that_is_gone_is_told() -> None:
    """Decided, and not to be found: somebody removed it, unless it is older than is kept."""
    told = explain(case(), background())
    assert told.verdict is Verdict.UNRECORDED
    assert "recur gaps nightly" in (told.next_step or "")

    long_ago = background(now=NOMINAL + timedelta(days=401), decided_until=NOW)
    assert explain(case(of=long_ago), long_ago).verdict is Verdict.UNKNOWN


def test_a_record_that_cannot_be_read_is_told() -> None:
    """Nobody says that it is gone; of one that is final that is evidence beside the open one."""
    damaged = Fact(source="runs/x", says="it cannot be read: x")

    told = explain(case(unreadable=(damaged,)), background())
    assert told.verdict is Verdict.UNREADABLE
    assert told.verdict in WRONG
    assert damaged in told.facts
    assert "docs/operations.md" in (told.next_step or "")

    told = explain(case(open=claimed(NOMINAL), unreadable=(damaged,)), background())
    assert told.verdict is Verdict.OPEN
    assert damaged in told.facts


def test_a_schedule_of_which_only_records_are_left_is_told() -> None:
    """Nothing tells when it was due."""
    told = explain(Case(nominal=NOMINAL, occurrence=None), background(state=None))

    assert told.verdict is Verdict.UNKNOWN


def test_a_change_that_no_tick_has_seen_is_evidence() -> None:
    """The answer may be another once it has."""
    told = explain(case(NOMINAL + timedelta(days=1)), background(changed=NOW))

    assert any(fact.source == "schedules.toml" and "no tick" in fact.says for fact in told.facts)


def test_an_interval_is_told_in_words() -> None:
    """Not as a cron expression."""
    every = Recurrence(every=timedelta(minutes=30), anchor=NOMINAL)
    there = background(Timing(since=NOMINAL - timedelta(days=1), recurrence=every))

    told = explain(case(of=there, final=ran(NOMINAL), blob="runs/x"), there)

    assert any("every 30 min from 2026-11-20T07:30:00Z" in fact.says for fact in told.facts)


def test_a_timing_is_told_with_the_version_that_brought_it() -> None:
    """By its number; a timing of before there were versions has none."""
    later = replace(TIMING, since=NOMINAL - timedelta(days=1), version=12)
    there = background(TIMING, later)

    told = explain(case(of=there), there)
    earlier = explain(case(NOMINAL - timedelta(days=2), of=there), there)

    assert any(fact.says.endswith("by version 12 of the document") for fact in told.facts)
    assert not any("version" in fact.says for fact in earlier.facts)

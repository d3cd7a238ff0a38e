"""How a deployment stands follows from what was read of it, and from nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator import ids
from orchestrator.batch_state import Fault
from orchestrator.decisions.pauses import RECUR
from orchestrator.enums import AttemptState, BlockedReason, Outcome, Reason
from orchestrator.ledger.record import Action, LastWords
from orchestrator.ledger.results import CollectState, Rebuilding, ScheduleResults
from orchestrator.ledger.state import HousekeepingMark, OpenRequest
from orchestrator.ledger.summaries import NotRun, Recent
from orchestrator.model import Pause
from recur.causes.remedies import REMEDIES, remedy_for
from recur.causes.surroundings import Subject, Unreadable
from recur.causes.trouble import Health, Kind, Trouble
from recur.status.overview import (
    DETAILS_READ,
    records_worth_reading,
    status_of,
    with_details,
)
from recur.status.readings import Blob, InForce, TimerNote, Work
from recur.status.value import State, Status
from tests.support.call_counts import counted
from tests.support.records import ran
from tests.support.status_readings import (
    ACCOUNT,
    HOUR,
    MINUTE,
    NIGHTLY,
    NOBODY,
    NOW,
    POOL,
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

RUN = ids.run_id(NIGHTLY, TWO)
RUNNING = open_line(state=AttemptState.SUBMITTED, since=NOW - 5 * MINUTE)
WAITING = open_line(
    state=AttemptState.SUBMITTED, since=NOW - 5 * MINUTE, start_by=NOW + 25 * MINUTE
)
MOST_CALLS = 3000
"""Of functions, for one schedule: a thousand then take less than a second."""

DAMAGED = Unreadable(why="submit.json cannot be read", next_step="recur doctor", damaged=True)


def only_trouble(status: Status) -> Trouble:
    (one,) = status.troubles
    assert one.next_step
    assert status.needs_person
    return one


def healths(status: Status) -> dict[str, Health]:
    """Return how each part stands, by its name."""
    parts = {one.function: one.finding for one in status.timers}
    parts |= {"pool": status.pool.finding, "ledger": status.ledger.finding}
    return {name: one.health for name, one in parts.items()} | {
        "document": status.document.finding.health
    }


def test_where_all_is_well_nobody_is_needed() -> None:
    """Each part is good, and the schedule says how it went and when it is due."""
    status = status_of(readings())

    assert not status.needs_person
    assert {*healths(status).values()} == {Health.GOOD}
    assert status.troubles == ()
    (one,) = status.schedules
    assert (one.health, one.state) == (Health.GOOD, State.IDLE)
    assert one.last is not None
    assert (one.last.run_id, one.last.outcome) == (RUN, Outcome.SUCCEEDED)
    assert one.next_due == TWO + timedelta(days=1)
    assert (status.document.version, status.ledger.owner) == (3, ACCOUNT)


@pytest.mark.parametrize(
    ("last", "following", "health"),
    [
        (NOW - 4 * MINUTE, NOW - 3 * MINUTE, Health.GOOD),
        (NOW - 6 * MINUTE, NOW - 5 * MINUTE, Health.PROBLEM),
        (NOW - 6 * MINUTE, None, Health.PROBLEM),
        (NOW - HOUR, NOW, Health.GOOD),  # fires once an hour
        (None, None, Health.PROBLEM),
        (None, NOW + MINUTE, Health.NOTE),  # the host has just been started
    ],
)
def test_a_timer_is_silent_after_five_minutes(
    last: datetime | None, following: datetime | None, health: Health
) -> None:
    """Unless it fires less often."""
    well = TimerNote(last=NOW, following=NOW + MINUTE)
    timers = {"submit": TimerNote(last=last, following=following), "collect": well}

    submit_timer, collect_timer = status_of(readings(timers=timers)).timers

    assert (submit_timer.finding.health, collect_timer.finding.health) == (health, Health.GOOD)
    if health is Health.PROBLEM and last:
        assert submit_timer.finding.what == "no submit tick for 6 min"
        assert "restart the function app" in (submit_timer.finding.next_step or "")


@pytest.mark.parametrize(
    ("wrote", "health"), [(NOW - 2 * MINUTE, Health.GOOD), (NOW - HOUR, Health.UNKNOWN)]
)
def test_without_the_host_s_notes_the_ledger_tells_of_ticks(
    wrote: datetime, health: Health
) -> None:
    """An idle tick leaves no trace: silence is unknown, with the role that would tell it."""
    status = status_of(readings(timers=NOBODY, submit=submit(modified=wrote)))

    timer = status.timers[0]
    assert timer.finding.health is health
    assert timer.last == wrote
    if health is Health.UNKNOWN:
        assert timer.finding.next_step == NOBODY.next_step
        assert status.needs_person


@pytest.mark.parametrize("timers", [NOBODY, readings().timers])
def test_what_waits_for_a_tick_shows_that_none_does_its_work(timers: object) -> None:
    """Whether its timer fires or not: a request, an occurrence, a document."""
    waits = Work(requests=(OpenRequest(id="r", made=NOW - 6 * MINUTE),))
    for change in (
        {"work": waits},
        {"submit": submit(state(decided_until=TWO - HOUR))},
        {"submit": submit(document="an earlier one")},
    ):
        status = status_of(readings(timers=timers, **change))

        assert status.timers[0].finding.health is Health.PROBLEM, change


def test_an_undecided_occurrence_names_its_schedule() -> None:
    """With how long it has waited."""
    status = status_of(readings(submit=submit(state(decided_until=TWO - HOUR))))

    one = only_trouble(status)
    assert (one.kind, one.schedule, one.since) == (Kind.UNDECIDED, NIGHTLY, TWO)
    assert "1 h ago" in one.cause
    assert "nightly has waited 1 h" in status.timers[0].finding.what


def test_a_collector_that_does_not_look_for_old_jobs_does_nothing() -> None:
    """It does so once an hour, however idle it is."""
    mark = HousekeepingMark(at=NOW - 2 * HOUR, after=None, etag="m")

    collect = status_of(readings(work=Work(mark=mark))).timers[1]

    assert collect.finding.health is Health.PROBLEM
    assert "2 h" in collect.finding.what


def test_a_pool_that_is_gone_blocks_by_name() -> None:
    """The pool itself is a problem, and so is each run, with the schedule and what to do."""
    status = status_of(readings(open_line(BlockedReason.POOL_MISSING), pool=None))

    one = only_trouble(status)
    assert (one.kind, one.schedule, one.run_id) == (Kind.BLOCKED, NIGHTLY, RUN)
    assert one.cause == "the pool does not exist (pool_missing)"
    assert one.next_step == status.pool.finding.next_step
    assert "deploy infra/pool" in one.next_step
    assert status.schedules[0].state is State.BLOCKED


def test_on_a_laptop_the_remedies_are_its_own() -> None:
    """Nobody deploys anything there."""
    timers = {"submit": TimerNote(last=NOW - HOUR)}
    status = status_of(readings(pool=None, on_laptop=True, timers=timers))

    assert "make up" in (status.pool.finding.next_step or "")
    assert "make start" in (status.timers[0].finding.next_step or "")


@pytest.mark.parametrize("reason", [*BlockedReason])
def test_every_block_has_a_cause_and_a_remedy(reason: BlockedReason) -> None:
    """In words; the reason stands beside them."""
    one = only_trouble(status_of(readings(open_line(reason))))

    assert reason in one.cause
    assert one.cause != f" ({reason})"


@pytest.mark.parametrize(
    ("pool", "nodes", "says", "reason"),
    [
        (POOL, (node("starttaskfailed", start_task_exit_code=7),), "exit code 7", Reason.START_TASK_FAILED),
        (POOL, (node("unusable"),), "node-1 is unusable", Reason.NODE_UNUSABLE),
        (
            replace(POOL, target=1, resize_errors=(Fault(code="AccountCoreQuotaReached", message="No"),)),
            (),
            "AccountCoreQuotaReached",
            Reason.CORE_QUOTA,
        ),
        (
            replace(POOL, autoscale_error=Fault(code="EvaluationFailed", message="No")),
            (),
            "could not evaluate the pool's formula",
            Reason.AUTOSCALE_FAILED,
        ),
    ],
)  # fmt: skip
def test_a_run_waits_for_what_is_wrong_with_the_pool(
    pool: object, nodes: object, says: str, reason: Reason
) -> None:
    """Its cause is the pool's, with the same remedy; a run that a node has is not concerned."""
    waiting = status_of(readings(WAITING, pool=pool, nodes=nodes))
    running = status_of(readings(RUNNING, pool=pool, nodes=nodes))

    one = only_trouble(waiting)
    assert (one.kind, one.schedule) == (Kind.WAITING, NIGHTLY)
    assert says in one.cause
    assert one.next_step == REMEDIES[reason]
    assert waiting.pool.finding.health is Health.PROBLEM
    assert running.troubles == ()


def test_a_run_that_waits_for_a_sound_pool_is_no_trouble() -> None:
    """It says since when it waits."""
    status = status_of(readings(WAITING))

    assert not status.needs_person
    (one,) = status.schedules
    assert (one.state, one.since, one.run_id) == (State.WAITING, NOW - 5 * MINUTE, RUN)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stop": True, "since": NOW - HOUR}, "to be stopped"),
        ({"state": AttemptState.ENDED, "since": NOW - 2 * HOUR}, "its record is not final"),
        ({"state": AttemptState.SUBMITTED, "start_by": NOW - HOUR}, "start timeout has passed"),
        ({"state": AttemptState.SUBMITTED, "since": NOW - 25 * HOUR}, "run timeout has passed"),
        ({"since": NOW - HOUR}, "no tick has created its job"),
    ],
)
def test_a_run_that_stays_too_long_is_stuck(changes: dict[str, Any], says: str) -> None:
    """Somebody looks at it: the collector should have ended it long ago."""
    one = only_trouble(status_of(readings(open_line(**changes))))

    assert one.kind is Kind.STUCK
    assert says in one.cause
    assert RUN in one.next_step


@pytest.mark.parametrize(
    "changes",
    [
        {"stop": True, "since": NOW - MINUTE},
        {"state": AttemptState.ENDED, "since": NOW - HOUR},
        {"state": AttemptState.SUBMITTED, "since": NOW - HOUR},
        {"since": NOW - HOUR, "not_before": NOW + MINUTE},
        {"state": AttemptState.SUBMITTED, "since": None},
    ],
)
def test_a_run_in_its_time_is_not_stuck(changes: dict[str, Any]) -> None:
    """Nor is one of an earlier version, which does not say since when it runs."""
    assert status_of(readings(open_line(**changes))).troubles == ()


def test_runs_that_nobody_asks_about_are_named() -> None:
    """Those of another account, and those whose metadata cannot be read."""
    elsewhere = only_trouble(status_of(readings(open_line(account="https://old.example"))))
    damaged = only_trouble(status_of(readings(open_line(damaged=True))))

    assert elsewhere.kind is Kind.ELSEWHERE
    assert "https://old.example" in elsewhere.cause
    assert "recur adopt --give-up" in elsewhere.next_step
    assert damaged.kind is Kind.DAMAGED


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.FAILED, Reason.COMMAND_NOT_FOUND),
        (Outcome.LOST, Reason.JOB_MISSING),
        (Outcome.NEVER_STARTED, Reason.START_TASK_FAILED),
        (Outcome.TIMED_OUT, Reason.RUN_TIMEOUT),
    ],
)
def test_the_newest_run_that_did_not_succeed_is_trouble(outcome: Outcome, reason: Reason) -> None:
    """With its reason and what to do, until a run succeeds."""
    failed = recent_run(outcome, reason)
    before = recent_run(outcome, reason, nominal=TWO - timedelta(days=1))

    one = only_trouble(status_of(readings(recent=recent(failed))))
    after_it = status_of(readings(recent=recent(before, recent_run())))

    assert (one.kind, one.run_id) == (Kind.FAILED, RUN)
    assert one.cause == f"{outcome} ({reason})"
    subject = Subject(schedule=NIGHTLY, run_id=RUN, nominal=TWO, on_laptop=False)
    wrote = "" if outcome is Outcome.NEVER_STARTED else f"; recur logs {RUN}"
    assert one.next_step == f"{remedy_for(reason, subject)}{wrote}"
    assert not after_it.needs_person


@pytest.mark.parametrize("reason", [Reason.STOPPED, Reason.REPLACED])
def test_a_run_that_ended_as_it_was_asked_to_is_no_trouble(reason: Reason) -> None:
    """Somebody stopped it, or a later one took its place."""
    assert not status_of(
        readings(recent=recent(recent_run(Outcome.TERMINATED, reason)))
    ).needs_person


def test_a_failure_that_a_resume_has_seen_is_no_trouble() -> None:
    """The row still says how it ended."""
    failed = recent(recent_run(Outcome.FAILED, Reason.EXIT_CODE))
    for seen in ({"forgiven": (RUN,)}, {"forgiven_until": NOW}):
        status = status_of(readings(recent=failed, submit=submit(state(**seen))))

        assert not status.needs_person
        assert status.schedules[0].last is not None
        assert status.schedules[0].last.outcome == Outcome.FAILED


@pytest.mark.parametrize(
    ("action", "reason", "trouble"),
    [
        (Action.MISSED, "window", True),
        (Action.MISSED, "off", True),
        (Action.SKIPPED, "overlap", False),
        (Action.SKIPPED, "paused", False),
    ],
)
def test_an_occurrence_that_nothing_ticked_for_is_trouble(
    action: Action, reason: str, *, trouble: bool
) -> None:
    """One that was skipped on purpose is not, and the row says so in both cases."""
    at = int(TWO.timestamp())
    missed = NotRun(nominal=at, last=at, occurrences=1, action=action, reason=reason)
    day_before = recent_run(nominal=TWO - timedelta(days=1))

    status = status_of(readings(recent=recent(day_before, not_run=(missed,))))

    assert status.needs_person is trouble
    assert [one.kind for one in status.troubles] == [Kind.MISSED] * trouble
    (one,) = status.schedules
    assert one.not_run is not None
    assert (one.not_run.outcome, one.not_run.reason, one.not_run.nominal) == (action, reason, TWO)


def test_without_summaries_the_results_say_how_it_went() -> None:
    """They hold failures without their reasons, and the last success."""
    failed = ScheduleResults(failed=(RUN,))
    success = ScheduleResults(last_success=TWO, last_success_run=RUN, last_success_finished=TWO)

    for results, outcome in ((failed, Outcome.FAILED), (success, Outcome.SUCCEEDED)):
        collect = Blob(content=CollectState(schedules={NIGHTLY: results}), etag="c", modified=NOW)
        (one,) = status_of(readings(recent=None, collect=collect)).schedules
        assert one.last is not None
        assert (one.last.outcome, one.last.run_id) == (outcome, RUN)


def test_a_schedule_without_success_for_too_long_is_overdue() -> None:
    """By the same numbers as the alert; only where nothing nearer explains it."""
    long_ago = TWO - timedelta(days=3)
    results = ScheduleResults(last_success=long_ago, last_success_finished=long_ago)
    collect = Blob(content=CollectState(schedules={NIGHTLY: results}), etag="c", modified=NOW)
    late = {"now": NOW + 8 * HOUR, "collect": collect, "recent": None, "timers": {}}

    one = next(one for one in status_of(readings(**late)).troubles)

    assert one.kind is Kind.OVERDUE
    assert "3 d" in one.cause


def test_a_document_that_decides_nothing_stops_every_schedule() -> None:
    """Each is named, by what the ticks know of it."""
    broken = Unreadable(why="not TOML: line 3", next_step="recur apply FILE", damaged=True)
    blob = Blob(content=InForce(document=broken, number=None), etag="x", modified=NOW - HOUR)

    status = status_of(readings(document=blob))

    one = only_trouble(status)
    assert (one.kind, one.schedule) == (Kind.DOCUMENT, NIGHTLY)
    assert "not TOML: line 3" in one.cause
    assert "recur apply FILE" in one.next_step
    assert status.document.finding.health is Health.PROBLEM
    assert [one.schedule for one in status.schedules] == [NIGHTLY]


def test_an_invalid_table_stops_its_schedule_alone() -> None:
    """With what is wrong in it."""
    text = f'{TEXT}[schedules.bad]\ncron = "x"\ncommand = "true"\n'

    status = status_of(readings(document=document(text)))

    one = only_trouble(status)
    assert (one.kind, one.schedule) == (Kind.INVALID, "bad")
    assert "[schedules.bad]: cron" in one.cause
    assert [(one.schedule, one.state) for one in status.schedules] == [
        ("bad", State.INVALID),
        (NIGHTLY, State.IDLE),
    ]


def test_a_missing_document_is_a_problem() -> None:
    """Nothing is ever due."""
    status = status_of(readings(document=None))

    assert status.document.finding.health is Health.PROBLEM
    assert status.needs_person


def test_a_pause_tells_by_whom_and_until_when() -> None:
    """The next time at which it runs lies behind the pause."""
    until = TWO + timedelta(days=2)
    pause = Pause(since=NOW - HOUR, until=until, by="jane", note="move", request="r")

    (one,) = status_of(readings(submit=submit(state(pauses=(pause,))))).schedules

    assert one.state is State.PAUSED
    assert one.pause is not None
    assert (one.pause.by, one.pause.until, one.pause.note) == ("jane", until, "move")
    assert one.next_due == TWO + timedelta(days=3)
    assert one.health is Health.GOOD


def test_a_pause_without_an_end_leaves_nothing_due() -> None:
    """Of an operator, or of the document."""
    endless = Pause(since=NOW - HOUR, by="jane", request="r")
    by_hand = status_of(readings(submit=submit(state(pauses=(endless,)))))
    by_document = status_of(readings(document=document(f"{TEXT}paused = true\n")))

    for status in (by_hand, by_document):
        (one,) = status.schedules
        assert (one.state, one.next_due) == (State.PAUSED, None)
        assert not status.needs_person


def test_a_pause_after_failures_needs_somebody() -> None:
    """Nobody asked for it."""
    pause = Pause(since=NOW - HOUR, by=RECUR, note="5 runs have failed")

    one = only_trouble(status_of(readings(submit=submit(state(pauses=(pause,))))))

    assert one.kind is Kind.PAUSED
    assert "5 runs have failed" in one.cause
    assert "recur resume nightly" in one.next_step


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"pool": NOBODY}, "pool"),
        ({"submit": NOBODY}, "ledger"),
        ({"work": NOBODY}, "ledger"),
        ({"collect": NOBODY}, "ledger"),
        ({"recent": NOBODY}, "ledger"),
        ({"document": NOBODY}, "document"),
    ],
)
def test_what_cannot_be_read_is_unknown_and_never_good(change: dict[str, Any], part: str) -> None:
    """It says which role is missing, and somebody is needed."""
    status = status_of(readings(**change))

    assert healths(status)[part] is Health.UNKNOWN
    assert status.needs_person
    (finding,) = [one for one in status.findings if one.health is Health.UNKNOWN]
    assert finding.next_step == NOBODY.next_step


def test_a_schedule_is_not_good_while_its_state_or_its_outcomes_are_unknown() -> None:
    """Whichever blob it is that cannot be read."""
    blind = (
        readings(submit=NOBODY),
        readings(work=NOBODY),
        readings(collect=NOBODY, recent=NOBODY),
        readings(recent=Recent(), collect=Blob(content=rebuilding(), etag="c", modified=NOW)),
    )

    for one in blind:
        assert [row.health for row in status_of(one).schedules] == [Health.UNKNOWN]


EMPTY = Blob(content=CollectState(), etag="c", modified=NOW)
"""The collect.json of a ledger in which no submit tick has been yet."""


def rebuilding() -> CollectState:
    return CollectState(rebuilding=Rebuilding(because="collect.json was lost", kept="x"))


@pytest.mark.parametrize(
    ("change", "health", "says"),
    [
        ({"submit": DAMAGED}, Health.PROBLEM, "submit.json cannot be read"),
        ({"submit": None}, Health.PROBLEM, "submit.json is missing"),
        ({"submit": submit(owner="https://old.example")}, Health.PROBLEM, "https://old.example"),
        ({"recent": replace(DAMAGED, why="recent.json")}, Health.NOTE, "recent.json"),
        ({"submit": None, "collect": None, "recent": None}, Health.NOTE, "no tick has begun it"),
        ({"submit": None, "collect": EMPTY, "recent": None}, Health.NOTE, "no tick has begun it"),
        ({"submit": None, "collect": EMPTY, "recent": NOBODY}, Health.UNKNOWN, "is missing"),
    ],
)
def test_what_is_wrong_with_the_ledger_is_told(
    change: dict[str, Any], health: Health, says: str
) -> None:
    """Also that it belongs to another account."""
    finding = status_of(readings(**change)).ledger.finding

    assert finding.health is health
    assert says in finding.what


def test_the_worst_comes_first() -> None:
    """Among troubles and among schedules; then what is at work; then by id."""
    text = "".join(TEXT.replace("nightly", name) for name in ("a-idle", "b-runs", "c-failed"))
    at_work = replace(RUNNING.run, schedule=ids.ScheduleId("b-runs"))
    failed = {ids.ScheduleId("c-failed"): recent(recent_run(Outcome.FAILED)).schedules[NIGHTLY]}
    (timing,) = state().timings
    young = state(timings=(replace(timing, since=TWO - MINUTE),))
    every = dict.fromkeys(map(ids.ScheduleId, ("a-idle", "b-runs", "c-failed")), young)
    status = status_of(
        readings(
            replace(RUNNING, run=at_work),
            document=document(text),
            submit=submit(schedules=every),
            recent=Recent(schedules=failed),
        )
    )

    assert [one.schedule for one in status.schedules] == ["c-failed", "b-runs", "a-idle"]


def test_the_work_grows_no_faster_than_the_number_of_schedules() -> None:
    """A thousand of them take a thousand times the work of one, and little of it."""

    def work(count: int) -> int:
        names = [ids.ScheduleId(f"s{number:03}") for number in range(count)]
        zone = 'time_zone = "Europe/Paris"\n'
        text = "".join(TEXT.replace("nightly", name) + zone for name in names)
        ended = dict.fromkeys(names, recent(recent_run()).schedules[NIGHTLY])
        read = readings(
            document=document(text),
            submit=submit(schedules=dict.fromkeys(names, state())),
            recent=Recent(schedules=ended),
        )
        return counted(status_of, read)[1]

    few, many = work(10), work(100)

    assert many < 12 * few
    assert many < 100 * MOST_CALLS


def test_a_few_records_say_more_of_the_worst_troubles() -> None:
    """Of those of the same cause two are read: however many there are, it stays a few."""
    same = [Trouble(kind=Kind.BLOCKED, schedule=NIGHTLY, run_id=run(n), cause="x", next_step="y") for n in range(50)]  # fmt: skip
    other = [Trouble(kind=Kind.FAILED, schedule=NIGHTLY, run_id=run(n), cause=f"{n}", next_step="y") for n in range(50, 100)]  # fmt: skip
    status = replace(status_of(readings()), troubles=(*same, *other))

    wanted = records_worth_reading(status)

    assert len(wanted) == DETAILS_READ
    assert [*wanted.values()][:3] == [
        ids.open_blob(run(0)),
        ids.open_blob(run(1)),
        ids.blob_of(run(50)),
    ]


def run(number: int) -> ids.RunId:
    return ids.run_id(NIGHTLY, TWO - number * HOUR)


def test_a_record_adds_its_sentence_its_exit_code_and_its_last_lines() -> None:
    """The remedy may depend on it as well."""
    failed = ran(TWO, Outcome.FAILED, Reason.EXIT_CODE, last_words=LastWords(stderr="a\nb\nc\nd\n"))
    failed = replace(failed, sentence="It ended with exit code 3.")
    status = status_of(readings(recent=recent(recent_run(Outcome.FAILED, Reason.EXIT_CODE))))

    detailed = with_details(status, {RUN: failed}, on_laptop=False)

    one = only_trouble(detailed)
    assert one.cause == "failed (exit_code): It ended with exit code 3"
    assert one.last_lines == ("b", "c", "d")
    assert one.next_step == f"recur logs {RUN}"
    assert detailed.schedules[0].last is not None
    assert detailed.schedules[0].last.exit_code == 3
    assert with_details(status, {}, on_laptop=False) == status

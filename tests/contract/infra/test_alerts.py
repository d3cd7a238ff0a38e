"""The queries of the alerts, run: each tells what it should, once, and nothing else."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

import duckdb_kql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telemetry import KEYS, Event
from tests.alerts.workspace import QUERIES, Answer, Row, Workspace, mails
from tests.support.breadth import everything, examples

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
PERIOD = timedelta(minutes=15)
LAG = timedelta(minutes=3)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def event(name: Event, at: datetime, *, lag: timedelta = LAG, **values: object) -> Row:
    """Return the row of an event, as the exporter's texts."""
    assert values.keys() <= set(KEYS[name])
    told = dict.fromkeys(KEYS[name], "") | {key: str(value) for key, value in values.items()}
    return {"TimeGenerated": at, "ingested": at + lag, "Name": name.value, "Properties": told}


def finished(
    run_id: str,
    at: datetime,
    outcome: str = "failed",
    reason: str = "exit_code",
    **keys: timedelta,
) -> Row:
    return event(
        Event.RUN_FINISHED,
        at,
        **keys,
        schedule="nightly",
        run_id=run_id,
        event_id=run_id,
        outcome=outcome,
        reason=reason,
        sentence="It ended with exit code 7.",
    )


def mailed(run_id: str) -> Answer:
    return ("nightly", run_id, "failed", "exit_code", "It ended with exit code 7.", "")


def ticks(
    function: str, since: datetime, until: datetime, *, lag: timedelta = LAG, **values: object
) -> Iterator[Row]:
    while since < until:
        yield event(Event.TICK_FINISHED, since, lag=lag, function=function, **values)
        since += minutes(1)


def answers(alert: str, *rows: Row, at: datetime = NOW, table: str = "AppEvents") -> set[Answer]:
    """Return what an alert's query finds in a table that holds these rows."""
    workspace = Workspace()
    workspace.add(table, rows)
    (found,) = workspace.run(QUERIES[alert], at)
    return found


def evaluations(since: datetime, until: datetime, *, seed: int = 0) -> list[datetime]:
    """Return when a rule is run: each quarter of an hour, give or take, and at times not at all."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    count = int((until - since) / PERIOD)
    return [
        since + PERIOD * index + minutes(chance.uniform(0, 4))
        for index in range(count)
        if chance.random() > 0.02
    ]


def test_a_run_that_failed_is_named_with_its_reason() -> None:
    """One that succeeded is not."""
    found = answers(
        "run-failed",
        finished("nightly-1", NOW - minutes(10)),
        finished("nightly-2", NOW - minutes(10), "succeeded"),
        finished("nightly-3", NOW - minutes(50)),
    )

    assert found == {mailed("nightly-1")}


def test_what_ended_as_it_was_asked_to_is_no_mail() -> None:
    """An operator's stop and a replacement are not failures."""
    rows = [
        finished(f"nightly-{reason}", NOW - minutes(10), "terminated", reason)
        for reason in ("stopped", "replaced", "ended_in_batch")
    ]

    ((_, run_id, outcome, reason, *_),) = answers("run-failed", *rows)

    assert (run_id, outcome, reason) == ("nightly-ended_in_batch", "terminated", "ended_in_batch")


def _thirty_days() -> tuple[list[Row], list[str]]:
    """Return a month of runs: some fail, some events are late, some come twice."""
    chance = random.Random(20261130)  # noqa: S311 - a simulation
    rows: list[Row] = []
    failed: list[str] = []
    for hour in range(30 * 24):
        at = NOW + timedelta(hours=hour, minutes=chance.uniform(0, 60))
        bad = chance.random() < 0.1
        failed += [f"nightly-{hour:03}"] * bad
        copies = 1 + (chance.random() < 0.2)
        for _ in range(copies):
            late = chance.random() < 0.2
            lag = minutes(chance.uniform(20, 1000) if late else chance.uniform(1, 6))
            rows.append(
                finished(f"nightly-{hour:03}", at, "failed" if bad else "succeeded", lag=lag)
            )
    return rows, failed


def test_in_thirty_days_each_failed_run_is_mailed_once() -> None:
    """However late its event comes, and though it comes twice, and evaluations are left out."""
    rows, failed = _thirty_days()
    workspace = Workspace()
    workspace.add("AppEvents", rows)
    instants = evaluations(NOW, NOW + timedelta(days=31))

    told = mails(workspace, QUERIES["run-failed"], instants)

    assert len(failed) > 50
    assert sorted(answer for _, answer in told) == [mailed(run_id) for run_id in failed]


@pytest.mark.parametrize(
    ("sound", "mutant"),
    [
        ("Arrived > ago(45m)", "Arrived > ago(15m)"),
        ("TimeGenerated > ago(1d)", "TimeGenerated > ago(45m)"),
        ("by EventId", "by EventId, ingestion_time()"),
        ('!= "succeeded"', '!= "failed"'),
    ],
)
def test_the_thirty_days_tell_a_query_that_loses_or_repeats(sound: str, mutant: str) -> None:
    """The overlap, the wide reading and the first arrival are each needed."""
    rows, failed = _thirty_days()
    workspace = Workspace()
    workspace.add("AppEvents", rows)
    instants = evaluations(NOW, NOW + timedelta(days=31))
    assert sound in QUERIES["run-failed"]

    told = mails(workspace, QUERIES["run-failed"].replace(sound, mutant, 1), instants)

    assert sorted(answer for _, answer in told) != [mailed(run_id) for run_id in failed]


@examples(25)
@given(
    after=st.floats(0, 60),
    lags=st.lists(st.floats(0.5, 1200), min_size=1, max_size=3),
    seed=st.integers(0, 1000),
)
def test_a_failure_is_mailed_once_whenever_it_arrives(
    after: float, lags: list[float], seed: int
) -> None:
    """No phase of the evaluations and no lag below a day loses it or tells it again."""
    at = NOW + minutes(after)
    workspace = Workspace()
    workspace.add("AppEvents", [finished("nightly-1", at, lag=minutes(lag)) for lag in lags])
    instants = evaluations(NOW, NOW + timedelta(hours=24), seed=seed)

    told = mails(workspace, QUERIES["run-failed"], instants)

    assert [answer for _, answer in told] == [mailed("nightly-1")]
    assert told[0][0] - (at + minutes(min(lags))) < 3 * PERIOD


def test_a_mail_of_a_failed_run_has_the_last_line_of_stderr() -> None:
    """After the sentence, in the same column: a rule splits by six columns at most."""
    row = finished("nightly-1", NOW - minutes(10))
    said = cast("dict[str, object]", row["Properties"])
    row = {**row, "Properties": {**said, "last_words": "ValueError: no " + "x" * 300}}

    ((*_, sentence, _),) = answers("run-failed", row)

    assert sentence == "It ended with exit code 7. stderr: ValueError: no " + "x" * 185


def test_missed_occurrences_are_one_mail_for_each_schedule() -> None:
    """Those that a later occurrence stands for are none."""
    rows = [
        event(
            Event.OCCURRENCE_MISSED,
            NOW - minutes(10 + index),
            schedule=schedule,
            run_id=f"{schedule}-{index}",
            reason=reason,
            count=1,
        )
        for schedule, reason in (("nightly", "window"), ("hourly", "superseded"))
        for index in range(11)
    ]

    found = answers("run-failed", *rows)

    ((schedule, run_id, outcome, reason, sentence, _),) = found
    assert (schedule, run_id, outcome, reason) == ("nightly", "", "missed", "window")
    assert sentence


def report(
    schedule: str, at: datetime, since: float, gap: float | str, *, paused: bool = False
) -> Row:
    return event(
        Event.SCHEDULE_REPORTED,
        at,
        schedule=schedule,
        seconds_since_success=since,
        max_gap_seconds=gap,
        last_success="2026-11-29T02:00:00+00:00",
        valid=True,
        paused=paused,
    )


def test_a_schedule_is_overdue_by_its_newest_report() -> None:
    """Numbers are compared as numbers; without a limit, or paused, nothing is overdue."""
    ago = NOW - minutes(20)

    found = answers(
        "schedule-overdue",
        report("late", ago, 100000.5, 90000.0),
        report("fine", ago, 9000, 86400),
        report("new", ago, 100000, ""),
        report("paused", ago, 100000, 90000, paused=True),
        report("mended", ago - PERIOD, 100000, 90000),
        report("mended", ago, 60, 900),
        report("worse", ago - PERIOD, 60, 900),
        report("worse", ago, 1000, 900),
        report("forgotten", NOW - minutes(70), 100000, 90000),
    )

    assert {answer[0] for answer in found} == {"late", "worse"}


def test_a_schedule_that_stays_overdue_is_mailed_once() -> None:
    """Thirty days: three nights without success are one mail, and so is the next time."""
    start = NOW.replace(hour=0)
    successes = [start + timedelta(days=day, hours=2.5) for day in (-1, *range(5), *range(8, 30))]
    workspace = Workspace()
    rows = []
    for quarter in range(30 * 96):
        at = start + PERIOD * quarter
        success = max(one for one in successes if one <= at)
        expected = at.replace(hour=2, minute=0) - timedelta(days=at.hour < 4)
        since, gap = at - success, at - expected
        rows.append(report("nightly", at, since.total_seconds(), gap.total_seconds()))
    del rows[200:202]  # two that never came
    workspace.add("AppEvents", rows)

    told = mails(
        workspace, QUERIES["schedule-overdue"], evaluations(start, start + timedelta(days=30))
    )

    assert [answer[0] for _, answer in told] == ["nightly"]
    assert start + timedelta(days=5, hours=4) < told[0][0] < start + timedelta(days=5, hours=5)


def test_silence_is_told_of_each_function_even_without_any_data() -> None:
    """A row on an empty table: nothing has to arrive for this alert to fire."""
    assert answers("tick-silent") == {("submit",), ("collect",)}
    assert answers("tick-silent", *ticks("submit", NOW - minutes(40), NOW)) == {("collect",)}
    assert answers(
        "tick-silent",
        *ticks("submit", NOW - minutes(90), NOW - minutes(35)),
        *ticks("collect", NOW - minutes(40), NOW),
    ) == {("submit",)}


def test_heartbeats_that_come_late_are_no_silence() -> None:
    """An ingestion that is two hours behind says that the functions tick."""
    late = [
        *ticks("submit", NOW - minutes(200), NOW, lag=minutes(120)),
        *ticks("collect", NOW - minutes(200), NOW, lag=minutes(120)),
    ]

    assert answers("tick-silent", *late) == set()


def test_in_thirty_days_only_outages_are_mailed() -> None:
    """A pause of twenty minutes is none; one of two hours is, once, within three quarters."""
    chance = random.Random(30)  # noqa: S311 - a simulation
    outage, pause = NOW + timedelta(days=10), NOW + timedelta(days=20)
    rows = []
    for quarter in range(30 * 24 * 12):  # a heartbeat each 5 minutes
        at = NOW + minutes(5 * quarter)
        lag = minutes(chance.uniform(1, 8))
        silent = outage <= at < outage + minutes(120) or pause <= at < pause + minutes(15)
        functions = ("collect",) if silent else ("submit", "collect")
        rows += [event(Event.TICK_FINISHED, at, lag=lag, function=name) for name in functions]
    workspace = Workspace()
    workspace.add("AppEvents", rows)

    told = mails(
        workspace,
        QUERIES["tick-silent"],
        evaluations(NOW + minutes(60), NOW + timedelta(days=30)),
    )

    ((at, answer),) = told
    assert answer == ("submit",)
    assert minutes(25) < at - outage < minutes(60)


def slow(run_id: str, at: datetime, seconds: float) -> Row:
    return event(
        Event.RUN_SLOW,
        at,
        schedule="nightly",
        run_id=run_id,
        event_id=run_id,
        seconds=seconds,
        usual_seconds=60.0,
    )


def test_a_slow_run_is_mailed_once() -> None:
    """Though its event comes twice, with another time the second time."""
    workspace = Workspace()
    rows = [slow("nightly-1", NOW, 130), slow("nightly-1", NOW + minutes(40), 2530)]
    workspace.add("AppEvents", rows)

    told = mails(workspace, QUERIES["run-slow"], evaluations(NOW, NOW + timedelta(days=1)))

    assert [answer for _, answer in told] == [("nightly", "nightly-1", "60.0", "")]


def ledger_trouble(at: datetime, what: str, detail: str) -> Row:
    return event(Event.LEDGER_TROUBLE, at, what=what, blob="collect.json", detail=detail)


def test_lost_results_are_mailed_once() -> None:
    """With what happened, as long as they are told; an id in Batch's or storage's words is none."""
    ids = [f"0000000{n}-1111-2222-3333-444444444444" for n in range(5)]
    rows = [
        ledger_trouble(NOW + PERIOD * n, "results_lost", f"it was damaged ({id_})\nTime: {n}")
        for n, id_ in enumerate(ids)
    ]
    workspace = Workspace()
    workspace.add("AppEvents", rows)

    told = mails(workspace, QUERIES["product-trouble"], evaluations(NOW, NOW + minutes(90)))

    sentence = "collect.json: it was damaged (...)"
    assert [answer for _, answer in told] == [("", "", "results_lost", sentence, "")]


def test_what_stops_a_function_is_told_by_its_heartbeats() -> None:
    """Not once more by the event."""
    rows = [
        ledger_trouble(NOW - minutes(5), what, "not ours")
        for what in ("foreign", "missing", "unreadable")
    ]

    assert answers("product-trouble", *rows) == set()


def log(operation: str, at: datetime, **columns: str) -> Row:
    return {
        "TimeGenerated": at,
        "ingested": at + LAG,
        "ResourceProvider": "MICROSOFT.BATCH",
        "Category": "ServiceLog",
        "OperationName": operation,
        **columns,
    }


def resized(at: datetime, code: str) -> Row:
    return log(
        "PoolResizeCompleteEvent",
        at,
        id_s="recur",
        resultCode_s=code,
        resultMessage_s=f"It ended with {code}.",
    )


def scaled(at: datetime, **columns: str) -> Row:
    return log("PoolAutoscaleEvent", at, id_s="recur", **columns)


FORMULA_ERROR = {
    "error_code_s": "InsufficientSampleData",
    "error_message_s": "Autoscale evaluation failed due to insufficient sample data",
}


@pytest.mark.parametrize(
    ("rows", "reasons"),
    [
        ([], set()),
        ([log("TaskStartEvent", NOW - minutes(5))], set()),
        ([resized(NOW - minutes(5), "Success")], set()),
        ([resized(NOW - minutes(5), "ResizeStopped")], set()),
        ([resized(NOW - minutes(5), "AllocationTimedout")], {"AllocationTimedout"}),
        ([resized(NOW - minutes(90), "AllocationTimedout")], set()),
        (
            [resized(NOW - minutes(9), "AllocationFailed"), resized(NOW - minutes(5), "Success")],
            set(),
        ),
        ([scaled(NOW - minutes(age), **FORMULA_ERROR) for age in (5, 10)], set()),
        (
            [scaled(NOW - minutes(age), **FORMULA_ERROR) for age in (5, 10, 15)],
            {"InsufficientSampleData"},
        ),
        (
            [
                scaled(NOW - minutes(4)),
                *(scaled(NOW - minutes(a), **FORMULA_ERROR) for a in (9, 14, 19)),
            ],
            set(),
        ),
        (
            [
                log(
                    "TaskScheduleFailEvent",
                    NOW - minutes(5),
                    jobId_s="nightly-1",
                    nodeInfo_poolId_s="recur",
                    schedulingError_code_s="JobPreparationTaskFailed",
                    schedulingError_message_s="Task cannot run",
                )
            ],
            {"JobPreparationTaskFailed"},
        ),
    ],
)
def test_trouble_of_the_pool_is_told_by_its_code(rows: list[Row], reasons: set[str]) -> None:
    """Columns of events that never came need not be there."""
    found = answers("pool-trouble", *rows, table="AzureDiagnostics")

    assert {(pool, reason) for pool, _, reason, _ in found} == {("recur", code) for code in reasons}
    assert all(sentence for *_, sentence in found)


def test_other_resources_of_the_workspace_do_not_concern_the_pool() -> None:
    """Nor do other categories of the account."""
    foreign = dict(resized(NOW - minutes(5), "AllocationFailed"), ResourceProvider="MICROSOFT.WEB")
    audit = dict(resized(NOW - minutes(5), "AllocationFailed"), Category="AuditLog")

    assert answers("pool-trouble", foreign, audit, table="AzureDiagnostics") == set()


PROBLEM = "schedules.toml: [schedules.bad]: time_zone: unknown zone 'Mars'"


@pytest.mark.parametrize("function", ["submit", "collect"])
def test_a_problem_that_lasts_is_told_with_its_words(function: str) -> None:
    """Of the function that meets it in every tick."""
    found = answers(
        "product-trouble",
        *ticks("submit", NOW - minutes(60), NOW - minutes(30)),
        *ticks("collect", NOW - minutes(60), NOW - minutes(30)),
        *ticks(function, NOW - minutes(30), NOW, problem=PROBLEM),
    )

    assert found == {(function, "", "problem", PROBLEM, "")}


def test_a_problem_that_comes_and_goes_is_left_to_the_next_tick() -> None:
    """So is one that has just begun, or is over."""
    well, bad = [
        list(ticks("submit", NOW - minutes(60), NOW, problem=problem)) for problem in ("", PROBLEM)
    ]

    assert answers("product-trouble", *well) == set()
    assert answers("product-trouble", *well[::2], *bad[1::2]) == set()
    assert answers("product-trouble", *well[:50], *bad[50:]) == set()
    assert answers("product-trouble", *bad[:50], *well[50:]) == set()
    assert answers("product-trouble", *bad[50:]) == set()
    assert len(answers("product-trouble", *bad)) == 1


CHANGING = (
    ("refused, request {guid}", "refused, request ..."),
    ("{node} is unusable since {iso}", "... is unusable since ..."),
    ("Time:{iso}", "Time:..."),
    ("last evaluated {duration} ago", "last evaluated ... ago"),
    ("job nightly-{compact} has no room", "job ... has no room"),
    ("{compact}, at {clock}Z; 3 of 10 nodes", "..., at ...; 3 of 10 nodes"),
)
"""What words of Batch and of storage hold that changes, and what a mail says instead."""


def changing(template: str, minute: int) -> str:
    """Return words as they are in this minute."""
    at = NOW + minutes(minute)
    return template.format(
        guid=f"{minute:08x}-0000-4000-8000-0123456789ab",
        node=f"tvmps_{minute:04x}9f_p",
        iso=f"{at:%Y-%m-%dT%H:%M:%S}.{minute:07}Z",
        duration=str(minutes(minute + 0.1)),
        compact=f"{at:%Y%m%dT%H%M%SZ}",
        clock=f"{at:%H:%M:%S}",
    )


@pytest.mark.parametrize(("words", "mailed"), CHANGING)
def test_a_problem_is_one_mail_though_its_words_change(words: str, mailed: str) -> None:
    """Only what stays the same may be a dimension: no id, no time, no node, no later line."""
    rows = []
    for minute in range(180):
        problem = f"no access to blob storage: {changing(words, minute)}\r\nTime: {minute}"
        at = NOW + minutes(minute)
        rows.append(event(Event.TICK_FINISHED, at, function="submit", problem=problem))
    workspace = Workspace()
    workspace.add("AppEvents", rows)

    told = mails(
        workspace, QUERIES["product-trouble"], [NOW + PERIOD * count for count in range(12)]
    )

    assert [answer for _, answer in told] == [
        ("submit", "", "problem", f"no access to blob storage: {mailed}", "")
    ]


@pytest.mark.parametrize(("words", "mailed"), CHANGING)
@pytest.mark.parametrize("trouble", ["resize", "formula", "task"])
def test_trouble_of_the_pool_is_one_mail_though_its_words_change(
    trouble: str, words: str, mailed: str
) -> None:
    """For hours, with a failure every five minutes."""
    rows: list[Row] = []
    for minute in range(0, 180, 5):
        at, said = NOW + minutes(minute), changing(words, minute)
        if trouble == "resize":
            rows.append(dict(resized(at, "AllocationFailed"), resultMessage_s=said))
        elif trouble == "formula":
            rows.append(scaled(at, error_code_s="InsufficientSampleData", error_message_s=said))
        else:
            task = {"schedulingError_code_s": "NoSlot", "schedulingError_message_s": said}
            rows.append(log("TaskScheduleFailEvent", at, nodeInfo_poolId_s="recur", **task))
    workspace = Workspace()
    workspace.add("AzureDiagnostics", rows)

    told = mails(
        workspace, QUERIES["pool-trouble"], [NOW + PERIOD * count for count in range(1, 13)]
    )

    ((_, (pool, kind, _, sentence)),) = told
    assert (pool, kind, sentence) == ("recur", trouble, mailed)


def test_a_run_is_one_mail_though_its_event_comes_twice_with_other_words() -> None:
    """A tick died between the event and the end of the run: the first that arrived counts."""
    at = NOW - minutes(10)
    first = finished("nightly-1", at)
    words = cast("dict[str, str]", first["Properties"]) | {"sentence": "It ended, they say."}
    again = {**finished("nightly-1", at + minutes(20)), "Properties": words}
    workspace = Workspace()
    workspace.add("AppEvents", [first, again])

    told = mails(workspace, QUERIES["run-failed"], [NOW + PERIOD * count for count in range(8)])

    assert [answer for _, answer in told] == [mailed("nightly-1")]


def blocked(schedule: str, at: datetime, reason: str = "pool_missing") -> Row:
    return event(
        Event.OCCURRENCE_BLOCKED,
        at,
        schedule=schedule,
        run_id=f"{schedule}-1",
        reason=reason,
        detail="no pool 'recur'",
    )


def submitted(schedule: str, at: datetime) -> Row:
    return event(Event.OCCURRENCE_SUBMITTED, at, schedule=schedule, run_id=f"{schedule}-1")


def test_runs_that_stay_blocked_are_told_with_schedule_and_reason() -> None:
    """By the count in every heartbeat; the event of long ago only says which they are."""
    stuck = list(ticks("submit", NOW - minutes(60), NOW, blocked=1))
    rows = [
        *ticks("collect", NOW - minutes(60), NOW),
        blocked("nightly", NOW - timedelta(hours=20), "quota"),
        blocked("nightly", NOW - timedelta(hours=10)),
        blocked("hourly", NOW - timedelta(hours=9)),
        submitted("hourly", NOW - timedelta(hours=8)),
    ]

    found = answers("product-trouble", *stuck, *rows)
    without_events = answers("product-trouble", *stuck)

    assert {answer[:3] for answer in found} == {("submit", "nightly", "pool_missing")}
    assert {answer[:3] for answer in without_events} == {("submit", "", "blocked")}


def test_a_run_that_was_blocked_for_a_moment_is_no_trouble() -> None:
    """The next tick submitted it; a tick that found the lease taken says nothing of it."""
    rows = [
        *ticks("submit", NOW - minutes(60), NOW - minutes(20), blocked=1),
        *ticks("submit", NOW - minutes(20), NOW, blocked=0),
        blocked("nightly", NOW - minutes(60)),
    ]
    lease_taken = event(Event.TICK_FINISHED, NOW - minutes(10), function="submit", lease_taken=1)
    stuck = ticks("submit", NOW - minutes(60), NOW, blocked=1)

    assert answers("product-trouble", *rows) == set()
    assert len(answers("product-trouble", lease_taken, *stuck)) == 1


def test_a_wrong_clock_is_told_when_it_is_told_twice() -> None:
    """Four times an hour, as long as it is wrong."""
    told = [event(Event.CLOCK_SKEWED, NOW - minutes(age), seconds=90) for age in (5, 20, 90)]

    assert answers("product-trouble", told[0], told[2]) == set()
    assert {answer[2] for answer in answers("product-trouble", *told)} == {"clock_skewed"}


@pytest.mark.parametrize("alert", QUERIES)
def test_many_instants_at_once_give_the_answers_of_the_library_alone(alert: str) -> None:
    """The month above is run in one statement; here the library runs the same, one at a time."""
    rows = [
        *_thirty_days()[0][:9],
        finished("nightly-x", NOW + minutes(20)),
        slow("nightly-y", NOW + minutes(30), 130),
        *ticks("submit", NOW, NOW + minutes(40), problem=PROBLEM, blocked=1),
        *(report("nightly", NOW + PERIOD * count, count, 5) for count in range(9)),
    ]
    logs = [resized(NOW + minutes(30), "AllocationFailed")]
    workspace = Workspace()
    workspace.add("AppEvents", rows)
    workspace.add("AzureDiagnostics", logs)
    counts = range(4) if everything() else (1, 3)
    instants = [NOW + minutes(count * 44) for count in counts]

    together = workspace.run(QUERIES[alert], *instants)
    alone = [_by_the_library(alert, rows, logs, at) for at in instants]

    assert together == alone
    assert any(together)


def _by_the_library(alert: str, rows: list[Row], logs: list[Row], at: datetime) -> set[Answer]:
    workspace = Workspace()
    for table, all_rows in (("AppEvents", rows), ("AzureDiagnostics", logs)):
        workspace.add(table, [row for row in all_rows if _ingested(row) <= at])
    text = workspace.known(QUERIES[alert])
    return set(duckdb_kql.query(workspace.connection, text, query_now=at).fetchall())


def _ingested(row: Row) -> datetime:
    ingested = row["ingested"]
    assert isinstance(ingested, datetime)
    return ingested


ABOUT = {
    "description": "Sales of the day",
    "owner": "finance-data",
    "tags": "finance, nightly",
    "runbook": "https://wiki.example/nightly",
}
MAILED_ABOUT = (
    "Sales of the day Owner: finance-data Tags: finance, nightly "
    "Runbook: https://wiki.example/nightly"
)


@pytest.mark.parametrize(
    ("alert", "rows"),
    [
        ("run-failed", [finished("nightly-1", NOW - minutes(10))]),
        (
            "run-failed",
            [
                event(
                    Event.OCCURRENCE_MISSED,
                    NOW - minutes(10),
                    schedule="nightly",
                    reason="window",
                )
            ],
        ),
        ("run-slow", [slow("nightly-1", NOW - minutes(10), 130)]),
        ("schedule-overdue", [report("nightly", NOW - minutes(20), 100000, 90000)]),
        (
            "product-trouble",
            [
                *ticks("submit", NOW - minutes(60), NOW, blocked=1),
                blocked("nightly", NOW - minutes(50)),
            ],
        ),
    ],
    ids=["failed", "missed", "slow", "overdue", "blocked"],
)
def test_a_mail_about_a_schedule_has_owner_and_runbook(alert: str, rows: list[Row]) -> None:
    """With description and tags; what the table does not say is left out."""

    def told(about: Mapping[str, str]) -> list[str]:
        said = [
            {**row, "Properties": {**cast("Mapping[str, str]", row["Properties"]), **about}}
            for row in rows
        ]
        return [answer[-1] for answer in answers(alert, *said)]

    assert told(ABOUT) == [MAILED_ABOUT]
    assert told({"owner": "finance-data"}) == ["Owner: finance-data"]
    assert told({}) == [""]

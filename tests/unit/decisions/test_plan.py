"""Decisions as the records that they become, in chunks that one write can hold."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator import ids
from orchestrator.decisions.claims import VERSIONS, scheduled
from orchestrator.decisions.decision import Decision, Missed, Skip, Span, Submit
from orchestrator.decisions.due import Due
from orchestrator.decisions.plan import CHUNK, Decisions, plans, record_of
from orchestrator.enums import After, MissReason, SkipReason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Action, Decided, Range, Record
from orchestrator.ledger.results import CollectState, ScheduleResults
from orchestrator.ledger.state import ScheduleState, SubmitState, dump_submit
from orchestrator.model import About, Occurrence, Schedule
from tests.support.hourly import HOUR, HOURLY, MINUTE, NOON, STATE
from tests.support.schedules import ID, schedule

OTHER = ScheduleId("other")
BLOCKER = RunId("nightly-20260601T110000Z")
RESULTS = CollectState(schedules={ID: ScheduleResults(last_success=NOON - HOUR)})
TABLE = schedule(recurrence=HOURLY)
NOW = NOON + 7 * HOUR


def at(minutes: int) -> Occurrence:
    return Occurrence(nominal=NOON + minutes * MINUTE)


def skip(minutes: int) -> Skip:
    return Skip(occurrence=at(minutes), reason=SkipReason.OVERLAP, because=BLOCKER)


def miss(minutes: int, last: int) -> Missed:
    return Missed(
        occurrence=at(minutes),
        reason=MissReason.WINDOW,
        span=Span(last=at(last).nominal, count=last - minutes + 1) if last > minutes else None,
    )


def decided(until: datetime, *decisions: Decision, table: Schedule | None = TABLE) -> Decisions:
    return Decisions(schedule=table, due=Due(occurrences=(), until=until), decisions=decisions)


def recorded(decision: Decision, table: Schedule | None = TABLE) -> Record:
    return record_of(ID, decision, schedule=table, state=STATE, results=RESULTS, now=NOW)


def planned(*decisions: Decision, until: datetime) -> list[SubmitState]:
    state = SubmitState(document="etag", schedules={ID: STATE})
    return list(plans(state, {ID: decided(until, *decisions)}, RESULTS, now=NOW))


@pytest.mark.parametrize("after", [None, After.QUEUE])
def test_a_submission_becomes_the_claim_of_its_run(after: After | None) -> None:
    """With everything that a claim is made of."""
    expected = scheduled(TABLE, at(0), STATE, RESULTS, after=after, now=NOW)
    assert expected.task is not None
    assert "RECUR_PREVIOUS_SUCCESS" in expected.task.environment

    assert recorded(Submit(occurrence=at(0), after=after)) == expected


def test_what_does_not_run_keeps_what_its_table_says_for_people() -> None:
    """So that its mail names the owner, and `recur runs --tag` finds it; a range as well."""
    about = About(owner="finance-data", tags=("finance",))
    table = replace(TABLE, about=about)

    assert recorded(skip(0), table).about == about
    assert recorded(miss(0, 5), table).about == about
    assert recorded(skip(0), None).about is None


def test_a_skip_becomes_a_final_record_that_names_what_was_in_the_way() -> None:
    """Also of a schedule that has no table any more."""
    occurrence = replace(at(0), merged=2)
    one = Skip(occurrence=occurrence, reason=SkipReason.OVERLAP, because=BLOCKER)

    assert recorded(one, table=None) == Record(
        run_id=ids.run_id(ID, NOON),
        schedule=ID,
        nominal=NOON,
        merged=2,
        decision=Decided(action=Action.SKIPPED, reason="overlap", because=BLOCKER, at=NOW),
        sentence=f"Skipped: run {BLOCKER} had not ended yet.",
        versions=VERSIONS,
    )


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (SkipReason.QUEUE_FULL, f"the queue is full; it waits for run {BLOCKER}"),
        (SkipReason.MAX_PARALLEL, f"max_parallel is reached; the oldest open run is {BLOCKER}"),
        (SkipReason.PAUSED, "the schedule was paused at this time"),
        (SkipReason.EXCLUDED, "`except` leaves this time out"),
        (SkipReason.HOLIDAY, "this is a holiday"),
        (SkipReason.NONEXISTENT, "this wall time does not exist in the schedule's time zone"),
        (
            SkipReason.REMOVED,
            "the schedule was removed from the document before it was decided",
        ),
    ],
)
def test_each_reason_to_skip_has_its_sentence(reason: SkipReason, sentence: str) -> None:
    """With the run that was in the way, where there is one."""
    record = recorded(Skip(occurrence=at(0), reason=reason, because=BLOCKER))
    assert record.sentence == f"Skipped: {sentence}."


def test_one_missed_occurrence_has_a_record_of_its_own() -> None:
    """It is no range, and lies under its own name."""
    record = recorded(miss(0, 0))

    assert record == Record(
        run_id=ids.run_id(ID, NOON),
        schedule=ID,
        nominal=NOON,
        decision=Decided(action=Action.MISSED, reason="window", at=NOW),
        sentence="Missed: it was decided after the catch-up window.",
        versions=VERSIONS,
    )
    assert record.blob == "runs/nightly/2026/06/nightly-20260601T120000Z.json"


def test_several_missed_occurrences_share_a_record() -> None:
    """It says which ones they are, and how many."""
    record = recorded(miss(0, 1))

    assert record.range == Range(first=NOON, last=NOON + MINUTE, count=2)
    assert record.blob == "runs/nightly/2026/06/nightly-20260601T120000Z+2.json"


def test_skipped_occurrences_share_a_record() -> None:
    """It says how many of them have a reason of their own."""
    span = Span(last=at(9).nominal, count=10, also={SkipReason.EXCLUDED: 2})
    record = recorded(Skip(occurrence=at(0), reason=SkipReason.PAUSED, span=span))

    also = {"excluded": 2}
    assert record.range == Range(first=NOON, last=NOON + 9 * MINUTE, count=10, also=also)
    assert record.decision.reason == SkipReason.PAUSED
    assert record.sentence == (
        "Skipped: the schedule was paused at this time. "
        "This record stands for 10 occurrences, 2 of them excluded."
    )
    assert record.blob == "runs/nightly/2026/06/nightly-20260601T120000Z+10.json"


def test_a_missed_range_counts_what_except_leaves_out_apart() -> None:
    """The sentence gives the number that would have run."""
    span = Span(last=at(9).nominal, count=10, also={SkipReason.EXCLUDED: 2})
    record = recorded(Missed(occurrence=at(0), reason=MissReason.OFF, span=span))

    assert record.sentence == (
        "Missed: 8 occurrences were decided late, and catch-up is off. "
        "This record stands for 10 occurrences, 2 of them excluded."
    )


@pytest.mark.parametrize(
    ("reason", "because", "count", "sentence"),
    [
        (MissReason.OFF, None, 1, "it was decided late, and catch-up is off"),
        (MissReason.OFF, None, 2, "2 occurrences were decided late, and catch-up is off"),
        (MissReason.WINDOW, None, 3, "3 occurrences were decided after the catch-up window"),
        (MissReason.SUPERSEDED, None, 1, "it was decided late, and later occurrences run instead"),
        (
            MissReason.SUPERSEDED,
            BLOCKER,
            1,
            f"it was decided late, and later occurrences run instead ({BLOCKER})",
        ),
    ],
)
def test_each_reason_to_miss_has_its_sentence(
    reason: MissReason, because: RunId | None, count: int, sentence: str
) -> None:
    """With the run that stands for what was missed, where it is known."""
    span = Span(last=NOON, count=count) if count > 1 else None
    record = recorded(Missed(occurrence=at(0), reason=reason, because=because, span=span))

    assert record.sentence == f"Missed: {sentence}."
    assert record.decision.because == because


def test_a_schedule_with_nothing_due_moves_its_watermark() -> None:
    """One state without a plan is written; a schedule that was not looked at stays as it is."""
    state = SubmitState(document="etag", schedules={ID: STATE, OTHER: STATE})

    (only,) = plans(state, {ID: decided(NOW)}, RESULTS, now=NOW)

    moved = replace(STATE, decided_until=NOW)
    assert only == replace(state, schedules={ID: moved, OTHER: STATE})


def test_a_watermark_never_moves_back() -> None:
    """Not even for what was due before it."""
    (only,) = planned(until=NOON - HOUR)
    assert only.schedules[ID].decided_until == NOON


@pytest.mark.parametrize(
    ("count", "sizes"), [(CHUNK - 1, [63]), (CHUNK, [64]), (CHUNK + 1, [64, 1])]
)
def test_a_plan_holds_so_many_decisions(count: int, sizes: list[int]) -> None:
    """The watermark of each write is that of its last decision; the last write takes all."""
    states = planned(*(skip(n) for n in range(1, count + 1)), until=NOW)

    assert [len(one.plan) for one in states] == sizes
    *cut, last = [one.schedules[ID].decided_until for one in states]
    assert cut == [NOON + CHUNK * MINUTE] * len(cut)
    assert last == NOW
    assert [record.nominal for one in states for record in one.plan] == [
        NOON + n * MINUTE for n in range(1, count + 1)
    ]
    assert all(one.document == "etag" for one in states)


def test_a_watermark_that_ends_at_a_range_is_its_last_occurrence() -> None:
    """The range stands for all that it holds."""
    first, last = planned(
        *(skip(n) for n in range(1, CHUNK)),
        miss(CHUNK, CHUNK + 9),
        skip(CHUNK + 10),
        until=NOW,
    )
    assert first.schedules[ID].decided_until == NOON + (CHUNK + 9) * MINUTE
    assert last.schedules[ID].decided_until == NOW


def test_the_decisions_of_all_schedules_are_taken_oldest_first() -> None:
    """By the last occurrence of each, then by id; each keeps its own state and watermark."""
    other = ScheduleState(timings=STATE.timings, decided_until=NOON + timedelta(seconds=30))
    state = SubmitState(schedules={OTHER: other, ID: STATE})
    found = {
        OTHER: decided(NOW, miss(1, 4), skip(5), table=None),
        ID: decided(NOW - HOUR, *(skip(n) for n in (2, 5, *range(6, 6 + CHUNK)))),
    }

    first, last = plans(state, found, RESULTS, now=NOW)

    assert [(one.schedule, one.nominal) for one in first.plan[:4]] == [
        (ID, NOON + 2 * MINUTE),
        (OTHER, NOON + MINUTE),
        (ID, NOON + 5 * MINUTE),
        (OTHER, NOON + 5 * MINUTE),
    ]
    assert len(last.plan) == 4
    assert first.schedules[OTHER].decided_until == NOW
    assert last.schedules[OTHER].decided_until == NOW, "it stays where the first write put it"
    assert first.schedules[ID].decided_until == NOON + (CHUNK + 1) * MINUTE
    assert last.schedules[ID].decided_until == NOW - HOUR
    assert last.schedules[ID].timings == STATE.timings


def test_a_schedule_whose_decisions_are_all_in_later_plans_keeps_its_watermark() -> None:
    """It never moves past what no plan holds yet."""
    state = SubmitState(schedules={ID: STATE, OTHER: STATE})
    found = {
        ID: decided(NOW, *(skip(n) for n in range(1, CHUNK + 1))),
        OTHER: decided(NOW, skip(CHUNK + 1)),
    }

    first, last = plans(state, found, RESULTS, now=NOW)

    assert first.schedules[OTHER] == STATE
    assert last.schedules[OTHER].decided_until == NOW


def test_large_records_make_small_plans() -> None:
    """Commands and environments of the largest size allowed: no plan is above 320 KiB."""
    large = replace(TABLE, command="c" * 32 * 1024, environment={"A": "v" * 16 * 1024})
    every = [Submit(occurrence=at(n)) for n in range(1, 21)]
    state = SubmitState(document="etag", schedules={ID: STATE})
    states = list(plans(state, {ID: decided(NOW, *every, table=large)}, RESULTS, now=NOW))

    assert [len(one.plan) for one in states] == [5, 5, 5, 5]
    assert max(len(dump_submit(one)) for one in states) < 320 * 1024
    assert [record.nominal for one in states for record in one.plan] == [
        NOON + n * MINUTE for n in range(1, 21)
    ]
    ends = [one.schedules[ID].decided_until for one in states]
    assert ends == [NOON + 5 * MINUTE, NOON + 10 * MINUTE, NOON + 15 * MINUTE, NOW]

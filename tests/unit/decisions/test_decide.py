"""Decisions: a pure function of what is due, what is in the way, and the time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import ids
from orchestrator.decisions.decide import decide, overlapping
from orchestrator.decisions.decision import Decision, Missed, Skip, Span, Submit
from orchestrator.decisions.due import MOST_AT_ONCE, Due, due, is_due
from orchestrator.enums import CatchUpMode, MissReason, Overlap, SkipReason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import CatchUp, Occurrence, Pause, Recurrence, Schedule, Timing
from tests.support import schedules

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ID = ScheduleId("nightly")
BLOCKER = RunId("nightly-20260101T000000Z")


def schedule(catch_up: CatchUp | None = None) -> Schedule:
    return schedules.schedule(catch_up=catch_up or CatchUp())


def minutes_ago(*ages: float) -> Due:
    occurrences = tuple(Occurrence(nominal=NOON - timedelta(minutes=age)) for age in ages)
    return Due(occurrences=occurrences, until=NOON)


def counted(decision: Decision) -> int:
    """Return how many occurrences a decision stands for."""
    span = None if isinstance(decision, Submit) else decision.span
    return span.count if span else 1


def told(
    one: Due,
    *,
    in_the_way: Sequence[RunId] = (),
    catch_up: CatchUp | None = None,
    removed: bool = False,
    **policy: object,
) -> list[str]:
    """Say the decisions as words, one for each."""
    table = None if removed else replace(schedule(catch_up), **policy)  # type: ignore[arg-type] # whatever field
    said = []
    for decision in decide(ID, table, one, in_the_way=in_the_way, now=NOON):
        match decision:
            case Submit(after=None):
                said.append("submit")
            case Submit(after=after):
                said.append(f"submit after {after}")
            case Skip(reason=reason):
                said.append(f"skip {reason}")
            case Missed(reason=reason):
                said.append(f"miss {reason} {counted(decision)}")
    return said


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (timedelta(seconds=90), ["submit"]),
        (timedelta(seconds=90, microseconds=1), ["miss off 1"]),
    ],
)
def test_an_occurrence_is_late_beyond_90_seconds(late: timedelta, expected: list[str]) -> None:
    """Up to 90 s it is simply due, whatever catch-up says."""
    one = Due(occurrences=(Occurrence(nominal=NOON - late),), until=NOON)
    assert told(one, catch_up=CatchUp(mode=CatchUpMode.NONE)) == expected


@pytest.mark.parametrize("mode", [CatchUpMode.LATEST, CatchUpMode.ALL])
@pytest.mark.parametrize(
    ("older", "expected"),
    [(timedelta(), ["submit"]), (timedelta(microseconds=1), ["miss window 1"])],
)
def test_an_occurrence_as_old_as_the_window_still_runs(
    mode: CatchUpMode, older: timedelta, expected: list[str]
) -> None:
    """An older one does not."""
    window = timedelta(hours=6)
    one = Due(occurrences=(Occurrence(nominal=NOON - window - older),), until=NOON)
    assert told(one, catch_up=CatchUp(mode=mode, window=window)) == expected


def test_an_occurrence_is_skipped_while_a_run_is_in_the_way() -> None:
    """The skip names the run."""
    (skip,) = decide(ID, schedule(), minutes_ago(0), in_the_way=[BLOCKER], now=NOON)

    assert skip == Skip(
        occurrence=Occurrence(nominal=NOON), reason=SkipReason.OVERLAP, because=BLOCKER
    )


def test_the_first_of_two_young_occurrences_is_in_the_way_of_the_second() -> None:
    """Both are due, one can run."""
    assert told(minutes_ago(1, 0)) == ["submit", "skip overlap"]


def test_only_the_latest_of_late_occurrences_runs() -> None:
    """The others are missed, each with a record that names the run that stands for it."""
    first, *_, last = decide(ID, schedule(), minutes_ago(60, 40, 20), now=NOON)

    assert isinstance(first, Missed)
    assert (first.reason, first.because) == (MissReason.SUPERSEDED, "nightly-20260601T114000Z")
    assert isinstance(last, Submit)


def test_a_missed_occurrence_never_names_a_run_that_there_is_not() -> None:
    """Where the newest late one is skipped, nothing that ran stands for the others."""
    first, last = decide(ID, schedule(), minutes_ago(40, 20), in_the_way=[BLOCKER], now=NOON)

    assert isinstance(first, Missed)
    assert isinstance(last, Skip)
    assert first.because is None
    assert last.because == BLOCKER


def test_nothing_older_than_the_window_runs() -> None:
    """A month-end job is not made up for a week later unless its window says so."""
    short = CatchUp(window=timedelta(minutes=30))

    assert told(minutes_ago(40), catch_up=short) == ["miss window 1"]
    assert told(minutes_ago(40, 20), catch_up=short) == ["miss window 1", "submit"]


def test_paused_and_nonexistent_and_removed_occurrences_are_skipped() -> None:
    """Each with its own reason, and none of them stands for an older one."""
    paused = Occurrence(nominal=NOON, paused=True)
    missing = Occurrence(nominal=NOON, exists=False)
    old = Occurrence(nominal=NOON - timedelta(hours=1))

    assert told(Due(occurrences=(old, paused), until=NOON)) == ["submit", "skip paused"]
    assert told(Due(occurrences=(missing,), until=NOON)) == ["skip nonexistent"]
    gone = Due(occurrences=(Occurrence(nominal=NOON, removed=True),), until=NOON)
    assert told(gone, removed=True) == ["skip removed"]
    assert told(gone) == ["skip removed"]


def test_many_missed_occurrences_share_a_record() -> None:
    """The newest ``max`` have one each; the older ones say how many there were, by reason."""
    catch_up = CatchUp(window=timedelta(minutes=30), max=2)

    said = told(minutes_ago(60, 50, 40, 25, 20, 15, 10), catch_up=catch_up)

    assert said == [
        "miss window 3",
        "miss superseded 1",
        "miss superseded 1",
        "miss superseded 1",
        "submit",
    ]


@given(
    st.lists(st.integers(0, 3000), unique=True, max_size=40),
    st.booleans(),
    st.integers(1, 10),
    st.integers(1, 3000),
)
def test_every_occurrence_is_decided_once(
    ages: list[int],
    blocked: bool,
    most: int,
    window: int,
) -> None:
    """No occurrence is lost or decided twice, in order, and at most one is submitted."""
    one = minutes_ago(*sorted(ages, reverse=True))
    catch_up = CatchUp(window=timedelta(minutes=window), max=most)

    decisions = decide(
        ID, schedule(catch_up), one, in_the_way=[BLOCKER] if blocked else [], now=NOON
    )

    nominals = [d.occurrence.nominal for d in decisions]
    assert len(ages) == sum(map(counted, decisions))
    assert sorted(nominals) == nominals
    assert sum(isinstance(d, Submit) for d in decisions) <= (0 if blocked else 1)


def test_a_long_silence_is_taken_in_parts() -> None:
    """A minute schedule that was silent for years is decided by 20,000 at a time, none lost."""
    state = ScheduleState(
        timings=(
            Timing(since=NOON - timedelta(days=700), recurrence=Recurrence(cron=("* * * * *",))),
        ),
        decided_until=NOON - timedelta(days=700),
    )

    part = due(state, NOON)

    assert part.later == 100
    assert len(part.occurrences) == MOST_AT_ONCE == 20_000
    assert part.until == part.occurrences[-1].nominal
    decisions = decide(ID, schedule(), part, now=NOON)
    assert sum(counted(d) for d in decisions if isinstance(d, Missed)) == MOST_AT_ONCE


OTHER = RunId("nightly-20260102T000000Z")


@pytest.mark.parametrize(
    ("in_the_way", "most", "expected"),
    [
        ([], 1, "submit"),
        ([BLOCKER], 1, "submit after queue"),
        ([BLOCKER, OTHER], 1, "skip queue_full"),
        ([BLOCKER, OTHER], 2, "submit after queue"),
    ],
)
def test_a_queue_holds_so_many_runs(in_the_way: list[RunId], most: int, expected: str) -> None:
    """The one that runs is not one that waits."""
    said = told(minutes_ago(0), in_the_way=in_the_way, overlap=Overlap.QUEUE, max_queued=most)
    assert said == [expected]


def test_a_replacement_waits_for_what_it_replaces() -> None:
    """Nothing is in the way of the first; the second waits for it."""
    assert told(minutes_ago(1, 0), overlap=Overlap.REPLACE) == ["submit", "submit after replace"]


def test_so_many_runs_are_allowed_at_once() -> None:
    """The next one is skipped, and names the oldest of them."""
    allow = {"overlap": Overlap.ALLOW, "max_parallel": 2}
    said = told(minutes_ago(1, 0.5, 0), **allow)  # type: ignore[arg-type] # fields of a schedule
    assert said == ["submit", "submit", "skip max_parallel"]


def test_catch_up_can_be_off() -> None:
    """What is late is missed; what is merely due is not."""
    off = CatchUp(mode=CatchUpMode.NONE)
    assert told(minutes_ago(3000, 2, 0), catch_up=off) == ["miss off 1", "miss off 1", "submit"]


def test_catch_up_can_take_all_up_to_its_max() -> None:
    """The newest ``max`` in the window, oldest first; the policy has its say about each."""
    every = CatchUp(mode=CatchUpMode.ALL, max=2, window=timedelta(minutes=50))
    said = told(minutes_ago(60, 40, 30, 20), catch_up=every, overlap=Overlap.ALLOW)
    assert said == ["miss window 1", "miss superseded 1", "submit", "submit"]
    skipping = told(minutes_ago(40, 30), catch_up=every)
    assert skipping == ["submit", "skip overlap"]


def test_catch_up_counts_what_the_next_go_decides() -> None:
    """Of a silence that is decided in parts, only the newest ``max`` of all are made up for."""
    one = replace(minutes_ago(40, 30, 20), later=2)
    every = CatchUp(mode=CatchUpMode.ALL, max=3)
    said = told(one, catch_up=every, overlap=Overlap.ALLOW)
    assert said == ["miss superseded 1", "miss superseded 1", "submit"]


def test_what_cannot_run_stands_for_nothing_in_the_next_go_either() -> None:
    """The newest occurrence that can run does, although a pause of more than one go follows it."""
    recurrence = Recurrence(cron=("* * * * *",))
    since = NOON - timedelta(minutes=MOST_AT_ONCE + 30)
    paused = Pause(since=NOON - timedelta(minutes=58), by="op")
    state = ScheduleState(
        timings=(Timing(since=since, recurrence=recurrence),), decided_until=since, pauses=(paused,)
    )

    part = due(state, NOON)
    decisions = decide(ID, schedule(), part, now=NOON)

    assert part.later == 0
    assert part.until == part.occurrences[-1].nominal < NOON
    assert [one.occurrence.nominal for one in decisions if isinstance(one, Submit)] == [
        NOON - timedelta(minutes=58)
    ]


def due_each_minute(minutes: int, pauses: tuple[Pause, ...] = ()) -> ScheduleState:
    """Return a schedule of each minute that is decided up to so long ago."""
    since = NOON - timedelta(minutes=minutes)
    timing = Timing(since=since - timedelta(days=1), recurrence=Recurrence(cron=("* * * * *",)))
    return ScheduleState(timings=(timing,), decided_until=since, pauses=pauses)


@pytest.mark.parametrize(
    ("found", "until", "later"),
    [
        (2, NOON + timedelta(seconds=30), 0),
        (3, NOON + timedelta(seconds=30), 0),
        (4, NOON - timedelta(minutes=1), 1),
        (102, NOON - timedelta(minutes=99), 99),
        (103, NOON - timedelta(minutes=100), 100),
        (104, NOON - timedelta(minutes=101), 100),
    ],
)
def test_what_one_go_leaves_is_counted_up_to_a_hundred(
    found: int, until: datetime, later: int
) -> None:
    """A go that takes all reaches now; one that is cut ends at its last occurrence."""
    part = due(due_each_minute(found), NOON + timedelta(seconds=30), most=3)

    assert part.until == until
    assert part.later == later
    assert part.occurrences == tuple(
        Occurrence(nominal=NOON - timedelta(minutes=found - 1 - n)) for n in range(min(found, 3))
    )


@pytest.mark.parametrize(("paused", "later"), [(MOST_AT_ONCE - 1, 1), (MOST_AT_ONCE, 0)])
def test_what_one_go_leaves_is_counted_in_the_next_go(paused: int, later: int) -> None:
    """Beyond that nothing is looked at."""
    since = NOON - timedelta(minutes=paused + 2)
    pause = Pause(since=since + timedelta(minutes=1), until=NOON - timedelta(seconds=30), by="me")
    part = due(due_each_minute(paused + 2, (pause,)), NOON, most=1)

    assert [one.paused for one in part.occurrences] == [False]
    assert part.later == later


def test_a_watermark_ahead_of_the_clock_stays() -> None:
    """Nothing is due, and it is not moved back."""
    ahead = due_each_minute(-5)
    assert due(ahead, NOON) == Due(occurrences=(), until=ahead.decided_until)


@pytest.mark.parametrize(("seconds", "expected"), [(59, False), (60, True), (61, True)])
def test_a_schedule_is_due_when_its_first_undecided_occurrence_is(
    seconds: int, expected: bool
) -> None:
    """At its very second; the occurrence at the watermark is decided."""
    now = NOON + timedelta(seconds=seconds)
    assert is_due(due_each_minute(0), now) is expected


@pytest.mark.parametrize(("most", "told_apart"), [(1, 3), (2, 2), (3, 1), (4, 0)])
def test_the_newest_missed_occurrences_have_a_record_each(most: int, told_apart: int) -> None:
    """Only what is older than these shares one, and one alone shares with nobody."""
    off = CatchUp(mode=CatchUpMode.NONE, max=most)

    decisions = decide(ID, schedule(off), minutes_ago(8, 7, 6, 5), now=NOON)

    assert decisions[-most:] == [missed(age, age) for age in (8, 7, 6, 5)[-most:]]
    assert decisions[:-most] == ([missed(8, 9 - told_apart)] if told_apart else [])


def missed(first: int, last: int) -> Missed:
    """Return what catch-up that is off makes of occurrences of so many minutes ago."""
    last_one = NOON - timedelta(minutes=last)
    return Missed(
        occurrence=Occurrence(nominal=NOON - timedelta(minutes=first)),
        reason=MissReason.OFF,
        span=Span(last=last_one, count=first - last + 1) if first > last else None,
    )


def test_only_what_a_later_run_stands_for_names_it() -> None:
    """What is older than the window is missed whatever runs later."""
    first, second = decide(
        ID, schedule(CatchUp(window=timedelta(minutes=30))), minutes_ago(40, 20), now=NOON
    )
    assert isinstance(first, Missed)
    assert isinstance(second, Submit)
    assert first.because is None


def test_a_run_that_was_just_submitted_is_named_by_what_it_keeps_from_running() -> None:
    """It is in the way as one of an earlier tick would be."""
    first, second = decide(ID, schedule(), minutes_ago(1, 0), now=NOON)
    assert isinstance(second, Skip)
    assert second.because == ids.run_id(ID, first.occurrence.nominal)


def test_one_of_several_pauses_is_enough() -> None:
    """Whichever it is."""
    ended = Pause(since=NOON - timedelta(hours=2), until=NOON - timedelta(hours=1), by="me")
    present = Pause(since=NOON - timedelta(minutes=1), by="me")
    part = due(due_each_minute(2, (ended, present)), NOON)
    assert [one.paused for one in part.occurrences] == [False, True]


def test_a_range_names_the_run_that_stands_for_it() -> None:
    """As each of its occurrences would."""
    first, *_, last = decide(ID, schedule(CatchUp(max=1)), minutes_ago(40, 30, 20), now=NOON)

    assert isinstance(first, Missed)
    assert isinstance(last, Submit)
    assert first.because == ids.run_id(ID, last.occurrence.nominal)


def test_an_overlap_policy_asks_only_where_a_run_is_in_the_way() -> None:
    """Else each of them submits at once."""
    occurrence = Occurrence(nominal=NOON)
    for policy in Overlap:
        table = schedules.schedule(overlap=policy, max_queued=1, max_parallel=1)
        assert overlapping(table, occurrence, []) == Submit(occurrence=occurrence)


def test_what_stands_for_a_missed_occurrence_is_the_newest_that_runs() -> None:
    """Neither a run that was there before nor one that is skipped."""
    every = CatchUp(mode=CatchUpMode.ALL, max=2)

    decisions = decide(
        ID,
        schedules.schedule(catch_up=every, overlap=Overlap.ALLOW, max_parallel=2),
        minutes_ago(40, 30, 20),
        in_the_way=[BLOCKER],
        now=NOON,
    )

    first, second, third = decisions
    assert isinstance(first, Missed)
    assert isinstance(second, Submit)
    assert isinstance(third, Skip)
    assert first.because == ids.run_id(ID, second.occurrence.nominal)
    assert third.because == BLOCKER


def test_what_except_leaves_out_is_skipped_and_stands_for_nothing() -> None:
    """It has a record of its own, and the occurrence before it is the newest that can run."""
    holiday = Occurrence(nominal=NOON, excluded=True)
    old = Occurrence(nominal=NOON - timedelta(hours=1))
    assert told(Due(occurrences=(old, holiday), until=NOON)) == ["submit", "skip excluded"]


def test_a_pause_is_judged_at_the_nominal_time() -> None:
    """Neither its begin nor its end is part of it, whenever the tick comes."""
    pause = Pause(since=NOON - timedelta(minutes=3), until=NOON - timedelta(minutes=1), by="me")
    timings = (Timing(since=NOON - timedelta(days=1), recurrence=Recurrence(cron=("* * * * *",))),)
    state = ScheduleState(
        timings=timings, decided_until=NOON - timedelta(minutes=5), pauses=(pause,)
    )
    assert [one.paused for one in due(state, NOON).occurrences] == [
        False,
        False,
        True,
        False,
        False,
    ]

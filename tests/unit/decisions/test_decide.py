"""Decisions: a pure function of what is due, what is in the way, and the time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import ids
from orchestrator.decisions.decide import MOST_AT_ONCE, Due, Missed, Skip, Submit, decide, due
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
            case Missed(reason=reason, count=count):
                said.append(f"miss {reason} {count}")
    return said


def test_a_young_occurrence_is_submitted() -> None:
    """Up to 90 s late is simply due."""
    assert told(minutes_ago(1.5)) == ["submit"]


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

    counted = sum(d.count if isinstance(d, Missed) else 1 for d in decisions)
    nominals = [d.occurrence.nominal for d in decisions]
    assert len(ages) == counted
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
    assert len(part.occurrences) == MOST_AT_ONCE
    assert part.until == part.occurrences[-1].nominal
    decisions = decide(ID, schedule(), part, now=NOON)
    assert sum(d.count for d in decisions if isinstance(d, Missed)) == MOST_AT_ONCE


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

"""Decisions: a pure function of what is due, what is in the way, and the time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decide import MOST_AT_ONCE, Due, Missed, Skip, Submit, decide, due
from orchestrator.ledger import ScheduleState
from orchestrator.model import Calendar, CatchUp, Occurrence, Schedule, Timing
from orchestrator.words import MissReason, RunId, ScheduleId, SkipReason
from tests.unit import schedules

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
    in_the_way: RunId | None = None,
    catch_up: CatchUp | None = None,
    removed: bool = False,
) -> list[str]:
    """Say the decisions as words, one for each."""
    table = None if removed else schedule(catch_up)
    said = []
    for decision in decide(ID, table, one, in_the_way=in_the_way, now=NOON):
        match decision:
            case Submit():
                said.append("submit")
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
    (skip,) = decide(ID, schedule(), minutes_ago(0), in_the_way=BLOCKER, now=NOON)

    assert skip == Skip(
        occurrence=Occurrence(nominal=NOON), reason=SkipReason.OVERLAP, because=BLOCKER
    )


def test_the_first_of_two_young_occurrences_is_in_the_way_of_the_second() -> None:
    """Both are due, one can run."""
    assert told(minutes_ago(1, 0)) == ["submit", "skip overlap"]


def test_only_the_latest_of_late_occurrences_runs() -> None:
    """The others are missed, each with a record that names the run that stands for it."""
    first, *_, last = decide(ID, schedule(), minutes_ago(60, 40, 20), in_the_way=None, now=NOON)

    assert isinstance(first, Missed)
    assert (first.reason, first.because) == (MissReason.SUPERSEDED, "nightly-20260601T114000Z")
    assert isinstance(last, Submit)


def test_a_missed_occurrence_never_names_a_run_that_there_is_not() -> None:
    """Where the newest late one is skipped, the run in its way is named instead."""
    first, last = decide(ID, schedule(), minutes_ago(40, 20), in_the_way=BLOCKER, now=NOON)

    assert isinstance(first, Missed)
    assert isinstance(last, Skip)
    assert first.because == last.because == BLOCKER


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
        ID, schedule(catch_up), one, in_the_way=BLOCKER if blocked else None, now=NOON
    )

    counted = sum(d.count if isinstance(d, Missed) else 1 for d in decisions)
    nominals = [d.occurrence.nominal for d in decisions]
    assert len(ages) == counted
    assert sorted(nominals) == nominals
    assert sum(isinstance(d, Submit) for d in decisions) <= (0 if blocked else 1)


def test_a_long_silence_is_taken_in_parts() -> None:
    """A minute schedule that was silent for years is decided by 5,000 a tick, none lost."""
    state = ScheduleState(
        timings=(Timing(since=NOON - timedelta(days=700), calendar=Calendar(cron=("* * * * *",))),),
        decided_until=NOON - timedelta(days=700),
    )

    part = due(state, NOON)

    assert part.more
    assert len(part.occurrences) == MOST_AT_ONCE
    assert part.until == part.occurrences[-1].nominal
    decisions = decide(ID, schedule(), part, in_the_way=None, now=NOON)
    assert sum(d.count for d in decisions if isinstance(d, Missed)) == MOST_AT_ONCE

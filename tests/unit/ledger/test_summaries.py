"""Summaries of what ran and what did not, as values."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import reduce
from math import ceil
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import ids
from orchestrator.enums import Outcome
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Action, Cost
from orchestrator.ledger.result import Result
from orchestrator.ledger.summaries import (
    KEPT,
    MOST_BYTES,
    USUAL_FROM,
    Day,
    DayNumbers,
    Recent,
    RecentRun,
    ScheduleRecent,
    counted,
    day_blob,
    day_of,
    day_of_blob,
    dump_day,
    dump_recent,
    last_occurrences,
    load_day,
    load_recent,
    numbers_of,
    total_of,
    usual_seconds,
    with_results,
)
from tests.support.hourly import HOUR, NOON

ID = ScheduleId("nightly")
FOUR_MIB = 4 * 1024 * 1024
SECONDS = st.floats(0, 100_000, allow_nan=False)


def ended(n: int, seconds: float | None = 1.0, **keys: object) -> Result:
    """Return the result of the run ``n`` hours after noon."""
    nominal = NOON + n * HOUR
    result = Result(
        run_id=ids.run_id(ID, nominal),
        schedule=ID,
        nominal=nominal,
        last=nominal,
        action=Action.SUBMIT,
        reason="exit_zero",
        outcome=Outcome.SUCCEEDED,
        finished=NOON + timedelta(seconds=seconds or 0),
        seconds=seconds,
        lateness=2.5,
    )
    return replace(result, **keys)  # type: ignore[arg-type] # fields of a result


def not_run(n: int, count: int = 1) -> Result:
    """Return the result of occurrences that were missed, the first ``n`` hours after noon."""
    nominal = NOON + n * HOUR
    last = nominal + (count - 1) * HOUR
    return replace(
        ended(n), last=last, count=count, action=Action.MISSED, outcome=None, reason="window"
    )


def recent_of(*results: Result) -> ScheduleRecent:
    return with_results(Recent(), results).schedules[ID]


@given(
    st.lists(st.tuples(st.integers(0, 90), st.booleans()), min_size=1),
    st.randoms(use_true_random=False),
)
def test_recent_occurrences_are_the_same_in_whatever_order_they_come(
    given_: list[tuple[int, bool]], chance: Random
) -> None:
    """Adding some twice changes nothing; the newest are kept."""
    results = [ended(n) if ran else not_run(n) for n, ran in given_]
    recent = with_results(Recent(), results)

    again = with_results(recent, results)
    shuffled = with_results(Recent(), chance.sample(results, len(results)))

    assert again == recent == shuffled
    for kind in (recent.schedules[ID].runs, recent.schedules[ID].not_run):
        assert len(kind) <= KEPT
    newest = sorted({one.nominal for one in results if one.outcome})[-KEPT:]
    assert [run.nominal for run in recent.schedules[ID].runs] == [
        int(nominal.timestamp()) for nominal in newest
    ]


def test_the_last_occurrences_are_runs_and_what_did_not_run() -> None:
    """A run that was asked for later stands for an occurrence that had been missed."""
    one = recent_of(ended(1), not_run(1), not_run(2), not_run(3, count=4), ended(9))

    hours = [(each.nominal - int(NOON.timestamp())) // 3600 for each in last_occurrences(one)]

    assert hours == [1, 2, 3, 9]
    assert isinstance(last_occurrences(one)[0], RecentRun)


def test_only_a_trigger_has_its_run_id_written_down() -> None:
    """That of an occurrence follows from its time."""
    trigger = ids.trigger_id(ID, "a key")
    one = recent_of(ended(1), ended(2, run_id=trigger))

    assert [run.run_id for run in one.runs] == ["", trigger]


@given(st.lists(SECONDS, max_size=KEPT))
def test_usual_is_the_p95_of_enough_successes(seconds: list[float]) -> None:
    """Failures, and runs of which nobody knows how long they took, do not count."""
    runs = [ended(n, value) for n, value in enumerate(seconds)]
    others = [ended(-1, 10**6, outcome=Outcome.FAILED), ended(-2, None)]
    one = recent_of(*others, *runs)

    usual = usual_seconds(one)

    if len(seconds) < USUAL_FROM:
        assert usual is None
    else:
        assert usual == sorted(seconds)[ceil(0.95 * len(seconds)) - 1]


@given(st.lists(SECONDS, min_size=1), st.randoms(use_true_random=False))
def test_numbers_of_a_day_are_the_same_in_whatever_order_runs_end(
    seconds: list[float], chance: Random
) -> None:
    """Sum to a thousandth, median and p95 to two digits."""
    runs = [
        ended(n, value, cost=Cost(amount=0.1, currency="USD")) for n, value in enumerate(seconds)
    ]
    numbers = numbers_of(runs)

    assert numbers_of(chance.sample(runs, len(runs))) == numbers
    assert numbers.outcomes == {Outcome.SUCCEEDED: len(runs)}
    assert numbers.costs == {"USD": round(0.1 * len(runs), 6)}
    assert numbers.lateness.total_seconds == 2.5 * len(runs)
    duration = numbers.duration
    assert duration.total_seconds == pytest.approx(sum(seconds), abs=0.001 * len(runs))
    in_order = sorted(seconds)
    for part, found in ((0.5, duration.median_seconds), (0.95, duration.p95_seconds)):
        exact = in_order[ceil(part * len(in_order)) - 1]
        assert found == pytest.approx(exact, rel=0.05, abs=1e-9)


@given(st.lists(st.lists(SECONDS, max_size=5), min_size=1, max_size=5))
def test_numbers_of_days_together_are_those_of_all_their_runs(days: list[list[float]]) -> None:
    """As if they had ended on one day."""
    runs = [
        [ended(n, value, cost=Cost(amount=0.1, currency="USD")) for n, value in enumerate(seconds)]
        for seconds in days
    ]

    total = total_of(map(numbers_of, runs))

    assert total == numbers_of(run for one in runs for run in one)


def test_a_run_that_never_began_has_no_duration() -> None:
    """It counts by its outcome."""
    numbers = numbers_of([ended(1, None, outcome=Outcome.NEVER_STARTED), not_run(2)])

    assert numbers.outcomes == {Outcome.NEVER_STARTED: 1}
    assert numbers.duration == DayNumbers().duration


def test_a_run_counts_once_although_a_tick_died_before_it_was_closed() -> None:
    """Once it is closed it is forgotten; a later life of it has another job, and counts anew."""
    run, other = ended(1), ended(2)
    first = counted(Day(), [run], [run.job_id])

    again = counted(first, [run, other], [run.job_id, other.job_id])
    later = counted(again, [replace(run, attempt=2)], [replace(run, attempt=2).job_id])

    assert counted(first, [run], [run.job_id]) == first
    assert again.schedules[ID] == numbers_of([run, other])
    assert later.schedules[ID].outcomes == {Outcome.SUCCEEDED: 3}
    assert later.counted == (replace(run, attempt=2).job_id,)


def test_a_run_counts_on_the_day_of_its_end() -> None:
    """In UTC; where no end is known, that of its nominal time."""
    late = ended(1, finished=datetime.fromisoformat("2026-06-02T01:00:00+02:00"))

    assert day_of(late) == date(2026, 6, 1)
    assert day_of(replace(late, finished=None)) == NOON.date()
    assert day_of_blob(day_blob(NOON.date())) == NOON.date()
    assert day_of_blob("summaries/days/today.json") is None


def test_summaries_are_read_back_as_they_were_written() -> None:
    """Both kinds; what is something else is refused."""
    recent = replace(with_results(Recent(), [ended(1), not_run(2)]), days=(NOON.date(),))
    day = counted(Day(), [ended(1)], [])

    assert load_recent(dump_recent(recent)) == recent
    assert load_day(dump_day(day)) == day
    for load in (load_recent, load_day):
        with pytest.raises(RecordUnreadable):
            load(b'{"schema": 2}')


def test_a_time_beyond_the_years_of_a_calendar_is_refused() -> None:
    """So the collector makes the summaries anew, and whoever reads them goes on."""
    data = dump_recent(with_results(Recent(), [ended(1)]))
    (run,) = json.loads(data)["schedules"].popitem()[1]["runs"]

    with pytest.raises(RecordUnreadable):
        load_recent(data.replace(str(run[0]).encode(), b"1000000000000000"))


def test_one_blob_holds_the_last_occurrences_of_a_thousand_schedules() -> None:
    """The longest ids, every run failed, every list full: it stays below its limit."""
    runs = [
        ended(n, 99_999.999, reason="output_upload_failed", outcome=Outcome.NEVER_STARTED)
        for n in range(KEPT)
    ]
    one = recent_of(*runs, *(not_run(n, count=2) for n in range(KEPT)))
    schedules = {ScheduleId(f"{'s' * 36}-{n:03}"): one for n in range(1000)}

    data = dump_recent(Recent(schedules=schedules))

    assert load_recent(data).schedules == schedules


def test_what_is_too_much_for_one_blob_is_left_out() -> None:
    """First what has not been heard of for longest; of a day what ran least."""
    new, old = (recent_of(*(ended(hour + n) for n in range(KEPT))) for hour in (100, 0))
    schedules = {ScheduleId(f"old-{n:05}"): old for n in range(3000)}
    schedules |= {ScheduleId(f"a-new-{n:05}"): new for n in range(500)}
    spread = {str(n): 1 for n in range(60)}
    rare = DayNumbers(outcomes={Outcome.FAILED: 1})
    rare = replace(rare, lateness=replace(rare.lateness, rounded=spread))
    often = replace(rare, outcomes={Outcome.FAILED: 2})
    day = Day(
        schedules={ScheduleId(f"rare-{n:05}"): rare for n in range(6000)}
        | {ScheduleId("often"): often}
    )

    data, numbers = dump_recent(Recent(schedules=schedules)), dump_day(day)

    assert max(len(data), len(numbers)) <= MOST_BYTES < FOUR_MIB
    kept = load_recent(data).schedules
    assert len(kept) < len(schedules)
    assert {id_ for id_ in schedules if id_.startswith("a-new")} <= kept.keys()
    assert "often" in load_day(numbers).schedules
    assert len(load_day(numbers).schedules) < len(day.schedules)


def test_nothing_new_changes_nothing() -> None:
    """So nothing is written."""
    recent, day = with_results(Recent(), [ended(1)]), counted(Day(), [ended(1)], [])

    assert with_results(recent, [ended(1)]) is recent
    assert counted(day, [], []) is day
    assert reduce(lambda one, _: counted(one, [not_run(3)], []), range(2), day) is day

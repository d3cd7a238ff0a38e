"""
Summaries of the ledger, for overviews that must not read records: pure values.

``summaries/recent.json`` holds the last occurrences of every schedule, ``summaries/days/<date>.json``
numbers of the runs that ended on one day. Both are derived from the final records.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import accumulate
from math import ceil
from typing import Annotated, Final, NamedTuple

from pydantic import Field, TypeAdapter

from orchestrator import ids
from orchestrator.enums import Outcome
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import SCHEMA, Action
from orchestrator.ledger.result import Result
from orchestrator.ledger.state_blobs import load_state
from orchestrator.stored import Stored

KEPT: Final = 30
"""How many runs, and how many skips and misses, are kept of each schedule."""

DAYS_KEPT: Final = 400
"""As long as records are kept."""

MOST_BYTES: Final = 3_500_000
"""Of one blob: no write exceeds 4 MiB."""

USUAL_FROM: Final = 20
"""So many runs say how long a schedule usually takes; fewer say nothing."""

_DIGITS: Final = 2


type _Second = Annotated[int, Field(ge=-62_135_596_800, le=253_402_300_799)]
"""Seconds since 1970, in the years 1 to 9999: what a time can hold."""


class RecentRun(NamedTuple):
    """
    A run that has ended, stored as an array.

    Attributes:
        nominal: Seconds since 1970.
        outcome: How it ended.
        seconds: How long its task took.
        lateness: Seconds from the nominal time to the submission; None for what was triggered or
            backfilled.
        reason: Of the outcome; empty for a success.
        run_id: Only where schedule and nominal time do not tell it: of a trigger's run.
    """

    nominal: _Second
    outcome: Outcome
    seconds: float | None
    lateness: float | None
    reason: str = ""
    run_id: str = ""


class NotRun(NamedTuple):
    """
    One or several occurrences that were skipped or missed, stored as an array.

    Attributes:
        nominal: Of the first, in seconds since 1970.
        last: Of the last.
        occurrences: How many there are.
        action: Skipped or missed.
        reason: Why.
    """

    nominal: _Second
    last: _Second
    occurrences: int
    action: Action
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecent(Stored):
    """
    The last occurrences of one schedule, by nominal time.

    Attributes:
        runs: Runs that have ended, oldest first.
        not_run: What was skipped or missed, oldest first.
    """

    runs: tuple[RecentRun, ...] = ()
    not_run: tuple[NotRun, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent(Stored):
    """
    The content of ``summaries/recent.json``.

    Attributes:
        days: The days of which there is a blob of numbers.
        schedules: By schedule id.
    """

    schema: int = SCHEMA
    days: tuple[date, ...] = ()
    schedules: dict[ScheduleId, ScheduleRecent] = field(
        default_factory=dict[ScheduleId, ScheduleRecent]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread(Stored):
    """
    How some numbers of seconds are spread.

    Attributes:
        count: How many there are.
        total_seconds: Their sum.
        median_seconds: Half of them are at most this.
        p95_seconds: 95 of 100 are at most this.
        rounded: How many there are of each, rounded to two digits; the two above are of these.
    """

    count: int = 0
    total_seconds: float = 0.0
    median_seconds: float | None = None
    p95_seconds: float | None = None
    rounded: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class DayNumbers(Stored):
    """
    The runs of one schedule that ended on one day.

    Attributes:
        outcomes: How many there are of each outcome.
        duration: How long their tasks took, of those that began.
        lateness: From the nominal time to the submission, of scheduled runs.
        costs: By currency, of those that have an estimate.
    """

    outcomes: dict[Outcome, int] = field(default_factory=dict[Outcome, int])
    duration: Spread = field(default_factory=Spread)
    lateness: Spread = field(default_factory=Spread)
    costs: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, kw_only=True)
class Day(Stored):
    """
    The content of ``summaries/days/<date>.json``.

    Attributes:
        counted: The last jobs of runs that are in the numbers since the last write. A tick that
            died after it finds their runs still open, and does not count them again.
        schedules: By schedule id.
    """

    schema: int = SCHEMA
    counted: tuple[str, ...] = ()
    schedules: dict[ScheduleId, DayNumbers] = field(default_factory=dict[ScheduleId, DayNumbers])


def with_results(recent: Recent, results: Iterable[Result], days: Iterable[date] = ()) -> Recent:
    """
    Return ``recent`` with some more results; those that it holds already are replaced.

    The order of results does not matter.

    Args:
        recent: The occurrences so far.
        results: What has been decided or has ended.
        days: Of which there is a blob of numbers now.
    """
    schedules = dict(recent.schedules)
    for result in results:
        one = schedules.get(result.schedule, ScheduleRecent())
        schedules[result.schedule] = _with_result(one, result)
    numbered = tuple(sorted({*recent.days, *days}))[-DAYS_KEPT:]
    if schedules == recent.schedules and numbered == recent.days:
        return recent
    return replace(recent, schedules=schedules, days=numbered)


def _with_result(one: ScheduleRecent, result: Result) -> ScheduleRecent:
    if result.outcome is None:
        new = NotRun(
            nominal=int(result.nominal.timestamp()),
            last=int(result.last.timestamp()),
            occurrences=result.count,
            action=result.action,
            reason=result.reason,
        )
        others = (each for each in one.not_run if each.nominal != new.nominal)
        return replace(one, not_run=tuple(sorted((*others, new)))[-KEPT:])
    scheduled = ids.run_id(result.schedule, result.nominal) == result.run_id
    run = RecentRun(
        nominal=int(result.nominal.timestamp()),
        outcome=result.outcome,
        seconds=result.seconds,
        lateness=None if result.lateness is None else round(result.lateness, 3),
        reason="" if result.outcome is Outcome.SUCCEEDED else result.reason,
        run_id="" if scheduled else result.run_id,
    )
    key = (run.nominal, run.run_id)
    kept = [each for each in one.runs if (each.nominal, each.run_id) != key]
    runs = sorted([*kept, run], key=lambda each: (each.nominal, each.run_id))
    return replace(one, runs=tuple(runs[-KEPT:]))


def merged(recent: Recent, other: Recent, days: Iterable[date] = ()) -> Recent:
    """Return what both hold of the last occurrences; of the same one, what ``other`` says."""
    schedules = dict(recent.schedules)
    for id_, one in other.schedules.items():
        mine = schedules.get(id_, ScheduleRecent())
        runs = {(run.nominal, run.run_id): run for run in (*mine.runs, *one.runs)}
        not_run = {each.nominal: each for each in (*mine.not_run, *one.not_run)}
        schedules[id_] = replace(
            mine,
            runs=tuple(run for _, run in sorted(runs.items()))[-KEPT:],
            not_run=tuple(each for _, each in sorted(not_run.items()))[-KEPT:],
        )
    return with_results(replace(recent, schedules=schedules), (), days)


def last_occurrences(one: ScheduleRecent) -> list[RecentRun | NotRun]:
    """
    Return the newest of the last occurrences of a schedule, oldest first.

    A run stands for its occurrence, also where a record says that this had been skipped before.
    """
    ran = {run.nominal for run in one.runs if not run.run_id}
    left = [each for each in one.not_run if each.occurrences > 1 or each.nominal not in ran]
    found: list[RecentRun | NotRun] = [*one.runs, *left]
    return sorted(found, key=lambda each: each.nominal)[-KEPT:]


def usual_seconds(one: ScheduleRecent) -> float | None:
    """Return the p95 of the runs of a schedule that succeeded; None if there are fewer than 20."""
    seconds = sorted(
        run.seconds
        for run in one.runs
        if run.outcome is Outcome.SUCCEEDED and run.seconds is not None
    )
    if len(seconds) < USUAL_FROM:
        return None
    return seconds[ceil(0.95 * len(seconds)) - 1]


def day_of(result: Result) -> date:
    """Return the day in whose numbers a run is counted: that of its end."""
    return (result.finished or result.nominal).astimezone(UTC).date()


def counted(day: Day, results: Iterable[Result], still_open: Iterable[str]) -> Day:
    """
    Return the numbers of a day with some more runs that ended on it.

    Args:
        day: The numbers so far.
        results: Of the runs; those that are counted already are left out.
        still_open: The jobs of the open records that were there when this tick began.
    """
    known = set(day.counted)
    new = [one for one in results if one.outcome and one.job_id not in known]
    if not new:
        return day
    schedules = dict(day.schedules)
    for result in new:
        schedules[result.schedule] = _added(schedules.get(result.schedule, DayNumbers()), result)
    kept = known & set(still_open) | {one.job_id for one in new}
    return replace(day, schedules=schedules, counted=tuple(sorted(kept)))


def numbers_of(results: Iterable[Result], numbers: DayNumbers | None = None) -> DayNumbers:
    """Return the numbers of some runs of one schedule and one day, added to those so far."""
    numbers = numbers or DayNumbers()
    for result in results:
        numbers = _added(numbers, result)
    return numbers


def total_of(days: Iterable[DayNumbers]) -> DayNumbers:
    """Return the numbers of several days together, each spread from its rounded lengths."""
    outcomes: Counter[Outcome] = Counter()
    costs: dict[str, float] = {}
    duration, lateness = Spread(), Spread()
    for day in days:
        outcomes.update(day.outcomes)
        for currency, amount in day.costs.items():
            costs[currency] = round(costs.get(currency, 0.0) + amount, 6)
        duration, lateness = _both(duration, day.duration), _both(lateness, day.lateness)
    return DayNumbers(
        outcomes=dict(sorted(outcomes.items())),
        duration=duration,
        lateness=lateness,
        costs=dict(sorted(costs.items())),
    )


def _both(one: Spread, other: Spread) -> Spread:
    if not other.count:
        return one
    counts = Counter(one.rounded)
    counts.update(other.rounded)
    rounded = dict(sorted(counts.items(), key=lambda pair: float(pair[0])))
    return Spread(
        count=one.count + other.count,
        total_seconds=round(one.total_seconds + other.total_seconds, 3),
        median_seconds=_percentile(rounded, 0.5),
        p95_seconds=_percentile(rounded, 0.95),
        rounded=rounded,
    )


def with_day(day: Day, anew: Mapping[ScheduleId, tuple[DayNumbers, Iterable[Result]]]) -> Day:
    """
    Return a day with the numbers of some schedules that were made anew.

    Args:
        day: The numbers so far.
        anew: By schedule: its numbers, and the results of runs whose open record is still there.
            Those are added only if they are counted already: else they will be.
    """
    known = set(day.counted)
    schedules = dict(day.schedules)
    for id_, (numbers, still_open) in anew.items():
        for result in still_open:
            if result.job_id in known:
                numbers = _added(numbers, result)  # noqa: PLW2901 - a fold
        schedules[id_] = numbers
    return day if schedules == day.schedules else replace(day, schedules=schedules)


def _added(numbers: DayNumbers, result: Result) -> DayNumbers:
    if result.outcome is None:
        return numbers
    costs = dict(numbers.costs)
    if result.cost:
        spent = costs.get(result.cost.currency, 0.0) + round(result.cost.amount, 6)
        costs[result.cost.currency] = round(spent, 6)
    outcomes = {**numbers.outcomes, result.outcome: numbers.outcomes.get(result.outcome, 0) + 1}
    return replace(
        numbers,
        outcomes=dict(sorted(outcomes.items())),
        duration=_spread(numbers.duration, result.seconds),
        lateness=_spread(numbers.lateness, result.lateness),
        costs=dict(sorted(costs.items())),
    )


def _spread(spread: Spread, seconds: float | None) -> Spread:
    if seconds is None:
        return spread
    key = f"{float(f'{max(0.0, seconds):.{_DIGITS}g}'):g}"
    rounded = {**spread.rounded, key: spread.rounded.get(key, 0) + 1}
    rounded = dict(sorted(rounded.items(), key=lambda pair: float(pair[0])))
    return replace(
        spread,
        count=spread.count + 1,
        # Sums of thousandths: the same in whatever order they are added.
        total_seconds=round(spread.total_seconds + round(seconds, 3), 3),
        median_seconds=_percentile(rounded, 0.5),
        p95_seconds=_percentile(rounded, 0.95),
        rounded=rounded,
    )


def _percentile(rounded: Mapping[str, int], part: float) -> float:
    """Return the smallest value that is not below ``part`` of all."""
    rank = ceil(part * sum(rounded.values()))
    counts = accumulate(rounded.values())
    return next(float(value) for value, until in zip(rounded, counts, strict=True) if until >= rank)


_RECENT = TypeAdapter(Recent)
_DAY = TypeAdapter(Day)


def dump_recent(recent: Recent) -> bytes:
    """
    Return the JSON of ``summaries/recent.json``.

    Where it were too large, the schedules of which nothing has been heard for longest are left out.
    """
    in_order = sorted(recent.schedules, key=lambda id_: (_newest(recent.schedules[id_]), id_))
    return _bounded(_RECENT, recent, in_order)


def load_recent(data: bytes) -> Recent:
    """Return the state of ``summaries/recent.json``; raises RecordUnreadable if it is none."""
    return load_state(_RECENT, data, ids.RECENT)


def dump_day(day: Day) -> bytes:
    """
    Return the JSON of the numbers of a day.

    Where it were too large, the schedules with the fewest runs are left out.
    """
    in_order = sorted(
        day.schedules, key=lambda id_: (sum(day.schedules[id_].outcomes.values()), id_)
    )
    return _bounded(_DAY, day, in_order)


def load_day(data: bytes) -> Day:
    """Return the numbers of a day; raises RecordUnreadable if it is none."""
    return load_state(_DAY, data, "a day of the summaries")


def _bounded[T: (Recent, Day)](
    adapter: TypeAdapter[T], state: T, in_order: list[ScheduleId]
) -> bytes:
    """Return the JSON of a state, without its first schedules in an order where it is too large."""
    kept = in_order
    while True:
        among = set(kept)
        schedules = {id_: one for id_, one in sorted(state.schedules.items()) if id_ in among}
        data = adapter.dump_json(replace(state, schedules=schedules))
        if len(data) <= MOST_BYTES or not kept:
            return data
        kept = kept[max(1, ceil(len(kept) * (1 - MOST_BYTES / len(data)))) :]


def _newest(one: ScheduleRecent) -> int:
    newest = [run.nominal for run in one.runs] + [each.last for each in one.not_run]
    return max(newest, default=0)


def day_blob(day: date) -> str:
    """Return the name of the numbers of a day."""
    return f"{ids.DAYS_PREFIX}{day.isoformat()}.json"


def day_of_blob(blob: str) -> date | None:
    """Return the day of a blob of numbers; None for any other name."""
    try:
        return datetime.strptime(blob, f"{ids.DAYS_PREFIX}%Y-%m-%d.json").replace(tzinfo=UTC).date()
    except ValueError:
        return None

"""Which planned occurrences have no record, which have two, which are overdue: pure functions."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import ScheduleState
from orchestrator.timing.occurrences import occurrences_of

OVERDUE: Final = timedelta(minutes=5)
"""An occurrence that is undecided so long after its time tells that nothing ticks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeRecord:
    """
    A range record.

    Attributes:
        first: Nominal time of its first occurrence.
        last: Of its last one.
        count: How many it stands for.
        blob: Its name.
    """

    first: datetime
    last: datetime
    count: int
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """
    What the ledger holds of one schedule.

    Attributes:
        single: Nominal times of the records that stand for one occurrence, open ones included.
        spans: The range records.
        twice: Nominal times of runs that are open and final at once without a backfill.
        unlisted: Nominal times of open runs whose metadata do not tell ticks of them.
    """

    single: AbstractSet[datetime]
    spans: Sequence[RangeRecord] = ()
    twice: Iterable[datetime] = ()
    unlisted: Iterable[datetime] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A range record that stands for fewer occurrences than lie in it without one of their own."""

    span: RangeRecord
    bare: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """
    How the plan of one schedule and its records compare.

    Attributes:
        planned: How many occurrences its timings have in the time looked at.
        gaps: Decided ones without a record.
        short: Ranges that hide gaps.
        doubled: Occurrences with more than one record.
        unlisted: Open ones that ticks leave alone, since their metadata cannot be read.
        overdue: Undecided ones long after their time.
        unplanned: Records of occurrences that the timings do not have, such as after a change of a
            zone's rules.
    """

    schedule: ScheduleId
    planned: int
    gaps: tuple[datetime, ...]
    short: tuple[Short, ...]
    doubled: tuple[datetime, ...]
    unlisted: tuple[datetime, ...]
    overdue: tuple[datetime, ...]
    unplanned: tuple[datetime, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is missing, doubled, left alone or overdue."""
        return not (self.gaps or self.short or self.doubled or self.unlisted or self.overdue)


def compare_coverage(
    schedule: ScheduleId,
    state: ScheduleState,
    recorded: Recorded,
    *,
    after: datetime,
    now: datetime,
) -> Coverage:
    """
    Compare plan and records of one schedule.

    Args:
        schedule: Which one.
        state: Its timings and its watermark.
        recorded: What the ledger holds of it, read after ``state``.
        after: Occurrences up to here are not looked at.
        now: The clock of the storage.
    """
    until = state.decided_until
    planned = [one.nominal for one in occurrences_of(state.timings, after=after, until=until)]
    bare = [nominal for nominal in planned if nominal not in recorded.single]
    covers: dict[datetime, int] = dict.fromkeys(bare, 0)
    short: list[Short] = []
    for span in recorded.spans:
        inside = bare[bisect_left(bare, span.first) : bisect_right(bare, span.last)]
        for nominal in inside:
            covers[nominal] += 1
        if len(inside) > span.count:
            short.append(Short(span=span, bare=len(inside)))
    doubled = {nominal for nominal, times in covers.items() if times > 1}
    asked = set(planned)
    late = occurrences_of(state.timings, after=max(after, until), until=now - OVERDUE)
    return Coverage(
        schedule=schedule,
        planned=len(planned),
        gaps=tuple(nominal for nominal, times in covers.items() if not times),
        short=tuple(short),
        doubled=tuple(sorted(doubled.union(one for one in recorded.twice if one > after))),
        unlisted=tuple(sorted(one for one in recorded.unlisted if one > after)),
        overdue=tuple(one.nominal for one in late),
        unplanned=tuple(
            sorted(one for one in recorded.single if after < one <= until and one not in asked)
        ),
    )

"""
What becomes of the occurrences that are due: a pure function of values.

An occurrence more than 90 s late came due while nothing ticked: catch-up decides on it. A younger
one is simply due. Each decision carries its reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice

from orchestrator import naming
from orchestrator.ledger import ScheduleState
from orchestrator.model import (
    CatchUp,
    Decision,
    Missed,
    MissReason,
    Occurrence,
    RunId,
    Schedule,
    ScheduleId,
    Skip,
    SkipReason,
    Submit,
)
from orchestrator.schedule import occurrences_of

LATE = timedelta(seconds=90)
MOST_AT_ONCE = 5000
"""Occurrences of one schedule looked at in one tick; the next tick goes on from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """
    The undecided occurrences of one schedule.

    Attributes:
        occurrences: Oldest first.
        until: Up to here these are all.
        more: Whether later ones are due as well, left for the next tick.
    """

    occurrences: tuple[Occurrence, ...]
    until: datetime
    more: bool = False


def due(state: ScheduleState, now: datetime) -> Due:
    """Return the occurrences in ``(decided_until, now]``, the oldest 5,000 of them."""
    every = occurrences_of(state.timings, after=state.decided_until, until=now)
    found = tuple(islice(every, MOST_AT_ONCE + 1))
    if len(found) <= MOST_AT_ONCE:
        return Due(occurrences=found, until=max(now, state.decided_until))
    found = found[:-1]
    return Due(occurrences=found, until=found[-1].nominal, more=True)


def decide(
    schedule_id: ScheduleId,
    schedule: Schedule | None,
    due: Due,
    *,
    in_the_way: RunId | None,
    now: datetime,
) -> list[Decision]:
    """
    Decide every occurrence of ``due``, oldest first.

    Args:
        schedule_id: Whose occurrences these are.
        schedule: Its table; None if the document no longer holds it.
        due: The undecided occurrences.
        in_the_way: A run of this schedule whose job has not ended.
        now: The tick's only clock.

    Returns:
        One decision for each occurrence, but one for several missed ones beyond ``catch_up.max``.
    """
    decisions: list[Decision] = []
    runnable = [o for o in due.occurrences if o.exists and not o.paused]
    newest = runnable[-1].nominal if runnable else None
    for occurrence in due.occurrences:
        reason = _refusal(occurrence, schedule)
        if reason or schedule is None:
            reason = reason or SkipReason.REMOVED
            decisions.append(Skip(occurrence=occurrence, reason=reason))
            continue
        stands_for_it = newest if newest != occurrence.nominal else None
        missed = _catch_up(occurrence, schedule.catch_up, now, due, stands_for_it)
        if missed:
            because = stands_for_it if missed is MissReason.SUPERSEDED else None
            decisions.append(
                Missed(
                    occurrence=occurrence,
                    last=occurrence.nominal,
                    count=1,
                    reason=missed,
                    because=naming.run_id(schedule_id, because) if because else None,
                )
            )
        elif in_the_way:
            decisions.append(
                Skip(occurrence=occurrence, reason=SkipReason.OVERLAP, because=in_the_way)
            )
        else:
            decisions.append(Submit(occurrence=occurrence))
            in_the_way = naming.run_id(schedule_id, occurrence.nominal)
    return list(_ranges(decisions, schedule.catch_up.max)) if schedule else decisions


def _refusal(occurrence: Occurrence, schedule: Schedule | None) -> SkipReason | None:
    """Say why an occurrence is skipped whatever the time and whatever else runs."""
    if not occurrence.exists:
        return SkipReason.NONEXISTENT
    if occurrence.paused:
        return SkipReason.PAUSED
    return None if schedule else SkipReason.REMOVED


def _catch_up(
    occurrence: Occurrence,
    catch_up: CatchUp,
    now: datetime,
    due: Due,
    stands_for_it: datetime | None,
) -> MissReason | None:
    """Say why a late occurrence is missed; None if it is young, or the newest in the window."""
    lateness = now - occurrence.nominal
    if lateness <= LATE:
        return None
    if lateness > catch_up.window:
        return MissReason.WINDOW
    return MissReason.SUPERSEDED if stands_for_it or due.more else None


def _ranges(decisions: Sequence[Decision], most: int) -> Iterator[Decision]:
    """Let all but the newest ``most`` missed occurrences share a record with their neighbours."""
    missed = sum(isinstance(decision, Missed) for decision in decisions)
    sharing = max(0, missed - most)
    seen = 0
    shared: list[Missed] = []
    for decision in decisions:
        if isinstance(decision, Missed) and seen < sharing:
            seen += 1
            shared.append(decision)
            continue
        yield from _merged(shared)
        shared = []
        yield decision
    yield from _merged(shared)


def _merged(missed: Sequence[Missed]) -> Iterator[Missed]:
    """Merge neighbours with one cause into one decision each."""
    for (reason, because), group in groupby(missed, key=lambda m: (m.reason, m.because)):
        members = list(group)
        yield Missed(
            occurrence=members[0].occurrence,
            last=members[-1].last,
            count=len(members),
            reason=reason,
            because=because,
        )

"""
What becomes of the occurrences that are due: a pure function of values.

An occurrence more than 90 s late came due while nothing ticked: catch-up decides on it. A younger
one is simply due. Each decision carries its reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice

from orchestrator import naming
from orchestrator.ledger import ScheduleState
from orchestrator.model import CatchUp, Occurrence, Schedule
from orchestrator.schedule import occurrences_of
from orchestrator.words import MissReason, RunId, ScheduleId, SkipReason

LATE = timedelta(seconds=90)
MOST_AT_ONCE = 20_000
"""Occurrences of one schedule that are decided in one go; the tick goes on from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Claim a run for this occurrence and create its job."""

    occurrence: Occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Do not run this occurrence; ``because`` names the run that was in the way."""

    occurrence: Occurrence
    reason: SkipReason
    because: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """
    Do not run these occurrences, which came due while nothing ticked.

    Attributes:
        occurrence: The first of them.
        last: Nominal time of the last of them.
        count: How many occurrences this stands for, the first and the last among them.
        reason: Why.
        because: The run that stands for them, when it is known.
    """

    occurrence: Occurrence
    last: datetime
    count: int
    reason: MissReason
    because: RunId | None = None


type Decision = Submit | Skip | Missed


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """
    The undecided occurrences of one schedule.

    Attributes:
        occurrences: Oldest first.
        until: Up to here these are all.
        more: Whether later ones are due as well, left for the next go.
    """

    occurrences: tuple[Occurrence, ...]
    until: datetime
    more: bool = False


def due(state: ScheduleState, now: datetime) -> Due:
    """Return the occurrences in ``(decided_until, now]``, the oldest 20,000 of them."""
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
        schedule: Its table; None if the document no longer holds it: then all are removed.
        due: The undecided occurrences.
        in_the_way: A run of this schedule whose job has not ended.
        now: The tick's only clock.

    Returns:
        One decision for each occurrence, but one for several missed ones beyond ``catch_up.max``.
    """
    newest = max((o.nominal for o in due.occurrences if o.can_run), default=None)
    decisions: list[Decision] = []
    for occurrence in due.occurrences:
        if (reason := _refusal(occurrence)) is not None:
            decisions.append(Skip(occurrence=occurrence, reason=reason))
            continue
        assert schedule is not None, "what is not removed has a table"  # noqa: S101
        later = due.more or newest != occurrence.nominal
        missed = _catch_up(occurrence, schedule.catch_up, now, later=later)
        if missed is not None:
            decisions.append(
                Missed(occurrence=occurrence, last=occurrence.nominal, count=1, reason=missed)
            )
        elif in_the_way:
            decisions.append(
                Skip(occurrence=occurrence, reason=SkipReason.OVERLAP, because=in_the_way)
            )
        else:
            decisions.append(Submit(occurrence=occurrence))
            in_the_way = naming.run_id(schedule_id, occurrence.nominal)
    named = [_name(decision, in_the_way) for decision in decisions]
    return list(_ranges(named, schedule.catch_up.max)) if schedule else named


def _refusal(occurrence: Occurrence) -> SkipReason | None:
    """Say why an occurrence is skipped whatever the time and whatever else runs."""
    if occurrence.removed:
        return SkipReason.REMOVED
    if not occurrence.exists:
        return SkipReason.NONEXISTENT
    return SkipReason.PAUSED if occurrence.paused else None


def _catch_up(
    occurrence: Occurrence, catch_up: CatchUp, now: datetime, *, later: bool
) -> MissReason | None:
    """Say why a late occurrence is missed; None if it is young, or the newest in the window."""
    lateness = now - occurrence.nominal
    if lateness <= LATE:
        return None
    if lateness > catch_up.window:
        return MissReason.WINDOW
    return MissReason.SUPERSEDED if later else None


def _name(decision: Decision, run: RunId | None) -> Decision:
    """Let an occurrence that a later one stands for name the run that there is."""
    if isinstance(decision, Missed) and decision.reason is MissReason.SUPERSEDED:
        return replace(decision, because=run)
    return decision


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

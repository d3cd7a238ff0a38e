"""What became of a schedule's occurrences and runs: pure functions of the ledger's summaries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from orchestrator import ids
from orchestrator.enums import Outcome
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Record
from orchestrator.ledger.state import ScheduleState
from orchestrator.ledger.summaries import (
    DayNumbers,
    NotRun,
    RecentRun,
    ScheduleRecent,
    Spread,
    last_occurrences,
    total_of,
)
from orchestrator.timing.occurrences import in_force
from recur.description.value import Figures, Lengths, PastOccurrence
from recur.schedules.upcoming import placement_notes

SHOWN: Final = 10
"""The number of past occurrences, and of those to come."""

DAYS: Final = 30
"""So many days the figures are of."""


def past_occurrences(
    schedule: ScheduleId, recent: ScheduleRecent, state: ScheduleState | None
) -> tuple[PastOccurrence, ...]:
    """
    Return the last occurrences that have an end, the newest first; triggered runs are none.

    Args:
        schedule: Whose.
        recent: Its last occurrences, as the summaries have them.
        state: Its timings, which tell what the clock did; None: nothing is said of that.
    """
    scheduled = replace(recent, runs=tuple(run for run in recent.runs if not run.run_id))
    found = [_past(schedule, one, state) for one in last_occurrences(scheduled)]
    return tuple(_together(found)[-SHOWN:][::-1])


def _past(
    schedule: ScheduleId, one: RecentRun | NotRun, state: ScheduleState | None
) -> PastOccurrence:
    nominal = datetime.fromtimestamp(one.nominal, UTC)
    notes = _notes(nominal, state)
    if isinstance(one, NotRun):
        return PastOccurrence(
            nominal=nominal,
            last=datetime.fromtimestamp(one.last, UTC),
            occurrences=one.occurrences,
            outcome=one.action,
            reason=one.reason,
            notes=notes if one.occurrences == 1 else (),
        )
    return PastOccurrence(
        nominal=nominal,
        last=nominal,
        run_id=ids.run_id(schedule, nominal),
        outcome=one.outcome,
        reason=one.reason or None,
        seconds=one.seconds,
        lateness=one.lateness,
        notes=notes,
    )


def _notes(nominal: datetime, state: ScheduleState | None) -> tuple[str, ...]:
    if state is None or nominal <= state.timings[0].since:
        return ()
    recurrence = in_force(state.timings, nominal).recurrence
    return placement_notes(recurrence, nominal) if recurrence else ()


def _together(found: Iterable[PastOccurrence]) -> list[PastOccurrence]:
    """Return occurrences with equal neighbours that got no run as one."""
    rows: list[PastOccurrence] = []
    for one in found:
        before = rows[-1] if rows else None
        if before and before.run_id is None and one.run_id is None and _alike(before, one):
            count = before.occurrences + one.occurrences
            rows[-1] = replace(before, last=one.last, occurrences=count)
        else:
            rows.append(one)
    return rows


def _alike(one: PastOccurrence, other: PastOccurrence) -> bool:
    same = (one.outcome, one.reason) == (other.outcome, other.reason)
    return same and not one.notes and not other.notes


def records_worth_reading(past: Sequence[PastOccurrence]) -> dict[RunId, str]:
    """Return the blobs of the records that tell an exit code, by run."""
    return {
        one.run_id: ids.blob_of(one.run_id)
        for one in past
        if one.run_id and one.outcome == Outcome.FAILED
    }


def with_exit_codes(
    past: Sequence[PastOccurrence], records: Mapping[RunId, Record]
) -> tuple[PastOccurrence, ...]:
    """Return occurrences with the exit codes that records hold."""
    codes = {run: one.attempt.exit_code for run, one in records.items() if one.attempts}
    return tuple(
        replace(one, exit_code=codes.get(one.run_id)) if one.run_id else one for one in past
    )


def first_day(now: datetime) -> date:
    """Return the first of the days that figures are of; the last is today, in UTC."""
    return now.astimezone(UTC).date() - timedelta(days=DAYS - 1)


def figures_of(since: date, days: Iterable[DayNumbers]) -> Figures:
    """Return what the numbers of some days come to together."""
    total = total_of(days)
    runs = sum(total.outcomes.values())
    succeeded = total.outcomes.get(Outcome.SUCCEEDED, 0)
    return Figures(
        since=since,
        runs=runs,
        outcomes={outcome.value: count for outcome, count in total.outcomes.items()},
        success_rate=round(succeeded / runs, 4) if runs else None,
        duration=_lengths(total.duration),
        lateness=_lengths(total.lateness),
    )


def _lengths(spread: Spread) -> Lengths:
    return Lengths(
        count=spread.count,
        median_seconds=spread.median_seconds,
        p95_seconds=spread.p95_seconds,
    )

"""What a backfill would do: by the tick's own rules, from values alone."""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator import ids
from orchestrator.decisions.backfill import Rerun, eligible, occurrences_between
from orchestrator.enums import Outcome
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Record
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Occurrence
from orchestrator.timing.occurrences import occurrences_of


class PriorState(StrEnum):
    """What there is of an occurrence before the backfill, unless its run has ended."""

    UNRECORDED = "without a record of its own"
    SKIPPED = "skipped"
    MISSED = "missed"
    OPEN = "open"
    EXCLUDED = "left out by `except`"
    HOLIDAY = "on a holiday"
    NONEXISTENT = "nonexistent"
    UNREADABLE = "with a record that cannot be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOccurrence:
    """
    One occurrence of the time that is asked for.

    Attributes:
        nominal: When it was due.
        run_id: Of the run that it has or gets.
        prior: How its run ended, or what else there is of it.
        because: The reason in its record.
        chosen: Whether the backfill runs it.
    """

    nominal: datetime
    run_id: RunId
    prior: PriorState | Outcome
    because: str | None = None
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPlan:
    """
    What a backfill would do.

    Attributes:
        after: Exclusive.
        until: Inclusive, and no later than what is decided.
        known_after: The begin of what is known of the schedule: nothing up to it has occurrences.
        rerun: What is to run besides what was skipped, missed or never recorded.
        lines: Oldest first.
    """

    schedule: ScheduleId
    after: datetime
    until: datetime
    known_after: datetime
    rerun: Rerun
    lines: tuple[PlannedOccurrence, ...]

    @property
    def chosen(self) -> tuple[PlannedOccurrence, ...]:
        """What would run."""
        return tuple(line for line in self.lines if line.chosen)

    @property
    def failed_and_left(self) -> int:
        """How many ended without success and are left, although no run of them is open."""
        return sum(
            isinstance(line.prior, Outcome) and line.prior is not Outcome.SUCCEEDED
            for line in self.lines
            if not line.chosen
        )

    def counts(self, *, chosen: bool) -> dict[str, int]:
        """Return how many occurrences there are of each state, those that run or the others."""
        return dict(Counter(line.prior.value for line in self.lines if line.chosen is chosen))


def plan_backfill(  # noqa: PLR0913 - a plan has that many sources
    schedule: ScheduleId,
    state: ScheduleState,
    *,
    after: datetime,
    until: datetime,
    rerun: Rerun,
    opened: AbstractSet[RunId],
    records: Mapping[RunId, Record],
    unreadable: AbstractSet[RunId] = frozenset(),
) -> BackfillPlan:
    """
    Say what a backfill would do.

    Args:
        schedule: Whose occurrences are asked for.
        state: What is decided of it.
        after: Exclusive.
        until: Inclusive.
        rerun: What is to run besides what was skipped, missed or never recorded.
        opened: The runs that are open.
        records: The final records, by run; ranges are nobody's own.
        unreadable: The runs whose final records cannot be read: the tick leaves them.

    Raises:
        RequestRefused: More is asked for than one request may.
    """
    until = min(until, state.decided_until)
    lines = [
        _unreadable_occurrence(one.nominal, run)
        if run in unreadable and run not in opened
        else _planned_occurrence(run, one, opened=opened, record=records.get(run), rerun=rerun)
        for one in occurrences_between(state, after=after, until=until)
        for run in [ids.run_id(schedule, one.nominal)]
    ]
    lines += [
        PlannedOccurrence(
            nominal=one.nominal,
            run_id=ids.run_id(schedule, one.nominal),
            prior=PriorState.NONEXISTENT,
            chosen=False,
        )
        for one in occurrences_of(state.timings, after=after, until=until)
        if not one.exists
    ]
    return BackfillPlan(
        schedule=schedule,
        after=after,
        until=until,
        known_after=state.begin,
        rerun=rerun,
        lines=tuple(sorted(lines, key=lambda line: line.nominal)),
    )


def _unreadable_occurrence(nominal: datetime, run: RunId) -> PlannedOccurrence:
    return PlannedOccurrence(nominal=nominal, run_id=run, prior=PriorState.UNREADABLE, chosen=False)


def _planned_occurrence(
    run: RunId,
    occurrence: Occurrence,
    *,
    opened: AbstractSet[RunId],
    record: Record | None,
    rerun: Rerun,
) -> PlannedOccurrence:
    prior, because = (PriorState.OPEN, None) if run in opened else _prior_state(occurrence, record)
    return PlannedOccurrence(
        nominal=occurrence.nominal,
        run_id=run,
        prior=prior,
        because=because,
        chosen=run not in opened and eligible(occurrence, record, rerun),
    )


def _prior_state(
    occurrence: Occurrence, record: Record | None
) -> tuple[PriorState | Outcome, str | None]:
    if record is not None and record.outcome is not None:
        return record.outcome, None if record.outcome is Outcome.SUCCEEDED else record.reason
    if occurrence.excluded:
        return PriorState.EXCLUDED, None
    if occurrence.holiday:
        return PriorState.HOLIDAY, None
    if record is None:
        return PriorState.UNRECORDED, None
    return PriorState(record.decision.action.value), record.decision.reason

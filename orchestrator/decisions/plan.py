"""Decisions as the records that they become, in chunks that one write can hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator import ids
from orchestrator.batch_state import JobPlace
from orchestrator.decisions.claims import VERSIONS, scheduled
from orchestrator.decisions.decision import Decision, Missed, Skip, Span, Submit
from orchestrator.decisions.due import Due
from orchestrator.decisions.identity import identified
from orchestrator.decisions.places import placed_if_at_once
from orchestrator.enums import MissReason, SkipReason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Action, Decided, Range, Record, dump
from orchestrator.ledger.results import CollectState
from orchestrator.ledger.state import ScheduleState, SubmitState
from orchestrator.model import Schedule

CHUNK = 64
_PLAN_BYTES = 256 * 1024
"""Of the records of a plan of more than one; a record takes about 60 KiB at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Everything that was decided for one schedule in one tick."""

    schedule: Schedule | None
    due: Due
    decisions: Sequence[Decision]


def plans(
    state: SubmitState,
    decided: Mapping[ScheduleId, Decisions],
    results: CollectState,
    *,
    now: datetime,
    place: JobPlace | None = None,
) -> Iterator[SubmitState]:
    """
    Yield the states to write, one after the other; each holds a plan to carry out after its write.

    The decisions of all schedules are taken oldest first, 64 to a plan, or fewer where their
    records are large. ``decided_until`` of a schedule moves with its decisions and never past one
    that is not in the plan yet. At least one state is yielded, so that the watermarks of schedules
    with nothing due move as well.

    Args:
        state: Before these decisions.
        decided: By schedule.
        results: Of earlier runs.
        now: The tick's only clock.
        place: For claims that are dispatched at once; None while its pool is not there.
    """
    flat = sorted(
        ((id_, d) for id_, one in decided.items() for d in one.decisions),
        key=lambda pair: (_last(pair[1]), pair[0]),
    )
    remaining = {id_: len(one.decisions) for id_, one in decided.items()}
    until = {id_: one.due.until for id_, one in decided.items() if not one.decisions}
    made = (
        record_of(
            id_,
            decision,
            schedule=decided[id_].schedule,
            state=state.schedules[id_],
            results=results,
            now=now,
        )
        for id_, decision in flat
    )
    records = (placed_if_at_once(identified(one, state.ledger), place) for one in made)
    planned = 0
    for plan in cut_into_plans(records) if flat else [()]:
        for id_, decision in flat[planned : planned + len(plan)]:
            remaining[id_] -= 1
            until[id_] = _last(decision) if remaining[id_] else decided[id_].due.until
        planned += len(plan)
        schedules = {
            id_: replace(one, decided_until=max(one.decided_until, until[id_]))
            if id_ in until
            else one
            for id_, one in state.schedules.items()
        }
        yield replace(state, schedules=schedules, plan=plan)


def cut_into_plans(records: Iterable[Record]) -> Iterator[tuple[Record, ...]]:
    """Yield records in their order, as many at a time as one plan holds."""
    plan: list[Record] = []
    left = _PLAN_BYTES
    for record in records:
        size = len(dump(record))
        if plan and (len(plan) == CHUNK or size > left):
            yield tuple(plan)
            plan, left = [], _PLAN_BYTES
        plan.append(record)
        left -= size
    if plan:
        yield tuple(plan)


def record_of(  # noqa: PLR0913 - one record has that many sources
    schedule_id: ScheduleId,
    decision: Decision,
    *,
    schedule: Schedule | None,
    state: ScheduleState,
    results: CollectState,
    now: datetime,
) -> Record:
    """Return the record that a decision becomes: open for a submission, else final."""
    occurrence = decision.occurrence
    if isinstance(decision, Submit):
        assert schedule is not None, "a removed schedule submits nothing"  # noqa: S101
        return scheduled(schedule, occurrence, state, results, after=decision.after, now=now)
    action, sentence = (
        (Action.SKIPPED, _skipped_sentence(decision))
        if isinstance(decision, Skip)
        else (Action.MISSED, _missed_sentence(decision))
    )
    span = decision.span
    spans = (
        Range(
            first=occurrence.nominal,
            last=span.last,
            count=span.count,
            also={str(reason): number for reason, number in span.also.items()},
        )
        if span
        else None
    )
    return Record(
        run_id=ids.run_id(schedule_id, occurrence.nominal),
        schedule=schedule_id,
        nominal=occurrence.nominal,
        about=schedule.about if schedule else None,
        merged=occurrence.merged,
        moved_from=occurrence.moved_from,
        decision=Decided(action=action, reason=decision.reason, because=decision.because, at=now),
        range=spans,
        sentence=sentence,
        versions=VERSIONS,
    )


def _last(decision: Decision) -> datetime:
    span = None if isinstance(decision, Submit) else decision.span
    return span.last if span else decision.occurrence.nominal


_SKIPPED = {
    SkipReason.OVERLAP: "run {} had not ended yet",
    SkipReason.QUEUE_FULL: "the queue is full; it waits for run {}",
    SkipReason.MAX_PARALLEL: "max_parallel is reached; the oldest open run is {}",
    SkipReason.PAUSED: "the schedule was paused at this time",
    SkipReason.EXCLUDED: "`except` leaves this time out",
    SkipReason.HOLIDAY: "this is a holiday",
    SkipReason.NONEXISTENT: "this wall time does not exist in the schedule's time zone",
    SkipReason.REMOVED: "the schedule was removed from the document before it was decided",
}


def refusal(skip: Skip) -> str:
    """Say why an occurrence is skipped, as a clause."""
    return _SKIPPED[skip.reason].format(skip.because)


def _skipped_sentence(skip: Skip) -> str:
    sentence = f"Skipped: {refusal(skip)}."
    return f"{sentence} {_counted(skip.span)}" if skip.span else sentence


def _missed_sentence(missed: Missed) -> str:
    many = missed.span
    what = f"{many.count - sum(many.also.values())} occurrences were" if many else "it was"
    if missed.reason is MissReason.OFF:
        sentence = f"Missed: {what} decided late, and catch-up is off."
    elif missed.reason is MissReason.WINDOW:
        sentence = f"Missed: {what} decided after the catch-up window."
    else:
        because = f" ({missed.because})" if missed.because else ""
        sentence = f"Missed: {what} decided late, and later occurrences run instead{because}."
    return f"{sentence} {_counted(many)}" if many and many.also else sentence


def _counted(span: Span) -> str:
    """Say how many occurrences a record stands for, and how many of them have their own reason."""
    text = f"This record stands for {span.count} occurrences"
    own = ", ".join(f"{count} of them {reason}" for reason, count in span.also.items())
    return f"{text}, {own}." if own else f"{text}."

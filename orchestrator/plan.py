"""Decisions as the records that they become, in chunks that one write can hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import batched

import tzdata

from orchestrator import __version__, naming
from orchestrator.decide import Decision, Due, Missed, Skip, Submit
from orchestrator.ledger import CollectState, ScheduleState, SubmitState
from orchestrator.model import Schedule
from orchestrator.record import Action, Attempt, Decided, FrozenTask, Range, Record, Versions
from orchestrator.schedule import in_force, parse_zone, previous
from orchestrator.words import AttemptState, MissReason, ScheduleId, SkipReason

CHUNK = 64
_VERSIONS = Versions(product=__version__, tzdata=tzdata.IANA_VERSION)


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
) -> Iterator[SubmitState]:
    """
    Yield the states to write, one after the other; each holds a plan to carry out after its write.

    The decisions of all schedules are taken oldest first, 64 to a plan. ``decided_until`` of a
    schedule moves with its decisions and never past one that is not in the plan yet. At least one
    state is yielded, so that the watermarks of schedules with nothing due move as well.
    """
    flat = sorted(
        ((id_, d) for id_, one in decided.items() for d in one.decisions),
        key=lambda pair: (_last(pair[1]), pair[0]),
    )
    remaining = {id_: len(one.decisions) for id_, one in decided.items()}
    until = {id_: one.due.until for id_, one in decided.items() if not one.decisions}
    for chunk in list(batched(flat, CHUNK, strict=False)) or [()]:
        records: list[Record] = []
        for id_, decision in chunk:
            remaining[id_] -= 1
            until[id_] = _last(decision) if remaining[id_] else decided[id_].due.until
            records.append(
                record_of(
                    id_,
                    decision,
                    schedule=decided[id_].schedule,
                    state=state.schedules[id_],
                    results=results,
                    now=now,
                )
            )
        schedules = {
            id_: replace(one, decided_until=max(one.decided_until, until[id_]))
            if id_ in until
            else one
            for id_, one in state.schedules.items()
        }
        yield replace(state, schedules=schedules, plan=tuple(records))


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
    nominal = decision.occurrence.nominal
    run_id = naming.run_id(schedule_id, nominal)
    record = Record(
        run_id=run_id,
        schedule=schedule_id,
        nominal=nominal,
        merged=decision.occurrence.merged,
        decision=_decided(decision, now),
        versions=_VERSIONS,
    )
    match decision:
        case Submit():
            assert schedule is not None, "a removed schedule submits nothing"  # noqa: S101
            attempt = Attempt(number=1, job_id=run_id, state=AttemptState.CLAIMED, claimed=now)
            task = _frozen(schedule, record, state, results)
            return replace(record, task=task, attempts=(attempt,))
        case Skip():
            return replace(record, sentence=_skip_sentence(decision))
        case Missed():
            spans = Range(first=nominal, last=decision.last, count=decision.count)
            return replace(
                record,
                range=spans if decision.count > 1 else None,
                sentence=_missed_sentence(decision),
            )


def _last(decision: Decision) -> datetime:
    return decision.last if isinstance(decision, Missed) else decision.occurrence.nominal


def _decided(decision: Decision, now: datetime) -> Decided:
    match decision:
        case Submit():
            return Decided(action=Action.SUBMIT, at=now)
        case Skip(reason=reason, because=because):
            return Decided(action=Action.SKIPPED, reason=reason, because=because, at=now)
        case Missed(reason=reason, because=because):
            return Decided(action=Action.MISSED, reason=reason, because=because, at=now)


_SKIPPED = {
    SkipReason.OVERLAP: "run {} had not ended yet",
    SkipReason.QUEUE_FULL: "as many runs wait as may, behind run {}",
    SkipReason.MAX_PARALLEL: "as many runs are open as may, the oldest of them {}",
    SkipReason.PAUSED: "the schedule was paused at this time",
    SkipReason.EXCLUDED: "`except` leaves this time out",
    SkipReason.NONEXISTENT: "this wall time does not exist in the schedule's time zone",
    SkipReason.REMOVED: "the schedule was removed from the document before it was decided",
}


def _skip_sentence(skip: Skip) -> str:
    return f"Skipped: {_SKIPPED[skip.reason].format(skip.because)}."


def _missed_sentence(missed: Missed) -> str:
    what = f"{missed.count} occurrences were" if missed.count > 1 else "it was"
    if missed.reason is MissReason.WINDOW:
        return f"Missed: when decided, {what} later than the catch-up window."
    because = f" ({missed.because})" if missed.because else ""
    return f"Missed: when decided, {what} late, and only the newest late one runs{because}."


def _frozen(
    schedule: Schedule, record: Record, state: ScheduleState, results: CollectState
) -> FrozenTask:
    """
    Freeze what the run needs; ``RECUR_ATTEMPT`` is added for each attempt.

    A variable whose value there is not (no success yet) is left out rather than empty.
    """
    earlier = previous(state.timings, record.nominal)
    success = results.schedules.get(schedule.id)
    calendar = in_force(state.timings, record.nominal).calendar or schedule.calendar
    zone = parse_zone(calendar.time_zone)
    local = record.nominal.astimezone(zone)
    environment = {
        "RECUR_SCHEDULE": schedule.id,
        "RECUR_RUN_ID": record.run_id,
        "RECUR_NOMINAL_TIME": _utc(record.nominal),
        "RECUR_NOMINAL_TIME_LOCAL": local.isoformat(),
        "RECUR_WINDOW_END": _utc(record.nominal),
    }
    if earlier:
        environment["RECUR_WINDOW_START"] = _utc(earlier)
    if success and success.last_success:
        environment["RECUR_PREVIOUS_SUCCESS"] = _utc(success.last_success)
    return FrozenTask(
        command=schedule.command,
        environment=environment,
        start_timeout=schedule.start_timeout,
        run_timeout=schedule.run_timeout,
        catch_up_window=schedule.catch_up.window,
    )


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

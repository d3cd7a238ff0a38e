"""The records of runs at their claim: everything that a run needs, frozen."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import tzdata

from orchestrator import __version__, ids
from orchestrator.enums import After, AttemptState, Overlap
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.attempt import Attempt, FrozenTask
from orchestrator.ledger.record import Action, Decided, Kind, Record, Versions
from orchestrator.ledger.request import Request
from orchestrator.ledger.results import CollectState
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Occurrence, Schedule
from orchestrator.timing.occurrences import following, in_force, previous
from orchestrator.timing.zones import parse_zone

VERSIONS: Final = Versions(product=__version__, tzdata=tzdata.IANA_VERSION)


def scheduled(  # noqa: PLR0913 - a claim has that many sources
    schedule: Schedule,
    occurrence: Occurrence,
    state: ScheduleState,
    results: CollectState,
    *,
    after: After | None,
    now: datetime,
) -> Record:
    """Return the record of a run that its schedule asks for."""
    nominal = occurrence.nominal
    upcoming = following(state.timings, nominal)
    record = _claimed_record(
        schedule, ids.run_id(schedule.id, nominal), occurrence, state, results, now=now
    )
    attempt = replace(record.attempt, after=after, not_before=jittered(schedule, nominal, upcoming))
    until = None if schedule.overlap is Overlap.QUEUE else upcoming
    return replace(record, task=_retried_until(record.task, until)).with_attempt(attempt)


def claim_requested(  # noqa: PLR0913 - a claim has that many sources
    schedule: Schedule,
    occurrence: Occurrence,
    state: ScheduleState,
    results: CollectState,
    request: Request,
    *,
    kind: Kind,
    now: datetime,
) -> Record:
    """Return the record of a run that an operator asks for: at once, without jitter."""
    run_id = (
        ids.trigger_id(schedule.id, request.key or request.id)
        if kind is Kind.TRIGGERED
        else ids.run_id(schedule.id, occurrence.nominal)
    )
    given = request.environment or {}
    asked = replace(schedule, environment={**schedule.environment, **given})
    record = _claimed_record(asked, run_id, occurrence, state, results, now=now)
    return replace(
        record,
        kind=kind,
        request=request.id,
        by=request.by,
        note=request.note,
        parameters=given,
        forced=request.force,
    )


def jittered(schedule: Schedule, nominal: datetime, upcoming: datetime | None) -> datetime | None:
    """
    Return when a run may start: put off by up to ``jitter``, but not to the next occurrence.

    Each occurrence has its own amount, always the same: it is made of the schedule and the time.
    """
    limit = min(schedule.jitter, upcoming - nominal) if upcoming else schedule.jitter
    seconds = int(limit.total_seconds())
    if seconds <= 0:
        return None
    digest = hashlib.sha256(ids.run_id(schedule.id, nominal).encode()).digest()
    return nominal + timedelta(seconds=int.from_bytes(digest[:8]) % seconds)


def _claimed_record(  # noqa: PLR0913 - a claim has that many sources
    schedule: Schedule,
    run_id: RunId,
    occurrence: Occurrence,
    state: ScheduleState,
    results: CollectState,
    *,
    now: datetime,
) -> Record:
    attempt = Attempt(number=1, job_id=run_id, state=AttemptState.CLAIMED, claimed=now)
    return Record(
        run_id=run_id,
        schedule=schedule.id,
        nominal=occurrence.nominal,
        about=schedule.about,
        merged=occurrence.merged,
        moved_from=occurrence.moved_from,
        previous_success_unknown=not _known(results, schedule.id),
        decision=Decided(action=Action.SUBMIT, at=now),
        task=FrozenTask(
            command=schedule.command,
            environment={
                **schedule.environment,
                **_task_environment(schedule, run_id, occurrence.nominal, state, results),
            },
            start_timeout=schedule.start_timeout,
            run_timeout=schedule.run_timeout,
            catch_up_window=schedule.catch_up.window,
            outputs=schedule.outputs,
            last_words=schedule.last_words,
            retries=schedule.retries,
            allow=schedule.overlap is Overlap.ALLOW,
            prices=schedule.prices,
        ),
        attempts=(attempt,),
        versions=VERSIONS,
    )


def _retried_until(task: FrozenTask | None, until: datetime | None) -> FrozenTask | None:
    return replace(task, retry_until=until) if task else None


def _task_environment(
    schedule: Schedule,
    run_id: RunId,
    nominal: datetime,
    state: ScheduleState,
    results: CollectState,
) -> Mapping[str, str]:
    """
    Return the variables of the task; ``RECUR_ATTEMPT`` is added for each attempt.

    A variable whose value there is not (no success yet) is left out rather than empty. Where the
    last success is not known, another variable says so.
    """
    earlier = previous(state.timings, nominal)
    known = results.schedules.get(schedule.id)
    success = known.last_success if known else None
    recurrence = in_force(state.timings, nominal).recurrence or schedule.recurrence
    local = nominal.astimezone(parse_zone(recurrence.time_zone))
    environment = {
        "RECUR_SCHEDULE": schedule.id,
        "RECUR_RUN_ID": run_id,
        "RECUR_NOMINAL_TIME": _utc(nominal),
        "RECUR_NOMINAL_TIME_LOCAL": local.isoformat(),
        "RECUR_WINDOW_END": _utc(nominal),
    }
    if earlier:
        environment["RECUR_WINDOW_START"] = _utc(earlier)
    if success and success < nominal:
        environment["RECUR_PREVIOUS_SUCCESS"] = _utc(success)
    if not _known(results, schedule.id):
        environment["RECUR_PREVIOUS_SUCCESS_UNKNOWN"] = "1"
    return environment


def _known(results: CollectState, schedule: ScheduleId) -> bool:
    """Whether all is known of the finished runs of a schedule."""
    known = results.schedules.get(schedule)
    return known is None or known.known


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

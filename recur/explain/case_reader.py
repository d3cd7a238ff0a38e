"""What the ledger holds of the instants that are to be explained, read into cases."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobProperties, ContainerClient

from orchestrator import ids
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Kind, Record
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Timing
from recur.causes.surroundings import Surroundings
from recur.errors import CliError, Exit
from recur.explain.case import Background, Case, Fact
from recur.explain.time_argument import Question
from recur.formats import local
from recur.ledger_reader.record_blobs import record_blob
from recur.ledger_reader.records import History, OpenRuns
from recur.ledger_reader.run_state import run_state
from recur.ledger_reader.shares import share_of
from recur.ledger_reader.snapshot import Snapshot, zone_of
from recur.timing_lookup import lies_within, occurrence_after, occurrence_at, occurrence_before

_MOST_TRIGGERS: Final = 128
"""So many records are read: the names of triggers do not tell their times, only when they ended."""

type Period = tuple[datetime, datetime]
"""From the first instant up to the second, which is left out."""


def read_background(
    ledger: ContainerClient,
    snapshot: Snapshot,
    schedule: ScheduleId,
    work: OpenRuns,
    around: Surroundings,
) -> Background:
    """
    Read what holds for all occurrences of one schedule.

    Raises:
        CliError: submit.json cannot be read.
    """
    submitted = _properties(ledger, ids.SUBMIT_STATE)
    if submitted and snapshot.state is None:
        raise CliError(Exit.FOUND, "; ".join(snapshot.doubts), "recur doctor")
    document = _properties(ledger, ids.DOCUMENT)
    state = snapshot.schedule(schedule)
    changed = None
    if snapshot.state and document and document.etag != snapshot.state.document:
        changed = document.last_modified
    opened = [run for run in work.runs if run.schedule == schedule]
    table = snapshot.document.schedules.get(schedule) if snapshot.document else None
    return Background(
        schedule=schedule,
        zone=zone_of(snapshot, schedule) or UTC,
        state=state or _future_state(snapshot, schedule),
        taken_over=state is not None,
        trouble=_trouble(snapshot, schedule),
        changed=changed,
        written=submitted.last_modified if submitted else None,
        open_runs=tuple(sorted(opened, key=lambda run: run.nominal)),
        about=table.about if table else None,
        around=around,
    )


def _future_state(snapshot: Snapshot, schedule: ScheduleId) -> ScheduleState | None:
    """Return the state that a schedule of the document will have once a tick has seen it."""
    table = snapshot.document.schedules.get(schedule) if snapshot.document else None
    if table is None:
        return None
    since = table.start - timedelta(seconds=1) if table.start else snapshot.now
    timing = Timing(since=since, recurrence=table.recurrence, paused=table.paused)
    return ScheduleState(timings=(timing,), decided_until=since)


def _trouble(snapshot: Snapshot, schedule: ScheduleId) -> str | None:
    """Say what is wrong with the document, if that keeps the schedule undecided."""
    if snapshot.document is None:
        return "; ".join(snapshot.doubts) or f"There is no {ids.DOCUMENT} in the ledger"
    if schedule not in snapshot.document.invalid:
        return None
    problems = (one for one in snapshot.document.problems if one.schedule in {schedule, None})
    return "; ".join(str(one) for one in problems) or "Its table is invalid"


def _properties(ledger: ContainerClient, name: str) -> BlobProperties | None:
    try:
        return ledger.get_blob_client(name).get_blob_properties()
    except ResourceNotFoundError:
        return None


def read_cases(
    history: History,
    snapshot: Snapshot,
    questions: Sequence[Question],
    background: Background,
    work: OpenRuns,
) -> list[Case]:
    """Read what the ledger holds for each instant: first what is open, then what is final."""
    schedule = background.schedule
    cases = [_case(one, background) for one in questions]
    runs = [ids.run_id(schedule, one.nominal) for one in cases]
    listed = {run.run_id for run in background.open_runs}
    opened = _records_by_blob(history, [ids.open_blob(run) for run in runs if run in listed])
    blobs = [
        ids.final_blob(schedule, one.nominal, run) for one, run in zip(cases, runs, strict=True)
    ]
    final = _records_by_blob(history, blobs)
    planned = {one.run_id: one for one in snapshot.state.plan} if snapshot.state else {}
    filled = (
        replace(
            case,
            open=opened.get(ids.open_blob(run)),
            final=final.get(blob),
            blob=blob,
            planned=planned.get(run),
            unreadable=_unreadable_facts(history, work, run, blob),
        )
        for case, run, blob in zip(cases, runs, blobs, strict=True)
    )
    ranged = [_with_range(history, case, background) for case in filled]
    periods = [
        (one.instant, one.until) if one.day else _minute_of(one.instant) for one in questions
    ]
    beside = _triggered(history, background, periods)
    return [replace(case, triggered=facts) for case, facts in zip(ranged, beside, strict=True)]


def _case(question: Question, background: Background) -> Case:
    """Look at the timings: is anything due at this instant, and if not, what is nearest."""
    state, instant = background.state, question.instant
    if state is None:
        return Case(nominal=instant, occurrence=None, notes=question.notes)
    occurrence = None if question.day else occurrence_at(state.timings, instant)
    alone = occurrence is None
    return Case(
        nominal=instant,
        occurrence=occurrence,
        notes=question.notes,
        day=question.day,
        before=occurrence_before(state.timings, instant) if alone else None,
        after=occurrence_after(state.timings, question.until) if alone else None,
    )


def _with_range(history: History, case: Case, background: Background) -> Case:
    """Look for the range that an occurrence without a record of its own lies in."""
    recorded = case.open or case.final or case.planned or case.unreadable
    if recorded or case.occurrence is None or case.nominal > background.now:
        return case
    found = history.range_with(background.schedule, case.nominal)
    if found:
        return replace(case, final=share_of(found[0], case.occurrence), blob=found[1])
    timings = background.state.timings if background.state else ()
    within = (
        Fact(source=blob, says=f"it cannot be read: {why}")
        for blob, why in history.unreadable.items()
        if (one := record_blob(blob))
        and one.nominal
        and one.schedule == background.schedule
        and lies_within(timings, case.nominal, first=one.nominal, count=one.count)
    )
    return replace(case, unreadable=tuple(within))


def _unreadable_facts(history: History, work: OpenRuns, run: RunId, final: str) -> tuple[Fact, ...]:
    """Say why what there is of a run cannot be read, the open record first."""
    opened = ids.open_blob(run)
    facts = [
        Fact(source=blob, says=f"it cannot be read: {history.unreadable[blob]}")
        for blob in (opened, final)
        if blob in history.unreadable
    ]
    if run in work.unlisted:
        says = f"the ticks leave it alone: {work.unlisted[run]}"
        facts.insert(0, Fact(source=opened, says=says))
    return tuple(facts)


def _records_by_blob(history: History, blobs: Sequence[str]) -> dict[str, Record]:
    found = zip(blobs, history.records(blobs), strict=True)
    return {blob: record for blob, record in found if record}


def _minute_of(instant: datetime) -> Period:
    """Return the minute that an instant lies in."""
    begin = instant.replace(second=0, microsecond=0)
    return begin, begin + timedelta(minutes=1)


def _triggered(
    history: History, background: Background, periods: Sequence[Period]
) -> list[tuple[Fact, ...]]:
    """
    Return of each span the triggered runs whose nominal time lies in it, as evidence.

    Found are the open ones, and of the others the first 128 that ended after the periods began.
    """
    found: dict[str, tuple[datetime, Fact]] = {}
    for run in background.open_runs:
        if run.kind is Kind.TRIGGERED and any(begin <= run.nominal < end for begin, end in periods):
            at = local(run.nominal, background.zone)
            says = f"a triggered run has this time, {at}: {run.run_id}, which has not ended"
            fact = Fact(source=ids.open_blob(run.run_id), says=says)
            found[run.run_id] = run.nominal, fact
    first = min(begin for begin, _ in periods)
    later = [
        (one.modified, one.blob)
        for one in history.triggered([background.schedule])
        if one.modified and one.modified >= first
    ]
    blobs = [blob for _, blob in sorted(later)[:_MOST_TRIGGERS]]
    for blob, record in zip(blobs, history.records(blobs), strict=True):
        if record:
            at = local(record.nominal, background.zone)
            word = run_state(record, background.now, is_open=False).word
            says = f"a triggered run has this time, {at}: {record.run_id}, {word}"
            found[record.run_id] = record.nominal, Fact(source=blob, says=says)
    return [
        tuple(
            fact
            for nominal, fact in sorted(found.values(), key=_fact_time)
            if begin <= nominal < end
        )
        for begin, end in periods
    ]


def _fact_time(found: tuple[datetime, Fact]) -> datetime:
    return found[0]

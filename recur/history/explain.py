"""`recur explain`: one sentence about an occurrence, whatever became of it, and the evidence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobProperties, ContainerClient

from orchestrator import ids
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Record
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Timing
from recur.app import Context
from recur.errors import CliError, Exit
from recur.history.asking import Asked, asked, parse
from recur.history.evidence import WRONG, Background, Case, Explanation, Fact
from recur.history.explaining import explain
from recur.history.names import entry
from recur.history.nearby import after, before, lies_within, occurrence_at
from recur.history.past import past_schedule
from recur.history.reading import History, OpenList
from recur.history.standing import utc
from recur.history.telling import tell
from recur.history.triggers import minute_of, triggered
from recur.known import Known, look_at, zone_of


def explain_time(given: Context, schedule: str, text: str) -> Exit:
    """
    Explain the occurrences that ``text`` means.

    Raises:
        CliError: There is no such schedule, or ``text`` is no time.
    """
    ledger = given.target().ledger()
    known = look_at(ledger)
    history = History(ledger, given.output)
    id_ = past_schedule(history, known, schedule)
    work = history.open_list()
    background = _background(ledger, known, id_, work)
    timings = background.state.timings if background.state else ()
    questions = asked(parse(text), timings, background.zone)
    cases = _cases(history, known, questions, background, work)
    found = [explain(case, background) for case in cases]
    tell(given.output, found, background)
    given.output.result(
        {
            "schedule": id_,
            "asked": text,
            "explanations": [_told(one, background) for one in found],
        }
    )
    return Exit.FOUND if any(one.verdict in WRONG for one in found) else Exit.DONE


def _background(
    ledger: ContainerClient, known: Known, schedule: ScheduleId, work: OpenList
) -> Background:
    submitted = _properties(ledger, ids.SUBMIT_STATE)
    if submitted and known.state is None:
        raise CliError(Exit.FOUND, "; ".join(known.doubts), "recur doctor")
    document = _properties(ledger, ids.DOCUMENT)
    state = known.schedule(schedule)
    changed = None
    if known.state and document and document.etag != known.state.document:
        changed = document.last_modified
    opened = [run for run in work.runs if run.schedule == schedule]
    return Background(
        schedule=schedule,
        zone=zone_of(known, schedule) or UTC,
        state=state or _coming(known, schedule),
        taken_over=state is not None,
        trouble=_trouble(known, schedule),
        changed=changed,
        written=submitted.last_modified if submitted else None,
        open_runs=tuple(sorted(opened, key=lambda run: run.nominal)),
        now=known.now,
    )


def _coming(known: Known, schedule: ScheduleId) -> ScheduleState | None:
    """Return the state that a schedule of the document will have once a tick has seen it."""
    table = known.document.schedules.get(schedule) if known.document else None
    if table is None:
        return None
    since = table.start - timedelta(seconds=1) if table.start else known.now
    timing = Timing(since=since, recurrence=table.recurrence, paused=table.paused)
    return ScheduleState(timings=(timing,), decided_until=since)


def _trouble(known: Known, schedule: ScheduleId) -> str | None:
    """Say what is wrong with the document, if that keeps the schedule undecided."""
    if known.document is None:
        return "; ".join(known.doubts) or f"There is no {ids.DOCUMENT} in the ledger"
    if schedule not in known.document.invalid:
        return None
    problems = (one for one in known.document.problems if one.schedule in {schedule, None})
    return "; ".join(str(one) for one in problems) or "Its table is invalid"


def _properties(ledger: ContainerClient, name: str) -> BlobProperties | None:
    try:
        return ledger.get_blob_client(name).get_blob_properties()
    except ResourceNotFoundError:
        return None


def _cases(
    history: History,
    known: Known,
    questions: Sequence[Asked],
    background: Background,
    work: OpenList,
) -> list[Case]:
    """Read what the ledger holds for each instant: first what is open, then what is final."""
    schedule = background.schedule
    cases = [_case(one, background) for one in questions]
    runs = [ids.run_id(schedule, one.nominal) for one in cases]
    listed = {run.run_id for run in background.open_runs}
    opened = _read(history, [ids.open_blob(run) for run in runs if run in listed])
    blobs = [
        ids.final_blob(schedule, one.nominal, run) for one, run in zip(cases, runs, strict=True)
    ]
    final = _read(history, blobs)
    planned = {one.run_id: one for one in known.state.plan} if known.state else {}
    filled = (
        replace(
            case,
            open=opened.get(ids.open_blob(run)),
            final=final.get(blob),
            blob=blob,
            planned=planned.get(run),
            unreadable=_unreadable(history, work, run, blob),
        )
        for case, run, blob in zip(cases, runs, blobs, strict=True)
    )
    ranged = [_with_range(history, case, background) for case in filled]
    spans = [(one.instant, one.until) if one.day else minute_of(one.instant) for one in questions]
    beside = triggered(history, background, spans)
    return [replace(case, triggered=facts) for case, facts in zip(ranged, beside, strict=True)]


def _case(question: Asked, background: Background) -> Case:
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
        before=before(state.timings, instant) if alone else None,
        after=after(state.timings, question.until) if alone else None,
    )


def _with_range(history: History, case: Case, background: Background) -> Case:
    """Look for the range that an occurrence without a record of its own lies in."""
    recorded = case.open or case.final or case.planned or case.unreadable
    if recorded or case.occurrence is None or case.nominal > background.now:
        return case
    found = history.range_with(background.schedule, case.nominal)
    if found:
        return replace(case, final=found[0], blob=found[1])
    timings = background.state.timings if background.state else ()
    within = (
        Fact(source=blob, says=f"it cannot be read: {why}")
        for blob, why in history.unreadable.items()
        if (one := entry(blob))
        and one.nominal
        and one.schedule == background.schedule
        and lies_within(timings, case.nominal, first=one.nominal, count=one.count)
    )
    return replace(case, unreadable=tuple(within))


def _unreadable(history: History, work: OpenList, run: RunId, final: str) -> tuple[Fact, ...]:
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


def _read(history: History, blobs: Sequence[str]) -> dict[str, Record]:
    found = zip(blobs, history.records(blobs), strict=True)
    return {blob: record for blob, record in found if record}


def _told(one: Explanation, background: Background) -> dict[str, Any]:
    return {
        "verdict": one.verdict,
        "run_id": ids.run_id(background.schedule, one.nominal),
        "nominal": utc(one.nominal),
        "local": one.nominal.astimezone(background.zone).isoformat(),
        "sentence": one.sentence,
        "facts": one.facts,
        "next": one.next_step,
    }

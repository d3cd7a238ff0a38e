"""What `recur status` reads of a deployment in which all is well, for tests to change."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator import ids
from orchestrator.batch_state import Node, Pool
from orchestrator.document.parse import parse
from orchestrator.enums import AttemptState, Outcome
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Kind
from orchestrator.ledger.results import CollectState, ScheduleResults
from orchestrator.ledger.state import OpenRun, ScheduleState, SubmitState
from orchestrator.ledger.summaries import NotRun, Recent, RecentRun, ScheduleRecent
from orchestrator.model import Timing
from recur.causes.surroundings import OpenLine, Surroundings, Unreadable
from recur.status.readings import Blob, InForce, Readings, TimerNote, Work

NOW = datetime(2026, 6, 2, 3, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ACCOUNT = "https://batch.example"
NIGHTLY = ScheduleId("nightly")
TWO = datetime(2026, 6, 2, 2, tzinfo=UTC)
"""The newest occurrence of the schedule."""

TEXT = '[schedules.nightly]\ncron = "0 2 * * *"\ncommand = "true"\n'
POOL = Pool(state="active", packages={}, image=None, target=0, current=0)
_AROUND = {one.name for one in fields(Surroundings)}
NOBODY = Unreadable(why="access is refused", next_step="the role Reader is missing")


def document(text: str = TEXT, *, modified: datetime = NOW - HOUR) -> Blob[InForce]:
    """Return a document in force."""
    return Blob(content=InForce(document=parse(text), number=3), etag="e", modified=modified)


def state(**changes: Any) -> ScheduleState:  # noqa: ANN401 - fields of the state
    """Return the state of the schedule, decided up to its newest occurrence."""
    timing = Timing(
        since=NOW - 30 * 24 * HOUR, recurrence=parse(TEXT).schedules[NIGHTLY].recurrence
    )
    return replace(ScheduleState(timings=(timing,), decided_until=TWO), **changes)


def submit(
    schedule: ScheduleState | None = None,
    *,
    modified: datetime = NOW - MINUTE,
    **changes: Any,  # noqa: ANN401
) -> Blob[SubmitState]:
    """Return submit.json with the state of the schedule."""
    content = SubmitState(
        ledger="l", owner=ACCOUNT, document="e", schedules={NIGHTLY: schedule or state()}
    )
    return Blob(content=replace(content, **changes), etag="s", modified=modified)


def recent_run(
    outcome: Outcome = Outcome.SUCCEEDED, reason: str = "", *, nominal: datetime = TWO
) -> RecentRun:
    """Return a run that has ended, as the summaries hold it."""
    return RecentRun(
        nominal=int(nominal.timestamp()), outcome=outcome, seconds=60.0, lateness=5.0, reason=reason
    )


def recent(*runs: RecentRun, not_run: tuple[NotRun, ...] = ()) -> Recent:
    """Return the summaries with these occurrences of the schedule."""
    return Recent(schedules={NIGHTLY: ScheduleRecent(runs=runs, not_run=not_run)})


def open_line(blocked: str | None = None, **changes: Any) -> OpenLine:  # noqa: ANN401 - fields
    """Return a line of the work list: the run of two o'clock, claimed since then."""
    run = OpenRun(
        run_id=ids.run_id(NIGHTLY, TWO),
        schedule=NIGHTLY,
        nominal=TWO,
        kind=Kind.SCHEDULED,
        forced=False,
        state=AttemptState.CLAIMED,
        attempt=1,
        not_before=None,
        after=None,
        untried=False,
        blocked=blocked is not None,
        stop=False,
        since=NOW - 10 * MINUTE,
    )
    return OpenLine(run=replace(run, **changes), blocked=blocked)


def surroundings(**changes: Any) -> Surroundings:  # noqa: ANN401 - fields
    """Return what runs run in where all is well, but for these changes."""
    well = Surroundings(now=NOW, account=ACCOUNT, on_laptop=False, pool_id="recur", pool=POOL)
    return replace(well, **changes)


def readings(*lines: OpenLine, **changes: Any) -> Readings:  # noqa: ANN401 - fields
    """Return what is read where all is well, but for these open runs and changes."""
    results = ScheduleResults(last_success=TWO, last_success_finished=TWO + MINUTE)
    content = CollectState(schedules={NIGHTLY: results})
    collect = Blob(content=content, etag="c", modified=NOW - MINUTE)
    note = TimerNote(last=NOW - MINUTE / 2, following=NOW + MINUTE / 2)
    around = {name: changes.pop(name) for name in {*changes} & _AROUND}
    well = Readings(
        surroundings=surroundings(**around),
        document=document(),
        submit=submit(),
        collect=collect,
        recent=recent(recent_run()),
        work=Work(lines=lines),
        timers={"submit": note, "collect": note},
    )
    return replace(well, **changes)


def node(state_: str, **changes: Any) -> Node:  # noqa: ANN401 - fields
    """Return a node of the pool."""
    return replace(Node(id="node-1", state=state_), **changes)

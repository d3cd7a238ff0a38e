"""How the runs of one schedule ended, and what that asks for: pure functions of the summaries."""

from datetime import UTC, datetime
from typing import Final

from orchestrator import ids
from orchestrator.enums import MissReason, Outcome, Reason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Action
from orchestrator.ledger.results import ScheduleResults
from orchestrator.ledger.state import ScheduleState
from orchestrator.ledger.summaries import NotRun, RecentRun, ScheduleRecent
from recur.causes.ended_run import failed_trouble
from recur.causes.not_run import missed_cause, missed_step
from recur.causes.surroundings import Unreadable
from recur.causes.trouble import Kind, Trouble
from recur.status.readings import Blob, Readings
from recur.status.value import Last

_ASKED_FOR: Final = frozenset({Reason.STOPPED, Reason.REPLACED})
_NOTHING_TICKED: Final = frozenset({MissReason.WINDOW, MissReason.OFF})


def results_of(readings: Readings, schedule: ScheduleId) -> ScheduleResults | None:
    """Return what ``collect.json`` says of a schedule; None: that is not known."""
    if readings.collect is None:
        return ScheduleResults()
    if not isinstance(readings.collect, Blob):
        return None
    state = readings.collect.content
    if state.rebuilding and state.rebuilding.lacks(schedule):
        return None
    return state.schedules.get(schedule, ScheduleResults())


def recent_of(readings: Readings, schedule: ScheduleId) -> ScheduleRecent:
    """Return what the summaries say of a schedule: nothing where there are none."""
    if readings.recent is None or isinstance(readings.recent, Unreadable):
        return ScheduleRecent()
    return readings.recent.schedules.get(schedule, ScheduleRecent())


def last_run(
    schedule: ScheduleId, recent: ScheduleRecent, results: ScheduleResults | None
) -> Last | None:
    """Return the newest run that ended: of the summaries, else of ``collect.json``."""
    if recent.runs:
        return _of_run(schedule, recent.runs[-1])
    if results is None:
        return None
    if results.failed:
        run = results.failed[-1]
        return _failed(run, results.failed_at.get(run))
    if results.last_success:
        return Last(
            run_id=results.last_success_run,
            outcome=Outcome.SUCCEEDED,
            reason=None,
            nominal=results.last_success,
        )
    return None


def _of_run(schedule: ScheduleId, run: RecentRun) -> Last:
    nominal = datetime.fromtimestamp(run.nominal, UTC)
    return Last(
        run_id=RunId(run.run_id) if run.run_id else ids.run_id(schedule, nominal),
        outcome=run.outcome,
        reason=run.reason or None,
        nominal=nominal,
    )


def _failed(run: RunId, at: datetime | None) -> Last | None:
    parsed = ids.parse_run_id(run)
    nominal = at or (parsed[1] if parsed else None)
    return (
        Last(run_id=run, outcome=Outcome.FAILED, reason=None, nominal=nominal) if nominal else None
    )


def last_not_run(recent: ScheduleRecent, last: Last | None) -> Last | None:
    """Return the newest occurrence that did not run, if it is newer than the newest run."""
    if not recent.not_run:
        return None
    newest: NotRun = recent.not_run[-1]
    nominal = datetime.fromtimestamp(newest.last, UTC)
    if last and last.nominal >= nominal:
        return None
    return Last(run_id=None, outcome=newest.action, reason=newest.reason, nominal=nominal)


def outcome_trouble(
    schedule: ScheduleId,
    last: Last | None,
    recent: ScheduleRecent,
    state: ScheduleState | None,
    *,
    on_laptop: bool,
) -> Trouble | None:
    """Return what the newest outcome of a schedule asks for; None: nothing."""
    if missed := _missed(recent, last):
        first, last_ = (datetime.fromtimestamp(one, UTC) for one in (missed.nominal, missed.last))
        return Trouble(
            kind=Kind.MISSED,
            schedule=schedule,
            since=last_,
            cause=missed_cause(missed.reason),
            next_step=missed_step(schedule, missed.reason, first, last_, on_laptop=on_laptop),
        )
    if last is None or last.run_id is None or _is_forgiven(last, state):
        return None
    if last.outcome == Outcome.SUCCEEDED or last.reason in _ASKED_FOR:
        return None
    return failed_trouble(
        schedule=schedule,
        run_id=last.run_id,
        nominal=last.nominal,
        outcome=last.outcome,
        reason=last.reason,
        on_laptop=on_laptop,
    )


def _missed(recent: ScheduleRecent, last: Last | None) -> NotRun | None:
    """Return the newest occurrences, if they came due while nothing ticked."""
    if last_not_run(recent, last) is None:
        return None
    newest = recent.not_run[-1]
    missed = newest.action == Action.MISSED and newest.reason in _NOTHING_TICKED
    return newest if missed else None


def _is_forgiven(last: Last, state: ScheduleState | None) -> bool:
    """Whether somebody resumed the schedule since: then the failure has been seen."""
    if state is None:
        return False
    until = state.forgiven_until
    return last.run_id in state.forgiven or (until is not None and last.nominal <= until)

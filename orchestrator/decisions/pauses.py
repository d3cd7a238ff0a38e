"""Pauses of one schedule: by an operator's word, or after failures. Pure functions of its state."""

from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.decisions.timings import TIMINGS_KEPT
from orchestrator.ids import RunId
from orchestrator.ledger.request import Request
from orchestrator.ledger.results import ScheduleResults, failed_after
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Pause, Schedule

RECUR = "recur"
"""Who paused a schedule after failures."""

_A_SECOND = timedelta(seconds=1)
_LONGEST_NAME = 100
_LONGEST_NOTE = 200
"""Characters of a pause that submit.json keeps; the answer to its request has all of them."""

_FORGIVEN_KEPT = 8
"""Failed runs that a resume writes down: the newest. It forgives all that are older as well."""


def pausing(state: ScheduleState, now: datetime) -> tuple[Pause, ...]:
    """Return the pauses that hold now or later."""
    return tuple(pause for pause in state.pauses if pause.until is None or pause.until > now)


def pause(state: ScheduleState, request: Request, made: datetime) -> ScheduleState:
    """
    Return ``state``, paused from the making of a request on.

    What is decided stays decided. A pause that holds already gets this request's end and note.
    The same request twice changes nothing.
    """
    if any(one.request == request.id for one in state.pauses):
        return state
    at = max(made, state.decided_until)
    holds = any(one.holds(at) for one in state.pauses)
    new = Pause(
        since=at - _A_SECOND if holds else at,  # an occurrence at this very second stays paused
        until=request.until,
        by=_shortened(request.by, _LONGEST_NAME),
        note=_shortened(request.note, _LONGEST_NOTE) if request.note else None,
        request=request.id,
    )
    return replace(state, pauses=(*_end_pauses(state.pauses, at, request.id), new))


def resume(
    state: ScheduleState, request: Request, made: datetime, results: ScheduleResults
) -> ScheduleState:
    """
    Return ``state`` with its pauses ended where a request was made, its failures forgiven.

    Paused occurrences that are not decided yet stay paused: the pause held at their time.
    """
    return replace(
        state,
        pauses=_end_pauses(state.pauses, max(made, state.decided_until), request.id),
        forgiven=results.failed[-_FORGIVEN_KEPT:],
        forgiven_until=state.forgiven_until if results.known else made,
    )


def failures(state: ScheduleState, results: ScheduleResults) -> int:
    """Return how many runs have failed since the last success or resume, in this life of it."""
    return len(_failed(state, results))


def after_failures(
    state: ScheduleState, schedule: Schedule, results: ScheduleResults
) -> ScheduleState:
    """
    Return ``state``, paused from its watermark on if as many runs failed as should pause it.

    While results are being made anew, failures that are known may be older than a success.
    """
    if not results.known:
        return state
    most = schedule.pause_after_failures
    failed = _failed(state, results)
    if most is None or len(failed) < most or any(one.until is None for one in state.pauses):
        return state
    note = f"{len(failed)} runs have failed since the last success, most recently {failed[-1]}"
    new = Pause(since=state.decided_until, by=RECUR, note=note)
    return replace(state, pauses=(*state.pauses, new))


def _failed(state: ScheduleState, results: ScheduleResults) -> tuple[RunId, ...]:
    """Return the failed runs that count, oldest first."""
    begins = [timing.since for timing in state.timings if timing.removed]
    begins += [one for one in (state.returned, state.forgiven_until) if one]
    begun = max(begins, default=None)
    failed = failed_after(results, begun) if begun else results.failed
    if state.forgiven and state.forgiven[0] in failed and len(state.forgiven) >= _FORGIVEN_KEPT:
        failed = failed[failed.index(state.forgiven[0]) :]
    return tuple(run for run in failed if run not in state.forgiven)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _end_pauses(pauses: tuple[Pause, ...], at: datetime, request: str) -> tuple[Pause, ...]:
    """End what holds beyond ``at``, and forget pauses of long ago."""
    kept: list[Pause] = []
    for one in pauses:
        if one.until is not None and one.until <= at:
            if one.until > at - TIMINGS_KEPT:
                kept.append(one)
        elif one.since < at:
            kept.append(replace(one, until=at, resumed_by=request))
    return tuple(kept)

"""
The numbers by which an alert tells that a schedule is overdue: a pure function of values.

Only this code knows cron and time zones; the alert's query compares two numbers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.decisions.retry import backoff
from orchestrator.ledger.results import ScheduleResults
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Pause, Schedule
from orchestrator.timing.occurrences import ended, latest

MARGIN = timedelta(minutes=15)
"""For the collector, after both timeouts of a run have passed."""

_UNKNOWN_TIMEOUTS = timedelta(hours=6, minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    How one schedule stands.

    Attributes:
        seconds_since_success: Since a run last ended well; before the first, since the schedule
            began.
        max_gap_seconds: It should not be more than this; None as long as nothing is expected, and
            while results are being made anew.
        expected: The newest occurrence that must have ended by now. Whatever ended well since
            then, be it this run or the one that was in its way, answers for it.
        last_success: Nominal time of the newest run that succeeded.
        failed: How many runs ended otherwise since.
        paused: Whether occurrences are skipped at present, by somebody's wish.
        ended: Whether its last occurrence is over: nothing is expected of it any more.
    """

    seconds_since_success: float
    max_gap_seconds: float | None
    expected: datetime | None
    last_success: datetime | None
    failed: int
    paused: bool
    ended: bool


def report(
    state: ScheduleState, schedule: Schedule | None, results: ScheduleResults, now: datetime
) -> Report:
    """
    Say how a schedule stands.

    Args:
        state: Its timings; it has not been removed.
        schedule: Its table; None while that is invalid.
        results: What is known of its finished runs.
        now: The tick's only clock.
    """
    over = ended(state.timings, now)
    expected = None if over else _expected(state, now - _longest(schedule) - MARGIN)
    since = results.last_success_finished or state.begin
    return Report(
        seconds_since_success=max(0.0, (now - since).total_seconds()),
        max_gap_seconds=(now - expected).total_seconds() if expected and results.known else None,
        expected=expected,
        last_success=results.last_success,
        failed=len(results.failed),
        paused=state.timings[-1].paused or any(one.holds(now) for one in _asked(state)),
        ended=over,
    )


def _asked(state: ScheduleState) -> list[Pause]:
    """Return the pauses that somebody asked for: one after failures is to be heard of."""
    return [one for one in state.pauses if one.request]


def _longest(schedule: Schedule | None) -> timedelta:
    """Return how long a run may take, from its nominal time on, with all its attempts."""
    if schedule is None:
        return _UNKNOWN_TIMEOUTS
    once, retries = schedule.start_timeout + schedule.run_timeout, schedule.retries
    pauses = (backoff(retries.backoff, attempt + 1) for attempt in range(retries.max))
    return schedule.jitter + once * (retries.max + 1) + sum(pauses, timedelta())


def _expected(state: ScheduleState, until: datetime) -> datetime | None:
    """Return the newest occurrence up to ``until`` that nobody wished to be skipped."""
    while (found := latest(state.timings, until)) is not None:
        pause = next((one for one in _asked(state) if one.holds(found)), None)
        if pause is None:
            return found
        until = pause.since
    return None

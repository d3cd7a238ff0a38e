"""
What a task knows of the run it belongs to.

    import recur_run

    run = recur_run.current()
    print(run.schedule, run.nominal_time)

Use the nominal time, not the clock, to choose what to work on: a run that comes late, or once more
after its node was lost, then still does the same work.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


class NotARunError(Exception):
    """The environment is not that of a run."""


@dataclass(frozen=True)
class Run:
    """
    One run of a schedule.

    Attributes:
        schedule: Name of the schedule.
        run_id: Name of the run, unique for ever.
        attempt: 1, and one more for each retry of the same run.
        nominal_time: When it should have started, in UTC.
        nominal_time_local: The same moment in the zone of the schedule.
        previous_success: Nominal time of the last run that succeeded, if there is one.
        window_start: Start of the time that this run is to cover, if it has one.
        window_end: Its end, which belongs to the next run.
    """

    schedule: str
    run_id: str
    attempt: int
    nominal_time: datetime
    nominal_time_local: datetime
    previous_success: datetime | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None

    def lateness(self, now: datetime) -> timedelta:
        """Return how long after its nominal time a moment is."""
        return now - self.nominal_time


def current(environment: Mapping[str, str] = os.environ) -> Run:
    """
    Read the run from the RECUR_* variables of the environment.

    Raises:
        NotARunError: A variable is missing or is not what it should be; the message names it.
    """
    nominal = _time(environment, "RECUR_NOMINAL_TIME")
    if nominal is None:
        raise NotARunError("RECUR_NOMINAL_TIME is not set: is this a task of a schedule?")
    attempt = environment.get("RECUR_ATTEMPT") or "1"
    if not attempt.isdecimal():
        raise NotARunError(f"RECUR_ATTEMPT is not a number: {attempt}")
    return Run(
        schedule=_text(environment, "RECUR_SCHEDULE"),
        run_id=_text(environment, "RECUR_RUN_ID"),
        attempt=int(attempt),
        nominal_time=nominal.astimezone(UTC),
        nominal_time_local=_time(environment, "RECUR_NOMINAL_TIME_LOCAL") or nominal,
        previous_success=_time(environment, "RECUR_PREVIOUS_SUCCESS"),
        window_start=_time(environment, "RECUR_WINDOW_START"),
        window_end=_time(environment, "RECUR_WINDOW_END"),
    )


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise NotARunError(f"{name} is not set: is this a task of a schedule?")
    return value


def _time(environment: Mapping[str, str], name: str) -> datetime | None:
    text = environment.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotARunError(f"{name} is not a time: {text}") from error
    if moment.tzinfo is None:
        raise NotARunError(f"{name} has no time zone: {text}")
    return moment

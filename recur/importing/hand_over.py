"""A schedule takes over from a job schedule: nothing runs twice, and nothing is left out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from azure.core.exceptions import AzureError

from orchestrator.ids import ScheduleId
from orchestrator.model import Schedule
from recur.errors import CliError, Exit
from recur.importing.handed_table import HandedTable, coming, is_as_before
from recur.importing.job_schedule import to_second
from recur.importing.live_job_schedule import LiveJobSchedule, Seen, changed_meanwhile
from recur.importing.table_in_force import document_in_force, put_table_in_force, schedule_in
from recur.importing.turning_point import Mark, first_without_job
from recur.requests.options import RequestOptions
from recur.service_errors import in_our_words
from recur.target import Target

CLOSE_CALL: Final = timedelta(seconds=5)
"""Nothing is changed so shortly before or after an instant: Batch may be about to make its job."""

_LOOK_SECONDS: Final = 1.0
_SETTLED_SECONDS: Final = 60.0
"""How long an instant may be over, and its job not be there, before the instant counts as left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakingOver:
    """
    A schedule that is to take over.

    Attributes:
        table: Its table, whose ``start`` is set anew.
        why: Who puts it in force, and why.
        wait: How long to wait for an active job; zero: not at all.
    """

    table: HandedTable
    why: RequestOptions
    wait: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """
    What a hand-over would do now.

    Attributes:
        first: The first occurrence of the schedule, or an earlier time where its table was changed.
        as_before: Whether the schedule is due when the job schedule would be.
        inherits: Whether it may inherit values from the defaults in force.
    """

    first: datetime
    as_before: bool
    inherits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """
    How a hand-over ended.

    Attributes:
        job_schedule: Which is disabled.
        schedule: Which runs now.
        first: Its first occurrence.
        version: Of the document that put it in force; None if it was in force before.
        coming: Its first few occurrences.
    """

    job_schedule: str
    schedule: ScheduleId
    first: datetime
    version: int | None
    coming: tuple[datetime, ...]


class HandOver:
    """The steps from a job schedule to a schedule; each can be the last, and all can be repeated."""

    def __init__(
        self,
        target: Target,
        live: LiveJobSchedule,
        given: TakingOver,
        *,
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Prepare it.

        Args:
            target: The deployment.
            live: The job schedule.
            given: The schedule.
            say: Told what goes on.
            sleep: Waits for a number of seconds.
        """
        self._target = target
        self._live = live
        self._given = given
        self._say = say
        self._sleep = sleep
        self._checked: str | None = None

    def check(self, seen: Seen) -> Prospect | HandedOver:
        """
        Check that it can be done, and change nothing.

        Returns:
            What would be done, or the end of it, if it was done before.

        Raises:
            CliError: It cannot be done.
        """
        name, id_ = self._live.name, self._given.table.schedule
        begun = seen.mark if seen.state == "disabled" else None
        if seen.state not in {"active", "disabled"} or (seen.state == "disabled" and not begun):
            raise CliError(
                Exit.REFUSED,
                f"job schedule {name} is {seen.state}: there is nothing to hand over",
                f"recur import job-schedule {name} prints its table; recur apply FILE --only",
            )
        if begun and begun.schedule != id_:
            raise CliError(
                Exit.REFUSED,
                f"job schedule {name} is being handed over to schedule {begun.schedule!r}, not to {id_!r}",
                "use that schedule id in the table",
            )
        if seen.instants.next_run is None:
            raise CliError(Exit.REFUSED, f"job schedule {name} has no next run", None)
        in_force, _ = document_in_force(self._target)
        there = schedule_in(in_force, id_)
        if there and begun is None:
            raise CliError(
                Exit.REFUSED,
                f"schedule {id_!r} is already in force, and job schedule {name} is active: both may run",
                f"use another id in --table FILE; or az batch job-schedule disable --job-schedule-id {name}",
            )
        if there and begun and there.paused:
            raise CliError(
                Exit.REFUSED,
                f"schedule {id_!r} is in force and paused, and job schedule {name} is disabled: nothing runs",
                "recur import job-schedule prints its table; remove paused, then recur apply FILE --only",
            )
        if there and begun:
            first = there.start or begun.next_run
            return self._ended(there, first, None)
        first = begun.next_run if begun else seen.instants.next_run
        merged = self._given.table.merged(in_force, first)
        self._checked = seen.etag
        return Prospect(
            first=to_second(first),
            as_before=is_as_before(merged.schedule, seen.instants, first),
            inherits=merged.inherits,
        )

    def run(self) -> HandedOver:
        """
        Disable the job schedule, and put the schedule in force from its first instant without a job.

        Raises:
            CliError: It could not be done, or not to its end; the message says what was changed.
        """
        seen = self._live.look()
        if seen.state == "disabled" and seen.mark:
            self._say(f"job schedule {self._live.name} is already disabled: continuing from there")
            mark = seen.mark
        else:
            seen = self._quiet(seen)
            if self._checked not in {None, seen.etag}:
                raise changed_meanwhile(self._live.name)
            if seen.active_job and not self._given.wait:
                raise _active(self._live.name, seen.active_job, "nothing was changed")
            if seen.instants.next_run is None:
                raise CliError(Exit.REFUSED, f"job schedule {self._live.name} has no next run")
            mark = Mark(
                schedule=self._given.table.schedule,
                next_run=seen.instants.next_run,
                recent_job=seen.recent_job,
            )
            self._live.mark(seen, mark)
            self._live.disable()
            self._say(f"job schedule {self._live.name} is disabled")
        try:
            seen = self._ended_job()
        except AzureError as error:
            raise self._cut_off(in_our_words(error)) from error
        try:
            return self._take_over(mark, seen)
        except CliError as error:
            raise self._cut_off(error) from error
        except AzureError as error:
            raise self._cut_off(in_our_words(error)) from error

    def _cut_off(self, error: CliError) -> CliError:
        """Say that the job schedule is disabled, and what to do about that."""
        name = self._live.name
        return CliError(
            error.code,
            f"{error.message}; job schedule {name} is disabled, and nothing runs in its place yet",
            f"run the same command again, or: az batch job-schedule enable --job-schedule-id {name}",
        )

    def _quiet(self, seen: Seen) -> Seen:
        """Wait until no instant is so close that Batch may be about to make its job."""
        waited = 0.0
        while waited < _SETTLED_SECONDS and not seen.active_job:
            next_run = seen.instants.next_run
            if next_run is None or next_run - seen.at > CLOSE_CALL:
                break
            self._sleep(_LOOK_SECONDS)
            waited += _LOOK_SECONDS
            seen = self._live.look()
        return seen

    def _ended_job(self) -> Seen:
        """
        Wait for the job that was active when the job schedule was disabled.

        Raises:
            CliError: It takes too long; the job schedule is enabled again.
        """
        left = self._given.wait.total_seconds()
        try:
            while (seen := self._live.look()).active_job:
                if left <= 0:
                    raise _active(self._live.name, seen.active_job, "it is enabled again")
                self._sleep(_LOOK_SECONDS)
                left -= _LOOK_SECONDS
        except (KeyboardInterrupt, CliError):
            self._live.enable()
            raise
        return seen

    def _take_over(self, mark: Mark, seen: Seen) -> HandedOver:
        first = first_without_job(mark, seen.instants, recent_job=seen.recent_job, made=seen.made)
        if first is None:
            raise CliError(Exit.REFUSED, f"job schedule {self._live.name} has made its last job")
        given = self._given
        schedule, version = put_table_in_force(self._target, given.table, first, given.why)
        return self._ended(schedule, first, version)

    def _ended(self, schedule: Schedule, first: datetime, version: int | None) -> HandedOver:
        return HandedOver(
            job_schedule=self._live.name,
            schedule=self._given.table.schedule,
            first=to_second(first),
            version=version,
            coming=coming(schedule, first),
        )


def _active(name: str, job: str, what: str) -> CliError:
    return CliError(
        Exit.CONFLICT,
        f"job {job} of job schedule {name} is active, and the new schedule does not wait for it; {what}",
        "run the command again when the job has ended, or add --wait SECONDS",
    )

"""A job schedule as the account holds it."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from batch_emulator.clock import Clock
from batch_emulator.runtime.enums import JobScheduleState
from batch_emulator.runtime.life_cycles import JOB_SCHEDULE
from batch_emulator.runtime.recurrence import Recurrence
from batch_emulator.wire import Json


@dataclass(slots=True, eq=False)
class JobSchedule:
    """
    A job schedule, which has at most one job that is not completed.

    Attributes:
        due: The next instant whose job has not been made and can still be made.
        jobs_made: How many jobs it has made; the next one has the number that follows.
        recent_job: The id of the last one.
        auto_pool: The id of the pool that was made for all its jobs.
        changed: Set when there may be something to do.
    """

    body: Json
    clock: Clock
    created: datetime = field(init=False)
    modified: datetime = field(init=False)
    state: JobScheduleState = JobScheduleState.ACTIVE
    state_since: datetime = field(init=False)
    previous: tuple[JobScheduleState, datetime] | None = None
    ended: datetime | None = None
    due: datetime | None = field(init=False)
    jobs_made: int = 0
    recent_job: str | None = None
    auto_pool: str | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.created = self.modified = self.state_since = self.clock.now()
        self.due = self.recurrence.pending(self.recurrence.start, self.created)

    @property
    def id(self) -> str:
        """The id as it was given."""
        return str(self.body["id"])

    @property
    def recurrence(self) -> Recurrence:
        """When its jobs are due."""
        return Recurrence.read(self.body.get("schedule", {}), self.created)

    def enter(self, state: JobScheduleState) -> None:
        """Enter a state; as recorded, one that is completed was active or disabled before."""
        JOB_SCHEDULE.require(self.state, state)
        if self.state is not JobScheduleState.TERMINATING:
            self.previous = (self.state, self.state_since)
        self.state, self.state_since = state, self.clock.now()
        self.changed.set()

    def revise(self, body: Json) -> None:
        """
        Change the properties.

        A job can be due at once only if none was made yet; otherwise the next instant is one to
        come.
        """
        timed = body.get("schedule") != self.body.get("schedule")
        moment = self.clock.now()
        self.body, self.modified = body, moment
        if timed:
            first = self.recurrence.pending(self.recurrence.start, moment)
            self.due = self.recurrence.after(moment) if self.jobs_made else first
        self.changed.set()

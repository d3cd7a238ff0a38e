"""One Batch account with all that it holds."""

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.clock import Clock
from batch_emulator.options import Options
from batch_emulator.runtime.applications import Applications
from batch_emulator.runtime.background import BackgroundTasks
from batch_emulator.runtime.backlog import Backlog
from batch_emulator.runtime.collection import Collection
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.job_schedule import JobSchedule
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.runtime.state.task import Task


@dataclass(slots=True, eq=False)
class Account:
    """The state of the account and the means to act on it."""

    options: Options
    url: str
    storage: BlobServiceClient
    background: BackgroundTasks = field(default_factory=BackgroundTasks)
    started: datetime = field(init=False)
    pools: Collection[Pool] = field(default_factory=Collection)
    jobs: Collection[Job] = field(default_factory=Collection)
    job_schedules: Collection[JobSchedule] = field(default_factory=Collection)
    applications: Applications = field(init=False)
    _backlogs: dict[str, Backlog[Task]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.clock.now()
        self.applications = Applications.given(self.options.applications, self.started)

    @property
    def clock(self) -> Clock:
        """The time of everything that the account holds."""
        return self.options.clock

    def backlog(self, pool_id: str) -> Backlog[Task]:
        """Return the backlog of a pool, which need not exist."""
        name = pool_id.lower()
        if name not in self._backlogs:
            self._backlogs[name] = Backlog()
        return self._backlogs[name]

    def remove_job(self, job: Job) -> None:
        """Forget a job and its tasks."""
        self.jobs.remove(job.id)
        job.join(Backlog())
        job.tell_schedule()

    async def pause(self, seconds: float) -> None:
        """Wait for ``seconds``, divided by the pools' speed."""
        await self.clock.sleep(seconds / self.options.pool_speed)

    def at_speed(self, duration: timedelta) -> timedelta:
        """Return ``duration`` divided by the pools' speed."""
        return duration / self.options.pool_speed

    def active_versions(self) -> dict[str, list[str]]:
        """Return the active versions of each application that has any, by its id, in order."""
        packages = itertools.groupby(self.applications.active(), lambda item: item.application)
        return {name: [item.version for item in items] for name, items in packages}

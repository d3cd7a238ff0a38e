"""One Batch account with all that it holds."""

import asyncio
import itertools
from dataclasses import dataclass, field
from datetime import timedelta

from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.options import Options
from batch_emulator.runtime.applications import Applications
from batch_emulator.runtime.background import BackgroundTasks
from batch_emulator.runtime.collection import Collection
from batch_emulator.runtime.state import Job, Pool


@dataclass(slots=True, eq=False)
class Account:
    """The state of the account and the means to act on it."""

    options: Options
    url: str
    storage: BlobServiceClient
    background: BackgroundTasks = field(default_factory=BackgroundTasks)
    pools: Collection[Pool] = field(default_factory=Collection)
    jobs: Collection[Job] = field(default_factory=Collection)
    applications: Applications = field(init=False)

    def __post_init__(self) -> None:
        self.applications = Applications.given(self.options.applications)

    async def pause(self, seconds: float) -> None:
        """Wait as long as a pool does for ``seconds``."""
        await asyncio.sleep(seconds / self.options.pool_speed)

    def at_speed(self, duration: timedelta) -> timedelta:
        """Return how long ``duration`` takes in a pool."""
        return duration / self.options.pool_speed

    def active_versions(self) -> dict[str, list[str]]:
        """Return the active versions of each application that has any, by its id, in order."""
        packages = itertools.groupby(self.applications.active(), lambda item: item.application)
        return {name: [item.version for item in items] for name, items in packages}

"""Rehearse a pool: its scheduling, boots and formula, as the emulator has them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.dataplane.job_bodies import read_job
from batch_emulator.dataplane.pool_bodies import read_pool
from batch_emulator.keys import DEVELOPMENT_STORAGE
from batch_emulator.options import Options
from batch_emulator.rehearsal.recorder import Recorder
from batch_emulator.rehearsal.values import (
    Chance,
    PlannedPool,
    PlannedRun,
    RehearsedNode,
    RehearsedRun,
)
from batch_emulator.runtime import jobs, pools
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.enums import JobState
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.simulation import Outcome, Simulation
from batch_emulator.virtual_clock import IdleLoop, VirtualClock
from batch_emulator.wire import Json, print_duration

_TASK: Final = "main"
_MACHINE: Final[Json] = {
    "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
    "nodeAgentSKUId": "batch.node.ubuntu 24.04",
}
_START_TASK: Final[Json] = {"commandLine": "/bin/true", "waitForSuccess": True}


class _Planned:
    """How planned runs turn out: each takes its own time and succeeds."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}

    def find(self, job: str, task: str, run: int, node: str | None = None) -> Outcome | None:  # noqa: ARG002 - the protocol's
        return self.outcomes.get(job)


class Rehearsal:
    """
    One pool in virtual time, to which runs are submitted as time goes on.

    Attributes:
        runs: The result of each run so far, by the id of its job.
        nodes: Every node so far, in the order of their allocations.
    """

    def __init__(self, account: Account, clock: VirtualClock, planned: _Planned) -> None:
        self._account = account
        self._clock = clock
        self._planned = planned
        self._done: deque[Job] = deque()
        self._recorders: dict[str, Recorder] = {}
        self._job = read_job(
            {
                "id": "job",
                "poolInfo": {"poolId": "pool"},
                "jobManagerTask": {"id": _TASK, "commandLine": "/bin/true", "runExclusive": False},
            }
        )
        self.runs: dict[str, RehearsedRun] = {}

    @property
    def now(self) -> datetime:
        """The virtual time, in UTC."""
        return self._clock.now()

    @property
    def nodes(self) -> Sequence[RehearsedNode]:
        """Every node so far, in the order of their allocations, pool by pool."""
        return [node for recorder in self._recorders.values() for node in recorder.nodes]

    def add_pool(self, plan: PlannedPool) -> None:
        """
        Create a pool.

        Raises:
            ServiceError: The pool exists, or the formula is wrong.
        """
        pool = pools.create(
            self._account,
            read_pool(
                {
                    "id": plan.id,
                    "vmSize": "rehearsed",
                    "virtualMachineConfiguration": _MACHINE,
                    "enableAutoScale": True,
                    "autoScaleFormula": plan.formula,
                    "autoScaleEvaluationInterval": print_duration(plan.interval),
                    "taskSlotsPerNode": plan.slots,
                    "startTask": _START_TASK,
                },
                any_vm_size=True,
            ),
        )
        recorder = Recorder(self._clock, partial(_pending, pool, self._account), self._done.append)
        recorder.runs = self.runs
        pool.observer = self._recorders[plan.id.lower()] = recorder

    def submit(self, plan: PlannedRun, pool: str = "pool") -> RehearsedRun:
        """
        Create the job of a run, now.

        Raises:
            ServiceError: The job exists, or its id is invalid.
        """
        self._forget_done()
        self._planned.outcomes[plan.id] = Outcome(plan.seconds)
        made = self.runs[plan.id] = RehearsedRun(plan=plan, submitted=self.now)
        manager = {**self._job["jobManagerTask"], "requiredSlots": plan.slots}
        body = {
            **self._job,
            "id": plan.id,
            "poolInfo": {"poolId": pool},
            "jobManagerTask": manager,
        }
        job = jobs.create(self._account, body)
        if plan.start_timeout_seconds is not None:
            self._clock.call_later(plan.start_timeout_seconds, partial(self._give_up, job, made))
        return made

    def _give_up(self, job: Job, run: RehearsedRun) -> None:
        if not run.stays and run.given_up is None:
            self._end(job, run)

    def stop(self, run_id: str) -> None:
        """End a run, unless it has ended."""
        run, job = self.runs[run_id], self._account.jobs.find(run_id)
        if run.open and job is not None:
            self._end(job, run)

    def _end(self, job: Job, run: RehearsedRun) -> None:
        run.given_up = self.now
        jobs.terminate(job, "RehearsalEnded")
        if not run.stays or run.stays[-1].ended is not None:  # else its task ends, and is recorded
            self._done.append(job)

    def _forget_done(self) -> None:
        """Forget jobs that have ended, so that a year takes no more memory than a day."""
        while self._done and self._done[0].state is JobState.COMPLETED:
            job = self._done.popleft()
            self._account.remove_job(job)
            self._planned.outcomes.pop(job.id, None)

    async def advance_to(self, moment: datetime) -> None:
        """Advance to ``moment``, with everything that is due until then."""
        await self._clock.advance_to(moment)

    def close(self) -> None:
        """Record the end of the nodes that are left."""
        for recorder in self._recorders.values():
            recorder.close(self.now)


def _pending(pool: Pool, account: Account) -> int:
    backlog = account.backlog(pool.id)
    return backlog.ready + sum(len(node.runs) for node in pool.nodes.values())


@asynccontextmanager
async def rehearsal(start: datetime, chance: Chance | None = None) -> AsyncIterator[Rehearsal]:
    """
    Prepare a rehearsal without a pool; the event loop has to be an ``IdleLoop``.

    Args:
        start: When it begins.
        chance: How nodes turn out; without it, all boot in the usual time and none fails.
    """
    clock, planned = VirtualClock(start), _Planned()
    given = chance or Chance()
    simulation = Simulation(seed=given.seed, nodes=given.nodes, tasks=planned, writes_files=False)
    options = Options(
        account="rehearsal",
        key="",
        storage="",
        root=Path("rehearsal"),  # never made: no node has a folder
        clock=clock,
        simulation=simulation,
    )
    # Nothing is read or written there: no connection is ever opened.
    async with BlobServiceClient.from_connection_string(DEVELOPMENT_STORAGE) as storage:
        account = Account(options, "", storage)
        try:
            made = Rehearsal(account, clock, planned)
            yield made
            made.close()
        finally:
            jobs.stop_clocks(account)
            await account.background.close()


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """
    The result of a rehearsal.

    Attributes:
        runs: The runs by the ids of their jobs, in the order of submission.
        nodes: The nodes in the order of their allocations.
    """

    runs: Mapping[str, RehearsedRun]
    nodes: Sequence[RehearsedNode]


def rehearse(
    runs: Iterable[tuple[datetime, PlannedRun]],
    pool: PlannedPool,
    *,
    start: datetime,
    until: datetime,
    chance: Chance | None = None,
) -> Rehearsed:
    """
    Submit runs to a pool, each at its time, and return their results.

    Args:
        runs: The runs, each with its time of submission.
        pool: The pool that they run on.
        start: When the pool is created.
        until: When the rehearsal ends, even if something still runs.
        chance: How nodes turn out.

    Raises:
        ServiceError: The formula is wrong, or two runs have one id.
    """

    async def play() -> Rehearsed:
        async with rehearsal(start, chance) as stage:
            stage.add_pool(pool)
            for moment, plan in sorted(runs, key=lambda item: item[0]):
                await stage.advance_to(moment)
                stage.submit(plan)
            await stage.advance_to(until)
        return Rehearsed(stage.runs, stage.nodes)

    return asyncio.run(play(), loop_factory=IdleLoop)

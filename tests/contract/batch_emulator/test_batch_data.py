"""The data folder: what the account holds outlives the emulator, however it ends."""

import asyncio
import contextlib
import itertools
import json
import random
import sqlite3
import stat
import uuid
from pathlib import Path

import pytest
from azure.core.exceptions import AzureError

from batch_emulator.runtime.store import FILE, SCHEMA
from batch_emulator.testing import EmulatorError, running_emulator
from tests.contract.conftest import Batch, job_body, pool_body
from tests.support.kept_account import account, idle, kill
from tests.support.plain_jobs import plain_job, task_body
from tests.support.stubborn import stubborn, survivors


async def test_everything_is_back_after_sigkill(tmp_path: Path) -> None:
    """Pools, nodes with their ids and folders, jobs, tasks and the files of what is completed."""
    async with account(tmp_path) as (batch, emulator):
        await batch.client.create_pool(pool_body(targetDedicatedNodes=2))
        nodes = await idle(batch, 2)
        await batch.client.create_job(job_body("job", "/bin/sh -c 'echo out; exit 3'"))
        await batch.completed("job")
        await batch.client.create_job(
            job_body("waits", "/bin/true", {"poolInfo": {"poolId": "no"}})
        )
        await batch.client.create_job(job_body("gone", "/bin/true"))
        await batch.client.begin_delete_job("gone", polling_interval=0)
        await batch.until(lambda: listed(batch), lambda jobs: "gone" not in jobs)
        before = await looks(batch)
        kill(emulator)

    async with account(tmp_path) as (batch, _):
        assert await idle(batch, 2) == nodes
        assert await listed(batch) == ["job", "waits"]
        assert await looks(batch) == before
        assert await batch.content("stdout.txt") == b"out\n"
        await batch.client.create_job(job_body("next", "/bin/true"))
        await batch.completed("next")


async def listed(batch: Batch) -> list[str]:
    """Return the ids of all jobs."""
    return [str(job.id) async for job in batch.client.list_jobs()]


async def looks(batch: Batch) -> object:
    """Return what the account shows of two jobs, the pool and a task, whatever its address."""
    shown = [
        await batch.client.get_job("job"),
        await batch.client.get_job("waits"),
        await batch.client.get_pool("pool"),
        await batch.client.get_task("job", "main"),
    ]
    return json.loads(json.dumps([one.as_dict() for one in shown]).replace(batch.url, ""))


async def test_a_task_that_ran_is_requeued(tmp_path: Path) -> None:
    """It runs again, its requeues are counted, and nothing of its first run is alive."""
    mark = f"mark{uuid.uuid4().hex}"
    async with account(tmp_path) as (batch, emulator):
        await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
        await batch.client.create_job(job_body("job", stubborn(mark)))
        await batch.running("job")
        await batch.client.create_job(job_body("ends", "/bin/sh -c 'sleep 0.1'"))

        async def both() -> list[Path]:
            return list(batch.root.rglob(f"{mark}-*"))

        for path in await batch.until(both, lambda seen: len(seen) == 2):
            path.unlink()
        first = set(survivors(mark))
        kill(emulator)

    async with account(tmp_path) as (batch, _):
        assert first
        assert not first & set(survivors(mark))
        await batch.running("job")
        task = await batch.client.get_task("job", "main")
        assert task.execution_info is not None
        assert task.execution_info.requeue_count == 1
        await batch.terminate("job", "enough")
        await batch.completed("job")
        await batch.completed("ends")
    assert survivors(mark) == []


async def test_a_task_of_an_ending_job_is_not_run_again(tmp_path: Path) -> None:
    """The job goes on ending, and its task has failed."""
    async with account(tmp_path) as (batch, emulator):
        await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
        command = "/bin/sh -c 'trap : TERM; while true; do sleep 0.1; done'"
        await batch.client.create_job(job_body("job", command))
        await batch.running("job")
        await batch.terminate("job", "enough")
        kill(emulator)

    async with account(tmp_path) as (batch, _):
        job = await batch.completed("job")
        assert job.execution_info is not None
        assert job.execution_info.termination_reason == "enough"
        task = await batch.client.get_task("job", "main")
        assert task.state == "completed"
        assert task.execution_info is not None
        assert task.execution_info.failure_info is not None
        assert task.execution_info.failure_info.code == "TaskEnded"


async def test_a_pool_goes_on_with_its_resize(tmp_path: Path) -> None:
    """Nodes that were booting boot again under their ids, and a pool that was deleted goes."""
    async with account(tmp_path, "--pool-speed", "0.02") as (batch, emulator):
        await batch.client.create_pool(pool_body(targetDedicatedNodes=2))
        await batch.client.create_pool(pool_body("other", targetDedicatedNodes=1))
        await batch.client.begin_delete_pool("other", polling_interval=0)
        nodes = [node.id for node in await batch.until(batch.nodes, lambda seen: len(seen) == 2)]
        assert (await batch.client.get_pool("pool")).allocation_state == "resizing"
        kill(emulator)

    async with account(tmp_path) as (batch, _):
        assert await idle(batch, 2) == nodes
        assert (await batch.client.get_pool("pool")).allocation_state == "steady"

        async def pools() -> list[str]:
            return [str(pool.id) async for pool in batch.client.list_pools()]

        await batch.until(pools, lambda seen: seen == ["pool"])


async def test_a_formula_is_followed_again(tmp_path: Path) -> None:
    """With samples that begin anew."""
    async with account(tmp_path) as (batch, emulator):
        body = pool_body(
            enableAutoScale=True,
            autoScaleFormula="$TargetDedicatedNodes = max(0, $ActiveTasks.GetSample(1));",
        )
        await batch.client.create_pool(body)
        kill(emulator)

    async with account(tmp_path) as (batch, _):
        await batch.client.create_job(job_body("job", "/bin/true"))
        await batch.completed("job")


class Stream:
    """Creations, ends and removals of jobs, and what was acknowledged of them."""

    def __init__(self, batch: Batch, chance: random.Random) -> None:
        self.batch = batch
        self.chance = chance
        self.answers: list[str] = []
        self.states: dict[str, str] = {}
        """Of each job; while a request has no answer yet, both states are right."""

    async def run(self, worker: int) -> None:
        """Send requests until the emulator is gone."""
        with contextlib.suppress(AzureError):
            for number in itertools.count():
                await self.step(f"job-{worker}-{number}")

    def answered(self, name: str, state: str) -> None:
        """Keep what was acknowledged."""
        self.states[name] = state
        self.answers.append(state)

    async def step(self, name: str) -> None:
        """Create a job with two tasks and perhaps end or delete it."""
        pool = {"poolId": self.chance.choice(["pool", "none"])}
        await self.batch.client.create_job(plain_job(name, poolInfo=pool))
        self.answered(name, "here")
        for task in ("one", "two"):
            await self.batch.client.create_task(name, task_body(task))
            self.answered(name, f"with {task}")
        match self.chance.choice(["", "", "terminate", "delete"]):
            case "terminate":
                self.states[name] = "unknown"
                await self.batch.terminate(name, "enough")
                self.answered(name, "ended")
            case "delete":
                self.states[name] = "unknown"
                await self.batch.send("DELETE", f"/jobs/{name}")
                self.answered(name, "deleted")
            case _:
                pass


@pytest.mark.parametrize("seed", range(5))
async def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path, seed: int) -> None:
    """SIGKILL at a random moment of a stream of creations, ends and removals."""
    chance = random.Random(seed)  # noqa: S311 - a fixed sequence
    async with account(tmp_path) as (batch, emulator):
        await batch.client.create_pool(pool_body(targetDedicatedNodes=2))
        stream = Stream(batch, chance)
        async with asyncio.TaskGroup() as group:
            for worker in range(4):
                group.create_task(stream.run(worker))
            wanted = chance.randrange(40, 160)
            while len(stream.answers) < wanted:  # noqa: ASYNC110 - a moment, not an event
                await asyncio.sleep(0.002)
            await asyncio.sleep(chance.uniform(0, 0.02))
            kill(emulator)

    async with account(tmp_path) as (batch, _):
        jobs = {str(job.id): job.state async for job in batch.client.list_jobs()}
        for name, state in stream.states.items():
            match state:
                case "here":
                    assert name in jobs
                case "with one" | "with two":
                    tasks = {task.id async for task in batch.client.list_tasks(name)}
                    assert {"one", state.removeprefix("with ")} <= tasks
                case "ended":
                    assert jobs[name] in {"terminating", "completed"}
                case "deleted":
                    assert jobs.get(name, "deleting") == "deleting"
                case _:
                    assert state == "unknown"
        assert {"with two"} < set(stream.states.values())


async def test_a_second_emulator_on_the_folder_is_refused(tmp_path: Path) -> None:
    """As long as the first runs."""
    async with account(tmp_path):
        other = tmp_path / "other"
        other.mkdir()
        with (
            pytest.raises(EmulatorError, match="data is in use by another emulator: end that one"),
            running_emulator(other, "--data", str(tmp_path / "data")),
        ):
            pass
    async with account(tmp_path):
        pass


async def refused(folder: Path, *options: str) -> str:
    """Return the one line with which an emulator refuses its data folder."""
    folder.joinpath("emulator.log").unlink()
    with pytest.raises(EmulatorError) as error:
        async with account(folder, *options):
            pass
    first, line = str(error.value).splitlines()
    assert first == "the emulator ended with code 2:"
    return line


async def test_folders_that_cannot_be_read(tmp_path: Path) -> None:
    """Of a newer emulator, of another account or root, and damaged: refused by name."""
    async with account(tmp_path) as (batch, _):
        await batch.client.create_pool(pool_body())
    file = tmp_path / "data" / FILE

    assert f"give --root {tmp_path / 'data/nodes'}" in await refused(
        tmp_path, "--root", str(tmp_path)
    )
    assert "is of account testbatch, not other" in await refused(tmp_path, "--account", "other")
    with contextlib.closing(sqlite3.connect(file)) as base, base:
        base.execute("UPDATE thing SET value = replace(value, 'deallocation', 'colour')")
    assert "unknown fields: ['colour']" in await refused(tmp_path)
    with contextlib.closing(sqlite3.connect(file)) as base, base:
        base.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    line = await refused(tmp_path)
    assert f"is of a newer emulator (schema {SCHEMA + 1}; this one reads up to {SCHEMA})" in line
    file.write_bytes(b"nothing of SQLite" * 100)
    assert "cannot be read: file is not a database" in await refused(tmp_path)


async def test_the_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    """Also where the keys are given, so that nothing is made in it before the nodes' folder."""
    async with account(tmp_path):
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in ((tmp_path / "data"), *(tmp_path / "data").iterdir())
        }

    assert modes.pop("data") == modes.pop("nodes") == 0o700
    assert set(modes.values()) == {0o600}

"""The emulator as a process: what it prints, how it ends, and that nothing outlives it."""

import asyncio
import json
import os
import signal
import sys
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from batch_emulator.keys import KEY_VARIABLE, STORAGE_VARIABLE, TOKEN_VARIABLE
from batch_emulator.runtime.process import TREE_VARIABLE, sweep
from local.azurite import Azurite
from tests.contract.conftest import ACCOUNT, KEY, TOKEN, Batch, job_body, pool_body
from tests.support.prepared_jobs import prepared
from tests.support.stubborn import stubborn, survivors


async def both_run(batch: Batch, mark: str) -> None:
    """Wait until both processes of the stubborn command run."""

    async def look() -> set[str]:
        return {path.name for path in batch.root.rglob(f"{mark}-*")}

    await batch.until(look, lambda seen: len(seen) == 2)
    assert len(survivors(mark)) >= 2


@pytest.fixture
def mark() -> str:
    """Return a text that no other process has on its command line."""
    return f"mark{uuid.uuid4().hex}"


async def test_terminate_leaves_no_process(batch: Batch, mark: str) -> None:
    """Neither ignoring TERM nor a session and an environment of its own saves a process."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", stubborn(mark)))
    await both_run(batch, mark)
    await batch.terminate("job", "enough")
    await batch.completed("job")

    assert survivors(mark) == []
    task = await batch.client.get_task("job", "main")
    assert task.execution_info is not None
    assert task.execution_info.exit_code == -signal.SIGKILL


async def test_a_finished_task_leaves_no_process(batch: Batch, mark: str) -> None:
    """What a task leaves running when it ends is killed; its own exit code stands."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    command = f'env -i setsid /bin/sh -c "sleep 600; : {mark}" & exit 5'
    await batch.client.create_job(job_body("job", f"/bin/sh -c '{command}'"))
    await batch.completed("job")

    assert survivors(mark) == []
    task = await batch.client.get_task("job", "main")
    assert task.execution_info is not None
    assert task.execution_info.exit_code == 5


async def test_a_task_that_kills_its_supervisor_leaves_no_process(batch: Batch, mark: str) -> None:
    """Neither the task itself nor what it left in a session of its own."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    command = (
        f'setsid /bin/sh -c "sleep 600; : {mark}" & sleep 0.3; kill -9 $PPID; sleep 600; : {mark}'
    )
    await batch.client.create_job(job_body("job", f"/bin/sh -c '{command}'"))
    await batch.completed("job")

    assert survivors(mark) == []
    task = await batch.client.get_task("job", "main")
    assert task.execution_info is not None
    assert task.execution_info.exit_code == -signal.SIGKILL


async def test_sweep_finds_processes_by_their_mark(mark: str) -> None:
    """Where orphans cannot be adopted, the environment gives them away."""
    environment = {**os.environ, TREE_VARIABLE: mark}
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", "echo here; read -r forever"),
        env=environment,
        start_new_session=True,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    await process.stdout.readline()  # its environment can be read only some time after its start

    assert await asyncio.to_thread(sweep, mark) == 1
    assert await process.wait() == -signal.SIGKILL
    assert await asyncio.to_thread(sweep, mark) == 0


type Spawn = Callable[..., Awaitable[Process]]


@pytest.fixture
async def spawn(azurite: Azurite, tmp_path: Path) -> AsyncIterator[Spawn]:
    """Start ``python -m batch_emulator`` and end it with the test, whatever happens."""
    started: list[Process] = []

    async def start(*extra: str, **environment: str) -> Process:
        arguments = {
            "--account": ACCOUNT,
            "--root": str(tmp_path / "nodes"),
            "--pool-speed": "2000",
            "--port": "0",
        }
        words = [word for pair in arguments.items() for word in pair]
        secrets = {KEY_VARIABLE: KEY, STORAGE_VARIABLE: azurite.connection_string}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "batch_emulator", *words, *extra),
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, TOKEN_VARIABLE: TOKEN, **secrets, **environment},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ready(process: Process) -> dict[str, str]:
    """Return the line by which the emulator says that it listens."""
    assert process.stdout is not None
    line: dict[str, str] = json.loads(await process.stdout.readline())
    return line


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)]
)
async def test_no_process_outlives_the_emulator(
    spawn: Spawn, tmp_path: Path, mark: str, number: signal.Signals, code: int
) -> None:
    """
    However the emulator ends, its nodes' processes end with it, and its port is free.

    Those of tasks, and those of a job preparation task beside them.
    """
    process = await spawn()
    line = await ready(process)
    assert line.keys() == {"event", "url", "account", "storage"}
    assert (line["event"], line["account"]) == ("ready", ACCOUNT)
    async with BatchClient(line["url"], AzureNamedKeyCredential(ACCOUNT, KEY)) as client:
        batch = Batch(line["url"], client, tmp_path / "nodes")
        await client.create_pool(pool_body(targetDedicatedNodes=1))
        beside = prepared(stubborn(f"prepares{mark}"), waitForSuccess=False)
        await client.create_job(job_body("job", stubborn(mark), beside))
        await both_run(batch, mark)
        await both_run(batch, f"prepares{mark}")
    process.send_signal(number)
    output, log = await process.communicate()

    assert process.returncode == code
    assert output == b""

    async def alive() -> list[int]:
        return survivors(mark)

    if number is signal.SIGKILL:  # the supervisors need a moment to see it
        await batch.until(alive, lambda pids: pids == [])
    assert survivors(mark) == []
    events = [line for line in log.decode().splitlines() if line[0].isdecimal()]
    assert len(log.decode().splitlines()) == len(events) + len(["az", "Python", "Airflow"])
    for event in events:
        json.loads(event.split(" ", 2)[2])
    again = await spawn("--port", line["url"].rsplit(":", 1)[1])
    assert (await ready(again))["url"] == line["url"]


async def test_a_bad_argument(spawn: Spawn) -> None:
    """A bad argument ends the process with code 2 and one line that says what is wrong."""
    process = await spawn(**{STORAGE_VARIABLE: "nonsense"})
    output, log = await process.communicate()

    assert (process.returncode, output) == (2, b"")
    assert log == b"batch-emulator: Connection string is either blank or malformed.\n"


async def test_a_port_that_is_taken(spawn: Spawn) -> None:
    """A second emulator on the same port says so and ends."""
    first = await spawn()
    port = (await ready(first))["url"].rsplit(":", 1)[1]
    second = await spawn("--port", port)
    _, log = await second.communicate()

    assert second.returncode == 2
    assert port in log.decode()
    assert log.count(b"\n") == 1

"""`az batch` as others use it, against the emulator: an operator's hands, not our client."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import ACCOUNT, KEY, Batch, job_body, pool_body

type Az = Callable[..., Awaitable[Any]]


@pytest.fixture
def az(peers: Path, quiet: dict[str, str], batch: Batch) -> Az:
    """Return what runs `az batch ...` on the emulated account and returns its JSON."""
    account = {
        "AZURE_BATCH_ACCOUNT": ACCOUNT,
        "AZURE_BATCH_ACCESS_KEY": KEY,
        "AZURE_BATCH_ENDPOINT": batch.url,
    }

    async def run(*words: str) -> Any:  # noqa: ANN401 - JSON
        process = await asyncio.create_subprocess_exec(
            str(peers / "az"),
            "batch",
            *words,
            "--output",
            "json",
            env={**quiet, **account},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return json.loads(out) if out.strip() else None

    return run


async def test_an_operator_looks_at_a_run(batch: Batch, az: Az, tmp_path: Path) -> None:
    """Pool, node, job, task and the task's output."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/sh -c 'echo out; echo err >&2'"))
    await batch.completed("job")

    pools, nodes = await az("pool", "list"), await az("node", "list", "--pool-id", "pool")
    jobs = await az("job", "list")
    failed = await az("job", "list", "--filter", "state eq 'active'")
    tasks = await az("task", "list", "--job-id", "job")
    task = await az("task", "show", "--job-id", "job", "--task-id", "main")
    files = await az("task", "file", "list", "--job-id", "job", "--task-id", "main")
    copy = tmp_path / "stdout.txt"
    await az(
        "task", "file", "download", "--job-id", "job", "--task-id", "main",
        "--file-path", "stdout.txt", "--destination", str(copy),
    )  # fmt: skip

    assert [(pool["id"], pool["vmSize"].lower()) for pool in pools] == [
        ("pool", "standard_d2ds_v5")
    ]
    assert [node["state"] for node in nodes] == ["idle"]
    assert [(job["id"], job["state"]) for job in jobs] == [("job", "completed")]
    assert failed == []
    assert [task["id"] for task in tasks] == ["main"]
    assert task["executionInfo"]["exitCode"] == 0
    assert {"stdout.txt", "stderr.txt"} <= {file["name"] for file in files}
    assert copy.read_text() == "out\n"


async def test_an_operator_makes_and_removes_things(batch: Batch, az: Az, tmp_path: Path) -> None:
    """Pool, job, the end of the job by azure-cli's own requests."""
    pool, job = tmp_path / "pool.json", tmp_path / "job.json"
    scaled = pool_body(enableAutoScale=True, autoScaleFormula="$TargetDedicatedNodes=1")
    pool.write_text(json.dumps(scaled))
    job.write_text(json.dumps(job_body("job", "/bin/sh -c 'sleep 60'")))
    await az("pool", "create", "--json-file", str(pool))
    await az("job", "create", "--json-file", str(job))
    await batch.running("job")
    await az("job", "stop", "--job-id", "job", "--terminate-reason", "enough")
    stopped = await batch.completed("job")
    await az("job", "delete", "--job-id", "job", "--yes")
    await az("pool", "delete", "--pool-id", "pool", "--yes")

    assert stopped.execution_info is not None
    assert stopped.execution_info.termination_reason == "enough"
    await batch.until(lambda: az("pool", "list"), lambda pools: pools == [], within=60)

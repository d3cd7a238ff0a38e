"""A process that a signal ended, in both forms of exit code that the field reports."""

from collections.abc import AsyncIterator

import pytest
from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.options import SignalExitCode
from orchestrator.enums import Outcome, Reason
from orchestrator.ledger.record import Record
from tests.conftest import Containers
from tests.contract.conftest import ACCOUNT, KEY, Batch, Start, job_body, pool_body
from tests.support.waiting import until
from tests.support.world import World, schedule, settings

FORMS = [
    pytest.param(SignalExitCode.NEGATIVE, -9, id="negative"),
    pytest.param(SignalExitCode.SHELL, 137, id="shell"),
]


@pytest.fixture
async def killed(
    start_batch: Start, containers: Containers, form: SignalExitCode
) -> AsyncIterator[World]:
    """Start a product whose Batch account shows signals in this form."""
    batch = await start_batch(signal_exit_code=form)
    async with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        yield World(
            settings=settings(containers, batch.url, ACCOUNT, KEY),
            storage=storage,
            batch=batch.client,
        )


@pytest.mark.parametrize(("form", "code"), FORMS)
async def test_a_task_that_a_signal_ended(
    start_batch: Start, form: SignalExitCode, code: int
) -> None:
    """The signal shows in the exit code of its own process, and in a shell's as the shell says."""
    batch = await start_batch(signal_exit_code=form)
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    commands = {"own": "kill -KILL $$", "child": "/bin/sh -c 'kill -KILL $$'; exit $?"}
    for job_id, command in commands.items():
        await batch.client.create_job(job_body(job_id, f'/bin/sh -c "{command}"'))

    assert await _ending(batch, "own") == (code, "FailureExitCode")
    assert await _ending(batch, "child") == (137, "FailureExitCode")


async def _ending(batch: Batch, job_id: str) -> tuple[int | None, str | None]:
    await batch.completed(job_id)
    info = (await batch.client.get_task(job_id, "main")).execution_info
    assert info is not None
    return info.exit_code, info.failure_info.code if info.failure_info else None


@pytest.mark.parametrize(("form", "code"), FORMS)
async def test_a_start_task_that_a_signal_ended(
    start_batch: Start, form: SignalExitCode, code: int
) -> None:
    """A start task shows a signal as a task does."""
    batch = await start_batch(signal_exit_code=form)
    start_task = {"commandLine": "/bin/sh -c 'kill -KILL $$'"}
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, startTask=start_task))
    (node,) = await batch.until(
        batch.nodes, lambda nodes: [node.state for node in nodes] == ["starttaskfailed"]
    )

    assert node.start_task_info is not None
    assert node.start_task_info.exit_code == code


@pytest.mark.parametrize("listed", ["-9", "137", "'SIGKILL'"])
@pytest.mark.parametrize(("form", "code"), FORMS)
async def test_a_run_that_a_signal_ended(killed: World, code: int, listed: str) -> None:
    """The run failed with the code that Batch shows, and is tried again in whatever spelling."""
    await killed.pool()
    keys = f"{{ max = 1, on = ['failed'], exit_codes = [{listed}], backoff = '1s' }}"
    await killed.apply(schedule("hello", "kill -KILL $$", minutes=1, retries=keys))

    async def finished() -> list[Record]:
        await killed.submit()
        await killed.collect()
        return await killed.final()

    (final,) = await until(finished, lambda found: len(found) == 1, within=60)

    assert (final.outcome, final.reason) == (Outcome.FAILED, Reason.EXIT_CODE)
    assert [attempt.exit_code for attempt in final.attempts] == [code, code]
    assert final.attempt.sentence == (
        f"It was killed by SIGKILL (exit code {code}). "
        "The likely cause is that its node ran out of memory."
    )


@pytest.mark.parametrize("form", list(SignalExitCode))
async def test_a_run_past_its_timeout(killed: World) -> None:
    """The clock decides that a run timed out, whatever its exit code looks like."""
    await killed.pool()
    await killed.apply(schedule("hello", "exec sleep 60", run_timeout='"1s"'))
    await killed.submit()

    (final,) = await killed.collect_until_finished()

    assert (final.outcome, final.reason) == (Outcome.TIMED_OUT, Reason.RUN_TIMEOUT)

"""Outputs of runs that have ended: read back, fetched from the node, or missing with a reason."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.outputs import PART_BYTES, Block
from orchestrator.enums import AttemptState, Outcome, OutputCode, Reason
from orchestrator.ledger.record import How, Record
from orchestrator.passes import open_services
from tests.contract.conftest import ACCOUNT, KEY, Start
from tests.support.ended_runs import by_path, completed, remove
from tests.support.waiting import until
from tests.support.world import World


async def test_what_was_not_pushed_is_fetched_while_the_node_lives(world: World) -> None:
    """Byte by byte: binary, without a line feed, empty, and names that no URL holds as they are."""
    await world.pool()
    command = (
        r"printf '\000\377\376no line'; mkdir -p 'out dir'; "
        "printf grün > 'out dir/ä b%2Fc.csv'; : > 'out dir/empty.csv'; printf no > other.txt"
    )
    record = await completed(world, "hello", f"{command}; exit 3", outputs='["out dir/*.csv"]')
    files = ["files/out dir/ä b%2Fc.csv", "files/out dir/empty.csv"]
    await remove(world, record, "stdout.txt", "stderr.txt", *files)

    (final,) = await world.collect_until_finished()

    found = by_path(final)
    assert (final.outcome, final.outputs_total) == (Outcome.FAILED, 4)
    assert {one.how for one in final.outputs} == {How.FETCHED}
    assert set(found) == {"stdout.txt", "stderr.txt", *files}
    for path, data in {
        "stdout.txt": b"\x00\xff\xfeno line",
        "stderr.txt": b"",
        files[0]: "grün".encode(),
        files[1]: b"",
    }.items():
        assert await world.output(final, path) == data
        assert found[path].sha256 == hashlib.sha256(data).hexdigest()
        assert found[path].bytes == len(data)


async def test_a_large_file_is_fetched_in_parts(world: World) -> None:
    """Its size is not a multiple of a part."""
    await world.pool()
    size = 2 * PART_BYTES + 12345
    command = f"head -c {size} /dev/urandom | tee copy"
    record = await completed(world, "hello", command)
    pushed = await world.output(record)
    await remove(world, record, "stdout.txt")

    (final,) = await world.collect_until_finished()

    assert await world.output(final) == pushed
    stdout = by_path(final)["stdout.txt"]
    assert (stdout.how, stdout.bytes) == (How.FETCHED, size)
    assert pushed is not None
    assert stdout.sha256 == hashlib.sha256(pushed).hexdigest()


async def test_parts_that_a_dead_tick_staged_are_not_fetched_again(world: World) -> None:
    """A later tick goes on behind them: here they hold other bytes, which stay."""
    await world.pool()
    size = PART_BYTES + 10
    record = await completed(world, "hello", f"head -c {size} /dev/zero")
    await remove(world, record, "stdout.txt")
    marked = b"x" * PART_BYTES
    async with open_services(world.settings, Cache()) as services:
        await services.outputs.stage(record.output_prefix, "stdout.txt", Block(size, 0), marked)

    (final,) = await world.collect_until_finished()

    assert await world.output(final) == marked + bytes(10)


async def test_a_file_that_grows_is_taken_as_it_was_and_says_so(world: World) -> None:
    """Its first part was staged when it was shorter."""
    await world.pool()
    size = PART_BYTES + 10
    record = await completed(world, "hello", f"head -c {size + 7} /dev/zero; exit 1")
    await remove(world, record, "stdout.txt")
    async with open_services(world.settings, Cache()) as services:
        part = bytes(PART_BYTES)
        await services.outputs.stage(record.output_prefix, "stdout.txt", Block(size, 0), part)

    (final,) = await world.collect_until_finished()

    stdout = by_path(final)["stdout.txt"]
    assert (stdout.bytes, stdout.how, stdout.code) == (size, How.FETCHED, OutputCode.CHANGED)
    assert "may be incomplete" in (stdout.why or "")
    assert await world.output(final) == bytes(size)


async def test_what_the_node_pushes_meanwhile_is_not_overwritten(world: World) -> None:
    """The blob is made only if there is none by its name."""
    await world.pool()
    record = await world.running("one", "sleep 60")
    folder = record.output_prefix
    async with open_services(world.settings, Cache()) as services:
        block = Block(3, 0)
        await services.outputs.stage(folder, "stdout.txt", block, b"old")
        await world.outputs.upload_blob(f"{folder}stdout.txt", b"new", overwrite=True)

        assert not await services.outputs.commit(folder, "stdout.txt", [block], changed=False)

    assert await world.output(record) == b"new"


async def test_a_node_that_is_gone_leaves_a_reason(world: World) -> None:
    """The run ends all the same, with what Batch says of the node."""
    await world.pool()
    record = await completed(world, "hello", "echo lost; exit 1", outputs='["*.csv"]')
    await remove(world, record, "stdout.txt")
    await world.batch.begin_remove_nodes("recur", {"nodeList": [await node_of(world, record)]})  # type: ignore[arg-type] # REST spelling is accepted
    await until(lambda: nodes(world), lambda found: not found)

    (final,) = await world.collect_until_finished()

    stdout = by_path(final)["stdout.txt"]
    assert (final.outcome, stdout.how, stdout.code) == (
        Outcome.FAILED,
        How.MISSING,
        OutputCode.NODE_GONE,
    )
    assert "NodeNotFound" in (stdout.why or "")
    assert by_path(final)["stderr.txt"].how is How.PUSHED
    assert final.unmatched == ("*.csv",)


async def node_of(world: World, record: Record) -> str:
    task = await world.batch.get_task(record.attempt.job_id, "main")
    assert task.node_info is not None
    return str(task.node_info.node_id)


async def nodes(world: World) -> list[str]:
    return [node.id async for node in world.batch.list_nodes("recur")]


async def test_what_a_task_removed_is_missing_as_such(world: World) -> None:
    """The node is there and has no such file."""
    await world.pool()
    record = await completed(world, "hello", "rm ../stderr.txt; exit 1")

    (final,) = await world.collect_until_finished()

    stderr = by_path(final)["stderr.txt"]
    assert (stderr.how, stderr.code) == (How.MISSING, OutputCode.NO_SUCH_FILE)
    assert final.run_id == record.run_id


async def test_the_files_of_another_job_of_the_same_name_are_not_taken(world: World) -> None:
    """Somebody deleted the job and made one of that name; it is not asked for its files."""
    await world.pool()
    record = await completed(world, "hello", "echo mine; exit 1")
    await remove(world, record, "stdout.txt")
    await end_attempt(world, record)
    await world.delete_job(record.run_id)
    body = {
        "id": record.run_id,
        "poolInfo": {"poolId": "recur"},
        "jobManagerTask": {"id": "main", "commandLine": "/bin/sh -c 'echo other'"},
    }
    await world.batch.create_job(body)  # type: ignore[arg-type] # REST spelling is accepted
    await world.job_is(record.run_id, "completed")

    (final,) = await world.collect_until_finished()

    stdout = by_path(final)["stdout.txt"]
    assert (stdout.how, stdout.code) == (How.MISSING, OutputCode.JOB_GONE)


async def test_a_job_in_another_account_is_not_asked_for(world: World) -> None:
    """Batch here knows nothing of it, whatever a job of this account is called."""
    await world.pool()
    record = await completed(world, "hello", "echo there; exit 1")
    await remove(world, record, "stdout.txt")
    await end_attempt(world, record)
    (opened,) = await world.open()
    attempt = replace(opened.attempt, account="https://other.example")
    await world.put_open(opened.with_attempt(attempt))

    (final,) = await world.collect_until_finished()

    stdout = by_path(final)["stdout.txt"]
    assert (stdout.how, stdout.code) == (How.MISSING, OutputCode.OTHER_ACCOUNT)
    assert "other.example" in (stdout.why or "")


async def end_attempt(world: World, record: Record) -> None:
    """Put an open record where its attempt has ended, and its outputs are not known."""
    (opened,) = [one for one in await world.open() if one.run_id == record.run_id]
    attempt = replace(
        opened.attempt,
        state=AttemptState.ENDED,
        started=opened.decision.at,
        finished=opened.decision.at,
        outcome=Outcome.FAILED,
        reason=Reason.EXIT_CODE,
        exit_code=1,
    )
    await world.put_open(
        replace(opened.with_attempt(attempt), outcome=Outcome.FAILED, reason=Reason.EXIT_CODE)
    )


async def test_a_silent_batch_is_asked_for_an_hour(world: World) -> None:
    """Then the run ends without what its node may still have."""
    await world.pool()
    record = await completed(world, "hello", "echo gone; exit 1")
    await remove(world, record, "stdout.txt")
    await end_attempt(world, record)
    away = world.elsewhere(batch_account_url="http://127.0.0.1:9")

    await away.collect()
    (waits,) = await world.open()
    assert waits.outputs_unread_since is not None
    assert [one.path for one in waits.outputs] == ["stderr.txt"]
    since = waits.outputs_unread_since - timedelta(hours=1)
    await world.put_open(replace(waits, outputs_unread_since=since))
    await away.collect()

    (final,) = await world.final()
    stdout = by_path(final)["stdout.txt"]
    assert (stdout.how, stdout.code) == (How.MISSING, OutputCode.NO_ANSWER)


@pytest.mark.parametrize("minutes", [9, 10])
async def test_a_node_that_restarts_is_waited_for(
    start_batch: Start, world: World, minutes: float
) -> None:
    """Ten minutes, and not longer."""
    faulty = await start_batch(faults=True)
    there = replace(world.elsewhere(batch_account_url=faulty.url), batch=faulty.client)
    assert (world.settings.batch_account_name, world.settings.batch_account_key) == (ACCOUNT, KEY)
    await there.pool(targetDedicatedNodes=0, targetLowPriorityNodes=1)
    record = await completed(there, "hello", "echo here; exit 1")
    await remove(there, record, "stdout.txt")
    node = await node_of(there, record)
    await faulty.faults.preempt(node, seconds=None)
    await there.collect()
    (waits,) = await there.open()
    assert waits.outputs_unread_since is not None
    since = waits.outputs_unread_since - timedelta(minutes=minutes)
    await there.put_open(replace(waits, outputs_unread_since=since))

    await there.collect()

    finals = await there.final()
    assert [by_path(one)["stdout.txt"].code for one in finals] == (
        [OutputCode.NODE_NOT_READY] if minutes >= 10 else []
    )


async def test_exit_code_0_with_a_failed_upload_says_both(world: World) -> None:
    """The outcome is the process's, and what it wrote is fetched."""
    await world.pool()
    record = await completed(
        world, "hello", "echo done; echo 1 > a.csv", outputs='["*.csv", "no-such-file"]'
    )
    await remove(world, record, "files/a.csv")

    (final,) = await world.collect_until_finished()

    assert (final.outcome, final.reason) == (Outcome.FAILED, Reason.OUTPUT_UPLOAD_FAILED)
    assert "exit code 0" in (final.sentence or "")
    assert "An output was fetched from the node." in (final.sentence or "")
    assert by_path(final)["files/a.csv"].how is How.FETCHED
    assert await world.output(final, "files/a.csv") == b"1\n"
    assert final.unmatched == ("no-such-file",)

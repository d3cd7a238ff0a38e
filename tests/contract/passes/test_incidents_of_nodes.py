"""Incidents of nodes and tasks: a node goes, a task never runs, or runs too long."""

import hashlib
from pathlib import Path
from typing import Final

import pytest

from orchestrator.enums import Outcome, OutputCode, Reason
from orchestrator.ledger.record import How, Output, Record
from tests.contract.conftest import refusal
from tests.contract.passes.conftest import BadDay
from tests.contract.passes.incidents import incident
from tests.support.alarms import Alerts, mailed
from tests.support.waiting import until
from tests.support.world import schedule

_WRITES: Final = r"printf 'caf\303\251 \000\377 no newline'; echo oh >&2"
STDOUT: Final = b"caf\xc3\xa9 \x00\xff no newline"
UNIT: Final = r"\000\377" + "-" * 8000 + r"\303\251"
LARGE: Final = (b"\x00\xff" + b"-" * 8000 + b"\xc3\xa9") * 1000
"""Eight million bytes: two parts in which outputs are fetched."""


NOT_READY: Final = (How.MISSING, OutputCode.NODE_NOT_READY)


async def needs_two_starts(day: BadDay, flag: Path) -> Record:
    """Let a run begin whose command waits forever the first time, and succeeds the second."""
    command = f"if test -e {flag}; then echo again; else echo first; touch {flag}; sleep 600; fi"
    await day.world.apply(schedule("hello", command, minutes=1))
    await day.submit()
    run = await day.open()
    await until(lambda: day.exists(flag), bool)
    await day.collect()
    return run


def outputs(final: Record) -> dict[str, Output]:
    """Return the outputs of a record by their paths."""
    return {one.path: one for one in final.outputs}


async def vouched(day: BadDay, final: Record, how: How, **files: bytes) -> None:
    """See that the record vouches for these bytes, and that they are what is stored."""
    for name, data in files.items():
        path = f"{name}.txt"
        output = outputs(final)[path]
        assert (output.how, output.bytes) == (how, len(data))
        assert output.sha256 == hashlib.sha256(data).hexdigest()
        assert await day.world.output(final, path) == data


def failed(final: Record) -> Alerts:
    """Return the one alert of a run that did not succeed."""
    return {"run-failed": mailed(final)}


async def completed(day: BadDay) -> Record:
    """Submit, and wait until the task has ended in Batch; nothing has been collected."""
    await day.submit()
    run = await day.open()
    await day.world.job_is(run.run_id, "completed")
    return run


@incident(1)
async def test_a_node_is_removed_before_its_stdout_is_read(day: BadDay) -> None:
    """Incident 1: the node had pushed it when the task ended. The run succeeded, byte by byte."""
    await day.world.pool()
    await day.world.apply(schedule("hello", _WRITES, minutes=1))
    await completed(day)
    await day.resize(0)
    assert await day.nodes() == []

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    await vouched(day, final, How.PUSHED, stdout=STDOUT, stderr=b"oh\n")
    assert await day.alerts() == {}


@incident(1)
async def test_a_node_is_removed_with_what_it_never_pushed(day: BadDay) -> None:
    """Incident 1: the run keeps the outcome of its task, and its record says what is missing."""
    await day.world.pool()
    await day.world.apply(schedule("hello", _WRITES, minutes=1))
    run = await completed(day)
    await day.world.outputs.delete_blob(f"{run.output_prefix}stdout.txt")
    await day.resize(0)

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    stdout = outputs(final)["stdout.txt"]
    assert (stdout.how, stdout.code) == (How.MISSING, OutputCode.NODE_GONE)
    assert (stdout.why or "").startswith("it was not stored, and its node is gone")
    assert await day.world.output(final) is None
    await vouched(day, final, How.PUSHED, stderr=b"oh\n")
    assert await day.alerts() == {}


@incident(2)
async def test_files_are_asked_for_while_the_task_waits_again(day: BadDay) -> None:
    """
    Incident 2: OperationInvalidForCurrentState. The task had begun, lost its node and was stopped.

    Its files went with the node. That is said, and holds up nothing.
    """
    await day.world.pool(targetDedicatedNodes=0, targetLowPriorityNodes=1)
    node = await day.node_is("idle")
    await day.world.apply(schedule("hello", f"{_WRITES}; sleep 600", minutes=1))
    await day.submit()
    run = await day.open()
    await day.world.task_is(run.run_id, "running")
    await day.collect()
    await day.faults.preempt(node.id, seconds=None)
    await day.world.task_is(run.run_id, "active")
    files = day.world.batch.list_task_files(run.run_id, "main")
    assert await refusal(anext(aiter(files))) == (409, "OperationInvalidForCurrentState")

    await day.world.ask("stop", "hello", run_id=run.run_id)
    await day.unread_for(minutes=10)
    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.TERMINATED, Reason.STOPPED)
    assert {one.path for one in final.outputs} == {"stdout.txt", "stderr.txt"}
    assert {(one.how, one.code) for one in final.outputs} == {NOT_READY}
    assert all("OperationInvalidForCurrentState" in (one.why or "") for one in final.outputs)
    assert await day.alerts() == {}


@incident(3)
@pytest.mark.parametrize("ended", ["job", "task"])
async def test_a_task_is_completed_without_ever_having_run(day: BadDay, ended: str) -> None:
    """Incident 3: a completed task is no success; its files are not missed, they never were."""
    await day.world.pool(targetDedicatedNodes=0)
    await day.world.apply(schedule("hello", _WRITES, minutes=1))
    await day.submit()
    run = await day.open()
    if ended == "job":
        await day.batch.terminate(run.run_id, "by hand")
    else:
        await day.batch.send("POST", f"/jobs/{run.run_id}/tasks/main/terminate")
        await day.world.task_is(run.run_id, "completed")
    await day.world.job_is(run.run_id, "completed")

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.TERMINATED, Reason.ENDED_IN_BATCH)
    assert final.attempt.started is None
    assert {(one.how, one.why) for one in final.outputs} == {
        (How.MISSING, "the task never started")
    }
    assert await day.alerts() == failed(final)


@incident(4)
async def test_a_spot_node_is_taken_away(day: BadDay, tmp_path: Path) -> None:
    """Incident 4: the task runs again from its start, on a node of the same id. No retry."""
    await day.world.pool(targetDedicatedNodes=0, targetLowPriorityNodes=1)
    node = await day.node_is("idle")
    run = await needs_two_starts(day, tmp_path / "flag")

    await day.faults.preempt(node.id, seconds=None)
    await day.world.task_is(run.run_id, "active")
    await day.both()
    assert (await day.open()).run_id == run.run_id
    await day.faults.restore(node.id)
    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    assert [one.job_id for one in final.attempts] == [run.run_id]
    assert final.attempt.node == node.id
    assert final.attempt.preemptions == 1
    await vouched(day, final, How.PUSHED, stdout=b"again\n", stderr=b"")
    assert await day.alerts() == {}


@incident(5)
async def test_a_pool_shrinks_while_a_task_runs(day: BadDay, tmp_path: Path) -> None:
    """Incident 5: the default option sends the task back to its queue; that is no retry either."""
    await day.world.pool()
    run = await needs_two_starts(day, tmp_path / "flag")

    await day.resize(0, option="requeue")
    await day.both()
    assert (await day.open()).run_id == run.run_id
    await day.resize(1)
    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    assert [one.job_id for one in final.attempts] == [run.run_id]
    assert final.attempt.requeues == 1
    await vouched(day, final, How.PUSHED, stdout=b"again\n", stderr=b"")
    assert await day.alerts() == {}


@incident(8)
async def test_a_node_breaks_in_the_middle_of_a_task(day: BadDay) -> None:
    """Incident 8: the task had begun, and no other node takes it. It is lost, with the cause."""
    await day.world.pool()
    node = await day.node_is("idle")
    await day.world.apply(
        schedule("hello", f"{_WRITES}; sleep 600", minutes=1, start_timeout='"2s"')
    )
    await day.submit()
    run = await day.open()
    await day.world.task_is(run.run_id, "running")
    await day.collect()
    await day.faults.spoil(node.id, code="DiskFull", message="There is no space left")
    await day.world.task_is(run.run_id, "active")

    await day.unread_for(minutes=10)
    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.LOST, Reason.NODE_UNUSABLE)
    assert f"Node {node.id} is unusable: There is no space left (DiskFull)" in (
        final.sentence or ""
    )
    assert {(one.how, one.code) for one in final.outputs} == {NOT_READY}
    assert await day.alerts() == {**failed(final), "node-unusable": {("1",)}}


@incident(18)
async def test_a_task_runs_past_its_limit(day: BadDay) -> None:
    """Incident 18: however the exit code looks. What it had written is kept."""
    await day.world.pool()
    await day.world.apply(schedule("hello", "echo begun; sleep 60", minutes=1, run_timeout='"1s"'))

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.TIMED_OUT, Reason.RUN_TIMEOUT)
    assert "run timeout of 1 s" in (final.sentence or "")
    await vouched(day, final, How.PUSHED, stdout=b"begun\n", stderr=b"")
    assert await day.alerts() == failed(final)


@incident(19)
async def test_an_output_that_is_named_is_not_there(day: BadDay) -> None:
    """Incident 19: FileUploadMiscError after exit code 0. The run failed, and names the file."""
    await day.world.pool()
    await day.world.apply(schedule("hello", _WRITES, minutes=1, outputs='["model.bin"]'))

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.FAILED, Reason.OUTPUT_UPLOAD_FAILED)
    assert final.attempt.exit_code == 0
    assert "exit code 0" in (final.sentence or "")
    assert "model.bin" in (final.sentence or "")
    assert final.unmatched == ("model.bin",)
    await vouched(day, final, How.PUSHED, stdout=STDOUT, stderr=b"oh\n")
    assert await day.alerts() == failed(final)


@incident(19)
async def test_the_container_of_outputs_is_missing(day: BadDay) -> None:
    """Incident 19: FileUploadContainerNotFound after exit code 0. The node's files are fetched."""
    await day.world.pool()
    await day.world.apply(schedule("hello", _WRITES, minutes=1))
    await day.world.outputs.delete_container()
    run = await completed(day)
    task = await day.world.batch.get_task(run.run_id, "main")
    failure = task.execution_info.failure_info if task.execution_info else None
    assert failure is not None
    assert failure.code == "FileUploadContainerNotFound"
    await day.collect()
    await day.world.outputs.create_container()

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.FAILED, Reason.OUTPUT_UPLOAD_FAILED)
    assert final.attempt.exit_code == 0
    assert "FileUploadContainerNotFound" in (final.sentence or "")
    await vouched(day, final, How.FETCHED, stdout=STDOUT, stderr=b"oh\n")
    assert await day.alerts() == failed(final)


@incident(22)
@pytest.mark.parametrize("cut", [0, 1, 6_000_000])
async def test_a_download_breaks_off(day: BadDay, cut: int) -> None:
    """Incident 22: what arrived is kept, the rest is asked for again; no byte is lost or doubled."""
    await day.world.pool()
    data = LARGE[:-1]  # it ends in the middle of a character
    command = f"i=0; while [ $i -lt 1000 ]; do printf '{UNIT}'; i=$((i+1)); done | head -c -1"
    await day.world.apply(schedule("hello", command, minutes=1))
    run = await completed(day)
    await day.world.outputs.delete_blob(f"{run.output_prefix}stdout.txt")
    broken = await day.faults.add("cut", bytes=cut, times=2)

    final = await day.final()

    assert (await day.faults.hits())[broken] == 2
    assert (final.outcome, final.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    await vouched(day, final, How.FETCHED, stdout=data)
    assert await day.alerts() == {}


@incident(22)
async def test_a_connection_is_reset_while_outputs_are_fetched(day: BadDay) -> None:
    """Incident 22: neither the look at the size nor a list of files that fails loses anything."""
    await day.world.pool()
    await day.world.apply(schedule("hello", f"{_WRITES}; exit 3", minutes=1))
    run = await completed(day)
    for name in ("stdout.txt", "stderr.txt"):
        await day.world.outputs.delete_blob(f"{run.output_prefix}{name}")
    for operation in ("get_task_file_properties", "list_task_files", "download_task_file"):
        await day.faults.add("reset", operation=operation, times=4)

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.FAILED, Reason.EXIT_CODE)
    assert final.sentence == "It ended with exit code 3."
    await vouched(day, final, How.FETCHED, stdout=STDOUT, stderr=b"oh\n")
    assert final.last_words is not None
    assert final.last_words.stderr == "oh\n"
    assert await day.alerts() == failed(final)

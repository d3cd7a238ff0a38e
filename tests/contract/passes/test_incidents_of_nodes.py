"""Incidents of nodes and tasks: a node goes, a task never runs, or runs too long."""

import hashlib
from pathlib import Path
from typing import Final

import pytest

from orchestrator.enums import Outcome, Reason
from orchestrator.ledger.record import How, Output, Record
from tests.contract.passes.conftest import BadDay
from tests.contract.passes.incidents import incident
from tests.support.alarms import Alerts
from tests.support.world import schedule, until

_WRITES: Final = r"printf 'caf\303\251 \000\377 no newline'; echo oh >&2"
STDOUT: Final = b"caf\xc3\xa9 \x00\xff no newline"


def twice(flag: Path) -> str:
    """Return a command that waits for ever the first time, and succeeds the second."""
    return f"if test -e {flag}; then echo again; else echo first; touch {flag}; sleep 600; fi"


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
    return {"run-failed": {row(final)}}


def row(final: Record) -> tuple[str, ...]:
    """Return what the mail of a failed run says."""
    assert final.outcome is not None
    assert final.reason is not None
    return ("hello", final.run_id, final.outcome, final.reason, (final.sentence or "")[:300])


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
    flag = tmp_path / "flag"
    await day.world.apply(schedule("hello", twice(flag), minutes=1))
    await day.submit()
    run = await day.open()
    await until(lambda: day.exists(flag), bool)
    await day.collect()

    await day.faults.preempt(node.id, seconds=None)
    await day.world.task_is(run.run_id, "active")
    await day.both()
    assert (await day.open()).run_id == run.run_id
    await day.faults.restore(node.id)
    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    assert [one.job_id for one in final.attempts] == [run.run_id]
    assert final.attempt.node == node.id
    await vouched(day, final, How.PUSHED, stdout=b"again\n", stderr=b"")
    assert await day.alerts() == {}


@incident(5)
async def test_a_pool_shrinks_while_a_task_runs(day: BadDay, tmp_path: Path) -> None:
    """Incident 5: the default option sends the task back to its queue; that is no retry either."""
    await day.world.pool()
    flag = tmp_path / "flag"
    await day.world.apply(schedule("hello", twice(flag), minutes=1))
    await day.submit()
    run = await day.open()
    await until(lambda: day.exists(flag), bool)
    await day.collect()

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


@incident(18)
async def test_a_task_runs_past_its_limit(day: BadDay) -> None:
    """Incident 18: however the exit code looks. What it had written is kept."""
    await day.world.pool()
    await day.world.apply(schedule("hello", "echo begun; sleep 60", minutes=1, run_timeout='"1s"'))

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.TIMED_OUT, Reason.RUN_TIMEOUT)
    assert "run timeout of 0:00:01" in (final.sentence or "")
    await vouched(day, final, How.PUSHED, stdout=b"begun\n", stderr=b"")
    assert await day.alerts() == failed(final)

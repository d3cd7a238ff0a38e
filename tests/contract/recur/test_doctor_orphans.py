"""`recur doctor` finds what is left alone: in the ledger, in the Batch account, and on nodes."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator import ids
from orchestrator.enums import AttemptState
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Record, dump
from orchestrator.ledger.request import Request, RequestKind, dump_request
from recur.checks.batch import check_batch
from recur.checks.findings import Finding, Grade
from recur.checks.orphans import check_orphans
from recur.target import Target
from tests.support.deployment import doctor, values
from tests.support.waiting import until
from tests.support.world import World, schedule

OURS = {"name": "recur_run_id", "value": "hello-20261101T000000Z"}


async def findings(
    world: World,
    check: Callable[..., Iterator[Finding]] = check_orphans,
    *,
    later: timedelta = timedelta(),
) -> dict[str, Finding]:
    """Run one check as if it were later; in a thread, since the emulator lives in this one."""
    target = Target(source="test", values=values(world))
    found = await asyncio.to_thread(
        lambda: [*check(target, datetime.now(UTC) + later)],
    )
    for one in found:
        assert bool(one.why and one.fix) is (one.grade in {Grade.PROBLEM, Grade.NOTE}), one
    return {one.check: one for one in found}


async def other_job(world: World, job_id: str, *metadata: dict[str, str]) -> None:
    body: dict[str, Any] = {
        "id": job_id,
        "poolInfo": {"poolId": "recur"},
        "metadata": list(metadata),
    }
    await world.batch.create_job(body)  # type: ignore[arg-type] # REST spelling is accepted


async def test_what_belongs_together_is_no_orphan(world: World, tmp_path: Path) -> None:
    """Open and final runs, with jobs that run or have ended, and a job of somebody else."""
    await world.pool()
    await world.apply(schedule("hello", "true"))
    await world.submit()
    await world.collect_until_finished()
    await world.running("other", "sleep 60")
    await other_job(world, "theirs")

    told = await doctor(world, tmp_path)

    found = {one["check"]: one for one in told.json["findings"]}
    assert [one for one in found.values() if one["grade"] == "problem"] == [
        found["pool recur formula"]
    ]
    assert found["jobs without record"]["what"] == "none of 2 job(s) of runs"
    assert found["runs without job"]["grade"] == "good"
    assert found["requests"]["what"] == "0 request(s) wait, none for long"
    assert found["open records"]["what"] == "1, all of them can be read"
    assert found["final records"]["grade"] == "good"
    assert found["quota of active jobs"]["what"].startswith("2 of ")


async def test_a_job_whose_record_was_removed_is_found(world: World) -> None:
    """While it runs it is a problem; afterwards it is a note."""
    await world.pool()
    run = await world.running("hello", "sleep 60")
    await world.ledger.delete_blob(ids.open_blob(run.run_id))

    found = (await findings(world))["jobs without record"]

    assert found.grade is Grade.PROBLEM
    assert run.run_id in found.what
    assert f"az batch job stop --job-id {run.run_id}" in found.fix

    await world.end_job(run)
    found = (await findings(world))["jobs without record"]
    assert found.grade is Grade.NOTE
    assert f"az batch job delete --job-id {run.run_id}" in found.fix


async def test_a_job_of_a_triggered_run_has_its_final_record(world: World) -> None:
    """In a folder of its own."""
    await world.pool()
    await world.apply(schedule("hello", "true"))
    await world.submit()
    await world.collect_until_finished()
    await world.ask("trigger", "hello", key="a")
    await world.collect_until_finished(2)

    found = await findings(world)

    assert found["jobs without record"].what == "none of 2 job(s) of runs"


async def test_a_job_of_another_ledger_is_left_to_it(world: World) -> None:
    """One that names no ledger is ours; one that names no run is nobody's of us."""
    await world.pool()
    await world.apply(schedule("hello", "true"))
    await world.submit()
    await world.set_state(replace(await world.state(), ledger="ours"))
    await other_job(world, "theirs", OURS, {"name": "recur_ledger", "value": "theirs"})

    assert (await findings(world))["jobs without record"].grade is Grade.GOOD

    await other_job(world, "ours", OURS, {"name": "recur_ledger", "value": "ours"})
    await other_job(world, "old", OURS)

    assert " and 1 more: not completed" in (await findings(world))["jobs without record"].what


async def test_a_run_whose_job_is_gone_is_found(world: World) -> None:
    """When the collector should have ended it: 20 minutes after its submission."""
    await world.pool()
    run = await world.running("hello", "sleep 60")
    await world.delete_job(run.run_id)

    assert (await findings(world))["runs without job"].grade is Grade.GOOD

    found = (await findings(world, later=timedelta(minutes=21)))["runs without job"]
    assert found.grade is Grade.PROBLEM
    assert run.run_id in found.what
    assert "recur tick collect" in found.fix


async def test_a_claimed_run_needs_no_job(world: World) -> None:
    """It has none yet."""
    await world.apply(schedule("hello", "true"))
    await world.submit()
    (opened,) = await world.open()
    assert opened.attempt.state is AttemptState.CLAIMED

    found = await findings(world, later=timedelta(hours=2))

    assert found["runs without job"].grade is Grade.GOOD


async def test_a_request_that_nobody_answers_is_found(world: World) -> None:
    """After five minutes, with the command that does a tick's work by hand."""
    for id_ in ("a1", "b2"):
        request = Request(id=id_, kind=RequestKind.TRIGGER, by="test", schedule=ScheduleId("hello"))
        await world.ledger.upload_blob(ids.request_blob(id_), dump_request(request))

    assert (await findings(world))["requests"].what == "2 request(s) wait, none for long"

    found = (await findings(world, later=timedelta(minutes=6)))["requests"]
    assert found.grade is Grade.PROBLEM
    assert found.what.startswith("a1 and 1 more: unanswered since ")
    assert "recur tick submit" in found.fix


async def test_the_mark_of_housekeeping_is_ours(world: World) -> None:
    """It lies beside the open records, and is neither a record nor a request."""
    await world.ledger.upload_blob(ids.HOUSEKEEPING, b"{}")

    assert "open/" not in await findings(world)


async def test_a_blob_that_ticks_ignore_is_found(world: World) -> None:
    """Somebody meant something by it."""
    await world.ledger.upload_blob("open/request/Please start.json", b"{}")

    found = (await findings(world))["open/"]

    assert found.grade is Grade.NOTE
    assert "open/request/Please start.json" in found.what


def _no_json(_: Record) -> bytes:
    return b"{"


def _without_attempts(record: Record) -> bytes:
    return dump(replace(record, attempts=()))


@pytest.mark.parametrize("damaged", [_no_json, _without_attempts])
async def test_a_damaged_open_record_is_found(
    world: World, damaged: Callable[[Record], bytes], tmp_path: Path
) -> None:
    """It is no JSON, or a record without an attempt; the whole of doctor goes on."""
    await world.pool()
    run = await world.running("hello", "sleep 60")
    name = ids.open_blob(run.run_id)
    blob = world.ledger.get_blob_client(name)
    metadata = (await blob.get_blob_properties()).metadata
    await blob.upload_blob(damaged(run), metadata=metadata, overwrite=True)

    told = await doctor(world, tmp_path)

    (found,) = [one for one in told.json["findings"] if one["check"] == f"record {name}"]
    assert found["grade"] == "problem"
    assert found["what"].startswith("is damaged: ")
    assert "docs/operations.md" in found["fix"]


async def test_an_open_record_without_metadata_is_found(world: World) -> None:
    """No listing tells of it."""
    await world.pool()
    run = await world.running("hello", "sleep 60")
    name = ids.open_blob(run.run_id)
    await world.ledger.upload_blob(name, dump(run), overwrite=True)

    found = (await findings(world))[f"record {name}"]

    assert found.what == "is damaged: its metadata are missing"


async def test_a_damaged_final_record_is_found(world: World) -> None:
    """Among those of yesterday and today."""
    await world.pool()
    await world.apply(schedule("hello", "true"))
    await world.submit()
    (record,) = await world.collect_until_finished()
    await world.ledger.upload_blob(record.blob, b"{", overwrite=True)

    found = (await findings(world))[f"record {record.blob}"]

    assert found.grade is Grade.PROBLEM
    assert "final records" not in await findings(world)


async def test_a_node_with_nothing_to_do_is_found(world: World) -> None:
    """After half an hour: the formula gives it up before."""
    await world.pool()

    async def idle() -> list[str]:
        return [str(node["state"]) async for node in world.batch.list_nodes("recur")]

    await until(idle, lambda states: states == ["idle"])
    (node,) = [node.id async for node in world.batch.list_nodes("recur")]

    assert f"node {node}" not in await findings(world, check_batch)

    found = (await findings(world, check_batch, later=timedelta(minutes=31)))[f"node {node}"]
    assert found.grade is Grade.NOTE
    assert "has been idle since" in found.what
    assert "node-idle" in found.fix

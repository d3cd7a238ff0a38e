"""`recur doctor` on an emulated deployment: each thing that is wrong is found, with its remedy."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob.aio import BlobServiceClient

from local.azurite import Azurite
from recur.commands.doctor import CHECKS
from recur.errors import Exit
from tests.support.deployment import doctor
from tests.support.operator import Operator, Told, operator
from tests.support.terminal import at_a_terminal, read_until
from tests.support.waiting import until
from tests.support.world import World, schedule

AUTOSCALED = {
    "targetDedicatedNodes": None,
    "enableAutoScale": True,
    "autoScaleFormula": "$TargetDedicatedNodes = 0;",
    "autoScaleEvaluationInterval": "PT5M",
}
START_TASK = {"commandLine": "/bin/sh -c 'exit 7'", "waitForSuccess": True}


def problems(told: Told) -> dict[str, dict[str, Any]]:
    found = {one["check"]: one for one in told.json["findings"] if one["grade"] == "problem"}
    for one in found.values():
        assert one["why"], one
        assert one["fix"], one
    return found


async def test_a_healthy_deployment_has_no_problem(world: World, tmp_path: Path) -> None:
    """And says what was looked at."""
    await world.pool(**AUTOSCALED)
    await world.apply(schedule("hello", "true", minutes=-60))
    await world.submit()

    told = await doctor(world, tmp_path)

    assert problems(told) == {}
    assert told.code == Exit.DONE
    checks = {one["check"] for one in told.json["findings"]}
    assert {"settings", "clock", "schedule document", "decisions", "pool recur", "nodes"} <= checks


async def test_every_setting_that_is_wrong_is_found(world: World, tmp_path: Path) -> None:
    """By name, while everything else is still examined."""
    told = await doctor(world, tmp_path, NODE_IDENTITY_ID="id-node", AZURE_CLIENT_ID="")

    assert {"setting NODE_IDENTITY_ID", "setting AZURE_CLIENT_ID"} <= set(problems(told))
    assert "pool recur" in problems(told)
    assert told.code == Exit.FOUND


async def test_a_missing_container_document_and_pool_are_found(
    world: World, tmp_path: Path
) -> None:
    """What a half-finished deployment lacks, each with the command that makes it."""
    told = await doctor(world, tmp_path, OUTPUTS_CONTAINER="nothing-here")
    assert "container nothing-here" in problems(told)

    told = await doctor(world, tmp_path)
    assert problems(told)["schedule document"]["fix"] == "recur apply FILE"
    assert "recur publish" in problems(told)["pool recur"]["fix"]


async def test_a_bad_table_and_a_blocked_run_are_found(world: World, tmp_path: Path) -> None:
    """From the ledger: what the functions met."""
    await world.apply(schedule("bad", "true", time_zone='"Mars"') + schedule("hello", "true"))
    await world.submit()

    found = problems(await doctor(world, tmp_path))

    assert "[schedules.bad]: time_zone" in found["schedule document"]["what"]
    assert "pool_missing" in found["open runs"]["what"]


async def test_a_submit_function_that_does_not_tick_is_found(world: World, tmp_path: Path) -> None:
    """Occurrences that have waited for their decision for longer than any tick takes."""
    await world.pool()
    await world.apply(schedule("hello", "true", minutes=-60))
    await world.submit()
    await world.decide_again("hello")
    state = await world.state()
    (one,) = state.schedules.values()
    early = datetime.now(UTC) - timedelta(hours=1)
    timings = tuple(replace(timing, since=early) for timing in one.timings)
    old = replace(one, timings=timings, decided_until=early)
    await world.set_state(replace(state, schedules=dict.fromkeys(state.schedules, old)))

    found = problems(await doctor(world, tmp_path))

    assert "hello has waited" in found["decisions"]["what"]


async def test_a_document_that_no_tick_takes_over_is_found(world: World, tmp_path: Path) -> None:
    """At first it is a note; nothing is called well that has not happened yet."""
    await world.pool(**AUTOSCALED)
    await world.apply(schedule("hello", "true"))

    told = await doctor(world, tmp_path)

    (one,) = [one for one in told.json["findings"] if one["check"] == "decisions"]
    assert one["grade"] == "note"


async def test_a_run_that_nobody_collects_is_found(world: World, tmp_path: Path) -> None:
    """It is open although everything that it may take has passed."""
    await world.pool()
    run = await world.running("hello", "true")
    await world.age(run, minutes=200)

    found = problems(await doctor(world, tmp_path))

    assert run.run_id in found["collected runs"]["what"]


@pytest.mark.parametrize(
    "changed",
    [
        {"BATCH_ACCOUNT_KEY": "no base64"},
        {"DATA_STORAGE_CONNECTION_STRING": "nonsense"},
        {"AzureWebJobsStorage": "nonsense"},
    ],
)
async def test_a_setting_that_no_client_takes_is_a_finding(
    world: World, tmp_path: Path, changed: dict[str, str]
) -> None:
    """And everything else is still examined."""
    told = await doctor(world, tmp_path, **changed)

    assert told.code == Exit.FOUND
    assert len(told.json["findings"]) > 3


async def test_a_timer_that_went_silent_is_found(world: World, tmp_path: Path) -> None:
    """By what the Functions host notes of it."""
    with Azurite(log=tmp_path / "host-storage.log") as host_storage:
        connection = host_storage.connection_string
        async with BlobServiceClient.from_connection_string(connection) as storage:
            hosts = await storage.create_container("azure-webjobs-hosts")
            for function, minutes in (("submit", 1), ("collect", 30)):
                updated = datetime.now(UTC) - timedelta(minutes=minutes)
                status = {"Last": updated.isoformat(), "Next": "", "LastUpdated": ""}
                name = f"timers/host/Host.Functions.{function}/status"
                await hosts.upload_blob(name, json.dumps(status))

        told = await doctor(world, tmp_path, AzureWebJobsStorage=connection)

    assert "heartbeat of collect" in problems(told)
    assert "heartbeat of submit" not in problems(told)


async def test_a_start_task_that_fails_is_found(world: World, tmp_path: Path) -> None:
    """With the node, its exit code, and how to read what it printed."""
    await world.pool(startTask=START_TASK)

    async def sick() -> list[str]:
        return [str(node["state"]) async for node in world.batch.list_nodes("recur")]

    await until(sick, lambda states: "starttaskfailed" in states)

    found = problems(await doctor(world, tmp_path))

    (node,) = [one for check, one in found.items() if check.startswith("node ")]
    assert "exit code 7" in node["what"]
    assert "startup/stderr.txt" in node["fix"]


async def test_a_damaged_package_is_found(world: World, tmp_path: Path) -> None:
    """Active is what Batch says of it; what nodes would get is what lies in storage."""
    sources = tmp_path / "workload" / "tool"
    sources.mkdir(parents=True)
    (sources / "main.sh").write_text("echo hello\n")
    told = await doctor(world, tmp_path)  # writes the settings that publish reads as well
    someone = Operator(tmp_path / "settings.json")
    published = await asyncio.to_thread(
        someone.recur, "--json", "publish", "--workload", str(sources.parent)
    )
    assert published.code == Exit.DONE, published.err
    (version,) = published.json["versions"].values()
    reference = {"applicationId": "tool", "version": version}
    await world.pool(applicationPackageReferences=[reference])
    check = f"package tool {version}"

    told = await doctor(world, tmp_path)
    assert check not in problems(told)

    async for container in world.storage.list_containers(name_starts_with="app-tool-"):
        blobs = world.storage.get_container_client(container.name)
        await blobs.upload_blob(version, b"junk", overwrite=True)
    found = problems(await doctor(world, tmp_path))

    assert "damaged" in found[check]["what"]


async def test_a_wrong_key_is_found(world: World, tmp_path: Path) -> None:
    """It is told as access that is refused, and storage is examined all the same."""
    told = await doctor(world, tmp_path, BATCH_ACCOUNT_KEY="d3Jvbmc=")

    assert "Batch account" in problems(told)
    assert "schedule document" in problems(told)


async def test_an_account_that_does_not_answer_is_found(world: World, tmp_path: Path) -> None:
    """Once: what else stands at its address is not checked, and no problem of its own."""
    told = await doctor(world, tmp_path, BATCH_ACCOUNT_URL="http://127.0.0.1:9")

    assert set(problems(told)) & {name for name, _ in CHECKS} == {"Batch account"}
    assert told.code == Exit.FOUND
    what = {one["check"]: (one["grade"], one["what"]) for one in told.json["findings"]}
    silent = "Batch account has the same address and does not answer"
    assert what["quotas and packages"] == ("unchecked", silent)


def test_who_waits_for_a_check_sees_which_one(tmp_path: Path) -> None:
    """On a terminal: its name, and how many there are."""
    connection = (
        "DefaultEndpointsProtocol=http;AccountName=x;AccountKey=eA==;"
        "BlobEndpoint=http://127.0.0.1:9/x;"
    )
    someone = operator(
        tmp_path,
        DATA_STORAGE_CONNECTION_STRING=connection,
        LEDGER_CONTAINER="ledger",
        OUTPUTS_CONTAINER="outputs",
    )

    with at_a_terminal(someone, "doctor") as (terminal, _):
        read_until(terminal, "checking data storage")
        read_until(terminal, f"1/{len(CHECKS)}")

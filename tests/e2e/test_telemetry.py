"""
What the deployed functions tell Application Insights, and what the alerts make of it.

The two functions run through Microsoft's worker library in a process of their own, with the
settings of the deployment: the worker itself configures the exporter, which sends to this test.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.options import Options
from batch_emulator.server import Emulator
from local.azurite import Azurite
from orchestrator.adapters.settings import Settings
from orchestrator.adapters.telemetry import KEYS, Event
from tests.alerts.ingestion import Sink, app_events, app_traces
from tests.alerts.workspace import QUERIES, Answer, Row, Workspace
from tests.conftest import Containers
from tests.contract.conftest import ACCOUNT, KEY, SPEED
from tests.support.waiting import until
from tests.support.world import World, schedule, settings

ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9"
LAG = timedelta(minutes=2)

pytestmark = pytest.mark.e2e


@pytest.fixture
async def world(azurite: Azurite, containers: Containers, tmp_path: Path) -> AsyncIterator[World]:
    options = Options(
        account=ACCOUNT,
        key=KEY,
        storage=azurite.connection_string,
        root=tmp_path / "nodes",
        pool_speed=SPEED,
        kill_grace_seconds=0.2,
    )
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(options))
        yield World(
            settings=settings(containers, emulator.url, ACCOUNT, KEY),
            storage=await stack.enter_async_context(
                BlobServiceClient.from_connection_string(containers.connection_string)
            ),
            batch=await stack.enter_async_context(
                BatchClient(emulator.url, AzureNamedKeyCredential(ACCOUNT, KEY), retry_total=0)
            ),
        )


def _environment(told: Settings, sink: Sink, folder: Path) -> dict[str, str]:
    """Return what the deployed functions are set to, with the addresses of this test."""
    return {
        **os.environ,
        "SUBMIT_CRON": "* * * * * *",
        "COLLECT_CRON": "* * * * * *",
        "BATCH_ACCOUNT_URL": told.batch_account_url,
        "BATCH_ACCOUNT_NAME": ACCOUNT,
        "BATCH_ACCOUNT_KEY": KEY,
        "BATCH_POOL_ID": told.place.pool_id,
        "DATA_STORAGE_URL": told.data_storage_url,
        "DATA_STORAGE_CONNECTION_STRING": told.data_storage_connection_string or "",
        "LEDGER_CONTAINER": told.ledger_container,
        "OUTPUTS_CONTAINER": told.outputs_container,
        "AzureWebJobsStorage": told.data_storage_connection_string or "",
        **_telemetry_of_the_deployment(),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": sink.connection_string,
        # These would ask addresses of Azure, and the metadata of a virtual machine.
        "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "otel",
        "STRAYED": str(folder / "strayed"),
        "TMPDIR": str(folder),  # where the exporter keeps what could not be sent
    }


def _telemetry_of_the_deployment() -> dict[str, str]:
    """Return the settings of the deployed app for telemetry, but those that Azure computes."""
    snapshot = json.loads((ROOT / "infra/snapshots/core.defaults.json").read_text())
    (deployed,) = [
        resource["properties"]
        for resource in snapshot["predictedResources"]
        if resource["type"] == "Microsoft.Web/sites/config"
        and resource["name"].endswith("/appsettings")
    ]
    prefixes = ("APPLICATIONINSIGHTS_", "OTEL_", "PYTHON_")
    return {
        name: value
        for name, value in deployed.items()
        if name.startswith(prefixes) and not value.startswith("[")
    }


@asynccontextmanager
async def functions(world: World, sink: Sink, folder: Path) -> AsyncIterator[None]:
    """Run both functions, a tick a second; they speak to this machine only."""
    command = ("-m", "tests.alerts.on_loopback", "host", "--settings", "local.settings.sample.json")
    log = folder / "functions.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            cwd=ROOT,
            env=_environment(world.settings, sink, folder),
            stdout=out,
            stderr=out,
        )
        try:
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            try:
                code = await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
                code = await process.wait()
    strayed = folder / "strayed"
    assert code == 0, log.read_text()
    assert not strayed.exists(), strayed.read_text()


async def told(sink: Sink, event: Event, count: int = 1, **values: str) -> None:
    """Wait until so many events of a kind with these values have come in."""

    async def found() -> int:
        return sum(values.items() <= one.items() for one in sink.events(event))

    await until(found, lambda number: number >= count, within=30)


async def _blocked(sink: Sink) -> int:
    return sum(one["blocked"] not in {"", "0"} for one in sink.events(Event.TICK_FINISHED))


def answers(alert: str, rows: Iterable[Row], at: datetime) -> set[Answer]:
    workspace = Workspace()
    workspace.add("AppEvents", rows)
    (found,) = workspace.run(QUERIES[alert], at)
    return found


def lasting(rows: Iterable[Row], *, minutes: int = 20) -> list[Row]:
    """Let the heartbeats of some seconds go on like that, one a minute."""
    beats = [row for row in rows if row["Name"] == Event.TICK_FINISHED]
    return [_later(beat, timedelta(minutes=minute)) for beat in beats for minute in range(minutes)]


def _later(row: Row, by: timedelta) -> dict[str, Any]:
    moved: dict[str, Any] = dict(row)
    return moved | {name: moved[name] + by for name in ("TimeGenerated", "ingested")}


async def test_the_alerts_hear_what_the_functions_tell(world: World, tmp_path: Path) -> None:
    """Each fires for what has happened here, names it, and is silent about everything else."""
    known = schedule("good", "true") + schedule(
        "stale", "exit 7", minutes=300, start_timeout='"30s"', run_timeout='"30s"'
    )
    others = (
        schedule("failing", "echo no >&2; exit 7")
        + schedule("idle", "true", paused="true")
        + schedule("late", "true", minutes=10)
        + schedule("gone", "true", minutes=10, catch_up='{ window = "5m" }')
        + schedule("broken", "true", time_zone='"Mars"')
    )
    await world.apply(known)
    await world.elsewhere(batch_account_url=NOWHERE).submit()  # reported is what is known
    await world.collect()  # and that nothing has succeeded
    await world.apply(known + others)
    async with Sink() as sink, functions(world, sink, tmp_path):
        await told(sink, Event.OCCURRENCE_BLOCKED, reason="pool_missing")
        await until(lambda: _blocked(sink), lambda ticks: ticks > 1)
        without_pool = app_events(sink.envelopes, LAG)
        await world.pool()
        for name, outcome in (("good", "succeeded"), ("failing", "failed")):
            await told(sink, Event.RUN_FINISHED, schedule=name, outcome=outcome)
        await told(sink, Event.RUN_FINISHED, schedule="stale")
        await world.apply(known + others.replace("Mars", "UTC"))
        await told(sink, Event.RUN_FINISHED, schedule="broken", outcome="succeeded")
        await told(sink, Event.TICK_FINISHED, 2, function="submit", problem="")
    rows = app_events(sink.envelopes, LAG)

    _check_what_arrived(rows, app_traces(sink.envelopes, LAG))
    _check_the_runs(rows)
    _check_the_silence(rows)
    _check_the_trouble(without_pool, rows)


async def test_an_ingestion_that_refuses_holds_nothing_up(world: World, tmp_path: Path) -> None:
    """The functions tick on and do their work; when it takes again what they tell, it is there."""
    async with Sink() as sink, functions(world, sink, tmp_path):
        sink.refuses = True
        await world.pool()
        await world.apply(schedule("good", "true"))
        await until(world.final, lambda records: any(record.outcome for record in records))
        sink.refuses = False
        await told(sink, Event.TICK_FINISHED, 2, function="submit")

    # An exporter that told of its own failures would never come to an end.
    properties = [one["data"]["baseData"]["properties"] for one in sink.refused]
    assert {one["logger_name"] for one in properties} == {"recur"}


def _check_what_arrived(rows: list[Row], traces: list[Row]) -> None:
    """Every event is a row of AppEvents with all of its keys, and no row of another table."""
    for row in rows:
        properties = row["Properties"]
        assert isinstance(properties, dict)
        assert set(KEYS[Event(str(row["Name"]))]) <= set(properties)
        assert row["AppRoleName"] == _telemetry_of_the_deployment()["OTEL_SERVICE_NAME"]
    told_elsewhere = {Event.CLOCK_SKEWED, Event.RUN_SLOW, Event.LEDGER_TROUBLE}
    assert {row["Name"] for row in rows} == set(Event) - told_elsewhere
    assert not [row for row in traces if str(row["Message"]).startswith(tuple(Event))]


def _check_the_runs(rows: list[Row]) -> None:
    """Of what ended badly or was missed one row each; nothing of what was skipped or made up."""
    at = _end(rows)
    failed = answers("run-failed", rows, at)
    named = {(name, outcome, reason) for name, _, outcome, reason, *_ in failed}
    (sentence,) = {answer[4] for answer in failed if answer[0] == "failing"}

    assert named == {
        ("failing", "failed", "exit_code"),
        ("stale", "failed", "exit_code"),
        ("gone", "missed", "window"),
    }
    assert all(run_id.startswith(f"{name}-") for name, run_id, *_ in failed if name != "gone")
    assert "7" in sentence
    assert answers("run-failed", rows, at + timedelta(hours=1)) == set()
    assert {answer[0] for answer in answers("schedule-overdue", rows, at)} == {"stale"}


def _check_the_silence(rows: list[Row]) -> None:
    """None while both functions tick; then of each that does not."""
    at = _end(rows)
    submit_alone = [row for row in rows if _property(row, "function") != "collect"]

    assert answers("tick-silent", rows, at) == set()
    assert answers("tick-silent", submit_alone, at) == {("collect",)}
    assert answers("tick-silent", rows, at + timedelta(minutes=31)) == {("submit",), ("collect",)}


def _check_the_trouble(without_pool: list[Row], rows: list[Row]) -> None:
    """Of a moment nothing is told; a broken table and a missing pool are told when they last."""
    last = max(_time(row) for row in rows if _property(row, "problem"))
    well = [row for row in rows if _time(row) > last]
    bad = [*without_pool, *lasting(without_pool)]

    assert answers("product-trouble", rows, _end(rows)) == set()
    assert answers("product-trouble", lasting(well), _end(lasting(well))) == set()
    found = answers("product-trouble", bad, _end(bad))
    assert {reason for _, _, reason, *_ in found} == {"problem", "pool_missing"}
    assert all(
        name in {"good", "stale", "failing", "late", "gone"} for _, name, *_ in found if name
    )
    (words,) = {sentence for _, _, reason, sentence, *_ in found if reason == "problem"}
    assert "[schedules.broken]" in words
    assert "Mars" in words


def _end(rows: list[Row]) -> datetime:
    """Return a moment after the last of these rows has arrived."""
    return max(_time(row) for row in rows) + LAG + timedelta(minutes=1)


def _time(row: Row) -> datetime:
    at = row["TimeGenerated"]
    assert isinstance(at, datetime)
    return at


def _property(row: Row, name: str) -> object:
    properties = row["Properties"]
    assert isinstance(properties, dict)
    return properties.get(name)

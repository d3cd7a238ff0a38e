"""
`recur status` at three in the morning: it names schedule, cause and remedy, whatever is wrong.

`recur show` of the run names the same; where there is no run, `recur explain` of the schedule does.
"""

import asyncio
import json
import re
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob.aio import BlobServiceClient

from bench.counting import BatchCalls, StorageCalls, by_kind
from local.azurite import Azurite
from orchestrator import ids
from orchestrator.enums import BlockedReason, Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Record
from orchestrator.ledger.result import result_of
from orchestrator.ledger.summaries import Recent, dump_recent, with_results
from recur.errors import Exit
from recur.requests.options import WAIT_SECONDS
from tests.conftest import Containers
from tests.contract.conftest import ACCOUNT, KEY, TOKEN, Batch, Start
from tests.support.deployment import operator_of
from tests.support.operator import Operator, Told
from tests.support.records import claimed, ran
from tests.support.terminal import at_a_terminal, read_until
from tests.support.waiting import until
from tests.support.world import World, schedule, settings

HELLO = schedule("hello", "true", minutes=1)
MOST_READS = 20
HOST_READS = 3
"""Of the Functions host's storage: a listing, and the status of each timer."""


@dataclass(frozen=True, slots=True)
class Night:
    """A deployment in which something goes wrong, and somebody who asks what."""

    world: World
    batch: Batch
    folder: Path

    async def recur(self, *arguments: str, **changed: str) -> Told:
        """Ask as people do; in a thread, since the emulator lives in this one."""
        someone = operator_of(self.world, self.folder, **changed)
        return await asyncio.to_thread(someone.recur, *arguments)

    async def status(self, *arguments: str, **changed: str) -> Told:
        """Ask how it all stands."""
        return await self.recur(*arguments, "status", **changed)

    async def trouble(self, schedule_: str = "hello", **changed: str) -> dict[str, Any]:
        """Return the worst trouble of a schedule, which stands on the screen as well."""
        programs = await self.status("--json", **changed)
        people = await self.status(**changed)
        assert (programs.code, people.code) == (Exit.FOUND, Exit.FOUND)
        troubles = [one for one in programs.json["troubles"] if one["schedule"] == schedule_]
        assert troubles, programs.out
        one: dict[str, Any] = troubles[0]
        assert f"problem  {schedule_}: " in people.out
        assert f"next: {one['next_step']}" in people.out
        if run := one["run_id"]:
            await self.shown(run, one)
        return one

    async def shown(self, run: str, trouble: dict[str, Any]) -> None:
        """See that `recur show` names schedule, cause and remedy of a run as the status does."""
        told = await self.recur("show", run)
        lines = told.out.splitlines()
        assert f"  schedule      {trouble['schedule']}" in lines
        assert f"  cause         {trouble['cause']}" in lines, told.out
        assert [one for one in lines if "next: " in one] == [f"  next: {trouble['next_step']}"]
        assert "az " not in lines[-1]
        for line in trouble["last_lines"]:
            assert any(one.endswith(f" {line}") for one in lines), told.out

    async def explained(self, *says: str, **changed: str) -> None:
        """See that `recur explain` of the schedule names it, a cause and one remedy."""
        told = await self.recur("explain", "hello", **changed)
        assert told.out.startswith("hello of ")
        assert told.out.count("next: ") == 1, told.out
        for text in says:
            assert text in told.out

    async def submitted(self) -> str:
        """Submit the one run of the schedule, and return its id."""
        await self.world.apply(HELLO)
        await self.world.submit()
        (run,) = await self.world.open()
        return str(run.run_id)


@pytest.fixture
async def night(start_batch: Start, containers: Containers, tmp_path: Path) -> AsyncIterator[Night]:
    batch = await start_batch(faults=True)
    connection = containers.connection_string
    async with BlobServiceClient.from_connection_string(
        connection, use_env_settings=False
    ) as storage:
        world = World(
            settings=settings(containers, batch.url, ACCOUNT, KEY),
            storage=storage,
            batch=batch.client,
        )
        yield Night(world, batch, tmp_path)


async def test_the_pool_is_gone(night: Night) -> None:
    """The run is blocked, and the pool itself is told to be missing."""
    run = await night.submitted()

    one = await night.trouble()

    assert (one["kind"], one["run_id"]) == ("blocked", run)
    assert "the pool does not exist (pool_missing)" in one["cause"]
    assert "make up" in one["next_step"]


async def test_the_start_task_fails(night: Night) -> None:
    """The run waits for a node that never takes it, hours before its start timeout says so."""
    command = "/bin/sh -c 'echo pip: not found >&2; exit 7'"
    failing = {"commandLine": command, "waitForSuccess": True}
    await night.world.pool(startTask=failing)
    run = await night.submitted()

    async def states() -> list[str]:
        return [str(node["state"]) async for node in night.world.batch.list_nodes("recur")]

    await until(states, lambda found: "starttaskfailed" in found)

    one = await night.trouble()

    assert (one["kind"], one["run_id"]) == ("waiting", run)
    assert "start task of node" in one["cause"]
    assert "exit code 7" in one["cause"]
    assert one["last_lines"] == ["pip: not found"]
    assert "fix workload/pythonsetup" in one["next_step"]


async def test_the_timers_are_dead(night: Night, tmp_path: Path) -> None:
    """By what the Functions host notes, and by the occurrence that nobody decides."""
    await night.world.pool()
    await night.world.apply(schedule("hello", "true", minutes=-60))
    await night.world.submit()
    await night.world.undecide("hello", minutes=90)
    with Azurite(log=tmp_path / "host-storage.log") as host:
        async with BlobServiceClient.from_connection_string(host.connection_string) as storage:
            hosts = await storage.create_container("azure-webjobs-hosts")
            last = datetime.now(UTC) - timedelta(minutes=6, seconds=5)
            status = {"Last": last.isoformat(), "Next": (last + timedelta(minutes=1)).isoformat()}
            for function in ("submit", "collect"):
                name = f"timers/host/Host.Functions.{function}/status"
                await hosts.upload_blob(name, json.dumps(status))

        one = await night.trouble(AzureWebJobsStorage=host.connection_string)
        told = await night.status(AzureWebJobsStorage=host.connection_string)
        await night.explained("no submit tick has decided its occurrence", "recur tick")
        someone = operator_of(night.world, night.folder, AzureWebJobsStorage=host.connection_string)
        begin = time.monotonic()
        asked = await asyncio.to_thread(someone.recur, "trigger", "hello")
        took = time.monotonic() - begin
        (request,) = re.findall(r"; request ([0-9a-f]{32}) waits", asked.err)
        looked = await asyncio.to_thread(someone.recur, "answer", request)
        left = await asyncio.to_thread(someone.recur, "pause", "--all", "--no-wait")

    assert (asked.code, looked.code, left.code) == (Exit.UNAVAILABLE, Exit.UNAVAILABLE, Exit.DONE)
    assert took < WAIT_SECONDS / 2
    assert f"; request {request} waits for the next tick" in asked.err
    assert "recur: no submit tick for 6 min" in asked.err
    assert f"`recur tick submit` does one tick now. Then recur answer {request}" in asked.err
    assert "no submit tick for 6 min" in left.err
    assert one["kind"] == "undecided"
    assert "no submit tick has decided its occurrence" in one["cause"]
    assert "recur tick" in one["next_step"]
    assert "problem  submit   no submit tick for 6 min" in told.out
    assert "problem  collect  no collect tick for 6 min" in told.out
    assert "next: `make start` runs the timers" in told.out


async def test_the_document_is_broken(night: Night) -> None:
    """Somebody uploaded it by hand: every schedule that ticks know of stands still."""
    await night.world.pool()
    await night.world.apply(schedule("hello", "true", minutes=-60))
    await night.world.submit()
    await night.world.ledger.upload_blob(ids.DOCUMENT, b"[schedules.hello\n", overwrite=True)

    one = await night.trouble()

    assert one["kind"] == "document"
    assert "not TOML" in one["cause"]
    assert "recur apply FILE" in one["next_step"]
    await night.explained("not TOML", f"next: {one['next_step']}")


async def test_the_command_is_not_found(night: Night) -> None:
    """With what the shell said, and the exit code in the row of the schedule."""
    await night.world.pool()
    await night.world.apply(schedule("hello", "no-such-program", minutes=1))
    await night.world.submit()
    (record,) = await night.world.collect_until_finished()

    one = await night.trouble()
    told = await night.status()

    assert (one["kind"], one["run_id"]) == ("failed", record.run_id)
    assert "failed (command_not_found)" in one["cause"]
    assert "check that an application package contains the program" in one["next_step"]
    assert any("no-such-program" in line for line in one["last_lines"])
    assert "failed (127)" in told.out


async def test_the_quota_of_jobs_is_full(night: Night) -> None:
    """With what Batch said."""
    await night.world.pool()
    await night.batch.faults.add("quota")
    run = await night.submitted()

    one = await night.trouble()

    assert (one["kind"], one["run_id"]) == ("blocked", run)
    assert f"({BlockedReason.QUOTA}): " in one["cause"]
    assert "ask for a higher quota" in one["next_step"]


async def test_the_node_is_lost(night: Night) -> None:
    """Its run is said to wait for another one, before and after a tick has seen that."""
    await night.world.pool()
    await night.world.apply(schedule("hello", "sleep 600", minutes=1))
    await night.world.submit()
    (run,) = await night.world.open()
    await night.world.task_is(run.run_id, "running")
    await night.world.collect()
    (node,) = [node async for node in night.world.batch.list_nodes("recur")]
    await night.batch.faults.spoil(node.id, code="DiskFull", message="There is no space left")
    await night.world.task_is(run.run_id, "active")

    unseen = await night.trouble()
    told = await night.status()
    await night.world.collect()
    waiting = await night.trouble()

    assert (unseen["kind"], waiting["kind"]) == ("node_lost", "waiting")
    assert unseen["cause"] == waiting["cause"]
    assert "There is no space left (DiskFull)" in waiting["cause"]
    assert "recur doctor names the problem of the pool, and its fix" in waiting["next_step"]
    assert "running" not in told.out
    (record,) = await night.world.open()
    assert record.task
    at_once = replace(record.task, start_timeout=timedelta(seconds=1))
    await night.world.put_open(replace(record, task=at_once))

    async def unread() -> Record:
        await night.world.collect()
        (record,) = await night.world.open()
        return record

    record = await until(unread, lambda one: one.outputs_unread_since is not None)
    since = datetime.now(UTC) - timedelta(minutes=11)
    await night.world.put_open(replace(record, outputs_unread_since=since))
    (final,) = await night.world.collect_until_finished()

    lost = await night.trouble()

    assert (final.outcome, lost["kind"], lost["run_id"]) == ("lost", "failed", run.run_id)
    assert "lost (node_unusable)" in lost["cause"]
    assert "There is no space left (DiskFull)" in lost["cause"]
    assert "recur doctor names the problem of the pool, and its fix" in lost["next_step"]


async def test_what_may_not_be_read_is_unknown(night: Night) -> None:
    """Not good, with what is missing; everything else is told all the same."""
    await night.world.pool()
    await night.world.apply(schedule("hello", "true", minutes=-60))
    await night.world.submit()

    told = await night.status("--json", BATCH_ACCOUNT_KEY="d3Jvbmc=")

    assert told.code == Exit.FOUND
    finding = told.json["pool"]["finding"]
    assert finding["health"] == "unknown"
    assert "access is refused" in finding["what"]
    assert "the key in" in finding["next_step"]
    assert told.json["pool"]["nodes"] is None
    assert [one["schedule"] for one in told.json["schedules"]] == ["hello"]
    assert told.json["document"]["version"] == 1


async def test_a_deployment_that_does_not_answer_is_unknown_as_a_whole(night: Night) -> None:
    """Nothing of it is good."""
    nobody = "http://127.0.0.1:9"
    connection = night.world.settings.data_storage_connection_string or ""
    elsewhere = connection.replace(night.world.settings.data_storage_url, f"{nobody}/x")
    assert elsewhere != connection

    told = await night.status(
        "--json", BATCH_ACCOUNT_URL=nobody, DATA_STORAGE_CONNECTION_STRING=elsewhere
    )

    assert told.code == Exit.FOUND
    parts = [*told.json["timers"], *(told.json[name] for name in ("pool", "ledger", "document"))]
    assert {one["finding"]["health"] for one in parts} == {"unknown"}


async def test_a_thousand_schedules_take_a_dozen_reads(night: Night, azurite: Azurite) -> None:
    """And a few records, however many runs failed and however many are open."""
    names = [ScheduleId(f"s{number:03}") for number in range(1000)]
    table = '[schedules.{}]\ncron = "0 9 * * *"\ntime_zone = "Europe/Paris"\ncommand = "true"\n'
    await night.world.apply("".join(table.format(name) for name in names))
    await night.world.submit()
    nominal = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    failed = [ran(nominal, Outcome.FAILED, Reason.EXIT_CODE, schedule=name) for name in names[:200]]
    recent = with_results(Recent(), [result_of(one) for one in failed])
    await night.world.ledger.upload_blob(ids.RECENT, dump_recent(recent), overwrite=True)
    for name in names[200:230]:
        await night.world.claim(claimed(nominal, schedule=name))
    storage = StorageCalls(azurite.log, night.world.ledger)
    batch = BatchCalls(night.batch.url, TOKEN)
    await storage.begin()
    await batch.begin()

    told = await night.status("--json")

    reads, asked = await storage.told(), await batch.told()
    assert len(told.json["schedules"]) == 1000
    assert len(told.json["troubles"]) == 230
    assert len(reads) + len(asked) + HOST_READS <= MOST_READS
    assert {call.method for call in (*reads, *asked)} == {"GET"}
    assert by_kind(reads)["list open/"] == 1


async def test_watching_looks_again_until_ctrl_c(night: Night) -> None:
    """Then it ends as the last look would: here the collector has left no sign yet."""
    await night.world.pool()
    await night.world.apply(schedule("hello", "true", minutes=-60))
    await night.world.submit()
    someone = operator_of(night.world, night.folder)

    def watch() -> int:
        with at_a_terminal(someone, "status", "--watch") as (terminal, process):
            for _ in range(2):
                read_until(terminal, "action needed")
            process.send_signal(signal.SIGINT)
            return process.wait(timeout=30)

    assert await asyncio.to_thread(watch) == Exit.FOUND


def test_watching_prints_no_json(someone: Operator) -> None:
    """One JSON document is what programs get."""
    told = someone.recur("--json", "status", "--watch")

    assert told.code == Exit.USAGE
    assert "recur status -o json" in told.json["error"]["next"]

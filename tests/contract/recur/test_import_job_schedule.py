"""`recur import job-schedule`: an account's job schedule is read, and a schedule takes over."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.core.rest import HttpRequest
from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.clock import RealClock
from batch_emulator.wire import print_given_time
from orchestrator.document.parse import parse
from orchestrator.enums import MissReason
from orchestrator.ledger.record import Action, Record
from recur.errors import CliError, Exit
from recur.importing.hand_over import HandOver, TakingOver
from recur.importing.handed_table import only_table
from recur.importing.live_job_schedule import LiveJobSchedule, Seen
from recur.importing.turning_point import MARK, Mark
from recur.requests.options import RequestOptions
from recur.target import find_target
from tests.conftest import Containers
from tests.contract.conftest import ACCOUNT, KEY, TOKEN, Batch, Start
from tests.support.deployment import operator_of
from tests.support.operator import Operator, Told
from tests.support.terminal import at_a_terminal, read_until
from tests.support.waiting import until
from tests.support.world import World, settings

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


class Clock:
    """The emulator's clock: the real one, put back or forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Tell the time."""
        return datetime.now(UTC) + self.ahead

    def show(self, moment: datetime) -> None:
        """Let it be this time now."""
        self.ahead = moment - datetime.now(UTC)


class Old:
    """The job schedule ``old`` of an account whose clock can be set, and a product beside it."""

    def __init__(self, world: World, clock: Clock, someone: Operator) -> None:
        self.world = world
        self.clock = clock
        self.someone = someone

    async def send(self, method: str, path: str, json: object = None) -> Any:  # noqa: ANN401 - JSON
        """Send a request of our own making, and return what it answers."""
        request = HttpRequest(method, path, params={"api-version": "2025-06-01"}, json=json)
        reply = await self.world.batch.send_request(request)
        return reply.json() if reply.text() else None

    async def add(self, first: datetime, command: str = "/bin/true", *, name: str = "old") -> None:
        """Create it: due every minute from an instant on."""
        times = {"doNotRunUntil": print_given_time(first), "recurrenceInterval": "PT1M"}
        manager = {"id": "main", "commandLine": command}
        await self.send(
            "POST",
            "/jobschedules",
            {
                "id": name,
                "schedule": times,
                "jobSpecification": {"poolInfo": {"poolId": "recur"}, "jobManagerTask": manager},
                "metadata": [{"name": "team", "value": "sales"}],
            },
        )

    async def made(self, count: int) -> None:
        """Wait until it has made so many jobs, and all have ended."""

        async def states() -> list[object]:
            return [job.state async for job in self.world.batch.list_jobs_from_schedule("old")]

        await until(states, lambda seen: seen == ["completed"] * count)

    async def recur(self, *arguments: str) -> Told:
        """Run a command in a thread, since the emulator lives in this one."""
        return await asyncio.to_thread(self.someone.recur, *arguments)

    async def hand_over(self, *more: str) -> Told:
        """Hand it over."""
        return await self.recur("import", "job-schedule", "old", "--hand-over", "--yes", *more)

    async def state(self, name: str = "old") -> str:
        """Return its state."""
        shown = await self.send("GET", f"/jobschedules/{name}")
        return str(shown["state"])


@pytest.fixture
async def old(start_batch: Start, containers: Containers, tmp_path: Path) -> AsyncIterator[Old]:
    """Start a product and an account with one node, on a clock of the test's own."""
    clock = Clock()
    batch: Batch = await start_batch(clock=RealClock(read=clock))
    connection = containers.connection_string
    async with BlobServiceClient.from_connection_string(connection) as storage:
        world = World(
            settings=settings(containers, batch.url, ACCOUNT, KEY),
            storage=storage,
            batch=batch.client,
            arm_token=TOKEN,
        )
        await world.pool()
        yield Old(world, clock, operator_of(world, tmp_path))


def nominal(record: Record) -> datetime:
    """Return the instant of a record."""
    assert record.nominal is not None
    return record.nominal


async def test_each_instant_runs_once_over_a_hand_over(old: Old) -> None:
    """Three or more by the job schedule, at its own times; from then on by the schedule."""
    turn = datetime.now(UTC) + timedelta(seconds=16)  # with a fraction of a second
    ran = [turn - 3 * MINUTE, turn - 2 * MINUTE, turn - MINUTE]
    old.clock.show(ran[0])
    await old.add(ran[0])
    for count, instant in enumerate(ran, 1):
        old.clock.show(instant)
        await old.made(count)
    old.clock.ahead = timedelta()

    told = await old.hand_over()
    again = await old.hand_over()
    assert told.code == Exit.DONE, told.err
    made = [job.id async for job in old.world.batch.list_jobs_from_schedule("old")]
    first = ran[0] + len(made) * MINUTE  # the fourth, unless this machine is very slow
    await old.world.submit()
    assert await old.world.open() == []
    await asyncio.sleep((first - datetime.now(UTC)).total_seconds())
    await old.world.submit()
    old.clock.ahead = 5 * MINUTE  # what the job schedule would do, it would have done
    (record,) = await old.world.collect_until_finished()

    assert nominal(record) == first.replace(microsecond=0)
    assert record.outcome == "succeeded"
    await old.made(len(made))
    assert await old.state() == "disabled"
    assert again.code == Exit.DONE, again.err
    assert "has been handed over to schedule old" in again.out
    assert record.run_id in await old.world.jobs()


async def test_a_hand_over_that_was_cut_off_goes_on(old: Old) -> None:
    """Each instant of the time between has a record: catch_up and overlap decide what runs."""
    owed = datetime.now(UTC).replace(microsecond=0) - 190 * SECOND
    old.clock.show(owed - MINUTE)
    await old.add(owed - MINUTE)
    await old.made(1)
    with find_target(old.someone.settings).batch() as batch:
        live = LiveJobSchedule(batch, "old")
        seen = await asyncio.to_thread(live.look)
        mark = Mark(schedule="old", next_run=owed, recent_job="old:job-1")
        await asyncio.to_thread(live.mark, seen, mark)
        await asyncio.to_thread(live.disable)
    old.clock.ahead = timedelta()

    other = await old.recur("import", "job-schedule", "old", "--hand-over", "--table", "x.toml")
    told = await old.hand_over()
    await old.world.submit()
    records = [*await old.world.open(), *await old.world.final()]

    assert other.code == Exit.REFUSED
    assert told.code == Exit.DONE, told.err
    assert "it is in the past" in told.out
    assert sorted(map(nominal, records)) == [owed + n * MINUTE for n in range(4)]
    decisions = {nominal(one): one.decision for one in records}
    assert decisions[owed].reason == MissReason.SUPERSEDED
    assert decisions[owed + 3 * MINUTE].action is Action.SUBMIT
    shown = await old.send("GET", "/jobschedules/old")
    assert [one["name"] for one in shown["metadata"]] == ["team", MARK]
    await old.made(1)
    told = await old.recur("--json", "doctor")
    (found,) = [one for one in told.json["findings"] if one["check"] == "job schedule old"]
    assert found["what"] == "disabled: schedule old has taken over"


class Killed(BaseException):
    """The command ends here, whatever it was about to do."""


class Deadly(LiveJobSchedule):
    """A job schedule at which the command is killed: before or after one of its changes."""

    def __init__(self, batch: BatchClient, name: str, at: str) -> None:
        super().__init__(batch, name)
        self._at = at

    def mark(self, seen: Seen, mark: Mark) -> None:
        """Mark it."""
        self._die("before mark")
        super().mark(seen, mark)
        self._die("after mark")

    def disable(self) -> None:
        """Disable it."""
        super().disable()
        self._die("after disable")

    def _die(self, at: str) -> None:
        if at == self._at:
            raise Killed


async def test_a_hand_over_that_is_killed_anywhere_is_given_again(old: Old) -> None:
    """It comes to the same end, wherever that was."""
    first = datetime(2100, 1, 1, tzinfo=UTC)
    places = ("before mark", "after mark", "after disable", "at the end")
    target = find_target(old.someone.settings)
    for number, place in enumerate(places):
        name = f"old-{number}"
        await old.add(first, name=name)
        taking = TakingOver(
            table=only_table(
                f'[schedules.{name}]\nevery = "1m"\ncommand = "true"\n', Path("old.toml")
            ),
            why=RequestOptions.of("eva", None, seconds=None),
            wait=timedelta(),
        )
        with target.batch() as batch:
            steps = HandOver(target, Deadly(batch, name, place), taking, say=print)
            with suppress(Killed):
                await asyncio.to_thread(steps.run)
        told = await old.recur("--json", "import", "job-schedule", name, "--hand-over", "--yes")

        assert told.code == Exit.DONE, (place, told.err)
        assert datetime.fromisoformat(told.json["first"]) == first, place
        assert await old.state(name) == "disabled", place
    document = parse((await old.world.blobs("schedules.toml"))["schedules.toml"].decode())
    assert {id_: one.start for id_, one in document.schedules.items()} == {
        f"old-{number}": first for number in range(len(places))
    }


async def test_a_change_meanwhile_ends_it(old: Old) -> None:
    """What was checked and agreed to is not what would be handed over."""
    await old.add(datetime(2100, 1, 1, tzinfo=UTC))
    target = find_target(old.someone.settings)
    taking = TakingOver(
        table=only_table('[schedules.old]\nevery = "1m"\ncommand = "true"\n', Path("old.toml")),
        why=RequestOptions.of("eva", None, seconds=None),
        wait=timedelta(),
    )
    with target.batch() as batch:
        live = LiveJobSchedule(batch, "old")
        steps = HandOver(target, live, taking, say=print)
        await asyncio.to_thread(lambda: steps.check(live.look()))
        await old.send("PATCH", "/jobschedules/old", {"schedule": {"recurrenceInterval": "PT2M"}})
        with pytest.raises(CliError, match="someone changed job schedule old") as refused:
            await asyncio.to_thread(steps.run)
    assert refused.value.code is Exit.CONFLICT
    assert await old.state() == "active"
    assert "schedules.toml" not in await old.world.blobs("")


async def test_an_active_job_is_waited_for(old: Old, tmp_path: Path) -> None:
    """Without --wait nothing is changed; with it what was due meanwhile belongs to the schedule."""
    first = datetime.now(UTC).replace(microsecond=0) - 30 * SECOND
    goes = tmp_path / "goes"
    await old.add(first, command=f"/bin/sh -c 'until [ -e {goes} ]; do sleep 0.1; done'")
    await old.world.task_is("old:job-1", "running")

    refused = await old.hand_over()
    before = await old.state()
    too_short = await old.hand_over("--wait", "1")
    between = await old.state()
    command = asyncio.create_task(old.hand_over("--wait", "60"))
    await until(old.state, lambda state: state == "disabled")
    goes.touch()
    told = await command

    assert refused.code == too_short.code == Exit.CONFLICT
    assert (before, between) == ("active", "active")
    assert "nothing was changed" in refused.err
    assert "it is enabled again" in too_short.err
    assert told.code == Exit.DONE, told.err
    assert f"{first + MINUTE:%H:%M:%S}Z" in told.out
    await old.made(1)


async def test_one_that_does_not_recur_runs_once_after_its_hand_over(old: Old) -> None:
    """At its own instant; to give the command again changes nothing."""
    first = datetime.now(UTC).replace(microsecond=0) + 8 * SECOND
    schedule = {"doNotRunUntil": print_given_time(first)}
    await old.add(first)
    await old.send("PATCH", "/jobschedules/old", {"schedule": schedule})

    told = await old.hand_over()
    again = await old.hand_over()
    await asyncio.sleep((first - datetime.now(UTC)).total_seconds())
    await old.world.submit()
    (record,) = await old.world.collect_until_finished()

    assert (told.code, again.code) == (Exit.DONE, Exit.DONE), told.err + again.err
    assert nominal(record) == first
    assert [job.id async for job in old.world.batch.list_jobs_from_schedule("old")] == []
    assert "version 1" in told.out
    assert "has been handed over" in again.out


async def test_one_that_is_disabled_already_is_left_alone(old: Old) -> None:
    """Somebody has stopped it; a hand-over would let it run again."""
    await old.add(datetime(2100, 1, 1, tzinfo=UTC))
    await old.send("POST", "/jobschedules/old/disable")

    told = await old.hand_over()

    assert told.code == Exit.REFUSED
    assert "job schedule old is disabled: there is nothing to hand over" in told.err
    assert "schedules.toml" not in await old.world.blobs("")


async def test_a_schedule_that_is_paused_has_not_taken_over(old: Old) -> None:
    """What import prints of a disabled job schedule is paused: applied, nothing would run."""
    await old.add(datetime(2100, 1, 1, tzinfo=UTC))
    with find_target(old.someone.settings).batch() as batch:
        live = LiveJobSchedule(batch, "old")
        mark = Mark(schedule="old", next_run=datetime(2100, 1, 1, tzinfo=UTC), recent_job=None)
        await asyncio.to_thread(lambda: live.mark(live.look(), mark))
        await asyncio.to_thread(live.disable)
    printed = await old.recur("import", "job-schedule", "old")
    await old.world.apply(printed.out)

    told = await old.hand_over()

    assert told.code == Exit.REFUSED
    assert "schedule 'old' is in force and paused" in told.err


async def test_nothing_is_changed_without_a_yes(old: Old) -> None:
    """Off a terminal there is nobody to ask."""
    await old.add(datetime(2100, 1, 1, tzinfo=UTC))
    told = await old.recur("import", "job-schedule", "old", "--hand-over")
    assert told.code == Exit.USAGE
    assert "add --yes" in told.err
    assert await old.state() == "active"
    assert await old.world.waiting() == {}


async def test_one_in_force_beside_an_active_one_is_told(old: Old) -> None:
    """Both would run: nothing is made of that."""
    await old.add(datetime(2100, 1, 1, tzinfo=UTC))
    await old.world.apply('[schedules.old]\nevery = "1h"\ncommand = "true"\n')
    told = await old.hand_over()
    assert told.code == Exit.REFUSED
    assert "both may run" in told.err
    assert await old.state() == "active"


async def test_a_table_of_ones_own_takes_over(old: Old, tmp_path: Path) -> None:
    """Its start is set anew; other schedules and their comments stay."""
    turn = datetime(2100, 1, 1, tzinfo=UTC)
    await old.add(turn)
    await old.world.apply('# ours\n[schedules.other]\nevery = "1h"\ncommand = "true"\n')
    printed = await old.recur("import", "job-schedule", "old")
    file = tmp_path / "old.toml"
    table = printed.out.replace('command = "/bin/true"', 'command = "echo mine"')
    file.write_text(table.replace('every = "1m"', 'every = "2m"'))
    told = await old.hand_over("--table", str(file))
    document = (await old.world.blobs("schedules.toml"))["schedules.toml"].decode()

    assert printed.code == Exit.DONE
    assert told.code == Exit.DONE, told.err
    assert "is not due at the same times as job schedule old" in told.out
    assert "echo mine" in document
    assert "# ours" in document
    assert f"start = {turn.isoformat().replace('+00:00', 'Z')}" in document


async def test_a_name_that_is_not_there_is_told_with_those_that_are(old: Old) -> None:
    """Slips of the hand are frequent."""
    await old.add(datetime(2100, 1, 1, tzinfo=UTC))
    told = await old.recur("import", "job-schedule", "odl")
    assert told.code == Exit.REFUSED
    assert "did you mean old?" in told.err


async def test_on_a_terminal_it_asks_first(old: Old) -> None:
    """With the first occurrence; whoever says no has changed nothing."""
    await old.add(datetime(2100, 1, 1, tzinfo=UTC))

    def decline() -> int:
        words = ("import", "job-schedule", "old", "--hand-over")
        with at_a_terminal(old.someone, *words) as (terminal, process):
            read_until(terminal, "apply schedule old from 2100-01-01 00:00:00Z on? [y/N]")
            os.write(terminal, b"n\n")
            read_until(terminal, "nothing was changed")
            return process.wait()

    assert await asyncio.to_thread(decline) == Exit.FOUND
    assert await old.state() == "active"
    assert "schedules.toml" not in await old.world.blobs("")

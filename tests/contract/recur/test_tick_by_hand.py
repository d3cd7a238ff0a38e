"""`recur tick`: the timers' work, done from an operator's desk on real storage and an emulator."""

import asyncio
from pathlib import Path

from orchestrator import ids
from orchestrator.enums import Outcome
from recur.errors import Exit
from tests.support.deployment import operator_of, values
from tests.support.operator import Operator, Told, operator
from tests.support.waiting import until
from tests.support.world import World, schedule


async def recur(someone: Operator, *arguments: str) -> Told:
    """Run a command in a thread, since the emulator lives in this one."""
    return await asyncio.to_thread(someone.recur, *arguments)


async def test_a_tick_by_hand_does_what_the_timers_do(world: World, tmp_path: Path) -> None:
    """Submit and collect, one after the other, until the run has its final record."""
    await world.pool()
    await world.apply(schedule("hello", "true", catch_up='{ mode = "latest" }'))
    someone = operator_of(world, tmp_path)

    first = await recur(someone, "tick")

    assert first.code == Exit.DONE, first.err
    assert "submit: " in first.out
    assert "1 submitted" in first.out
    assert "collect: " in first.out

    async def finished() -> list[str | None]:
        told = await recur(someone, "tick", "collect")
        assert told.code == Exit.DONE, told.err
        return [record.outcome for record in await world.final() if record.outcome]

    outcomes = await until(finished, lambda found: len(found) > 0, within=30)
    assert set(outcomes) == {Outcome.SUCCEEDED}


async def test_one_pass_alone_is_done_where_one_is_named(world: World, tmp_path: Path) -> None:
    """Programs get the counts of each, by name."""
    await world.pool()
    await world.apply(schedule("hello", "true"))
    someone = operator_of(world, tmp_path)

    collected = await recur(someone, "--json", "tick", "collect")
    submitted = await recur(someone, "--json", "tick", "submit")

    assert list(collected.json) == ["collect"]
    assert set(collected.json["collect"].values()) == {0}
    assert list(submitted.json) == ["submit"]
    assert submitted.json["submit"]["submitted"] >= 1
    assert len(await world.jobs()) == submitted.json["submit"]["submitted"]


async def test_ticks_at_once_submit_nothing_twice(world: World, tmp_path: Path) -> None:
    """By hand beside a live app: the lease lets one of them work, the name of a job the rest."""
    await world.pool()
    names = [f"job-{letter}" for letter in "abcdefgh"]
    await world.apply("".join(schedule(name, "true") for name in names))
    someone = operator_of(world, tmp_path)

    told, *_ = await asyncio.gather(recur(someone, "tick", "submit"), world.submit())
    await world.submit()

    assert told.code == Exit.DONE, told.err
    jobs = await world.jobs()
    assert len(jobs) == len(set(jobs))
    assert {job.rpartition("-")[0] for job in jobs} == set(names)


async def test_a_lease_that_is_taken_is_another_tick_at_work(world: World, tmp_path: Path) -> None:
    """Nothing is wrong, and nothing is done."""
    await world.submit()
    await world.apply(schedule("hello", "true"))
    await world.submit()
    lease = await world.ledger.get_blob_client(ids.SUBMIT_STATE).acquire_lease(60)
    await world.apply(schedule("other", "true"))

    told = await recur(operator_of(world, tmp_path), "tick", "submit")

    assert told.code == Exit.DONE, told.err
    assert "another tick is running" in told.out
    await lease.release()


async def test_what_is_wrong_with_the_document_is_told(world: World, tmp_path: Path) -> None:
    """As the heartbeat has it, and by the exit code."""
    await world.apply("[schedules.hello]\ncron = 'never'\ncommand = 'true'\n")

    told = await recur(operator_of(world, tmp_path), "tick", "submit")

    assert told.code == Exit.FOUND
    assert "schedules.toml" in told.out
    assert "hello" in told.out


async def test_events_are_for_those_who_want_them(world: World, tmp_path: Path) -> None:
    """Trouble with one blob is told in any case."""
    await world.pool()
    await world.apply(schedule("hello", "true"))
    blob = ids.request_blob("NONSENSE")
    await world.ledger.upload_blob(blob, b"")
    someone = operator_of(world, tmp_path)

    quiet = await recur(someone, "tick", "submit")
    await world.decide_again("hello")
    loud = await recur(someone, "tick", "submit", "--verbose")

    assert f"a request is ignored: {blob}" in quiet.err
    assert "occurrence." not in quiet.err
    assert "occurrence." in loud.err


async def test_settings_that_a_pass_needs_are_named(world: World, tmp_path: Path) -> None:
    """All that are missing, at once; those of the host alone are not needed."""
    given = values(world, BATCH_POOL_ID="", AZURE_CLIENT_ID="")
    del given["NODE_IDENTITY_ID"]

    told = await recur(operator(tmp_path, **given), "tick")

    assert told.code == Exit.REFUSED
    assert "BATCH_POOL_ID is missing" in told.err
    assert "NODE_IDENTITY_ID is missing" in told.err
    assert "AZURE_CLIENT_ID" not in told.err
    assert "settings.json" in told.err


async def test_storage_that_does_not_answer_is_told(world: World, tmp_path: Path) -> None:
    """By both passes; the second is tried as well."""
    dead = "http://127.0.0.1:9/recurlocal"
    connection = values(world)["DATA_STORAGE_CONNECTION_STRING"]
    connection = connection.replace(values(world)["DATA_STORAGE_URL"], dead)
    someone = operator_of(
        world, tmp_path, DATA_STORAGE_URL=dead, DATA_STORAGE_CONNECTION_STRING=connection
    )

    told = await recur(someone, "--json", "tick")

    assert told.code == Exit.UNAVAILABLE
    message = told.json["error"]["message"]
    assert "submit: no answer from blob storage" in message
    assert "collect: no answer from blob storage" in message

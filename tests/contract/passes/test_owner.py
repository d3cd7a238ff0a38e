"""Whose ledger it is: an app with another Batch account, or a submit.json that is not sound."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator import ids
from orchestrator.adapters.blobs import Cache
from orchestrator.enums import AttemptState, BlockedReason, Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Record
from orchestrator.ledger.state import dump_submit
from recur.errors import Exit
from tests.support.backfills import finish, idle_schedule
from tests.support.deployment import operator_of
from tests.support.operator import Told
from tests.support.world import World, schedule

NOWHERE = "https://old.example"
"""A Batch account that does not answer: nobody asks it."""


def app_of(world: World, account: str) -> World:
    """Return an app on the same ledger whose settings name another Batch account."""
    place = replace(world.settings.place, account=account)
    there = replace(world.settings, batch_account_url=account, place=place)
    return replace(world, settings=there, cache=Cache())


async def owned_by(world: World, account: str) -> None:
    await world.set_state(replace(await world.state(), owner=account))


async def one_open(world: World) -> Record:
    (record,) = await world.open()
    return record


def troubles(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what each event ledger.trouble said, in a word."""
    return [one.what for one in caplog.records if one.message.startswith("ledger.trouble")]  # type: ignore[attr-defined] # of the event


async def test_ten_minutes_of_a_wrong_account_change_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Both passes do nothing but report; when the setting is right again the run goes on."""
    caplog.set_level(logging.INFO, logger="recur")
    await world.pool()
    await world.apply(schedule("job", "true", minutes=1))
    await world.submit()
    await world.age(await one_open(world), minutes=15)
    wrong = app_of(world, NOWHERE)
    before = await world.blobs("")

    for _ in range(3):
        submitted, collected = await wrong.submit(), await wrong.collect()
        for counts in (submitted, collected):
            assert NOWHERE in str(counts["problem"])
            assert "recur adopt" in str(counts["problem"])

    assert troubles(caplog) == ["foreign"] * 6
    assert await world.blobs("") == before
    (final,) = await world.collect_until_finished()
    assert final.outcome is Outcome.SUCCEEDED


async def test_a_wrong_pool_is_forgotten_once_the_setting_is_right(world: World) -> None:
    """No job was tried for it, so the claim is not bound to it."""
    await world.pool()
    await world.apply(schedule("job", "true", minutes=1))
    place = replace(world.settings.place, pool_id="nosuch")
    wrong = replace(world, settings=replace(world.settings, place=place), cache=Cache())

    await wrong.submit()
    blocked = (await one_open(world)).attempt
    assert (blocked.blocked, blocked.pool) == (BlockedReason.POOL_MISSING, None)

    await world.submit()
    (final,) = await world.collect_until_finished()
    assert (final.outcome, final.attempt.pool) == (
        Outcome.SUCCEEDED,
        world.settings.place.pool_id,
    )


async def test_a_job_that_was_tried_stays_with_its_pool(world: World) -> None:
    """The setting changes before the answer is known: the job is looked for as it was tried."""
    await world.pool(targetDedicatedNodes=0)
    await world.apply(schedule("job", "true", minutes=1))
    await world.submit()
    record = await one_open(world)
    tried = replace(record.attempt, state=AttemptState.CLAIMED, submitted=None)
    await world.put_open(record.with_attempt(tried))
    place = replace(world.settings.place, pool_id="nosuch")
    moved = replace(world, settings=replace(world.settings, place=place), cache=Cache())

    await moved.submit()

    again = (await one_open(world)).attempt
    assert (again.state, again.pool) == (AttemptState.SUBMITTED, world.settings.place.pool_id)


async def test_a_ledger_goes_over_to_another_account(world: World, tmp_path: Path) -> None:
    """What has a job in the old account waits for it, and holds its schedule up; others go on."""
    await world.pool(targetDedicatedNodes=2)
    await world.apply(schedule("job", "true", minutes=1) + schedule("other", "true", minutes=1))
    await world.begin()
    old = await world.running("job", "sleep 60")
    away = replace(old.attempt, account=NOWHERE)
    await world.put_open(old.with_attempt(away))
    await owned_by(world, NOWHERE)
    await world.age(old, minutes=15)
    assert "problem" in await world.submit()

    told = await adopt(world, tmp_path)
    assert told["was"] == NOWHERE
    assert told["waiting"] == [old.run_id]

    await world.submit()
    await world.collect()
    skipped = [one for one in await world.final() if one.schedule == old.schedule]
    assert [one.decision.because for one in skipped] == [old.run_id]
    (other,) = await world.collect_until_finished()
    assert (other.schedule, other.outcome) == (ScheduleId("other"), Outcome.SUCCEEDED)
    assert [one.run_id for one in await world.open()] == [old.run_id]


@pytest.mark.parametrize("damaged", [False, True])
async def test_what_is_given_up_ends_as_lost(
    world: World, tmp_path: Path, *, damaged: bool
) -> None:
    """Without a word of its account, and it is not tried again; also where its metadata are lost."""
    await world.begin()
    old = await world.running("job", "sleep 60", retries=(3, Outcome.LOST))
    await world.put_open(old.with_attempt(replace(old.attempt, account=NOWHERE)))
    if damaged:
        blob = world.ledger.get_blob_client(ids.open_blob(old.run_id))
        await blob.set_blob_metadata({})
    await owned_by(world, NOWHERE)

    told = await adopt(world, tmp_path, "--give-up")
    (final,) = await world.collect_until_finished()

    assert (told["waiting"], told["given_up"]) == ([], [old.run_id])
    assert (final.outcome, final.reason) == (Outcome.LOST, Reason.ACCOUNT_LEFT)
    assert NOWHERE in (final.sentence or "")
    assert not await world.open()


async def test_runs_of_an_earlier_version_wait_for_the_account_that_is_left(
    world: World, tmp_path: Path
) -> None:
    """They hold none: adopting writes down where their jobs are."""
    await world.begin()
    old = await world.running("job", "sleep 60")
    await owned_by(world, NOWHERE)

    await adopt(world, tmp_path)
    await world.age(old, minutes=15)
    await world.collect()

    assert (await one_open(world)).attempt.account == NOWHERE


async def operator_run(world: World, folder: Path, *arguments: str) -> Told:
    """Run a command in a thread, since the emulator lives in this one."""
    someone = operator_of(world, folder)
    return await asyncio.to_thread(someone.recur, "--json", *arguments)


async def adopt(world: World, folder: Path, *options: str) -> dict[str, object]:
    """Let somebody adopt the ledger for the account of these settings."""
    told = await operator_run(world, folder, "adopt", *options)
    assert told.code == Exit.DONE, told.err
    found: dict[str, object] = told.json
    return found


async def test_a_submit_json_that_cannot_be_read_is_told_and_left(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is decided, nothing is written over it; runs that were started still end."""
    caplog.set_level(logging.INFO, logger="recur")
    await world.pool()
    await world.apply(schedule("job", "true", minutes=1))
    await world.submit()
    await world.ledger.upload_blob(ids.SUBMIT_STATE, b'{"schema": 99}', overwrite=True)

    counts = await world.submit()
    (final,) = await world.collect_until_finished()

    assert str(counts["problem"]).startswith("submit.json: ")
    assert troubles(caplog) == ["unreadable"]
    assert (await world.blobs(ids.SUBMIT_STATE))[ids.SUBMIT_STATE] == b'{"schema": 99}'
    assert final.outcome is Outcome.SUCCEEDED


async def test_a_submit_json_that_is_missing_beside_records_is_not_begun_anew(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything since the schedules began would be decided a second time."""
    caplog.set_level(logging.INFO, logger="recur")
    await world.pool()
    await world.apply(schedule("job", "true", minutes=1))
    await world.submit()
    await world.collect_until_finished()
    await world.ledger.delete_blob(ids.SUBMIT_STATE)

    counts = await world.submit()

    assert "recur adopt --new" in str(counts["problem"])
    assert troubles(caplog) == ["missing"]
    assert ids.SUBMIT_STATE not in await world.blobs("submit")


@pytest.mark.parametrize("unreadable", [False, True])
async def test_a_lost_submit_json_is_begun_anew_from_now_on(
    world: World, tmp_path: Path, unreadable: bool
) -> None:
    """Nothing before is decided again, what is due later is, and the old bytes are kept."""
    await world.pool()
    await world.apply(schedule("job", "true", minutes=1))
    await world.submit()
    before = await world.collect_until_finished()
    ledger = (await world.state()).ledger
    if unreadable:
        await world.ledger.upload_blob(ids.SUBMIT_STATE, b"{", overwrite=True)
    else:
        await world.ledger.delete_blob(ids.SUBMIT_STATE)
    refused = await operator_run(world, tmp_path, "adopt")
    assert refused.code == Exit.REFUSED
    assert "--new" in refused.err

    told = await adopt(world, tmp_path, "--new")
    await world.submit()

    kept = await world.blobs("submit-")
    assert kept == ({str(told["kept"]): b"{"} if unreadable else {})
    assert await world.final() == before
    assert await world.open() == []
    state = await world.state()
    assert state.ledger != ledger  # no open run knew it
    assert state.owner == world.settings.place.account
    triggered = await world.ask("trigger", "job", key="k")
    (final,) = await finish(world, triggered.runs)
    assert final.ledger == state.ledger


async def test_a_ledger_that_is_adopted_twice_is_the_same(world: World, tmp_path: Path) -> None:
    """Its owner, its id and its schedules stay."""
    await idle_schedule(world)
    before = await world.state()

    await adopt(world, tmp_path)

    assert dump_submit(await world.state()) == dump_submit(before)


async def test_a_new_ledger_has_its_owner_from_the_first_write_on(world: World) -> None:
    """Two first ticks at once agree on its id."""
    await world.apply(schedule("job", "true", minutes=-60))
    await world.submit(Cache())
    first = await world.state()
    await world.submit(Cache())

    assert first.ledger
    assert first.owner == world.settings.place.account
    assert (await world.state()).ledger == first.ledger


async def test_an_adoption_waits_for_a_tick_that_is_at_work(world: World, tmp_path: Path) -> None:
    """It changes nothing under it."""
    await idle_schedule(world)
    await owned_by(world, NOWHERE)
    lease = await world.ledger.get_blob_client(ids.SUBMIT_STATE).acquire_lease(15)

    await adopt(world, tmp_path)

    assert lease.id
    assert (await world.state()).owner == world.settings.place.account

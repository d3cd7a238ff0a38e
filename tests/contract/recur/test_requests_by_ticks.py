"""Requests by `recur`, answered by the product's own ticks."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator import ids
from orchestrator.enums import Outcome, Reason
from orchestrator.ids import DOCUMENT, ScheduleId
from orchestrator.ledger.record import Kind
from recur.errors import Exit
from tests.support.deployment import operator_of
from tests.support.operator import Operator, Told
from tests.support.waiting import until
from tests.support.world import World, schedule

OFF = '{ mode = "none" }'
"""What is late is missed, so that there is something to backfill."""


async def recur(someone: Operator, *arguments: str) -> Told:
    """Run a command in a thread, since the emulator lives in this one."""
    return await asyncio.to_thread(someone.recur, *arguments)


async def answered(world: World, someone: Operator, *arguments: str) -> Told:
    """Run a command that waits for its answer, while ticks come."""
    command = asyncio.create_task(recur(someone, *arguments))
    while not command.done():
        await world.submit()
        await asyncio.sleep(0.1)
    return await command


async def paused_world(world: World, *, command: str = "true", minutes: int = 2) -> None:
    """Put a schedule in force that does nothing by itself."""
    await world.pool()
    await world.apply(schedule("job", command, minutes=minutes, paused="true"))
    await world.submit()


async def test_a_trigger_runs_once_however_often_it_is_asked_for(
    world: World, tmp_path: Path
) -> None:
    """Also of a schedule that is paused; the second command is told of the first one's run."""
    await paused_world(world)
    someone = operator_of(world, tmp_path)
    run = ids.trigger_id(ScheduleId("job"), "ticket-4711")

    first = await answered(world, someone, "trigger", "job", "--key", "ticket-4711")
    second = await answered(world, someone, "trigger", "job", "--key", "ticket-4711")

    assert (first.code, second.code) == (Exit.DONE, Exit.DONE), first.err + second.err
    assert first.out.splitlines() == [
        f"asked for a run of job: {run}",
        f"Run {run} is claimed.",
    ]
    assert "this key was used before" in second.out
    assert await world.jobs() == [run]
    (record,) = await world.collect_until_finished()
    assert (record.run_id, record.kind, record.outcome) == (run, Kind.TRIGGERED, Outcome.SUCCEEDED)


async def test_a_trigger_that_finds_a_run_in_the_way_is_refused(
    world: World, tmp_path: Path
) -> None:
    """As the overlap policy says; --force starts it all the same."""
    await paused_world(world, command="sleep 60")
    someone = operator_of(world, tmp_path)
    await answered(world, someone, "trigger", "job")

    refused = await answered(world, someone, "trigger", "job")
    forced = await answered(world, someone, "trigger", "job", "--force")

    assert refused.code == Exit.REFUSED
    assert "--force" in refused.err
    assert forced.code == Exit.DONE, forced.err
    assert len(await world.jobs()) == 2


async def test_a_trigger_can_be_followed_to_its_end(world: World, tmp_path: Path) -> None:
    """What the run writes is shown, and the exit code tells how it ended."""
    await paused_world(world, command="echo three figures; exit 3")
    someone = operator_of(world, tmp_path)

    command = asyncio.create_task(recur(someone, "trigger", "job", "--follow"))
    while not command.done():
        await world.submit()
        await world.collect()
        await asyncio.sleep(0.1)
    told = await command
    mixed = await recur(someone, "--json", "trigger", "job", "--follow")

    assert told.code == Exit.FOUND, told.err
    assert "three figures" in told.out
    assert mixed.code == Exit.USAGE


async def test_a_run_is_stopped_by_name(world: World, tmp_path: Path) -> None:
    """It ends as terminated, and its record names who asked and why."""
    await paused_world(world, command="sleep 60")
    someone = operator_of(world, tmp_path)
    triggered = await answered(world, someone, "--json", "trigger", "job")
    (run,) = triggered.json["answer"]["runs"]
    await world.task_is(run, "running")

    told = await answered(world, someone, "stop", run, "--by", "eva", "--note", "wrong input")

    assert told.code == Exit.DONE, told.err
    (record,) = await world.collect_until_finished()
    assert (record.outcome, record.reason) == (Outcome.TERMINATED, Reason.STOPPED)
    assert "eva: wrong input" in (record.sentence or "")
    again = await recur(someone, "stop", run)
    assert again.code == Exit.REFUSED
    assert "has already ended: terminated (stopped)" in again.err


async def test_a_pause_holds_until_its_end_or_until_it_is_resumed(
    world: World, tmp_path: Path
) -> None:
    """Who paused, why and until when stand in the ledger; a second pause replaces the first."""
    await world.pool()
    await world.apply(schedule("job", "true", minutes=0))
    await world.submit()
    someone = operator_of(world, tmp_path)
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)

    first = await answered(world, someone, "pause", "job", "--by", "eva", "--note", "moving")
    second = await answered(world, someone, "pause", "job", "--until", end.isoformat())
    pauses = (await world.state()).schedules[ScheduleId("job")].pauses
    resumed = await answered(world, someone, "resume", "job")
    not_paused = await answered(world, someone, "resume", "job")

    assert {told.code for told in (first, second, resumed, not_paused)} == {Exit.DONE}
    assert "until it is resumed" in first.out
    assert pauses[-1].until == end
    assert (await world.state()).schedules[ScheduleId("job")].pauses[-1].until != end
    assert "was not paused" in not_paused.out


async def test_a_backfill_runs_what_its_plan_says(world: World, tmp_path: Path) -> None:
    """What was missed; not what has run, and nothing twice."""
    await world.pool()
    await world.apply(schedule("job", "true", minutes=6, catch_up=OFF))
    await world.submit()
    await world.collect_until_finished()
    now = datetime.now(UTC)
    someone = operator_of(world, tmp_path)
    period = ("--from", (now - timedelta(hours=1)).isoformat(), "--to", now.isoformat())

    plan = await recur(someone, "--json", "backfill", "job", *period, "--dry-run")
    wanted = [one["run_id"] for one in plan.json["plan"]["runs"]]
    unasked = await recur(someone, "--json", "backfill", "job", *period)
    done = await answered(world, someone, "--json", "backfill", "job", *period, "--yes")

    assert plan.code == Exit.DONE, plan.err
    of_them = plan.json["plan"]["to_run"]["of_them"]
    assert of_them["missed"] >= 4
    assert sum(of_them.values()) == len(wanted)
    succeeded = plan.json["plan"]["left"]["of_them"]["succeeded"]
    assert succeeded == 1
    assert plan.json["request"] is None
    assert unasked.code == Exit.USAGE
    assert "--yes" in unasked.json["error"]["next"]
    assert done.code == Exit.DONE, done.err
    assert done.json["answer"]["runs"] == wanted
    assert done.json["plan"]["runs"] == plan.json["plan"]["runs"]

    open_now = await recur(someone, "--json", "backfill", "job", *period, "--dry-run")
    assert open_now.json["plan"]["to_run"]["count"] == 0
    assert open_now.json["plan"]["left"]["of_them"]["open"] == len(wanted)

    async def ended() -> set[str]:
        await world.submit()
        await world.collect()
        return {record.run_id for record in await world.final() if record.outcome}

    assert set(wanted) <= await until(ended, lambda runs: set(wanted) <= runs, within=60)
    nothing = await recur(someone, "backfill", "job", *period)
    assert nothing.code == Exit.DONE, nothing.err
    assert "nothing to run" in nothing.out
    rerun = await recur(someone, "backfill", "job", *period, "--rerun", "--dry-run")
    assert f"to run: {len(wanted) + succeeded}" in rerun.out


async def test_what_did_not_succeed_is_run_again_once(world: World, tmp_path: Path) -> None:
    """Not what succeeded, nor what is open again; and after it has succeeded not once more."""
    await world.pool()
    await world.apply(schedule("job", "false", minutes=1))
    await world.submit()
    await world.collect_until_finished()
    (failed,) = await world.final()
    await world.apply(schedule("job", "true", minutes=0, paused="true"))
    someone = operator_of(world, tmp_path)
    now = datetime.now(UTC)
    period = ("--from", (now - timedelta(hours=1)).isoformat(), "--to", now.isoformat())

    plain = await recur(someone, "backfill", "job", *period)
    both = await recur(someone, "backfill", "job", *period, "--rerun", "--rerun-failed")
    typed = ("--json", "backfill", "job", *period, "--rerun-failed", "--yes")
    asked = await answered(world, someone, *typed)
    again = await recur(someone, *typed)

    assert failed.outcome is Outcome.FAILED
    assert "left: 1 (1 failed)" in plain.out
    assert "1 of them ended without success: --rerun-failed" in plain.out
    assert both.code == Exit.USAGE
    assert asked.json["plan"]["to_run"]["of_them"] == {"failed": 1}
    assert asked.json["plan"]["rerun_failed"]
    assert asked.json["answer"]["runs"] == [failed.run_id]
    assert again.json["plan"]["left"]["of_them"] == {"open": 1}

    async def outcome() -> Outcome | None:
        await world.submit()
        await world.collect()
        (final,) = await world.final()
        return final.outcome

    await until(outcome, lambda found: found is Outcome.SUCCEEDED, within=60)
    nothing = await recur(someone, "backfill", "job", *period, "--rerun-failed")
    assert "left: 1 (1 succeeded)" in nothing.out
    assert "nothing to run" in nothing.out


async def test_a_plan_says_what_it_leaves_to_the_ticks(world: World, tmp_path: Path) -> None:
    """Occurrences that are not decided yet, and what one request cannot ask for."""
    await paused_world(world, minutes=5)
    someone = operator_of(world, tmp_path)
    now = datetime.now(UTC)
    begin, end = (now - timedelta(hours=1)).isoformat(), (now + timedelta(days=1)).isoformat()

    told = await recur(someone, "backfill", "job", "--from", begin, "--to", end, "--dry-run")
    swapped = await recur(someone, "backfill", "job", "--from", end, "--to", begin)
    await world.apply(schedule("old", "true", minutes=2000, catch_up=OFF))
    await world.submit()
    many = await recur(someone, "backfill", "old", "--from", "2020-01-01", "--to", end)

    assert told.code == Exit.DONE, told.err
    assert "later occurrences are not decided yet" in told.out
    assert "skipped (paused)" in told.out
    assert swapped.code == Exit.USAGE
    assert many.code == Exit.REFUSED
    assert "1000" in many.err


async def test_a_schedule_that_no_tick_has_seen_has_nothing_to_backfill(
    world: World, tmp_path: Path
) -> None:
    """And where nothing can be read, nothing is planned."""
    await world.apply(schedule("job", "true"))
    someone = operator_of(world, tmp_path)
    period = ("--from", "2026-01-01", "--to", "2026-01-02")

    unseen = await recur(someone, "backfill", "job", *period)
    await world.ledger.upload_blob(ids.SUBMIT_STATE, b"{", overwrite=True)
    unreadable = await recur(someone, "backfill", "job", *period)

    assert unseen.code == Exit.REFUSED
    assert "no tick has seen schedule job" in unseen.err
    assert unreadable.code == Exit.FOUND
    assert "nothing can be planned" in unreadable.err
    assert await world.ledger.get_blob_client(DOCUMENT).exists()
    assert await world.blobs(ids.REQUEST_PREFIX) == {}


async def test_a_tick_by_hand_answers_where_the_timers_are_down(
    world: World, tmp_path: Path
) -> None:
    """Ask, tick, look: three commands, and no timer."""
    await paused_world(world)
    someone = operator_of(world, tmp_path)

    asked = await recur(someone, "--json", "trigger", "job", "--no-wait")
    request = asked.json["request"]["id"]
    ticked = await recur(someone, "tick", "submit")
    told = await recur(someone, "answer", request)

    assert asked.code == ticked.code == told.code == Exit.DONE, asked.err + ticked.err + told.err
    assert asked.json["answer"] is None
    assert "1 answered" in ticked.out
    assert (await world.jobs())[0] in told.out

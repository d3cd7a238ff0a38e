"""What real ticks and requests leave in the ledger is listed, shown and explained."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator import ids
from orchestrator.enums import Outcome
from recur.errors import Exit
from tests.support.deployment import operator_of
from tests.support.operator import Told
from tests.support.world import World, schedule

SLEEP = "sleep 60"

type Recur = Callable[..., Coroutine[Any, Any, Told]]


@pytest.fixture
def recur(world: World, tmp_path: Path) -> Recur:
    """Ask in a thread: the emulator lives in this one."""
    someone = operator_of(world, tmp_path)

    async def ask(*arguments: str) -> Told:
        return await asyncio.to_thread(someone.recur, *arguments)

    return ask


async def sentence(recur: Recur, run: str) -> str:
    """Return the one sentence about a run of the schedule ``job``."""
    parsed = ids.parse_run_id(run)
    assert parsed
    assert parsed[1]
    told = await recur("--json", "explain", "job", parsed[1].isoformat())
    (found,) = told.json["explanations"]
    return str(found["sentence"])


@pytest.mark.parametrize("overlap", ["queue", "replace"])
async def test_a_run_that_waits_names_what_it_waits_for(
    world: World, recur: Recur, overlap: str
) -> None:
    """And a replaced one who took its place."""
    await world.pool()
    first = await world.running("job", SLEEP)
    await world.task_is(first.attempt.job_id, "running")
    await world.apply(schedule("job", SLEEP, minutes=1, overlap=f'"{overlap}"'))
    await world.submit()
    second = max(await world.open(), key=lambda record: record.nominal)

    told = (await recur("--json", "runs", "--open")).json["runs"]

    states = {one["run_id"]: (one["state"], one["reason"]) for one in told}
    assert states[second.run_id] == ("waiting", overlap)
    assert first.run_id in await sentence(recur, second.run_id)
    if overlap == "replace":
        assert states[first.run_id] == ("stopping", "replaced")
        await world.collect_until_finished()
        assert "was terminated (replaced)" in await sentence(recur, first.run_id)
        assert second.run_id in await sentence(recur, first.run_id)


async def test_a_trigger_is_listed_shown_and_read(world: World, recur: Recur) -> None:
    """Its id tells no time; its record does."""
    await world.pool()
    await world.apply(schedule("job", "echo by hand", minutes=-60))
    await world.submit()
    (run,) = (await world.ask("trigger", "job", key="k", note="why not")).runs
    assert [one["state"] for one in (await recur("--json", "runs")).json["runs"]] == ["submitted"]
    await world.collect_until_finished()

    (one,) = (await recur("--json", "runs", "--kind", "triggered")).json["runs"]

    assert (one["run_id"], one["outcome"]) == (run, Outcome.SUCCEEDED)
    assert "triggered by test: why not (request " in (await recur("show", run)).out
    assert (await recur("logs", run)).raw == b"by hand\n"
    assert (await recur("gaps")).code == Exit.DONE


async def test_a_skipped_occurrence_that_is_backfilled_tells_its_past(
    world: World, recur: Recur
) -> None:
    """Skipped first, then waiting for its turn, then run by the backfill; never a gap."""
    await world.pool()
    await world.apply(schedule("job", SLEEP, minutes=3, paused="true"))
    await world.submit()
    skipped = sorted(await world.final(), key=lambda record: record.nominal)[:2]
    assert "did not run. Skipped: the schedule was paused" in await sentence(
        recur, skipped[0].run_id
    )
    until = skipped[-1].nominal

    answer = await world.ask("backfill", "job", after=until - timedelta(hours=1), until=until)
    runs = sorted(answer.runs)

    assert runs == [record.run_id for record in skipped]
    assert f"the oldest first (backfill): {runs[0]}" in await sentence(recur, runs[1])
    assert (await recur("gaps")).code == Exit.DONE
    await world.task_is(runs[0], "running")
    (opened,) = [one for one in await world.open() if one.run_id == runs[0]]
    await world.end_job(opened)
    await world.collect_until_finished()
    assert "a backfill ran it at" in await sentence(recur, runs[0])
    shown = (await recur("show", runs[0])).out
    assert "skipped(paused)" in shown
    assert "backfilled by " in shown
    assert (await recur("gaps")).code == Exit.DONE


async def test_a_next_attempt_is_put_off_and_told(world: World, recur: Recur) -> None:
    """Until when, and which attempt it is; the output of the first one stays."""
    await world.pool()
    record = await world.running("job", "echo one; exit 3", retries=(1, Outcome.FAILED))

    async def tried_again() -> bool:
        await world.collect()
        return any(one.attempt.number == 2 for one in await world.open())

    await world.until(tried_again)

    assert "(backoff)" in await sentence(recur, record.run_id) or "(retry)" in await sentence(
        recur, record.run_id
    )
    assert (await recur("logs", record.run_id, "--attempt", "1")).raw == b"one\n"
    told = await recur("logs", record.run_id)
    assert (told.code, told.raw) == (Exit.FOUND, b"")
    assert "no stdout.txt yet" in told.err

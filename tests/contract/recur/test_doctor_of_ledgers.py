"""`recur doctor` on a ledger of another Batch account, and on one whose submit.json is lost."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator import ids
from recur.errors import Exit
from tests.support.deployment import doctor
from tests.support.operator import Told
from tests.support.world import World, schedule

ELSEWHERE = "https://old.example"


def problem(told: Told, check: str) -> dict[str, Any]:
    """Return the one problem of a check."""
    (found,) = [
        one for one in told.json["findings"] if (one["check"], one["grade"]) == (check, "problem")
    ]
    assert told.code == Exit.FOUND
    return dict(found)


async def test_a_ledger_of_another_account_is_found(world: World, tmp_path: Path) -> None:
    """With both accounts, and the two ways out."""
    await world.pool()
    await world.apply(schedule("job", "true", minutes=-60))
    await world.submit()
    await world.set_state(replace(await world.state(), owner=ELSEWHERE))

    found = problem(await doctor(world, tmp_path), "ledger")

    assert ELSEWHERE in found["what"]
    assert world.settings.place.account in found["what"]
    assert "recur adopt" in found["fix"]


async def test_runs_that_wait_for_another_account_are_counted(world: World, tmp_path: Path) -> None:
    """Nobody ends them until they are given up."""
    record = await world.running("job", "true")
    await world.put_open(record.with_attempt(replace(record.attempt, account=ELSEWHERE)))

    found = problem(await doctor(world, tmp_path), "open runs")

    assert found["what"].startswith(f"1 of 1 have their job in the Batch account {ELSEWHERE}")
    assert "--give-up" in found["fix"]


@pytest.mark.parametrize("content", [None, b"{"])
async def test_a_submit_json_that_is_lost_is_found(
    world: World, tmp_path: Path, content: bytes | None
) -> None:
    """Missing beside records, or unreadable: restore it, or begin anew."""
    await world.pool()
    await world.apply(schedule("job", "true", minutes=1))
    await world.submit()
    await world.collect_until_finished()
    if content is None:
        await world.ledger.delete_blob(ids.SUBMIT_STATE)
    else:
        await world.ledger.upload_blob(ids.SUBMIT_STATE, content, overwrite=True)

    found = problem(await doctor(world, tmp_path), "ledger")

    assert "submit.json" in found["what"]
    assert "recur adopt --new" in found["fix"]

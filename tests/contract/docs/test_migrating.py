"""What docs/migrating.md shows of a job schedule of Batch is what the product does."""

import asyncio
import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

from azure.core.rest import HttpRequest

from recur.errors import Exit
from tests.support.deployment import operator_of
from tests.support.world import World

PAGE = (Path(__file__).parents[3] / "docs/migrating.md").read_text()
_, _, PART = PAGE.partition("\n## A job schedule of Batch\n")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PART, re.DOTALL | re.MULTILINE)
SHOWN = [
    tuple(one.split("\n", maxsplit=1))
    for kind, block in BLOCKS
    if kind == "console"
    for one in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
]


async def test_a_job_schedule_is_handed_over_as_the_page_says(world: World, tmp_path: Path) -> None:
    """Its commands, one after the other, on the job schedule of the page."""
    (body,) = [text for kind, text in BLOCKS if kind == "json"]
    request = HttpRequest(
        "POST", "/jobschedules", params={"api-version": "2025-06-01"}, json=json.loads(body)
    )
    await world.batch.send_request(request)
    someone = operator_of(world, tmp_path)

    for typed, told in SHOWN:
        program, *arguments = shlex.split(typed)
        done = await asyncio.to_thread(someone.recur, *arguments)

        assert program == "recur"
        assert done.code == Exit.DONE, done.err
        assert done.out == told

    old = await world.batch.get_job_schedule("SalesReport")
    assert old.state == "disabled"
    assert (await world.submit())["submitted"] == 0
    state = (await world.state()).schedules
    (schedule,) = state.values()
    assert schedule.timings[-1].since < datetime(2030, 1, 7, 1, 10, tzinfo=UTC)
    assert len(SHOWN) == 3

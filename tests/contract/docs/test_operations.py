"""What docs/operations.md shows is what the product does: its console blocks, one after the other."""

import asyncio
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator import ids
from orchestrator.enums import Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Action, Decided, Record, Versions, dump
from recur.errors import Exit
from tests.support.deployment import operator_of
from tests.support.operator import Operator, Told
from tests.support.world import World

PAGE = (Path(__file__).parents[3] / "docs/operations.md").read_text()
NIGHTLY = ScheduleId("nightly-report")
DOCUMENT = """
[defaults]
except = {no_days}
catch_up = {{ mode = "none" }}
start = 2026-11-01T00:00:00Z
command = "sleep 60"

[schedules.nightly-report]
cron = "0 2 * * MON-FRI"
time_zone = "America/Montreal"

[schedules.hourly-import]
cron = "0 0 1 1 *"
"""
PAUSED = range(10, 14)
"""The days of November 2026 that the page finds paused; on the other weekdays it ran."""

HEX = re.compile(r"\b(?:[0-9a-f]{32}|m[0-9a-f]{16})\b")


@dataclass(frozen=True, slots=True)
class Shown:
    """One command of the page, and what the page says that it tells."""

    typed: str
    told: str


def shown() -> Iterator[Shown]:
    """Yield the commands of the console blocks about requests, in the order of the page."""
    _, _, part = PAGE.partition("\n## Requests\n")
    for block in re.findall(r"^```console\n(.*?)^```", part, re.DOTALL | re.MULTILINE):
        for one in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            typed, _, told = one.partition("\n")
            yield Shown(typed, told)


def record(day: int) -> Record:
    nominal = datetime(2026, 11, day, 7, tzinfo=UTC)
    paused = day in PAUSED
    action = Action.SKIPPED if paused else Action.SUBMIT
    return Record(
        run_id=ids.run_id(NIGHTLY, nominal),
        schedule=NIGHTLY,
        nominal=nominal,
        decision=Decided(action=action, reason="paused" if paused else None, at=nominal),
        outcome=None if paused else Outcome.SUCCEEDED,
        reason=None if paused else Reason.EXIT_ZERO,
        versions=Versions(product="test", tzdata="test"),
    )


async def november(world: World) -> None:
    """Put in force what the page speaks of, with a history of three weeks."""
    await world.begin()
    for day in range(2, 21):
        if datetime(2026, 11, day, tzinfo=UTC).isoweekday() <= 5:
            one = record(day)
            await world.ledger.upload_blob(one.blob, dump(one))
    await world.pool()
    around = [datetime.now(UTC).date() + timedelta(days=days) for days in (-1, 0, 1)]
    await world.apply(DOCUMENT.format(no_days=[str(day) for day in around]))
    await world.submit()


async def recur(world: World, someone: Operator, typed: str) -> Told:
    """Run a command; where it waits for an answer, ticks come meanwhile."""
    program, *arguments = shlex.split(typed)
    assert program == "recur"
    by_hand = arguments[0] == "tick" or "--no-wait" in arguments
    command = asyncio.create_task(asyncio.to_thread(someone.recur, *arguments))
    while not command.done():
        if not by_hand:
            await world.submit()
        await asyncio.sleep(0.1)
    return await command


async def test_the_page_shows_what_happens(world: World, tmp_path: Path) -> None:
    """Word for word, but for what is random; and for the end of a pause, which must be to come."""
    await november(world)
    someone = operator_of(world, tmp_path)
    coming = f"{datetime.now(UTC) + timedelta(days=400):%Y}-12-01"
    changed: dict[str, str] = {"2026-12-01T": f"{coming}T", "2026-12-01 06": f"{coming} 06"}
    commands = list(shown())

    for one in commands:
        typed = one.typed
        for ours, theirs in changed.items():
            typed = typed.replace(ours, theirs)
        told = await recur(world, someone, typed)

        assert told.code == Exit.DONE, (typed, told.err)
        assert len(HEX.findall(told.out)) == len(HEX.findall(one.told)), (typed, told.out)
        changed |= dict(zip(HEX.findall(one.told), HEX.findall(told.out), strict=True))
        expected = one.told
        for ours, theirs in changed.items():
            expected = expected.replace(ours, theirs)
        assert told.out == expected, typed

    assert len(commands) >= 8


def test_the_page_has_every_exit_code() -> None:
    """With its number, and no other."""
    _, _, section = PAGE.partition("## Exit codes")
    section, _, _ = section.partition("\n## ")

    assert [int(code) for code in re.findall(r"^\| (\d) \|", section, re.MULTILINE)] == list(Exit)


def test_the_page_has_every_blob() -> None:
    """That the ledger may hold."""
    _, _, section = PAGE.partition("## What is in the ledger")
    section, _, _ = section.partition("\n## ")
    cells = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", section, re.MULTILINE)
    rows = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    example = ids.run_id(NIGHTLY, datetime(2026, 11, 2, 7, tzinfo=UTC))
    names = {
        ids.DOCUMENT,
        ids.version_blob(1).replace("1", "<number>"),
        ids.SUBMIT_STATE,
        ids.COLLECT_STATE,
        ids.COLLECT_STATE.replace(".json", ".<time>.<digest>.json"),
        ids.RECENT,
        f"{ids.DAYS_PREFIX}<date>.json",
        ids.HOUSEKEEPING,
        ids.MOVED_PREFIX,
        ids.REMOVED_PREFIX,
        ids.open_blob(example).replace(example, "<run id>"),
        ids.request_blob("<id>"),
        ids.answer_blob("<id>"),
        ids.triggered_blob(NIGHTLY, example).replace(example, "<run id>"),
        ids.blob_of(example).replace(example, "<run id>").replace("2026/11", "<yyyy>/<mm>"),
    }

    assert rows == {name.replace(NIGHTLY, "<schedule>") for name in names}

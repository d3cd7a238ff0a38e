"""
A tick is killed before and after each of its effects: nothing is lost, nothing is done twice.

Real processes, real SIGKILL. What the ledger and Batch hold in the end is what they hold where
nobody was killed: the same blobs with the same content, and each job created once.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from pathlib import Path
from typing import Any, Final

import pytest
from rich.table import Table

from local.azurite import Azurite
from orchestrator import ids
from orchestrator.ids import HOUSEKEEPING, RunId, ScheduleId
from tests.conftest import YoungAzurite
from tests.proof.collecting import ALL
from tests.proof.conftest import Proof
from tests.proof.effects import EFFECTS, words
from tests.proof.ending import end
from tests.proof.proxy import Call, Forward, Reply, Reset, let_pass
from tests.proof.stage import ELSEWHERE, PASSES, Stage, open_stage
from tests.proof.ticking import Tick, Ticker

_LEASES: Final = ("acquire", "release")
HOSTS: Final = ("here", ELSEWHERE)
_MOST_ROUNDS: Final = 12
_HANGS_SECONDS: Final = 20.0
_AT_ONCE: Final = 3
_WITH_ONE_AZURITE: Final = 30
_CHOSEN: Final = {"document", "replaces", "node", "sentence", "ledger", "claim", "outputs_url"} | {
    "positions",
    "counted",
}
"""
Values that storage, Batch, chance or a proxy chose; how a thing is said, and whose turn it is.

Which runs the last write of a day counted follows from which ticks there were.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """
    Where a tick is killed.

    Attributes:
        scenario: In which story.
        step: After which of its steps.
        tick: At which of the ticks that follow.
        effect: The pass and what it changes.
        nth: At which of these in that tick.
    """

    scenario: str
    step: int
    tick: int
    effect: tuple[str, str]
    nth: int


@dataclass
class Held:
    """A rule: the request of an effect is held, before or after it came to pass."""

    point: Point
    after: bool

    def __post_init__(self) -> None:
        self.seen = 0
        self.here = asyncio.Event()
        self.dead = asyncio.Event()
        self.door = f"killed {self.point.effect[0]}"

    async def __call__(self, call: Call, forward: Forward) -> Reply:
        if call.door != self.door or words(call) != self.point.effect[1]:
            return await self._alive(call, forward)
        self.seen += 1
        if self.seen != self.point.nth:
            return await self._alive(call, forward)
        if self.after:
            await forward()
        self.here.set()
        await self.dead.wait()
        raise Reset

    async def _alive(self, call: Call, forward: Forward) -> Reply:
        """Forward it, unless it came from a process that is not there any more."""
        if call.door == self.door and self.dead.is_set():
            raise Reset
        return await forward()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """
    How a scenario went.

    Attributes:
        ticks: The effects of each tick, by step and number.
        ledger: Every blob, with what storage or Batch chose left out.
        created: How many jobs of each id were created.
        jobs: Their state in the end.
        outputs: What is in the container of outputs, byte by byte.
    """

    ticks: dict[tuple[int, int], list[tuple[str, str]]]
    ledger: dict[str, Any]
    created: Counter[str]
    jobs: dict[str, str]
    outputs: dict[str, bytes]


async def play(stage: Stage, scenario: str, kill: "Kill | None" = None) -> Story:
    """Play a scenario: after each of its steps both passes tick until nothing changes."""
    ticks: dict[tuple[int, int], list[tuple[str, str]]] = {}
    for n, step in enumerate(ALL[scenario].steps):
        await step(stage)
        quiet = 0
        for tick in range(_MOST_ROUNDS):
            begin = len(stage.effects)
            which = tuple(PASSES)[tick % 2]
            if tick == 0:
                which = ALL[scenario].first.get(n, which)
            if kill and (kill.point.step, kill.point.tick) == (n, tick):
                await kill.tick(stage)
                if which not in PASSES:  # whoever typed it has seen no answer, and types it again
                    await stage.tick(which)
                quiet = -1  # what it did before it was killed is no news
            else:
                told = await stage.tick(which)
                assert "failed" not in told, f"a quiet {which} tick failed: {told['failed']}"
            effects = ticks[n, tick] = stage.effects[begin:]
            quiet = 0 if any(not words.startswith(_LEASES) for _, words in effects) else quiet + 1
            if quiet == len(PASSES):
                break
        else:
            raise AssertionError(f"after step {n} of {scenario!r} the ticks never came to rest")
    ledger = {name: _lasting(data) for name, data in stage.blobs.items()}
    return Story(
        ticks=ticks,
        ledger=ledger,
        created=stage.created,
        jobs=await stage.jobs(),
        outputs=await stage.stored(),
    )


def _lasting(data: bytes) -> object:
    try:
        return _without_choices(json.loads(data))
    except ValueError:  # a document, or what was damaged
        return data


def _without_choices(value: object) -> object:
    if isinstance(value, dict):
        return {k: _without_choices(v) for k, v in value.items() if k not in _CHOSEN}
    return [_without_choices(one) for one in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Kill:
    """How a tick is killed: alone, or while another one is let in beside it."""

    point: Point
    ticker: Ticker
    after: bool
    two: bool

    async def tick(self, stage: Stage) -> None:
        """Start a tick as a process, let it come to the effect, and kill it there."""
        which = self.point.effect[0]
        held = Held(self.point, self.after)
        stage.rule(held)
        tick = await self.ticker.start(which, stage.doors[held.door], stage.document)
        await self._come(tick, held)
        if self.two:
            await stage.tick(which)
            await stage.break_lease(which)
            other = await self.ticker.start(which, stage.doors[f"other {which}"], stage.document)
            told = await other.ended()
            assert told is not None
            assert "crashed" not in told, told
        tick.kill()
        held.dead.set()
        assert await tick.ended() is None
        await stage.break_lease(which)
        stage.rule(let_pass)

    async def _come(self, tick: Tick, held: Held) -> None:
        here = asyncio.create_task(held.here.wait())
        done, _ = await asyncio.wait(
            (here, tick.told), timeout=_HANGS_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        here.cancel()
        assert held.here.is_set(), f"the tick did not come to {held.point}: {done}"


def points(scenario: str, story: Story) -> list[Point]:
    """Return the first place of each effect of a scenario, and the last where there are several."""
    found: dict[tuple[str, str], list[Point]] = {}
    for (step, tick), effects in story.ticks.items():
        for effect in dict.fromkeys(effects):
            if effect in found:
                continue
            found[effect] = [
                Point(scenario=scenario, step=step, tick=tick, effect=effect, nth=nth)
                for nth in sorted({1, effects.count(effect)})
            ]
    return [point for several in found.values() for point in several]


@pytest.fixture
async def ticker() -> AsyncIterator[Ticker]:
    async with Ticker() as running:
        yield running


@pytest.fixture(scope="module")
def played() -> dict[str, Story]:
    """Keep the stories for the tests that follow."""
    return {}


@pytest.fixture
async def stories(azurite: Azurite, tmp_path: Path, played: dict[str, Story]) -> dict[str, Story]:
    """Play every scenario once with nobody killed, and see that it ends as it says."""
    if played:
        return played
    found: dict[str, Story] = {}
    for name, scenario in ALL.items():
        async with open_stage(azurite, tmp_path, hosts=HOSTS) as stage:
            found[name] = await play(stage, name)
            assert end(stage.blobs) == scenario.end, name
            there = {blob.name async for blob in stage.ledger.list_blobs()}
            assert there == set(stage.blobs), "the ledger holds what was seen on its way there"
    played |= found
    return found


@pytest.mark.timeout(600)
def test_every_effect_of_a_tick_is_written_down(stories: dict[str, Story]) -> None:
    """What a tick changes stands in the list, and what stands there is seen."""
    seen = {one for story in stories.values() for ticks in story.ticks.values() for one in ticks}

    assert seen == EFFECTS


@pytest.mark.timeout(7200)
async def test_a_tick_killed_at_any_effect_loses_nothing_and_doubles_nothing(
    stories: dict[str, Story],
    young_azurite: YoungAzurite,
    ticker: Ticker,
    tmp_path: Path,
    proof: Proof,
) -> None:
    """
    Before an effect alone and, at the next one, after it with a second tick let in: one table.

    With ``--proof`` each of them both ways and the other way round, and wherever an effect is seen.
    In the end the ledger holds the same as where nobody was killed, and Batch the same jobs, each
    created once.
    """
    cases = [
        Kill(point, ticker, after, two)
        for number, point in enumerate(chosen(stories, everywhere=proof.everything))
        for after in (False, True)
        for two in (False, True)
        if proof.everything or after == two == bool(number % 2)
    ]
    at_once = asyncio.Semaphore(_AT_ONCE)
    wrong: dict[Kill, str] = {}

    async def run(kill: Kill, azurite: Azurite) -> None:
        async with at_once, open_stage(azurite, tmp_path, "killed", "other", hosts=HOSTS) as stage:
            try:
                told = await play(stage, kill.point.scenario, kill)
            except AssertionError as error:
                wrong[kill] = str(error)
            else:
                if difference := differs(told, stories[kill.point.scenario]):
                    wrong[kill] = difference

    for part in batched(cases, _WITH_ONE_AZURITE, strict=False):
        azurite = young_azurite.get()
        async with asyncio.TaskGroup() as group:
            for kill in part:
                group.create_task(run(kill, azurite))

    proof.show(drawn(cases, wrong))
    assert not wrong, "\n".join(f"{kill}: {what}" for kill, what in wrong.items())


def chosen(stories: Mapping[str, Story], *, everywhere: bool) -> list[Point]:
    """Return where to kill: at each effect of each scenario, or where each is seen first."""
    found: list[Point] = []
    known: set[tuple[tuple[str, str], bool]] = set()
    for scenario, story in stories.items():
        here = points(scenario, story)
        kinds = {point: (point.effect, point.nth > 1) for point in here}
        found += [point for point in here if everywhere or kinds[point] not in known]
        known |= set(kinds.values())
    return found


def differs(told: Story, undisturbed: Story) -> str | None:
    """Say what is other than it would have been."""
    if told.created != undisturbed.created:
        return f"jobs created: {dict(told.created)} instead of {dict(undisturbed.created)}"
    if told.jobs != undisturbed.jobs:
        return f"jobs: {told.jobs} instead of {undisturbed.jobs}"
    best_effort = tuple(_of_attempts_before(undisturbed))
    for name in told.outputs.keys() | undisturbed.outputs.keys():
        if name not in told.outputs and name.startswith(best_effort):
            continue
        if told.outputs.get(name) != undisturbed.outputs.get(name):
            return f"output {name} is {_brief(told.outputs.get(name))}"
    names = told.ledger.keys() | undisturbed.ledger.keys()
    records = [one for one in undisturbed.ledger.values() if isinstance(one, dict)]
    if not any(record.get("attempts") for record in records):
        names -= {HOUSEKEEPING}  # without a run there is no old job to look for
    other = [name for name in names if told.ledger.get(name) != undisturbed.ledger.get(name)]
    if not other:
        return None
    name = min(other)
    return f"{name}: {told.ledger.get(name)} instead of {undisturbed.ledger.get(name)}"


def _of_attempts_before(story: Story) -> Iterator[str]:
    """Yield the folders of attempts that others follow: nobody waits for their outputs."""
    for record in story.ledger.values():
        if isinstance(record, dict) and "attempts" in record:
            nominal = datetime.fromisoformat(record["nominal"])
            for one in record["attempts"][:-1]:
                run = ScheduleId(record["schedule"]), nominal, RunId(record["run_id"])
                yield ids.output_prefix(*run, one["number"])


def _brief(data: bytes | None) -> str:
    return "missing" if data is None else f"other bytes: {len(data)} of them, {data[:40]!r}"


def drawn(cases: Sequence[Kill], wrong: Mapping[Kill, str]) -> Table:
    """Return the table: for each effect how many kills, and how many of them did harm."""
    table = Table("pass", "effect", title=f"{len(cases)} ticks killed, {len(wrong)} did harm")
    columns = sorted({(kill.after, kill.two) for kill in cases})
    for after, two in columns:
        when = "after" if after else "before"
        table.add_column(f"{when}, {'two ticks' if two else 'alone'}", justify="right")
    for effect in dict.fromkeys(kill.point.effect for kill in cases):
        cells: list[str] = []
        for column in columns:
            kills = [k for k in cases if (k.point.effect, k.after, k.two) == (effect, *column)]
            harm = sum(kill in wrong for kill in kills)
            harmless = f"{len(kills)} ok" if kills else ""
            cells.append(f"{harm} of {len(kills)} WRONG" if harm else harmless)
        table.add_row(*effect, *cells)
    return table

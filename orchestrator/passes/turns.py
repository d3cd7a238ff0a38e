"""Runs have their turn part by part; who has it is written down before."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from enum import StrEnum

from orchestrator.adapters.blobs import Cache
from orchestrator.decisions.turns import in_turn, last_in_turn, parts
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId
from orchestrator.ledger.state import OpenRun
from orchestrator.passes.collect_state import CollectStore


class Turn(StrEnum):
    """What a turn is for."""

    LOOKING = "looking"
    TASKS = "tasks"
    FINISHING = "finishing"


class Positions:
    """
    The positions of one tick, as ``collect.json`` has them.

    Where it cannot be read, each tick begins with the first run.
    """

    def __init__(self, store: CollectStore, cache: Cache) -> None:
        self._store = store
        self._cache = cache

    async def of(self, turn: Turn) -> RunId | None:
        """Return the run that had its turn last."""
        try:
            return (await self._store.read()).positions.get(turn)
        except RecordUnreadable:
            return None

    async def advance(self, turn: Turn, position: RunId | None) -> None:
        """Write down the last run of a part before anything is done with it, or of those begun."""
        with suppress(RecordUnreadable):
            await self._store.advance(turn, position)

    def left_by_last_tick(self, turn: Turn) -> RunId | None:
        """Return the position that a tick of this process left at its regular end."""
        return self._cache.positions.get(turn)

    async def leave(self) -> None:
        """Note that the tick has come to its regular end."""
        for turn in Turn:
            if position := await self.of(turn):
                self._cache.positions[turn] = position
            else:
                self._cache.positions.pop(turn, None)


class Turns:
    """
    The runs that are to have one kind of turn.

    A single run needs no position: it holds up no other.
    """

    def __init__(self, turn: Turn, runs: Sequence[OpenRun], positions: Positions) -> None:
        self._turn = turn
        self._runs = {run.run_id: run for run in runs}
        self._positions = positions
        self._parts: Iterator[list[RunId]] | None = None
        self._begun_with: RunId | None = None
        self._taken: list[RunId] = []

    async def next(self) -> list[OpenRun]:
        """Return the next part, whose last run is now the position; nothing is the end."""
        if self._parts is None:
            self._parts = await self._divided()
        part = next(self._parts, list[RunId]())
        if len(self._runs) > 1 and part:
            await self._positions.advance(self._turn, part[-1])
        self._taken += part
        return [self._runs[id_] for id_ in part]

    async def leave(self, had: Collection[RunId]) -> None:
        """
        Let the next tick begin with the first run of a part that did not have its turn.

        Args:
            had: The runs that had their turn before the time was over.
        """
        if len(self._runs) > 1 and self._taken:
            position = last_in_turn(self._begun_with, self._taken, had)
            await self._positions.advance(self._turn, position)

    async def _divided(self) -> Iterator[list[RunId]]:
        if len(self._runs) <= 1:
            return parts(list(self._runs), wary=False)
        position = await self._positions.of(self._turn)
        self._begun_with = position
        wary = position != self._positions.left_by_last_tick(self._turn)
        return parts(in_turn(self._runs, position), wary=wary)

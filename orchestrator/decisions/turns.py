"""Whose turn it is: a fair order of runs that goes on from tick to tick."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import reduce
from itertools import batched, chain, takewhile
from typing import Final

from orchestrator.ids import RunId
from orchestrator.ledger.state import OpenRun

AT_A_TIME: Final = 32
"""So many runs have their turn together."""

ROTATION_TICKS: Final = 19
"""In so many ticks each task is looked at; with a tick a minute a start is seen in 20 minutes."""

_WARY: Final = 8
"""So many after a tick that did not end: all of them are begun, even if this one is cut off."""

_URGENT: Final = 20
_SOON: Final = timedelta(minutes=1)


def in_turn(runs: Iterable[RunId], position: RunId | None) -> list[RunId]:
    """
    Return the runs in the order of their turns: those behind the position, then the others.

    The ids alone make the order, so that it does not matter whether the run at the position is
    still there.
    """
    if position is None:
        return sorted(runs)
    return sorted(runs, key=lambda run: (run <= position, run))


def parts(order: Sequence[RunId], *, wary: bool, size: int = AT_A_TIME) -> Iterator[list[RunId]]:
    """
    Yield the runs that have their turn together, the first part first.

    The position is written down before each part. If the last tick did not end, a run of its last
    part may be the cause. That part was the newest before the position, so it is the end of the
    order. Each run there has its turn alone: the one that ends the process ends it for itself. The
    parts before it are smaller, so that the runs of each are begun together.

    Args:
        order: Of ``in_turn``.
        wary: Whether the last tick may have died at a run.
        size: Of a part.
    """
    doubtful = order[-size:] if wary else order[:0]
    others = order[: len(order) - len(doubtful)]
    together = min(size, _WARY) if wary else size
    yield from chain(
        map(list, batched(others, together, strict=False)), ([one] for one in doubtful)
    )


def last_in_turn(
    begun_with: RunId | None, taken: Iterable[RunId], had: Collection[RunId]
) -> RunId | None:
    """
    Return the position that a tick leaves: the run before the first that did not have its turn.

    Args:
        begun_with: The position with which the tick began.
        taken: The runs of all parts of the tick, in order.
        had: Those that had their turn before the time was over.
    """
    return reduce(lambda _, run: run, takewhile(lambda run: run in had, taken), begun_with)


def tasks_to_look_at(
    runs: Sequence[OpenRun], position: RunId | None, now: datetime
) -> tuple[list[OpenRun], list[OpenRun]]:
    """
    Choose the runs whose tasks are looked at in this tick, of those whose jobs go on.

    Args:
        runs: Their jobs go on.
        position: Of the last such tick.
        now: The tick's only clock.

    Returns:
        Some whose start timeout is near, and the next part of all the others.
    """
    by_id = {run.run_id: run for run in runs}
    order = [by_id[id_] for id_ in in_turn(by_id, position)]
    urgent = [run for run in order if run.start_by and run.start_by <= now + _SOON][:_URGENT]
    others = [run for run in order if run not in urgent]
    return urgent, others[: -(-len(runs) // ROTATION_TICKS)]

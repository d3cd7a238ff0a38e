"""
What leaves ``submit.json`` when it grows too large, and how it comes back: pure functions.

A tick needs the timings and pauses that hold after the watermark of a schedule. Older ones are for
those who look back: backfills, and the commands of the operator.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate, groupby, pairwise

from pydantic import TypeAdapter

from orchestrator import ids
from orchestrator.ids import ScheduleId
from orchestrator.ledger.moved import Moved, MovedParts
from orchestrator.ledger.state import ScheduleState, SubmitState
from orchestrator.model import Pause, Timing

_PAUSES_KEPT = 2  # a request that is carried out twice finds what it did
_BLOB_BYTES = 1 << 20

_TIMING = TypeAdapter(Timing)
_PAUSE = TypeAdapter(Pause)
_STATE = TypeAdapter(ScheduleState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed:
    """
    A state that was made smaller.

    Attributes:
        state: What is left.
        moved: Timings and pauses that it has lost, oldest first, about a MiB to a blob.
        removed: Schedules that it has lost.
    """

    state: SubmitState
    moved: tuple[Moved, ...] = ()
    removed: Mapping[ScheduleId, ScheduleState] = field(
        default_factory=dict[ScheduleId, ScheduleState]
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Something that may leave: its time, whose it is, what it is and its size in bytes."""

    at: datetime
    schedule: ScheduleId
    what: Timing | Pause | ScheduleState
    size: int


def trim(state: SubmitState, *, excess_bytes: int) -> Trimmed:
    """
    Return ``state`` without its oldest parts that no tick needs, until it is so much smaller.

    What is undecided keeps all its timings and pauses, however many they are.
    """
    planned = {record.schedule for record in state.plan}
    pieces = [
        piece for id_, one in state.schedules.items() for piece in _pieces(id_, one, id_ in planned)
    ]
    pieces.sort(key=lambda piece: (piece.at, piece.schedule))
    chosen: list[_Piece] = []
    for piece in pieces:
        if excess_bytes <= 0:
            break
        chosen.append(piece)
        excess_bytes -= piece.size
    return _without(state, chosen)


def join(state: ScheduleState, parts: MovedParts) -> ScheduleState:
    """Return the state of a schedule with something that was moved out of it, once or twice."""
    timings = {one.since: one for one in (*parts.timings, *state.timings)}
    pauses = [*state.pauses, *(one for one in parts.pauses if one not in state.pauses)]
    return replace(
        state,
        timings=tuple(timings[since] for since in sorted(timings)),
        pauses=tuple(sorted(pauses, key=lambda one: one.since)),
    )


def reaches(state: ScheduleState, instant: datetime) -> bool:
    """Tell whether a state holds the timing in force at an instant, or the first that there is."""
    return state.timings[0].since <= max(instant, state.begin)


def is_older(blob: str, state: ScheduleState) -> bool:
    """Tell whether a blob of moved timings holds none that is newer than a state's first."""
    newest = ids.moved_until(blob)
    return newest is not None and newest < state.timings[0].since


def _pieces(id_: ScheduleId, state: ScheduleState, planned: bool) -> Iterator[_Piece]:
    """Yield what of a schedule may leave."""
    last = state.timings[-1]
    if state.over and not planned:
        yield _Piece(last.since, id_, state, len(_STATE.dump_json(state)))
        return
    for one, later in pairwise(state.timings):
        if later.since <= state.decided_until:
            yield _Piece(one.since, id_, one, len(_TIMING.dump_json(one)))
    for pause in state.pauses[:-_PAUSES_KEPT]:
        if pause.until is not None and pause.until <= state.decided_until:
            yield _Piece(pause.since, id_, pause, len(_PAUSE.dump_json(pause)))


def _without(state: SubmitState, chosen: Sequence[_Piece]) -> Trimmed:
    schedules = dict(state.schedules)
    removed: dict[ScheduleId, ScheduleState] = {}
    blobs: list[Moved] = []
    for pieces in _blobs(chosen):
        parts: dict[ScheduleId, MovedParts] = {}
        for piece in pieces:
            id_, one, those = piece.schedule, piece.what, parts.get(piece.schedule, MovedParts())
            if isinstance(one, ScheduleState):
                removed[id_] = schedules.pop(id_)
            elif isinstance(one, Timing):
                parts[id_] = replace(those, timings=(*those.timings, one))
            else:
                parts[id_] = replace(those, pauses=(*those.pauses, one))
        for id_, those in parts.items():
            schedules[id_] = _less(schedules[id_], those)
        blobs += [Moved(newest=pieces[-1].at, schedules=parts)] if parts else []
    return Trimmed(
        state=replace(state, schedules=schedules, departed=state.departed or bool(removed)),
        moved=tuple(blobs),
        removed=removed,
    )


def _blobs(chosen: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    """Yield what is moved, cut so that each part makes a blob of about a MiB."""
    sums = accumulate((piece.size for piece in chosen), initial=0)
    pairs = zip(sums, chosen, strict=False)
    for _, group in groupby(pairs, key=lambda pair: pair[0] // _BLOB_BYTES):
        yield [piece for _, piece in group]


def _less(state: ScheduleState, parts: MovedParts) -> ScheduleState:
    """Return a state without what was moved out of it, and what is to be known of that."""
    gone = {one.since for one in parts.timings}
    removals = [one.since for one in parts.timings if one.removed]
    return replace(
        state,
        timings=tuple(one for one in state.timings if one.since not in gone),
        pauses=tuple(one for one in state.pauses if one not in parts.pauses),
        earlier=state.begin if gone else state.earlier,
        returned=max(removals) if removals else state.returned,
    )

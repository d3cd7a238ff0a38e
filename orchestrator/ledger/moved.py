"""
What has left ``submit.json``, since no tick needs it any more: old timings, pauses and schedules.

Blobs below ``history/timings/`` are written once; one below ``history/removed/`` is replaced where
its schedule is removed once more. Both are written before ``submit.json`` loses what they hold.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter

from orchestrator import ids
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import SCHEMA
from orchestrator.ledger.state import ScheduleState
from orchestrator.ledger.state_blobs import load_state
from orchestrator.model import Pause, Timing
from orchestrator.stored import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedParts(Stored):
    """The timings and pauses of one schedule that were moved out together."""

    timings: tuple[Timing, ...] = ()
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Stored):
    """
    What one write moved out of ``submit.json``.

    Attributes:
        newest: The latest ``since`` in it.
        schedules: By schedule id.
    """

    schema: int = SCHEMA
    newest: datetime
    schedules: dict[ScheduleId, MovedParts] = field(default_factory=dict[ScheduleId, MovedParts])

    @property
    def blob(self) -> str:
        """The name of its blob; the same content has the same name."""
        digest = hashlib.sha256(dump_moved(self)).hexdigest()
        return ids.moved_blob(self.newest, digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedSchedule(Stored):
    """The last state of a schedule that was removed and is decided up to there."""

    schema: int = SCHEMA
    state: ScheduleState


_MOVED = TypeAdapter(Moved)
_REMOVED = TypeAdapter(RemovedSchedule)


def dump_moved(moved: Moved) -> bytes:
    """Return the JSON of a blob below ``history/timings/``."""
    return _MOVED.dump_json(moved)


def load_moved(data: bytes) -> Moved:
    """Return what was moved out together; raises RecordUnreadable if it is none."""
    return load_state(_MOVED, data, "a blob of moved timings")


def dump_removed(removed: RemovedSchedule) -> bytes:
    """Return the JSON of a blob below ``history/removed/``."""
    return _REMOVED.dump_json(removed)


def load_removed(data: bytes) -> RemovedSchedule:
    """Return the last state of a removed schedule; raises RecordUnreadable if it is none."""
    return load_state(_REMOVED, data, "the state of a removed schedule")

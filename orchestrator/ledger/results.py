"""
What is known of finished runs, by schedule: the state of the collect pass, as values.

``collect.json`` has one writer, which holds the blob's lease.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from orchestrator import ids
from orchestrator.enums import Reason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import SCHEMA, Record
from orchestrator.ledger.state_blobs import load_state
from orchestrator.stored import Stored

_FAILED_KEPT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleResults(Stored):
    """
    What is known of the finished runs of one schedule.

    Attributes:
        last_success: Nominal time of the newest run that succeeded.
        last_success_run: Its id.
        last_success_finished: When it ended.
        failed: Ids of the runs that ended otherwise since then, oldest first, the last hundred.
        failed_at: Nominal time of each of those runs. Earlier versions wrote none.
    """

    last_success: datetime | None = None
    last_success_run: RunId | None = None
    last_success_finished: datetime | None = None
    failed: tuple[RunId, ...] = ()
    failed_at: dict[RunId, datetime] = field(default_factory=dict[RunId, datetime])


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectState(Stored):
    """
    The content of ``collect.json``.

    Attributes:
        positions: The run that had its turn last, by the kind of turn.
    """

    schema: int = SCHEMA
    positions: dict[str, RunId] = field(default_factory=dict[str, RunId])
    schedules: dict[ScheduleId, ScheduleResults] = field(
        default_factory=dict[ScheduleId, ScheduleResults]
    )


_COLLECT = TypeAdapter(CollectState)


def dump_collect(state: CollectState) -> bytes:
    """Return the JSON of ``collect.json``."""
    return _COLLECT.dump_json(state, indent=1)


def load_collect(data: bytes) -> CollectState:
    """Return the state of ``collect.json``; raises RecordUnreadable if it is none."""
    return load_state(_COLLECT, data, "collect.json")


def failed_after(results: ScheduleResults, instant: datetime) -> tuple[RunId, ...]:
    """
    Return the failed runs whose nominal time is later than ``instant``, in their order.

    A run without a known time counts as older than any instant: it is a trigger's, whose id holds
    no time, and an earlier version wrote it down.
    """
    return tuple(
        run for run in results.failed if (nominal := _failed_at(results, run)) and nominal > instant
    )


def _failed_at(results: ScheduleResults, run: RunId) -> datetime | None:
    parsed = ids.parse_run_id(run)
    return results.failed_at.get(run) or (parsed[1] if parsed else None)


def finished(state: CollectState, record: Record, *, succeeded: bool) -> CollectState:
    """
    Return ``state`` with the result of one final run; the same run twice changes nothing.

    A run that was stopped or replaced ended as it was asked to: no success, and no failure.
    """
    if record.reason in {Reason.STOPPED, Reason.REPLACED}:
        return state
    results = state.schedules.get(record.schedule, ScheduleResults())
    if succeeded:
        if results.last_success and results.last_success >= record.nominal:
            return state
        new = replace(
            results,
            last_success=record.nominal,
            last_success_run=record.run_id,
            last_success_finished=record.attempt.finished,
            failed=failed_after(results, record.nominal),
        )
    else:
        success = results.last_success
        if record.run_id in results.failed or (success and record.nominal <= success):
            return state
        new = replace(
            results,
            failed=(*results.failed, record.run_id)[-_FAILED_KEPT:],
            failed_at={**results.failed_at, record.run_id: record.nominal},
        )
    known = {run: at for run, at in new.failed_at.items() if run in new.failed}
    new = replace(new, failed_at=known)
    return replace(state, schedules={**state.schedules, record.schedule: new})

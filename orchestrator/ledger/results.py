"""
What is known of finished runs, by schedule: the state of the collect pass, as values.

``collect.json`` has one writer, which holds the blob's lease.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from orchestrator import ids
from orchestrator.enums import Outcome, Reason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import SCHEMA
from orchestrator.ledger.result import Result
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
        known: Whether this is all that the records say: false while the results are being made
            anew. It stands for what was read and not in the JSON.
    """

    last_success: datetime | None = None
    last_success_run: RunId | None = None
    last_success_finished: datetime | None = None
    failed: tuple[RunId, ...] = ()
    failed_at: dict[RunId, datetime] = field(default_factory=dict[RunId, datetime])
    known: Annotated[bool, Field(exclude=True)] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilding(Stored):
    """
    Results or summaries that are made anew from the final records, schedule by schedule.

    Attributes:
        because: What was lost, and why, in a sentence.
        results: Whether the results are made anew, and not the summaries alone.
        kept: The name under which the unreadable blob was kept.
        begun: The now of the tick that began with it.
        schedule: The one in hand; those before it, by the order of their ids, are done.
        before: What is left of that one: the names before this one; None: it is done as well.
        marker: Where the listing of the folder in hand goes on; None: at its begin. ``before``
            holds for the page that begins there.
        found: Whether a run was found: then its result was lost.
        ended: When all of it was done.
    """

    because: str
    results: bool = True
    kept: str | None = None
    begun: datetime | None = None
    schedule: ScheduleId | None = None
    before: str | None = None
    marker: str | None = None
    found: bool = False
    ended: datetime | None = None

    @property
    def lost_results(self) -> bool:
        """Whether something was lost that somebody should know of: a new ledger had none."""
        return self.results and (self.kept is not None or self.found)

    def lacks(self, schedule: ScheduleId) -> bool:
        """Whether the results of a schedule are not known yet."""
        if not self.results or self.ended:
            return False
        done = self.schedule is not None and (
            schedule < self.schedule or (schedule == self.schedule and self.before is None)
        )
        return not done


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectState(Stored):
    """
    The content of ``collect.json``.

    Attributes:
        positions: The run that had its turn last, by the kind of turn.
        rebuilding: What is being made anew, or was the last time.
    """

    schema: int = SCHEMA
    positions: dict[str, RunId] = field(default_factory=dict[str, RunId])
    rebuilding: Rebuilding | None = None
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


def with_unknown(state: CollectState, recorded: Iterable[ScheduleId]) -> CollectState:
    """
    Return ``state`` without what it says of schedules whose results are still made anew.

    Args:
        state: As it was read.
        recorded: The schedules that have final records; no other has lost anything.
    """
    rebuilding = state.rebuilding
    unknown = {
        id_: ScheduleResults(known=False)
        for id_ in recorded
        if rebuilding and rebuilding.lacks(id_)
    }
    return replace(state, schedules={**state.schedules, **unknown})


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


def finished(state: CollectState, result: Result) -> CollectState:
    """
    Return ``state`` with the result of one final run.

    The order of runs does not matter, and the same run twice changes nothing. A run that was
    stopped or replaced ended as it was asked to: no success, and no failure.
    """
    if result.outcome is None or result.reason in {Reason.STOPPED, Reason.REPLACED}:
        return state
    results = state.schedules.get(result.schedule, ScheduleResults())
    if result.outcome is Outcome.SUCCEEDED:
        new = _succeeded(results, result)
    else:
        new = _failed(results, result)
    if new == results:
        return state
    known = {run: at for run, at in new.failed_at.items() if run in new.failed}
    new = replace(new, failed_at=known)
    return replace(state, schedules={**state.schedules, result.schedule: new})


def _succeeded(results: ScheduleResults, result: Result) -> ScheduleResults:
    newest, run = results.last_success, results.last_success_run
    if newest and (
        newest > result.nominal
        or (newest == result.nominal and (run is None or run > result.run_id))
    ):
        return results
    return replace(
        results,
        last_success=result.nominal,
        last_success_run=result.run_id,
        last_success_finished=result.finished,
        failed=failed_after(results, result.nominal),
    )


def _failed(results: ScheduleResults, result: Result) -> ScheduleResults:
    success = results.last_success
    if result.run_id in results.failed or (success and result.nominal <= success):
        return results
    at = {**results.failed_at, result.run_id: result.nominal}
    new = replace(results, failed_at=at)

    def order(run: RunId) -> tuple[bool, datetime, RunId]:
        nominal = _failed_at(new, run)
        return nominal is not None, nominal or result.nominal, run

    failed = sorted((*results.failed, result.run_id), key=order)[-_FAILED_KEPT:]
    return replace(new, failed=tuple(failed))

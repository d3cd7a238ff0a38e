"""
What is known of finished runs, by schedule: the state of the collect pass, as values.

``collect.json`` has one writer, which holds the blob's lease.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from orchestrator import ids
from orchestrator.enums import Outcome, Reason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import SCHEMA
from orchestrator.ledger.result import Result
from orchestrator.ledger.state_blobs import load_state
from orchestrator.stored import Stored

FAILED_KEPT: Final = 100
"""Failed runs of a schedule, the newest: as many as ``pause_after_failures`` may ask for."""

TRIGGERED_KEPT: Final = 20
"""Triggers among them, the newest: each of these has its nominal time beside its id."""

_STORED_WHOLE: Final = 5
_EARLIER = re.compile(r"\d{8}T\d{6}Z|m[0-9a-f]{16}(@\d+\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleResults(Stored):
    """
    What is known of the finished runs of one schedule.

    Attributes:
        last_success: Nominal time of the newest run that succeeded.
        last_success_run: Its id.
        last_success_finished: When it ended.
        failed: Ids of the runs that ended otherwise since then, oldest first: the newest 100, of
            triggers the newest 20. From these numbers on, their count means "at least". Stored
            are up to 20; of more the newest 5, and the others in ``failed_earlier``.
        failed_at: Nominal times of the runs whose ids do not tell it. Earlier versions wrote none,
            or one of each run.
        failed_earlier: What follows the schedule in the ids of the other failed runs, oldest
            first; of a trigger with ``@`` and its nominal time in seconds since 1970. In JSON
            only: 1,000 schedules stay below 3.5 MB.
        known: Whether this is all that the records say: false while the results are being made
            anew. It stands for what was read and not in the JSON.
    """

    last_success: datetime | None = None
    last_success_run: RunId | None = None
    last_success_finished: datetime | None = None
    failed: tuple[RunId, ...] = ()
    failed_at: dict[RunId, datetime] = field(default_factory=dict[RunId, datetime])
    failed_earlier: tuple[Annotated[str, Field(pattern=f"^({_EARLIER.pattern})$")], ...] = ()
    known: Annotated[bool, Field(exclude=True)] = True

    @property
    def more_failed(self) -> bool:
        """Whether more runs may have failed than are kept."""
        triggered = sum(not _tells_time(run) for run in self.failed)
        return len(self.failed) >= FAILED_KEPT or triggered >= TRIGGERED_KEPT


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


_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_COLLECT = TypeAdapter(CollectState)


def dump_collect(state: CollectState) -> bytes:
    """Return the JSON of ``collect.json``."""
    schedules = {id_: _shortened(id_, one) for id_, one in state.schedules.items()}
    return _COLLECT.dump_json(replace(state, schedules=schedules))


def load_collect(data: bytes) -> CollectState:
    """Return the state of ``collect.json``; raises RecordUnreadable if it is none."""
    state = load_state(_COLLECT, data, "collect.json")
    schedules = {id_: _whole(id_, one) for id_, one in state.schedules.items()}
    return replace(state, schedules=schedules)


def _shortened(schedule: ScheduleId, results: ScheduleResults) -> ScheduleResults:
    """Return results as they are stored: of the older failures only what their ids lack."""
    if len(results.failed) <= TRIGGERED_KEPT:
        return results
    whole = results.failed[-_STORED_WHOLE:]
    other: list[RunId] = []
    earlier: list[str] = []
    for run in results.failed[:-_STORED_WHOLE]:
        rest = run.removeprefix(f"{schedule}-")
        if not _EARLIER.fullmatch(rest):
            other.append(run)
            continue
        at = None if _tells_time(run) else results.failed_at.get(run)
        earlier.append(f"{rest}@{at.timestamp()}" if at else rest)
    kept = {*other, *whole}
    return replace(
        results,
        failed=(*other, *whole),
        failed_at={run: at for run, at in results.failed_at.items() if run in kept},
        failed_earlier=tuple(earlier),
    )


def _whole(schedule: ScheduleId, results: ScheduleResults) -> ScheduleResults:
    """
    Return results with the earlier failures among the others.

    A version that does not know these may have written the rest: then some are older than the
    last success.
    """
    if not results.failed_earlier:
        return results
    failed_at, earlier = dict(results.failed_at), list[RunId]()
    for one in results.failed_earlier:
        rest, _, seconds = one.partition("@")
        run = RunId(f"{schedule}-{rest}")
        earlier.append(run)
        if seconds:
            failed_at[run] = datetime.fromtimestamp(float(seconds), UTC)
    with_earlier = replace(results, failed=tuple(earlier), failed_at=failed_at)
    if results.last_success:
        earlier = list(failed_after(with_earlier, results.last_success))
    return _trimmed(with_earlier, {*earlier, *results.failed}, failed_at)


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
    return results.failed_at.get(run) or _tells_time(run)


def _tells_time(run: RunId) -> datetime | None:
    parsed = ids.parse_run_id(run)
    return parsed[1] if parsed else None


def _trimmed(
    results: ScheduleResults, failed: Iterable[RunId], failed_at: dict[RunId, datetime]
) -> ScheduleResults:
    """Return ``results`` with the newest of these failed runs, in their order."""
    new = replace(results, failed_at=failed_at, failed_earlier=())

    def order(run: RunId) -> tuple[bool, datetime, RunId]:
        nominal = _failed_at(new, run)
        return nominal is not None, nominal or _NEVER, run

    ordered = sorted(failed, key=order)
    triggered = [run for run in ordered if not _tells_time(run)]
    dropped = frozenset(triggered[:-TRIGGERED_KEPT])
    return replace(new, failed=tuple(run for run in ordered if run not in dropped)[-FAILED_KEPT:])


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
    known = {
        run: at for run, at in new.failed_at.items() if run in new.failed and not _tells_time(run)
    }
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
    return _trimmed(results, (*results.failed, result.run_id), at)

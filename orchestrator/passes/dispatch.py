"""Creating the Batch jobs of claimed attempts, and what Batch's answers mean."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.adapters.telemetry import Event, emit, trouble
from orchestrator.batch_state import Job, Pool
from orchestrator.decisions.job_body import job
from orchestrator.enums import AttemptState, BlockedReason, Reason
from orchestrator.errors import BatchRefused, BatchUnavailable, LedgerConflict, RecordUnreadable
from orchestrator.ledger.attempt import Attempt, Stop
from orchestrator.ledger.record import Record
from orchestrator.ledger.state import OpenRun
from orchestrator.passes.services import Pace, Services

_ID_TAKEN = frozenset({"JobWithSameIdExists", "JobScheduleWithSameIdExists"})
_BLOCKED_BY_CODE = {
    "ActiveJobAndScheduleQuotaReached": BlockedReason.QUOTA,
    "InvalidApplicationPackageReferences": BlockedReason.PACKAGE_MISSING,
    "PoolBeingDeleted": BlockedReason.POOL_MISSING,
    "AccountIsDisabled": BlockedReason.UNAVAILABLE,
    **dict.fromkeys(_ID_TAKEN, BlockedReason.ID_TAKEN),
}
_BLOCKED_BY_STATUS = {
    401: BlockedReason.AUTH,
    403: BlockedReason.AUTH,
    404: BlockedReason.UNAVAILABLE,  # no Batch account is at this URL
    408: BlockedReason.UNAVAILABLE,
}
_WHOLE_ACCOUNT = frozenset(
    {BlockedReason.QUOTA, BlockedReason.AUTH, BlockedReason.UNAVAILABLE, BlockedReason.POOL_MISSING}
)


@dataclass(frozen=True, slots=True)
class _Submitted:
    """The job is there, and it is ours."""

    at: datetime


@dataclass(frozen=True, slots=True)
class _Blocked:
    """There is no job yet; a later tick tries again."""

    reason: BlockedReason
    detail: str


type _Answer = _Submitted | _Blocked | Stop


class Dispatcher:
    """Creates jobs for the claimed attempts whose gates are open, the oldest first."""

    def __init__(self, services: Services, pace: Pace, now: datetime) -> None:
        self._services = services
        self._pace = pace
        self._now = now
        self._pool: Pool | None = None
        self._no_pool = _Blocked(BlockedReason.UNAVAILABLE, "the pool has not been read")
        self._counts = {"submitted": 0, "blocked": 0, "stopped": 0}

    async def dispatch(self, runs: Sequence[OpenRun]) -> dict[str, int]:
        """
        Dispatch the attempts whose gates are open, those that were blocked before last.

        Returns:
            Counts for the heartbeat.
        """
        if runs:
            await self._read_pool()
            in_order = sorted(runs, key=lambda run: (bool(run.blocked), *run.order))
            await self._pace.each(in_order, self._one)
        return self._counts

    async def _read_pool(self) -> None:
        """Read the pool once: Batch takes a job for a pool that does not exist."""
        try:
            self._pool = await self._services.batch.pool()
        except BatchUnavailable as error:
            self._no_pool = _Blocked(BlockedReason.UNAVAILABLE, str(error))
        except BatchRefused as error:
            reason = _BLOCKED_BY_STATUS.get(error.status, BlockedReason.UNAVAILABLE)
            self._no_pool = _Blocked(reason, str(error))
        else:
            if self._pool is None or self._pool.state == "deleting":
                self._pool = None
                pool_id = self._services.place.pool_id
                self._no_pool = _Blocked(BlockedReason.POOL_MISSING, f"no pool {pool_id!r}")

    async def _one(self, run: OpenRun) -> None:
        """Dispatch one attempt; a conflict means that somebody else did, or ended it."""
        try:
            await self._dispatch(run)
        except (LedgerConflict, RecordUnreadable) as error:
            trouble(f"run {run.run_id} is left for the next tick", error)

    async def _dispatch(self, run: OpenRun) -> None:
        ledger = self._services.ledger
        opened = await ledger.read_open(run.run_id)
        if opened is None:
            return
        record, etag = opened
        if record.stop or record.attempt.state is not AttemptState.CLAIMED:
            return
        final = await ledger.final_etag(record)
        if final is not None and final != record.replaces:
            await ledger.remove_open(run.run_id, etag)  # by a tick that slept through the run's end
            return
        if record.attempt.after and record.attempt.ready is None:
            # Until this is written it is certain that the attempt has no job.
            record = record.with_attempt(replace(record.attempt, ready=self._now))
            etag = await ledger.write_open(record, etag)
        gave_up = self._too_late(record) or self._out_of_window(record)
        match await (self._look_once_more(record, gave_up) if gave_up else self._create(record)):
            case _Submitted(at=at):
                await self._submitted(record, etag, at)
            case _Blocked() as answer:
                if answer.reason in _WHOLE_ACCOUNT:
                    self._pace.halt()
                await self._blocked(record, etag, answer)
            case Stop() as stop:  # not to be dispatched again; the collector ends it
                await ledger.write_open(replace(record, stop=stop), etag)
                self._counts["stopped"] += 1

    def _too_late(self, record: Record) -> Stop | None:
        """Give up a further attempt that could not begin before the next occurrence."""
        until = record.task.retry_until if record.task else None
        if record.attempt.number == 1 or until is None or self._now < until:
            return None
        before = record.attempts[-2].sentence
        sentence = f"The next occurrence was due before it could be tried again. {before}"
        return Stop(cause=Reason.BLOCKED, reason=Reason.BLOCKED, sentence=sentence, at=self._now)

    def _out_of_window(self, record: Record) -> Stop | None:
        """Give up an attempt that could not be created for the whole catch-up window."""
        attempt = record.attempt
        since = _gates_opened(attempt)
        if record.task is None or since is None or self._now - since <= record.task.catch_up_window:
            return None
        why = (
            f"{attempt.blocked}: {attempt.blocked_detail}"
            if attempt.blocked
            else "none was tried: nothing ticked, or the whole account was blocked"
        )
        sentence = f"No job could be created within the catch-up window ({why})."
        return Stop(cause=Reason.BLOCKED, reason=Reason.BLOCKED, sentence=sentence, at=self._now)

    async def _look_once_more(self, record: Record, gave_up: Stop) -> _Answer:
        """Tell whether a job that is given up is there after all: its answer may have been lost."""
        try:
            found = await self._services.batch.job(record.attempt.job_id)
        except (BatchUnavailable, BatchRefused) as error:
            return _Blocked(BlockedReason.UNAVAILABLE, str(error))
        if found is not None and is_ours(record, found):
            return _Submitted(found.created or self._now)
        return gave_up

    async def _create(self, record: Record) -> _Answer:
        if self._pool is None:
            return self._no_pool
        try:
            await self._services.batch.create_job(job(record, self._services.place, self._pool))
        except BatchUnavailable as error:
            return _Blocked(BlockedReason.UNAVAILABLE, str(error))
        except BatchRefused as error:
            return await self._refusal(record, error)
        return _Submitted(self._now)

    async def _refusal(self, record: Record, error: BatchRefused) -> _Answer:
        """Tell what a refusal means by its code: the client raises one class for every 409."""
        if error.code == "JobBeingDeleted":  # ours, and somebody removes it: the collector's
            return _Submitted(self._now)
        if error.code == "JobExists":
            return await self._whose(record, error)
        reason = _BLOCKED_BY_CODE.get(error.code) or _BLOCKED_BY_STATUS.get(error.status)
        if reason:
            return _Blocked(reason, str(error))
        sentence = f"Batch refused the job: {error}."
        return Stop(cause=Reason.REJECTED, reason=Reason.REJECTED, sentence=sentence, at=self._now)

    async def _whose(self, record: Record, error: BatchRefused) -> _Answer:
        """Tell whether the job that bears our id is ours: then an earlier creation came to pass."""
        try:
            found = await self._services.batch.job(record.attempt.job_id)
        except (BatchUnavailable, BatchRefused) as failure:
            return _Blocked(BlockedReason.UNAVAILABLE, str(failure))
        if found is None:
            return _Blocked(BlockedReason.UNAVAILABLE, f"{error}; then it was gone")
        if is_ours(record, found):
            return _Submitted(found.created or self._now)
        return _Blocked(BlockedReason.ID_TAKEN, f"another job has the id {record.attempt.job_id}")

    async def _submitted(self, record: Record, etag: str, at: datetime) -> None:
        attempt = replace(
            record.attempt,
            state=AttemptState.SUBMITTED,
            submitted=at,
            blocked=None,
            blocked_detail=None,
        )
        lateness = record.lateness_seconds  # of the first attempt; later ones are not late
        if lateness is None:
            lateness = max(0.0, (at - record.nominal).total_seconds())
        record = replace(
            record.with_attempt(attempt),
            lateness_seconds=lateness,
            packages=self._pool.packages if self._pool else {},
            image=self._pool.image if self._pool else None,
        )
        await self._services.ledger.write_open(record, etag)
        self._counts["submitted"] += 1
        emit(
            Event.OCCURRENCE_SUBMITTED,
            schedule=record.schedule,
            run_id=record.run_id,
            nominal=record.nominal,
            lateness_seconds=lateness,
        )

    async def _blocked(self, record: Record, etag: str, answer: _Blocked) -> None:
        """Write why there is no job yet, when that has changed."""
        self._counts["blocked"] += 1
        if record.attempt.blocked == answer.reason:
            return
        attempt = replace(
            record.attempt,
            blocked=answer.reason,
            blocked_detail=answer.detail,
            ready=record.attempt.ready or self._now,
        )
        await self._services.ledger.write_open(record.with_attempt(attempt), etag)
        emit(
            Event.OCCURRENCE_BLOCKED,
            schedule=record.schedule,
            run_id=record.run_id,
            nominal=record.nominal,
            reason=answer.reason.value,
            detail=answer.detail,
        )


def _gates_opened(attempt: Attempt) -> datetime | None:
    """Return when a job for the attempt could first have been created; None: only just now."""
    if attempt.ready or attempt.after:
        return attempt.ready
    return max(attempt.claimed, attempt.not_before or attempt.claimed)


def is_ours(record: Record, found: Job) -> bool:
    """Tell whether a job is the one of the attempt in hand, by its metadata."""
    return found.run_id == record.run_id and found.attempt == record.attempt.number

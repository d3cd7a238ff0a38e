"""Creating the Batch jobs of claimed attempts, and what Batch's answers mean."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.adapters.telemetry import Event, emit, trouble
from orchestrator.batch_state import Pool
from orchestrator.decisions.identity import Whose, is_ours, numbered
from orchestrator.decisions.job_body import job
from orchestrator.decisions.places import gates_opened, is_elsewhere, is_noted, noted, place_of
from orchestrator.decisions.refusals import Blocked, blocked_by, unread_by
from orchestrator.enums import AttemptState, BlockedReason, Reason
from orchestrator.errors import (
    BatchRefused,
    BatchUnavailable,
    LedgerConflict,
    OutputUnreadable,
    RecordUnreadable,
)
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import Kind, Record
from orchestrator.ledger.state import OpenRun
from orchestrator.passes.free_numbers import FreeNumbers
from orchestrator.passes.job_search import JobSearch
from orchestrator.passes.pools import Pools
from orchestrator.passes.services import Pace, Services

_LEFT = (LedgerConflict, RecordUnreadable, OutputUnreadable)
"""What leaves one run for the next tick, while the others go on."""


@dataclass(frozen=True, slots=True)
class _Submitted:
    """The job is there, and it is ours."""

    at: datetime


@dataclass(frozen=True, slots=True)
class _Numbered:
    """Its id is used up by an earlier life of the run: the attempt gets the next free number."""


@dataclass(frozen=True, slots=True)
class _Later:
    """Enough has been looked at in this tick; nothing is known, and nothing to be written."""


@dataclass(frozen=True, slots=True)
class _Gone:
    """The job whose id it bears is gone."""


type _Answer = _Submitted | _Numbered | _Later | Blocked | Stop


class Dispatcher:
    """Creates jobs for the claimed attempts whose gates are open, the oldest first."""

    def __init__(self, services: Services, pace: Pace, pools: Pools, now: datetime) -> None:
        self._services = services
        self._pace = pace
        self._pools = pools
        self._now = now
        self._search = JobSearch(services)
        self._numbers = FreeNumbers(services)
        self._counts = {"submitted": 0, "blocked": 0, "stopped": 0}

    async def dispatch(self, runs: Sequence[OpenRun]) -> dict[str, int]:
        """
        Dispatch the attempts whose gates are open, those that were blocked before last.

        Returns:
            Counts for the heartbeat.
        """
        mine = [run for run in runs if not is_elsewhere(run.account, self._services.place)]
        await self._pace.each(sorted(mine, key=self._turn), self._one)
        return self._counts

    def _turn(self, run: OpenRun) -> tuple[bool, str, datetime, str]:
        """
        Return where in this tick an attempt has its turn.

        Of those whose id is taken a few are looked at in a tick: each tick begins with others.
        """
        text = f"{self._now.isoformat()} {run.run_id}"
        return (
            run.blocked,
            hashlib.sha256(text.encode()).hexdigest() if run.taken else "",
            *run.order,
        )

    async def _one(self, run: OpenRun) -> None:
        """Dispatch one attempt; a conflict means that somebody else did, or ended it."""
        if run.taken and self._search.over:
            return
        try:
            await self._dispatch(run)
        except _LEFT as error:
            trouble(f"run {run.run_id} waits for the next tick", error)

    async def _dispatch(self, run: OpenRun) -> None:
        ledger = self._services.ledger
        opened = await ledger.read_open(run.run_id)
        if opened is None:
            return
        record, etag = opened
        if record.stop or record.attempt.state is not AttemptState.CLAIMED:
            return
        if is_elsewhere(record.attempt.account, self._services.place):
            return
        if await ledger.is_left_over(record):
            await ledger.remove_open(run.run_id, etag)  # by a tick that slept through the run's end
            return
        if gave_up := self._too_late(record) or self._out_of_window(record):
            await self._note(record, etag, await self._look_once_more(record, gave_up))
        else:
            await self._try(record, etag)

    async def _try(self, record: Record, etag: str) -> None:
        """Create the job of an attempt, after writing what must be known of it by then."""
        place = self._services.place
        pool = await self._pools.read(place_of(record.attempt, place).pool_id)
        if isinstance(pool, Blocked):
            await self._note(record, etag, pool)
            return
        taken = await self._still_taken(record) or await self._used_up(record)
        if taken is not None:
            await self._note(record, etag, taken)
            return
        if not is_noted(record.attempt):
            # Until this is written it is certain that the attempt has no job.
            record = noted(record, place, self._now)
            etag = await self._services.ledger.write_open(record, etag)
        await self._note(record, etag, await self._create(record, pool), pool)

    async def _note(
        self, record: Record, etag: str, answer: _Answer, pool: Pool | None = None
    ) -> None:
        """Write what became of an attempt."""
        match answer:
            case _Submitted(at=at):
                await self._submitted(record, etag, at, pool)
            case _Numbered():
                await self._renumber(record, etag)
            case Blocked():
                await self._blocked(record, etag, answer)
            case Stop():  # not to be dispatched again; the collector ends it
                await self._services.ledger.write_open(replace(record, stop=answer), etag)
                self._counts["stopped"] += 1
            case _Later():
                pass

    def _too_late(self, record: Record) -> Stop | None:
        """Give up a further attempt that could not begin before the next occurrence."""
        until = record.task.retry_until if record.task else None
        tried = record.attempts_of_claim[:-1]
        if not tried or until is None or self._now < until:
            return None
        sentence = f"The next occurrence came due before a retry could start. {tried[-1].sentence}"
        return Stop(cause=Reason.BLOCKED, reason=Reason.BLOCKED, sentence=sentence, at=self._now)

    def _out_of_window(self, record: Record) -> Stop | None:
        """Give up an attempt that could not be created for the whole catch-up window."""
        attempt = record.attempt
        since = gates_opened(attempt)
        if record.task is None or since is None or self._now - since <= record.task.catch_up_window:
            return None
        why = (
            f"{attempt.blocked}: {attempt.blocked_detail}"
            if attempt.blocked
            else "no tick tried: the timers did not run, or the whole account was blocked"
        )
        sentence = f"No job could be created within the catch-up window ({why})."
        return Stop(cause=Reason.BLOCKED, reason=Reason.BLOCKED, sentence=sentence, at=self._now)

    async def _look_once_more(self, record: Record, gave_up: Stop) -> _Answer:
        """Tell whether a job that is given up is there after all: its answer may have been lost."""
        try:
            found = await self._services.batch.job(record.attempt.job_id)
        except (BatchUnavailable, BatchRefused) as error:
            return unread_by(error)
        if found is not None and is_ours(record, found):
            return _Submitted(found.created or self._now)
        return gave_up

    async def _create(self, record: Record, pool: Pool) -> _Answer:
        body = job(record, place_of(record.attempt, self._services.place), pool)
        try:
            await self._services.batch.create_job(body)
        except BatchUnavailable as error:
            return unread_by(error)
        except BatchRefused as error:
            return await self._refusal(record, error)
        return _Submitted(self._now)

    async def _refusal(self, record: Record, error: BatchRefused) -> _Answer:
        """Tell what a refusal means by its code: the client raises one class for every 409."""
        if error.code in {"JobExists", "JobBeingDeleted"}:
            found = await self._whose(record)
            return (
                Blocked(BlockedReason.ID_TAKEN, str(error)) if isinstance(found, _Gone) else found
            )
        sentence = f"Batch refused the job: {error}."
        return blocked_by(error) or Stop(
            cause=Reason.REJECTED, reason=Reason.REJECTED, sentence=sentence, at=self._now
        )

    async def _still_taken(self, record: Record) -> _Answer | None:
        """Look again at an id that was taken; None if the job may be created now."""
        if record.attempt.blocked is not BlockedReason.ID_TAKEN:
            return None
        found = await self._whose(record)
        if not isinstance(found, _Gone):
            return found
        return None if await self._numbers.has_free_folder(record) else _Numbered()

    async def _used_up(self, record: Record) -> _Numbered | None:
        """
        Tell whether the number of a further attempt is used up: an earlier life wrote outputs.

        The first attempt of a life has a free number from its claim on.
        """
        further = record.kind is not Kind.SCHEDULED and record.attempts_of_claim[:-1]
        if not further or is_noted(record.attempt):
            return None
        return None if await self._numbers.has_free_folder(record) else _Numbered()

    async def _whose(self, record: Record) -> _Answer | _Gone:
        """Tell whose the job is that bears our id; ours if an earlier creation came to pass."""
        try:
            found = await self._search.look(record)
        except (BatchUnavailable, BatchRefused) as error:
            return unread_by(error)
        if found is None:
            return _Later()
        whose, there = found
        match whose:
            case Whose.OURS:
                return _Submitted((there.created if there else None) or self._now)
            case Whose.ENDED:
                return _Numbered()
            case Whose.GONE:
                return _Gone()
            case Whose.TAKEN:
                job_id = record.attempt.job_id
                return Blocked(BlockedReason.ID_TAKEN, f"another job already has the id {job_id}")

    async def _renumber(self, record: Record, etag: str) -> None:
        """Go on with the next free number: the next tick dispatches it, as if never tried."""
        number = await self._numbers.first_folder(record, after=record.attempt.number)
        record = numbered(record, number)
        attempt = replace(
            record.attempt,
            account=None,
            pool=None,
            outputs_url=None,
            blocked=None,
            blocked_detail=None,
        )
        await self._services.ledger.write_open(record.with_attempt(attempt), etag)

    async def _submitted(self, record: Record, etag: str, at: datetime, pool: Pool | None) -> None:
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
            packages=pool.packages if pool else {},
            image=pool.image if pool else None,
        )
        await self._services.ledger.write_open(record, etag)
        self._counts["submitted"] += 1
        emit(
            Event.OCCURRENCE_SUBMITTED,
            record.about,
            schedule=record.schedule,
            run_id=record.run_id,
            nominal=record.nominal,
            lateness_seconds=lateness,
        )

    async def _blocked(self, record: Record, etag: str, answer: Blocked) -> None:
        """Write why there is no job yet, when that has changed."""
        if answer.stops_all or self._is_common(record, answer):
            self._pace.halt()
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
            record.about,
            schedule=record.schedule,
            run_id=record.run_id,
            nominal=record.nominal,
            reason=answer.reason.value,
            detail=answer.detail,
        )

    def _is_common(self, record: Record, answer: Blocked) -> bool:
        """Whether the pool is missing that nearly all attempts are for."""
        place = self._services.place
        pool = place_of(record.attempt, place).pool_id
        return answer.reason is BlockedReason.POOL_MISSING and pool == place.pool_id

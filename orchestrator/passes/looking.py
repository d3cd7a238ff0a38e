"""How one open run stands: what Batch says of it, written before anything that takes longer."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from orchestrator.batch_state import Task
from orchestrator.decisions.diagnose import busy, diagnose
from orchestrator.decisions.endings import START_TIMEOUT
from orchestrator.decisions.identity import is_ours
from orchestrator.decisions.measures import measured, with_preemption
from orchestrator.decisions.outcome import (
    Ended,
    EndJob,
    StartOverdue,
    Wait,
    conclude,
    start_timeout,
)
from orchestrator.decisions.retry import again
from orchestrator.enums import AttemptState
from orchestrator.errors import (
    BatchRefused,
    BatchUnavailable,
    LedgerConflict,
    OutputUnreadable,
    RecordUnreadable,
)
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Record
from orchestrator.ledger.state import OpenRun
from orchestrator.passes.pool_view import PoolView
from orchestrator.passes.services import Services

LEFT: Final = (BatchUnavailable, BatchRefused, LedgerConflict, OutputUnreadable, RecordUnreadable)
"""What leaves one run for the next tick, while the others go on."""


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """An open record, and the ETag with which it is replaced or removed."""

    record: Record
    etag: str


class Looker:
    """
    Looks at open runs, one by one.

    Attributes:
        retried: The runs that were given another attempt, as they ended the last one.
    """

    def __init__(self, services: Services, now: datetime) -> None:
        self.retried: list[OpenRecord] = []
        self._services = services
        self._now = now
        self._pool = PoolView(services)

    async def look(self, run: OpenRun) -> OpenRecord | None:
        """Take a run as far as Batch's word goes; return it if it has ended for good."""
        opened = await self._services.ledger.read_open(run.run_id)
        if opened is None:
            return None
        record, etag = opened
        if record.attempt.state is AttemptState.ENDED:
            return await self._ended(OpenRecord(record, etag))
        batch, job_id = self._services.batch, record.attempt.job_id
        job = await batch.job(job_id)
        if job is not None and not is_ours(record, job):
            job = None
        task = await batch.task(job_id) if job else None
        match conclude(record, job, task, self._now):
            case Wait(note=note):
                if note is not None:
                    await self._note(record, etag, note, task)
            case StartOverdue() as overdue:
                await self._start_overdue(record, etag, overdue)
            case EndJob(because=because, note=note):
                if note is not None:
                    await self._note(record, etag, note, task)
                await batch.terminate_job(job_id, because)
            case Ended(attempt=attempt):
                attempt = await self._measured(record, attempt, task)
                record = replace(
                    record.with_attempt(attempt),
                    outcome=attempt.outcome,
                    reason=attempt.reason,
                    sentence=attempt.sentence,
                )
                etag = await self._services.ledger.write_open(record, etag)
                return await self._ended(OpenRecord(record, etag))
        return None

    async def _note(self, record: Record, etag: str, note: Attempt, task: Task | None) -> None:
        """Write down what is now known of an attempt that goes on."""
        noted = await self._measured(record, note, task)
        await self._services.ledger.write_open(record.with_attempt(noted), etag)

    async def _measured(self, record: Record, attempt: Attempt, task: Task | None) -> Attempt:
        """Return an attempt with its numbers, as far as they change and Batch tells them."""
        ended, requeued = attempt.outcome, attempt.requeues > record.attempt.requeues
        if not (ended or requeued):
            return attempt
        pool, nodes = await self._pool.read_if_told(attempt.pool)
        counted = with_preemption(record.attempt, attempt, nodes)
        return measured(counted, task, pool, nodes) if ended else counted

    async def _start_overdue(self, record: Record, etag: str, overdue: StartOverdue) -> None:
        """Give a run up whose task no node took, unless the pool is simply busy."""
        batch, ledger = self._services.batch, self._services.ledger
        record = record.with_attempt(overdue.attempt)
        diagnosis = overdue.diagnosis
        if diagnosis is None:
            pool, nodes = await self._pool.read(record.attempt.pool)
            if busy(nodes):
                attempt = replace(overdue.attempt, waiting_since=self._now)
                await ledger.write_open(record.with_attempt(attempt), etag)
                return
            diagnosis = diagnose(pool, nodes, self._now)
        stop = start_timeout(record, overdue, diagnosis, self._now)
        await ledger.write_open(replace(record, stop=stop), etag)
        await batch.terminate_job(record.attempt.job_id, START_TIMEOUT)

    async def _ended(self, ended: OpenRecord) -> OpenRecord | None:
        """Write the next attempt of what has ended; return what has none and becomes final."""
        following = again(ended.record, self._now)
        if following is None:
            return ended
        await self._services.ledger.write_open(following, ended.etag)
        self.retried.append(ended)
        return None

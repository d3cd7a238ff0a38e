"""How one open run stands: what Batch says of it, written before anything that takes longer."""

from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator import ids
from orchestrator.adapters.telemetry import Event, emit
from orchestrator.batch_state import Job, Task
from orchestrator.decisions.diagnose import busy, diagnose
from orchestrator.decisions.elsewhere import given_up
from orchestrator.decisions.endings import START_TIMEOUT
from orchestrator.decisions.identity import is_ours
from orchestrator.decisions.measures import is_interrupted, measured, with_preemption
from orchestrator.decisions.outcome import (
    Ended,
    EndJob,
    StartOverdue,
    Wait,
    conclude,
    start_timeout,
)
from orchestrator.decisions.places import is_elsewhere
from orchestrator.decisions.retry import again
from orchestrator.decisions.slow import slow_seconds
from orchestrator.enums import AttemptState
from orchestrator.errors import BlobRefused, RecordUnreadable
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Record
from orchestrator.ledger.state import OpenRun
from orchestrator.passes.batch_view import BatchView
from orchestrator.passes.pool_view import PoolView
from orchestrator.passes.services import Services
from orchestrator.passes.summarising import Summaries


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

    def __init__(
        self, services: Services, view: BatchView, summaries: Summaries, now: datetime
    ) -> None:
        self.retried: list[OpenRecord] = []
        self._services = services
        self._summaries = summaries
        self._view = view
        self._now = now
        self._pool = PoolView(services.batch)

    async def look(self, run: OpenRun) -> OpenRecord | None:
        """Take a run as far as Batch's word goes; return it if it has ended for good."""
        opened = await self._read(run)
        if opened is None:
            return None
        record, etag = opened
        if run.damaged:
            etag = await self._repair(record, etag)
        if record.attempt.state is AttemptState.CLAIMED and not record.stop:
            return None  # it is to be dispatched
        if record.attempt.state is AttemptState.ENDED:
            return await self._ended(OpenRecord(record, etag))
        if is_elsewhere(record.attempt.account, self._services.place):
            return await self._elsewhere(record, etag)
        return await self._follow(record, etag)

    async def _follow(self, record: Record, etag: str) -> OpenRecord | None:
        """Do what Batch's word on an attempt asks for."""
        job, task = await self._ask(record)
        match conclude(record, job, task, self._now):
            case Wait(note=note):
                note = await self._slow(record, note or record.attempt) or note
                await self._note(record, etag, note, task)
            case StartOverdue() as overdue:
                await self._start_overdue(record, etag, overdue)
            case EndJob(because=because, note=note):
                await self._note(record, etag, note, task)
                await self._services.batch.terminate_job(record.attempt.job_id, because)
            case Ended(attempt=attempt):
                attempt = await self._measured(record, attempt, task)
                attempt = await self._slow(record, attempt) or attempt
                return await self._end(record, etag, attempt)
        return None

    async def _end(self, record: Record, etag: str, attempt: Attempt) -> OpenRecord | None:
        """Write the end of an attempt down before anything that takes longer."""
        record = replace(
            record.with_attempt(attempt),
            outcome=attempt.outcome,
            reason=attempt.reason,
            sentence=attempt.sentence,
        )
        etag = await self._services.ledger.write_open(record, etag)
        return await self._ended(OpenRecord(record, etag))

    async def _elsewhere(self, record: Record, etag: str) -> OpenRecord | None:
        """End a run of another Batch account if it was given up; else it waits for that account."""
        attempt = given_up(record)
        if attempt is None:
            return None
        return await self._end(record, etag, attempt)

    async def _ask(self, record: Record) -> tuple[Job | None, Task | None]:
        """Return the job of the attempt in hand and its task, as Batch has them."""
        job_id = record.attempt.job_id
        job = await self._view.job(job_id)
        if job is None or not is_ours(record, job):
            return None, None
        task = await self._services.batch.task(job_id)
        if task is not None and task.state == "completed":
            job = await self._view.job_of_ended_task(job_id, job)
        if task is None and job is not None and job.state == "completed":
            job = await self._services.batch.job(job_id)  # or it was deleted between both answers
        return job, task

    async def _read(self, run: OpenRun) -> tuple[Record, str] | None:
        """Read an open record; a damaged one is reported."""
        try:
            return await self._services.ledger.read_open(run.run_id)
        except (RecordUnreadable, BlobRefused) as error:
            blob = ids.open_blob(run.run_id)
            emit(Event.LEDGER_TROUBLE, what="damaged_record", blob=blob, detail=str(error))
            raise

    async def _repair(self, record: Record, etag: str) -> str:
        """Write the metadata of an open record anew, from its content."""
        blob = ids.open_blob(record.run_id)
        etag = await self._services.ledger.write_open(record, etag)
        detail = "its metadata were unreadable; the tick wrote them again from its content"
        emit(Event.LEDGER_TROUBLE, what="damaged_metadata", blob=blob, detail=detail)
        return etag

    async def _note(
        self, record: Record, etag: str, note: Attempt | None, task: Task | None
    ) -> None:
        """Write down what is now known of an attempt that goes on, if there is anything new."""
        if note is None:
            return
        noted = await self._measured(record, note, task)
        await self._services.ledger.write_open(record.with_attempt(noted), etag)

    async def _slow(self, record: Record, attempt: Attempt) -> Attempt | None:
        """Tell once of an attempt that takes much longer than usual; return it as told."""
        if attempt.started is None or attempt.slow:
            return None
        usual = await self._summaries.usual(record.schedule)
        seconds = slow_seconds(attempt, usual, self._now)
        if seconds is None:
            return None
        emit(
            Event.RUN_SLOW,
            record.about,
            schedule=record.schedule,
            run_id=record.run_id,
            nominal=record.nominal,
            seconds=seconds,
            usual_seconds=usual,
            event_id=attempt.job_id,
        )
        return replace(attempt, slow=True)

    async def _measured(self, record: Record, attempt: Attempt, task: Task | None) -> Attempt:
        """Return an attempt with its numbers, as far as they change and Batch tells them."""
        ended = attempt.outcome is not None
        if not (ended or is_interrupted(record.attempt, attempt)):
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

"""One collect tick: what Batch says of each open run, its outputs, its final record."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched

from orchestrator import ids
from orchestrator.adapters.container import Lease
from orchestrator.adapters.telemetry import Event, emit, trouble
from orchestrator.decisions.diagnose import busy, diagnose
from orchestrator.decisions.outcome import Ended, EndJob, StartOverdue, Wait, conclude
from orchestrator.decisions.retry import again
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.errors import (
    BatchRefused,
    BatchUnavailable,
    LeaseTaken,
    LedgerConflict,
    OutputUnreadable,
    RecordUnreadable,
)
from orchestrator.ids import FILES
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import How, Output, Record
from orchestrator.ledger.state import CollectState, OpenRun, dump_collect, finished, load_collect
from orchestrator.passes.dispatch import is_ours
from orchestrator.passes.services import Pace, Services

_EMPTY = dump_collect(CollectState())
_STREAMS = ("stdout.txt", "stderr.txt")
_AT_A_TIME = 32
_LOOKING_SECONDS = 35
_SILENT_ANSWERS = 3
"""So many times without an answer, and Batch is asked no more in this tick."""

_LEFT = (BatchUnavailable, BatchRefused, LedgerConflict, OutputUnreadable, RecordUnreadable)
"""What leaves one run for the next tick, while the others go on."""


async def collect_finished(services: Services) -> dict[str, int | str]:
    """
    End every open run whose job has ended, and give it its final record.

    Dying anywhere repeats it to the same bytes.

    Returns:
        What was done, for the heartbeat: counts by name.

    Raises:
        LedgerUnavailable: Storage did not answer; nothing is lost, the next tick goes on.
    """
    runs = (await services.ledger.open_list()).runs
    counts: dict[str, int | str] = {"open": len(runs)}
    if not any(_concerns(run) for run in runs):
        return counts
    pace = services.pace()
    try:
        async with (
            services.ledger.lease(ids.COLLECT_STATE, empty=_EMPTY) as lease,
            pace.limit(),
        ):
            return counts | await _CollectTick(services, lease, pace).run()
    except LeaseTaken:
        return {**counts, "lease_taken": 1}


def _concerns(run: OpenRun) -> bool:
    """Whether a run is the collector's: everything but claims that are still to be dispatched."""
    return run.stop or run.state is not AttemptState.CLAIMED


class _CollectTick:
    """The part of a tick that holds the lease."""

    def __init__(self, services: Services, lease: Lease, pace: Pace) -> None:
        self._services = services
        self._lease = lease
        self._pace = pace
        self._ended: list[tuple[Record, str]] = []
        self._silent = 0
        self._counts = {"finished": 0, "retried": 0}

    async def run(self) -> dict[str, int]:
        """Look at the runs, a part at a time, and finish those that have ended."""
        work = await self._services.ledger.open_list()
        now = work.now
        concerned = [run for run in work.runs if _concerns(run)]
        # What has ended needs no word of Batch: it is finished whatever Batch does.
        ended = [run for run in concerned if run.state is AttemptState.ENDED]
        others = [run for run in concerned if run.state is not AttemptState.ENDED]
        # Where they are too many for one tick, each tick begins with others.
        first = int(now.timestamp()) % len(others) if others else 0
        looking = self._pace.part(_LOOKING_SECONDS)
        in_order = [*ended, *others[first:], *others[:first]]
        for part in batched(in_order, _AT_A_TIME, strict=False):
            await self._look_at(part, looking, now)
            await self._finish(now)
        return self._counts

    async def _look_at(self, runs: Sequence[OpenRun], looking: Pace, now: datetime) -> None:
        async def look(run: OpenRun) -> None:
            try:
                await self._look(run, now)
            except _LEFT as error:
                trouble(f"run {run.run_id} is left for the next tick", error)
                self._silent += isinstance(error, BatchUnavailable)
                if self._silent >= _SILENT_ANSWERS:
                    looking.halt()

        await looking.each(runs, look)

    async def _look(self, run: OpenRun, now: datetime) -> None:
        """Take one run as far as it goes in this tick."""
        opened = await self._services.ledger.read_open(run.run_id)
        if opened is None:
            return
        record, etag = opened
        if record.attempt.state is AttemptState.ENDED:
            self._ended.append((record, etag))
            return
        batch, job_id = self._services.batch, record.attempt.job_id
        job = await batch.job(job_id)
        if job is not None and not is_ours(record, job):
            job = None
        task = await batch.task(job_id) if job else None
        match conclude(record, job, task, now):
            case Wait(note=note):
                if note is not None:
                    await self._services.ledger.write_open(record.with_attempt(note), etag)
            case StartOverdue():
                await self._start_overdue(record, etag, now)
            case EndJob(because=because):
                await batch.terminate_job(job_id, because)
            case Ended(attempt=attempt):
                record = record.with_attempt(attempt)
                record = replace(
                    record,
                    outcome=attempt.outcome,
                    reason=attempt.reason,
                    sentence=attempt.sentence,
                    outputs=await self._outputs(record),
                )
                self._ended.append((record, await self._services.ledger.write_open(record, etag)))

    async def _start_overdue(self, record: Record, etag: str, now: datetime) -> None:
        """Give a run up whose task no node took, unless the pool is simply busy."""
        batch = self._services.batch
        pool, nodes = await batch.pool(), await batch.nodes()
        if busy(nodes):
            attempt = replace(record.attempt, waiting_since=now)
            await self._services.ledger.write_open(record.with_attempt(attempt), etag)
            return
        reason, sentence = diagnose(pool, nodes, now)
        limit = record.task.start_timeout if record.task else None
        stop = Stop(
            cause=Reason.START_TIMEOUT,
            reason=reason,
            sentence=f"It did not start within {limit}. {sentence}",
            at=now,
        )
        await self._services.ledger.write_open(replace(record, stop=stop), etag)
        await batch.terminate_job(record.attempt.job_id, "start timeout")

    async def _outputs(self, record: Record) -> tuple[Output, ...]:
        """Verify what the node pushed; a missing output says why and changes no outcome."""
        prefix = record.output_prefix
        found = await self._services.outputs.measure(prefix, streams=_STREAMS, folder=FILES)
        missing = [
            Output(path=name, how=How.MISSING, why=_why_missing(record))
            for name in _STREAMS
            if name not in found
        ]
        stored = [
            Output(path=name, bytes=size, sha256=sha256, how=How.PUSHED)
            for name, (size, sha256) in found.items()
        ]
        return (*stored, *missing)

    async def _finish(self, now: datetime) -> None:
        """
        Give each run its next attempt, or end it.

        First the final records, then the results, then tell of each run and close it.
        """
        ledger = self._services.ledger

        done: list[tuple[Record, str]] = []

        async def finalise(ended: tuple[Record, str]) -> None:
            try:
                await ledger.finalise(ended[0])
            except _LEFT as error:
                trouble(f"run {ended[0].run_id} is left for the next tick", error)
            else:
                done.append(ended)

        ended = await self._retry(now)
        if not ended or not await self._pace.each(ended, finalise) or self._pace.over:
            return
        text = await ledger.read(ids.COLLECT_STATE)
        before = load_collect(text.data) if text.data else CollectState()
        state = before
        for record, _ in sorted(done, key=lambda ended: ended[0].nominal):
            state = finished(state, record, succeeded=record.outcome is Outcome.SUCCEEDED)
        if state != before:
            data = dump_collect(state)
            await ledger.write(ids.COLLECT_STATE, data, self._lease, text.etag or "")
        await self._pace.each(done, self._close)

    async def _retry(self, now: datetime) -> list[tuple[Record, str]]:
        """Write the next attempts of what has ended; return what has none and is final."""
        done: list[tuple[Record, str]] = []

        async def look(ended: tuple[Record, str]) -> None:
            record, etag = ended
            following = again(record, now)
            if following is None:
                done.append(ended)
                return
            try:
                await self._services.ledger.write_open(following, etag)
            except LedgerConflict as error:
                trouble(f"run {record.run_id} is left for the next tick", error)
            else:
                self._counts["retried"] += 1

        waiting, self._ended = self._ended, []
        await self._pace.each(waiting, look)
        return done

    async def _close(self, ended: tuple[Record, str]) -> None:
        record, etag = ended
        emit(
            Event.RUN_FINISHED,
            schedule=record.schedule,
            run_id=record.run_id,
            nominal=record.nominal,
            outcome=record.outcome,
            reason=record.reason,
            sentence=record.sentence,
            event_id=record.attempt.job_id,
        )
        self._counts["finished"] += 1
        try:
            await self._services.ledger.remove_open(record.run_id, etag)
        except LedgerConflict as error:  # an operator stopped it at this very moment
            trouble(f"run {record.run_id} is closed in the next tick", error)


def _why_missing(record: Record) -> str:
    """Say why an output is not there."""
    attempt = record.attempt
    if attempt.started is None:
        return "the task never started"
    if attempt.reason is Reason.OUTPUT_UPLOAD_FAILED and attempt.sentence:
        return attempt.sentence
    return "the node pushed nothing before it ended"

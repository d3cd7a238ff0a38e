"""Reads what the status of a deployment follows from: a dozen reads, however many schedules there are."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.adapters.calls import reply_date
from orchestrator.errors import RecordUnreadable
from orchestrator.ledger.record import Record, load
from orchestrator.ledger.results import load_collect
from orchestrator.ledger.state import load_submit
from orchestrator.ledger.summaries import load_recent
from recur.causes.pool_reader import read_surroundings
from recur.causes.refusals import REFUSED
from recur.status.ledger_blobs import in_force, read_blob, read_work
from recur.status.overview import records_worth_reading, status_of, with_details
from recur.status.readings import Blob, Readings
from recur.status.timer_notes import read_timers
from recur.status.timers import FUNCTIONS
from recur.status.value import Status
from recur.target import Target

_AT_ONCE: Final = 8


def read_status(target: Target) -> Status:
    """
    Read how a deployment stands. What cannot be read is a part of the status, and no error.

    Raises:
        CliError: A setting is missing that names the ledger, the Batch account or the pool.
    """
    ledger = target.ledger()
    target.need("BATCH_ACCOUNT_URL"), target.need("BATCH_POOL_ID")
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        status = status_of(read_deployment(target, ledger, pool))
        wanted = records_worth_reading(status)
        records = pool.map(lambda blob: _record(ledger, blob), wanted.values())
        found = {
            run: record for run, record in zip(wanted, records, strict=True) if record is not None
        }
    return with_details(status, found, on_laptop=target.on_laptop)


def read_deployment(
    target: Target, ledger: ContainerClient, pool: ThreadPoolExecutor, *, timers: bool = True
) -> Readings:
    """
    Read everything at once: no part waits for another.

    Args:
        target: The deployment.
        ledger: Its ledger.
        pool: Does the reads.
        timers: Whether to read what the Functions host notes of its timers.
    """
    dates: list[datetime] = []

    def note(reply: Any) -> None:  # noqa: ANN401 - the client's own hook
        dates.append(reply_date(reply))

    def blob[T](name: str, content: Callable[[bytes, dict[str, str]], T]) -> Any:  # noqa: ANN401
        return pool.submit(read_blob, target, ledger, name, content, note)

    document = blob(ids.DOCUMENT, in_force)
    submit = blob(ids.SUBMIT_STATE, lambda data, _: load_submit(data))
    collect = blob(ids.COLLECT_STATE, lambda data, _: load_collect(data))
    recent = blob(ids.RECENT, lambda data, _: load_recent(data))
    work = pool.submit(read_work, target, ledger)
    notes = pool.submit(read_timers, target, FUNCTIONS) if timers else None
    batch = pool.submit(read_surroundings, target, datetime.now(UTC))
    summaries = recent.result()
    return Readings(
        document=document.result(),
        submit=submit.result(),
        collect=collect.result(),
        recent=summaries.content if isinstance(summaries, Blob) else summaries,
        work=work.result(),
        timers=notes.result() if notes else {},
        # The last: by now all dates are noted.
        surroundings=replace(batch.result(), now=max(dates, default=datetime.now(UTC))),
    )


def _record(ledger: ContainerClient, blob: str) -> Record | None:
    """Return a record that says more; None where it is gone meanwhile, or cannot be read."""
    try:
        return load(ledger.download_blob(blob).readall())
    except (*REFUSED, RecordUnreadable):
        return None

"""Reads what the status of a deployment follows from: a dozen reads, however many schedules there are."""

import json
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
from recur.causes.refusals import HOST_STORAGE, REFUSED, why_unreadable
from recur.causes.surroundings import Unreadable
from recur.host_timers import host_storage, timer_statuses
from recur.status.ledger_blobs import in_force, read_blob, read_work
from recur.status.overview import records_worth_reading, status_of, with_details
from recur.status.readings import Blob, Readings, TimerNote
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
        status = status_of(_read(target, ledger, pool))
        wanted = records_worth_reading(status)
        records = pool.map(lambda blob: _record(ledger, blob), wanted.values())
        found = {
            run: record for run, record in zip(wanted, records, strict=True) if record is not None
        }
    return with_details(status, found, on_laptop=target.on_laptop)


def _read(target: Target, ledger: ContainerClient, pool: ThreadPoolExecutor) -> Readings:
    """Read everything at once: no part waits for another."""
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
    timers = pool.submit(_read_timers, target)
    batch = pool.submit(read_surroundings, target, datetime.now(UTC))
    summaries = recent.result()
    return Readings(
        document=document.result(),
        submit=submit.result(),
        collect=collect.result(),
        recent=summaries.content if isinstance(summaries, Blob) else summaries,
        work=work.result(),
        timers=timers.result(),
        # The last: by now all dates are noted.
        surroundings=replace(batch.result(), now=max(dates, default=datetime.now(UTC))),
    )


def _read_timers(target: Target) -> dict[str, TimerNote] | Unreadable:
    try:
        storage = host_storage(target)
        if storage is None:
            name = "AzureWebJobsStorage" if target.on_laptop else "HOST_STORAGE_URL"
            return Unreadable(
                why="the settings do not name the storage account of the Functions host",
                next_step=f"add {name} to {target.source}",
            )
        with storage:
            statuses = timer_statuses(storage, FUNCTIONS)
    except REFUSED as error:
        return why_unreadable(error, HOST_STORAGE, target)
    return {function: _timer_note(data) for function, data in statuses.items()}


def _timer_note(data: bytes) -> TimerNote:
    """Read the status of a timer; the host writes the year 1 for a time that there is not."""
    try:
        values = json.loads(data)
        last = values.get("Last")
        following = values.get("Next")
    except (ValueError, AttributeError):
        return TimerNote(last=None)
    return TimerNote(last=_instant(last), following=_instant(following))


def _instant(text: object) -> datetime | None:
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC) if instant.year > 1 else None


def _record(ledger: ContainerClient, blob: str) -> Record | None:
    """Return a record that says more; None where it is gone meanwhile, or cannot be read."""
    try:
        return load(ledger.download_blob(blob).readall())
    except (*REFUSED, RecordUnreadable):
        return None

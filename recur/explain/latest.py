"""The latest occurrence of a schedule, or the run that was triggered after it."""

from datetime import datetime, timedelta
from typing import Final

from orchestrator import ids
from orchestrator.ledger.record import Kind, Record
from recur.errors import CliError, Exit
from recur.explain.case import Background, Case
from recur.ledger_reader.record_blobs import RecordBlob
from recur.ledger_reader.record_search import RecordFilter, RecordSearch
from recur.ledger_reader.records import History
from recur.ledger_reader.snapshot import Snapshot
from recur.timing_lookup import occurrence_after, occurrence_before

_SECOND: Final = timedelta(seconds=1)
_NEWEST_TRIGGERS: Final = 32
"""So many records are read to find the one that was asked for last."""


def latest_triggered(history: History, snapshot: Snapshot, background: Background) -> Case | None:
    """
    Return the triggered run that was asked for last; None if an occurrence was due since.

    Of those that ended, only the 32 whose records were written last are read.
    """
    opened = [
        ids.open_blob(run.run_id) for run in background.open_runs if run.kind is Kind.TRIGGERED
    ]
    listed = [one for one in history.triggered([background.schedule]) if one.modified]
    listed.sort(key=_written_time, reverse=True)
    ended = [one.blob for one in listed[:_NEWEST_TRIGGERS]]
    blobs = [*opened, *ended]
    read = zip(blobs, history.records(blobs), strict=True)
    found = {blob: record for blob, record in read if record}
    if not found:
        return None
    blob, record = max(found.items(), key=_asked_time)
    occurrence = _latest_occurrence(history, snapshot, background)
    if occurrence and occurrence > record.decision.at:
        return None
    is_open = blob in opened
    return Case(
        nominal=record.nominal,
        occurrence=None,
        open=record if is_open else None,
        final=None if is_open else record,
        blob=None if is_open else blob,
        run_id=record.run_id,
    )


def _written_time(one: RecordBlob) -> datetime:
    assert one.modified is not None, "the others are left out"  # noqa: S101
    return one.modified


def _asked_time(found: tuple[str, Record]) -> datetime:
    return found[1].decision.at


def latest_instant(history: History, snapshot: Snapshot, background: Background) -> datetime:
    """
    Return the nominal time of a schedule's latest occurrence; if it had none yet, of the next one.

    Raises:
        CliError: Nothing was or is due, as far as is known.
    """
    schedule, now = background.schedule, background.now
    found = _latest_occurrence(history, snapshot, background)
    if found is None and background.state:
        found = occurrence_after(background.state.timings, now)
    if found is None:
        message = f"{schedule} has no occurrence, as far as is known"
        raise CliError(Exit.FOUND, message, f"recur next {schedule}")
    return found


def _latest_occurrence(
    history: History, snapshot: Snapshot, background: Background
) -> datetime | None:
    """Return when a schedule was due last: by its timings, or else by its newest record."""
    if background.state:
        return occurrence_before(background.state.timings, background.now + _SECOND)
    kinds = (Kind.SCHEDULED, Kind.BACKFILLED)
    wanted = RecordFilter(schedule=background.schedule, kinds=kinds, count=1)
    search = RecordSearch(history, snapshot, wanted)
    return next((one.record.nominal for one in search.newest()), None)

"""Triggered runs at the time that is asked for: they are no occurrences, and people look there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from orchestrator import ids
from orchestrator.ledger.record import Kind
from recur.history.evidence import Background, Fact
from recur.history.reading import History
from recur.history.standing import local, standing

_MOST: Final = 128
"""So many records are read: the names of triggers do not tell their times, only when they ended."""

type Span = tuple[datetime, datetime]
"""From the first instant up to the second, which is left out."""


def minute_of(instant: datetime) -> Span:
    """Return the minute that an instant lies in."""
    begin = instant.replace(second=0, microsecond=0)
    return begin, begin + timedelta(minutes=1)


def triggered(
    history: History, background: Background, spans: Sequence[Span]
) -> list[tuple[Fact, ...]]:
    """
    Return of each span the triggered runs whose nominal time lies in it, as evidence.

    Found are the open ones, and of the others the first 128 that ended after the spans began.
    """
    found: dict[str, tuple[datetime, Fact]] = {}
    for run in background.open_runs:
        if run.kind is Kind.TRIGGERED and any(begin <= run.nominal < end for begin, end in spans):
            at = local(run.nominal, background.zone)
            says = f"a triggered run has this time, {at}: {run.run_id}, which has not ended"
            fact = Fact(source=ids.open_blob(run.run_id), says=says)
            found[run.run_id] = run.nominal, fact
    first = min(begin for begin, _ in spans)
    later = [
        (one.modified, one.blob)
        for one in history.triggered([background.schedule])
        if one.modified and one.modified >= first
    ]
    blobs = [blob for _, blob in sorted(later)[:_MOST]]
    for blob, record in zip(blobs, history.records(blobs), strict=True):
        if record:
            at = local(record.nominal, background.zone)
            word = standing(record, background.now, is_open=False).word
            says = f"a triggered run has this time, {at}: {record.run_id}, {word}"
            found[record.run_id] = record.nominal, Fact(source=blob, says=says)
    return [
        tuple(
            fact for nominal, fact in sorted(found.values(), key=_nominal) if begin <= nominal < end
        )
        for begin, end in spans
    ]


def _nominal(found: tuple[datetime, Fact]) -> datetime:
    return found[0]

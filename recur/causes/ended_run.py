"""Why a run that has ended did not succeed: pure functions of its outcome and, where read, its record."""

from datetime import datetime
from typing import Final

from orchestrator.enums import Outcome, Reason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Record
from recur.causes.remedies import ended_remedy, remedy_for
from recur.causes.surroundings import Subject
from recur.causes.trouble import Kind, Trouble
from recur.run_output.vouching import last_lines_of

LAST_LINES: Final = 3
"""So many lines of what a run wrote are shown beside others."""


def failed_trouble(  # noqa: PLR0913 - what is known of an end
    *,
    schedule: ScheduleId,
    run_id: RunId,
    nominal: datetime,
    outcome: str,
    reason: str | None,
    on_laptop: bool,
) -> Trouble:
    """Return what is known of a run that did not succeed, without a look at its record."""
    because = f" ({reason})" if reason else ""
    subject = Subject(schedule=schedule, run_id=run_id, nominal=nominal, on_laptop=on_laptop)
    text = remedy_for(Reason(reason), subject) if reason and reason in {*Reason} else None
    wrote = None if outcome == Outcome.NEVER_STARTED and text else f"recur logs {run_id}"
    return Trouble(
        kind=Kind.FAILED,
        schedule=schedule,
        run_id=run_id,
        since=nominal,
        cause=f"{outcome}{because}",
        next_step="; ".join(filter(None, (text, wrote))),
    )


def recorded_trouble(record: Record, *, on_laptop: bool, lines: int = LAST_LINES) -> Trouble | None:
    """
    Return why a run did not succeed, by its final record; None if it did, or did not run.

    Args:
        record: Of the run.
        on_laptop: Whether the remedy has to work against the emulator.
        lines: So many of the last lines that it wrote, at most.
    """
    if record.outcome in {None, Outcome.SUCCEEDED}:
        return None
    because = f" ({record.reason})" if record.reason else ""
    said = f": {record.sentence.rstrip('.')}" if record.sentence else ""
    words = last_lines_of(record, lines)
    return Trouble(
        kind=Kind.FAILED,
        schedule=record.schedule,
        run_id=record.run_id,
        since=record.nominal,
        cause=f"{record.outcome}{because}{said}",
        next_step=ended_remedy(record, on_laptop=on_laptop),
        last_lines=words[1] if words else (),
    )

"""Why an occurrence did not run, or is not decided, and what to do about it: pure functions."""

from datetime import datetime, timedelta
from typing import Final

from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Action, Record
from recur.causes.remedies import not_run_remedy, subject_of
from recur.causes.surroundings import Subject
from recur.formats import age

CORRECT: Final = "correct the document, then recur apply FILE"
"""What mends a document that keeps schedules undecided."""


def missed_cause(reason: str | None) -> str:
    """Return why an occurrence was missed, by the decision's reason."""
    return f"nothing ticked when it was due, and catch-up does not reach it ({reason})"


def missed_step(
    schedule: ScheduleId, reason: str | None, first: datetime, last: datetime, *, on_laptop: bool
) -> str:
    """Return what runs missed occurrences after all."""
    subject = Subject(schedule=schedule, nominal=first, last=last, on_laptop=on_laptop)
    return not_run_remedy(reason, None, subject)


def not_run_cause(record: Record) -> tuple[str, str]:
    """Return why an occurrence did not run, by its record, and what to do about it."""
    decided = record.decision
    because = f" ({decided.reason})" if decided.reason else ""
    if decided.action is Action.MISSED:
        cause = missed_cause(decided.reason)
    else:
        cause = (record.sentence or f"{decided.action}{because}").rstrip(".")
    subject = subject_of(record, on_laptop=False)
    return cause, not_run_remedy(decided.reason, decided.because, subject)


def undecided_cause(waited: timedelta) -> str:
    """Return why an occurrence is not decided that should be."""
    return f"no submit tick has decided its occurrence of {age(waited)} ago"


def undecided_step(*, on_laptop: bool) -> str:
    """Return what to do about it."""
    timer = "`make start` runs the timers" if on_laptop else "repair the timers"
    return f"recur tick decides at once; {timer}; if they fire, recur doctor says what is wrong"

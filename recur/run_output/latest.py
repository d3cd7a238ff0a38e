"""The latest run of a schedule that wrote something."""

from collections.abc import Callable
from itertools import islice
from typing import Final

from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Action, How, Record
from recur.errors import CliError, Exit
from recur.ledger_reader.record_search import FoundRecord, RecordFilter, RecordSearch
from recur.ledger_reader.records import History
from recur.ledger_reader.run_lookup import FoundRun
from recur.ledger_reader.snapshot import Snapshot

_MOST_READ: Final = 200
"""So many runs are looked at: a schedule may write nothing at all."""

type Wrote = Callable[[Record], bool]
"""Whether the attempt in hand of an open run has written something."""


def latest_run(
    history: History, snapshot: Snapshot, schedule: ScheduleId, wrote: Wrote, *, follow: bool
) -> FoundRun:
    """
    Return the latest run of a schedule that wrote something.

    Args:
        history: The records.
        snapshot: What the ledger says of schedules.
        schedule: Its id.
        wrote: Looks at an open run.
        follow: Whether one that has not ended comes first, whatever it wrote.

    Raises:
        CliError: None of the latest 200 did.
    """
    runs = RecordFilter(schedule=schedule, decisions=(Action.SUBMIT,))
    found = islice(RecordSearch(history, snapshot, runs).newest(), _MOST_READ)
    for one in found:
        if (one.is_open and (follow or wrote(one.record))) or has_written(one):
            record = one.record
            return FoundRun(
                open=record if one.is_open else None,
                final=None if one.is_open else record,
                blob=None if one.is_open else record.blob,
            )
    raise CliError(
        Exit.FOUND,
        f"no run of {schedule} has written anything, of the latest {_MOST_READ} at most",
        f"recur runs {schedule}",
    )


def has_written(one: FoundRecord) -> bool:
    """Whether a final record has an output that is not empty, as far as it says."""
    if one.is_open:
        return False
    return any(output.how is not How.MISSING and output.bytes != 0 for output in one.record.outputs)

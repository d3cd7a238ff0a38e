"""Which schedules and runs an operator means: also those that the document no longer holds."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator import ids
from orchestrator.decisions.moving import reaches
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Record
from orchestrator.model import Occurrence
from recur.errors import CliError, Exit
from recur.ledger_reader.record_blobs import month_folder
from recur.ledger_reader.records import History
from recur.ledger_reader.shares import share_of
from recur.ledger_reader.snapshot import Snapshot, check_schedule, did_you_mean, schedule_ids
from recur.timing_lookup import occurrence_at

_ATTEMPT = re.compile(r"(?P<run>.+[Zz0-9a-f])-r(?P<attempt>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRun:
    """
    What the ledger holds of one run.

    Attributes:
        open: Its open record, the newer truth where there are both.
        final: Its final record; of an occurrence without one of its own, that of its range.
        blob: The name of the final record's blob.
        attempt: The number of the attempt, where the operator named one by its job id.
    """

    open: Record | None
    final: Record | None
    blob: str | None
    attempt: int | None = None

    @property
    def record(self) -> Record:
        """What is to be believed."""
        found = self.open or self.final
        assert found is not None, "something was found"  # noqa: S101
        return found


def past_schedule(history: History, snapshot: Snapshot, text: str) -> ScheduleId:
    """
    Return the id of a schedule that there is, or that there was.

    Raises:
        CliError: There is nothing of this id; the message has those that are meant perhaps.
    """
    there = snapshot.state.schedules if snapshot.state else {}
    if text in there:
        return ScheduleId(text)
    recorded = history.schedules()
    if ids.SCHEDULE_ID.fullmatch(text) and (
        text in recorded or history.open_list().ids(ScheduleId(text))
    ):
        return ScheduleId(text)
    return check_schedule(snapshot, text, recorded)


def means_run(text: str) -> bool:
    """Whether a text is the id of a run or of one of its jobs, and not that of a schedule."""
    match = _ATTEMPT.fullmatch(text)
    ids_ = (text, match["run"]) if match else (text,)
    return any(ids.parse_run_id(one) for one in ids_) or not ids.SCHEDULE_ID.fullmatch(text)


def find_run(history: History, snapshot: Snapshot, text: str) -> FoundRun:
    """
    Find a run by its id, or by the id of one of its Batch jobs.

    Raises:
        CliError: The ledger has none of this id; the message has those that are meant perhaps.
    """
    run, attempt = RunId(text), None
    if ids.parse_run_id(text) is None and (match := _ATTEMPT.fullmatch(text)):
        run, attempt = RunId(match["run"]), int(match["attempt"])
    parsed = ids.parse_run_id(run)
    if parsed is None:
        raise _unknown_run(history, snapshot, text)
    schedule, nominal = parsed
    opened = history.record(ids.open_blob(run))
    if nominal is None:
        blob = ids.triggered_blob(schedule, run)
    else:
        blob = ids.final_blob(schedule, nominal, run)
    final = history.record(blob)  # after the open one, which goes only when this is there
    if final is None and opened is None and nominal and _is_due(snapshot, schedule, nominal):
        final, blob = history.range_with(schedule, nominal) or (None, blob)
        if final is None:
            history.check_read(f"whether {run} lies in a range")
        elif occurrence := _occurrence(snapshot, schedule, nominal):
            final = share_of(final, occurrence)
    if final is None and opened is None:
        raise _unknown_run(history, snapshot, text)
    return FoundRun(open=opened, final=final, blob=blob if final else None, attempt=attempt)


def _is_due(snapshot: Snapshot, schedule: ScheduleId, nominal: datetime) -> bool:
    """Whether the schedule had an occurrence at this time, as far as is known."""
    state = snapshot.schedule(schedule)
    if state is None or not reaches(state, nominal - timedelta(seconds=1)):
        return True
    return occurrence_at(state.timings, nominal) is not None


def _occurrence(snapshot: Snapshot, schedule: ScheduleId, nominal: datetime) -> Occurrence | None:
    state = snapshot.schedule(schedule)
    return occurrence_at(state.timings, nominal) if state else None


def _unknown_run(history: History, snapshot: Snapshot, text: str) -> CliError:
    """Say what there is that is written nearly like ``text``."""
    parsed = ids.parse_run_id(text)
    there = {*schedule_ids(snapshot), *(snapshot.state.schedules if snapshot.state else {})}
    if parsed is None:
        if text in there or text in history.schedules():
            return CliError(
                Exit.REFUSED,
                f"{text} is a schedule, not a run",
                f"`recur runs {text}` lists its runs; `recur describe {text}` shows the schedule",
            )
        return CliError(
            Exit.REFUSED,
            f"{text!r} is not a run id such as nightly-20261101T073000Z",
            "`recur runs` lists run ids",
        )
    schedule, nominal = parsed
    if schedule not in there and schedule not in (others := history.schedules()):
        guess = did_you_mean(schedule, {*there, *others})
        how = guess or "`recur runs` lists all runs"
        return CliError(Exit.REFUSED, f"there is no schedule {schedule!r}", how)
    names = history.open_list().ids(schedule)
    if nominal:
        folder = month_folder(schedule, nominal.year, nominal.month)
        names += [one.run_id for one in history.entries([folder])]
    else:
        names += [one.run_id for one in history.triggered([schedule])]
    close = did_you_mean(text, names)
    how = f"recur runs {schedule}"
    return CliError(Exit.REFUSED, f"there is no record of run {text}", close or how)

"""The table that takes over from a job schedule: its text, its document, and when it is due."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import Final

from orchestrator.ids import ScheduleId
from orchestrator.model import Schedule, Timing
from orchestrator.timing.occurrences import occurrences
from recur.errors import CliError, Exit
from recur.importing.job_schedule import Instants, to_second, toml_time
from recur.schedules.document_file import valid_document
from recur.schedules.table_merge import merge_tables

_SECOND: Final = timedelta(seconds=1)
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedTable:
    """
    A document that holds one table.

    Attributes:
        schedule: The id of the table.
        text: The document.
        place: Where it stands, for messages.
    """

    schedule: ScheduleId
    text: str
    place: Path

    def merged(self, in_force: str | None, first: datetime) -> "MergedTable":
        """
        Return the document in force with the table in it, due from an instant on.

        Raises:
            CliError: It would be no document, or the schedule would not run.
        """
        text, inherits = with_start(self.text, self.schedule, to_second(first)), False
        if in_force is not None:
            merged = merge_tables(in_force, text, self.place)
            text, inherits = merged.text, merged.inherits
        document = valid_document(text, self.place, "correct the table, then hand over again")
        schedule = document.schedules[self.schedule]
        if schedule.paused:
            raise CliError(
                Exit.REFUSED,
                f"schedule {self.schedule!r} is paused in its table: nothing would run",
                "write the table to a file, correct it, and add --table FILE",
            )
        return MergedTable(text=text, schedule=schedule, inherits=inherits)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedTable:
    """
    A document in force with a table in it.

    Attributes:
        text: The document.
        schedule: What the table says there.
        inherits: Whether it may inherit values from the defaults in force.
    """

    text: str
    schedule: Schedule
    inherits: bool


def coming(schedule: Schedule, first: datetime) -> tuple[datetime, ...]:
    """Return the first occurrences from an instant on."""
    timing = Timing(since=first - _SECOND, recurrence=schedule.recurrence)
    horizon = first + timedelta(days=400 * _SHOWN)
    begin = to_second(first) - _SECOND
    found: list[datetime] = []
    for one in occurrences(timing, after=begin, until=horizon):
        if one.exists and not one.excluded and not one.holiday:
            found.append(one.nominal)
        if len(found) == _SHOWN:
            break
    return tuple(found)


def is_as_before(schedule: Schedule, instants: Instants, first: datetime) -> bool:
    """Whether a schedule is due at the instants of a job schedule, at the second."""
    steps = [0] if instants.interval is None else range(_SHOWN)
    expected = [to_second(first + n * (instants.interval or timedelta())) for n in steps]
    if instants.end is not None:
        expected = [one for one in expected if one <= instants.end]
    return list(coming(schedule, first)) == expected


def with_start(text: str, schedule: ScheduleId, start: datetime) -> str:
    """
    Return a document whose table of a schedule has another ``start``.

    Raises:
        CliError: The line of the table is not found.
    """
    header = re.compile(
        rf"""\s*\[\s*schedules\s*\.\s*["']?{re.escape(schedule)}["']?\s*\]\s*(#.*)?"""
    )
    lines, inside, done = list[str](), False, False
    for line in text.splitlines():
        if header.fullmatch(line):
            lines += [line, f"start = {toml_time(start)}"]
            inside = done = True
            continue
        if line.lstrip().startswith("["):
            inside = False
        if not (inside and re.match(r"\s*start\s*=", line)):
            lines.append(line)
    if not done:
        raise CliError(
            Exit.REFUSED,
            f"there is no line [schedules.{schedule}] in the table",
            "write the table with that line",
        )
    written = "".join(f"{line}\n" for line in lines)
    before, after = (valid_document(one, Path("table"), "") for one in (text, written))
    old, new = before.schedules[schedule], after.schedules[schedule]
    if replace(new, start=old.start, recurrence=old.recurrence) != old:  # in a text of many lines
        message = f"start cannot be set in the table of {schedule!r}: another line looks the same"
        raise CliError(Exit.REFUSED, message, "change that line")
    return written


def only_table(text: str, place: Path) -> HandedTable:
    """
    Return the one table in a document.

    Raises:
        CliError: It holds none, several, or is no document.
    """
    document = valid_document(text, place, f"recur validate {quote(str(place))}")
    if len(document.schedules) != 1:
        raise CliError(
            Exit.REFUSED,
            f"{place} has {len(document.schedules)} schedules, but only one can take over",
            "keep only one table in it",
        )
    (schedule,) = document.schedules
    return HandedTable(schedule=schedule, text=text, place=place)

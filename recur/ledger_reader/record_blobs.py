"""Final records by the names of their blobs, and what to list in order to find them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from orchestrator import ids
from orchestrator.ids import RunId, ScheduleId

KEPT: Final = timedelta(days=400)
"""So long are final records kept, and the timings by which they came about."""

_FINAL = re.compile(
    r"runs/(?P<schedule>[^/]+)/(?P<folder>.+)/(?P<run>[^/+]+)(\+(?P<n>\d{1,9}))?\.json"
)
_MONTH = re.compile(r"runs/[^/]+/(?P<year>[12]\d{3})/(?P<number>0[1-9]|1[0-2])/")
TRIGGERED: Final = "triggered"

type Month = tuple[int, int]
"""Year and number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBlob:
    """
    A final record by what the name of its blob says.

    Attributes:
        blob: The name.
        run_id: Of a range, that of its first occurrence.
        nominal: None for a trigger's: its name does not tell.
        count: How many occurrences it stands for.
        modified: When the blob was written; None where the listing was of names alone.
    """

    blob: str
    schedule: ScheduleId
    run_id: RunId
    nominal: datetime | None
    count: int = 1
    modified: datetime | None = None


def record_blob(blob: str, modified: datetime | None = None) -> RecordBlob | None:
    """Return what the name of a final record says; None if it is no such name."""
    match = _FINAL.fullmatch(blob)
    parsed = ids.parse_run_id(match["run"]) if match else None
    if match is None or parsed is None or parsed[0] != match["schedule"]:
        return None
    schedule, nominal = parsed
    if (nominal is None) != (match["folder"] == TRIGGERED):
        return None
    return RecordBlob(
        blob=blob,
        schedule=schedule,
        run_id=RunId(match["run"]),
        nominal=nominal,
        count=int(match["n"] or 1),
        modified=modified,
    )


def is_of(run: RunId, schedule: ScheduleId) -> bool:
    """Tell whether a run is one of a schedule, by its id."""
    parsed = ids.parse_run_id(run)
    return parsed is not None and parsed[0] == schedule


def month_folder(schedule: ScheduleId, year: int, number: int) -> str:
    """Return the folder of the final records of a month, with the closing slash."""
    return f"{ids.FINAL_PREFIX}{schedule}/{year:04}/{number:02}/"


def month_of(folder: str) -> Month | None:
    """Return the month that a folder of final records is of; None if it is no such folder."""
    match = _MONTH.fullmatch(folder)
    return (int(match["year"]), int(match["number"])) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """
    A part of time that one listing of each schedule covers.

    Attributes:
        begin: Inclusive.
        end: Exclusive; what the listing has beyond it is in the slice before.
        day: So many digits of the day are known; 0: the whole month.
    """

    begin: datetime
    end: datetime
    day: int = 0

    def prefix(self, schedule: ScheduleId) -> str:
        """Return what to list."""
        folder = month_folder(schedule, self.begin.year, self.begin.month)
        if not self.day:
            return folder
        known = self.begin.strftime("%Y%m%d")[: 6 + self.day]
        return f"{folder}{schedule}-{known}"


def slices_back(newest: datetime, oldest: datetime) -> Iterator[Slice]:
    """
    Yield slices from ``newest`` back to the begin of the month of ``oldest``.

    Small ones first, for those who want the newest alone: a day, up to ten days, months.
    """
    end = datetime.max.replace(tzinfo=UTC)
    midnight = newest.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for begin, day in (
        (midnight, 2),
        (midnight.replace(day=max(midnight.day // 10 * 10, 1)), 1),
    ):
        if begin < end:
            yield Slice(begin=begin, end=end, day=day)
            end = begin
    for year, number in months_back(newest, oldest):
        begin = datetime(year, number, 1, tzinfo=UTC)
        if begin < end:
            yield Slice(begin=begin, end=end)
            end = begin


def months_back(newest: datetime, oldest: datetime) -> Iterator[Month]:
    """Yield year and number of the months from that of ``newest`` back to that of ``oldest``."""
    at = newest.year * 12 + newest.month - 1
    while at >= oldest.year * 12 + oldest.month - 1:
        yield at // 12, at % 12 + 1
        at -= 1

"""What the ledger holds of runs: listed, read and found by as few calls as it takes."""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobPrefix, ContainerClient

from cli.errors import CliError, Exit
from cli.output import Output
from cli.progress import progress
from orchestrator import naming
from orchestrator.errors import RecordUnreadable
from orchestrator.ledger import OpenRun, open_run
from orchestrator.record import Record, load
from orchestrator.words import RunId, ScheduleId

KEPT: Final = timedelta(days=400)
"""So long are final records kept, and the timings by which they came about."""

_AT_ONCE: Final = 8
"""Calls at a time: no more than the clients keep connections for."""

_FINAL = re.compile(r"runs/(?P<schedule>[^/]+)/(?P<folder>.+)/(?P<run>[^/+]+)(\+(?P<n>\d+))?\.json")
_TRIGGERED: Final = "triggered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
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


def entry(blob: str, modified: datetime | None = None) -> Entry | None:
    """Return what the name of a final record says; None if it is no such name."""
    match = _FINAL.fullmatch(blob)
    parsed = naming.parse_run_id(match["run"]) if match else None
    if match is None or parsed is None or parsed[0] != match["schedule"]:
        return None
    schedule, nominal = parsed
    if (nominal is None) != (match["folder"] == _TRIGGERED):
        return None
    return Entry(
        blob=blob,
        schedule=schedule,
        run_id=RunId(match["run"]),
        nominal=nominal,
        count=int(match["n"] or 1),
        modified=modified,
    )


def month(schedule: ScheduleId, year: int, number: int) -> str:
    """Return the folder of the final records of a month, with the closing slash."""
    return f"{naming.FINAL_PREFIX}{schedule}/{year:04}/{number:02}/"


def months_back(newest: datetime, oldest: datetime) -> Iterator[tuple[int, int]]:
    """Yield year and number of the months from that of ``newest`` back to that of ``oldest``."""
    at = newest.year * 12 + newest.month - 1
    while at >= oldest.year * 12 + oldest.month - 1:
        yield at // 12, at % 12 + 1
        at -= 1


class History:
    """The records of a ledger, final and open."""

    def __init__(self, ledger: ContainerClient, output: Output) -> None:
        self._ledger = ledger
        self._output = output
        self.unreadable: list[str] = []
        self._listed: dict[str, list[Entry]] = {}
        self._read: dict[str, Record | None] = {}

    def schedules(self) -> list[ScheduleId]:
        """Return the schedules that have final records, also those that are removed."""
        found = self._ledger.walk_blobs(name_starts_with=naming.FINAL_PREFIX, delimiter="/")
        return [ScheduleId(one.name.split("/")[1]) for one in found if isinstance(one, BlobPrefix)]

    def open_runs(self) -> list[OpenRun]:
        """Return the work list; what is no open record is left out."""
        found: list[OpenRun] = []
        for blob in self._ledger.list_blobs(
            name_starts_with=naming.OPEN_PREFIX, include=["metadata"]
        ):
            try:
                run = open_run(blob.name, blob.metadata or {})
            except RecordUnreadable:
                continue
            found += [run] if run else []
        return found

    def entries(self, prefixes: Sequence[str]) -> list[Entry]:
        """Return the final records whose names begin with one of ``prefixes``."""

        def listed(prefix: str) -> list[Entry]:
            names = (str(name) for name in self._ledger.list_blob_names(name_starts_with=prefix))
            return [one for one in map(entry, names) if one]

        return [one for some in self.each(prefixes, listed, "listing records") for one in some]

    def triggered(self, schedules: Sequence[ScheduleId]) -> list[Entry]:
        """Return the final records of triggers, with the times at which they were written."""

        def listed(schedule: ScheduleId) -> list[Entry]:
            prefix = f"{naming.FINAL_PREFIX}{schedule}/{_TRIGGERED}/"
            blobs = self._ledger.list_blobs(name_starts_with=prefix)
            return [one for blob in blobs if (one := entry(blob.name, blob.last_modified))]

        return [one for some in self.each(schedules, listed, "listing triggers") for one in some]

    def record(self, blob: str) -> Record | None:
        """
        Read one record; None if there is none.

        Raises:
            CliError: It is none that this version knows.
        """
        try:
            data = self._ledger.download_blob(blob).readall()
        except ResourceNotFoundError:
            return None
        try:
            return load(data)
        except RecordUnreadable as error:
            first = str(error).partition("\n")[0]
            raise CliError(
                Exit.FOUND,
                f"{blob} cannot be read: {first}",
                "look whether this `recur` is older than the app that wrote it",
            ) from error

    def records(self, blobs: Sequence[str]) -> list[Record | None]:
        """
        Read records at once, in the order of ``blobs``.

        Returns:
            None for each that is gone, or that cannot be read: ``unreadable`` has those.
        """

        def read(blob: str) -> Record | None:
            try:
                return self.record(blob)
            except CliError as error:
                self.unreadable.append(error.message)
                return None

        return self.each(blobs, read, "reading records")

    def range_with(self, schedule: ScheduleId, nominal: datetime) -> tuple[Record, str] | None:
        """Return the range record that stands for an occurrence, and the name of its blob."""
        for year, number in months_back(nominal, nominal - KEPT):
            for one in self._ranges(month(schedule, year, number)):
                if one.nominal is None or one.nominal > nominal:
                    continue
                if one.blob not in self._read:
                    self._read[one.blob] = self.record(one.blob)
                record = self._read[one.blob]
                if record and record.range and nominal <= record.range.last:
                    return record, one.blob
        return None

    def _ranges(self, folder: str) -> list[Entry]:
        """Return the names of the range records of a month, newest first; listed once."""
        if folder not in self._listed:
            found = [one for one in self.entries([folder]) if one.count > 1]
            self._listed[folder] = sorted(found, key=lambda one: one.blob, reverse=True)
        return self._listed[folder]

    def each[T, R](self, items: Sequence[T], work: Callable[[T], R], text: str) -> list[R]:
        """Do ``work`` for each item, several at once, with a progress bar where it takes long."""
        if len(items) == 1:
            return [work(items[0])]
        done: list[R] = []
        with (
            progress(self._output, text, len(items)) as advance,
            ThreadPoolExecutor(_AT_ONCE) as pool,
        ):
            try:
                for result in pool.map(work, items):
                    done.append(result)
                    advance(1)
            finally:
                pool.shutdown(cancel_futures=True)
        return done

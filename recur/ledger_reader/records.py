"""What the ledger holds of runs: listed, read and found by as few calls as it takes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobPrefix, ContainerClient

from orchestrator import ids
from orchestrator.adapters.calls import first_line
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Record, load
from orchestrator.ledger.result import Result, read_result
from orchestrator.ledger.state import OpenRun, read_open_run
from recur.errors import CliError, Exit
from recur.ledger_reader.record_blobs import (
    TRIGGERED,
    Month,
    RecordBlob,
    is_of,
    month_folder,
    month_of,
    record_blob,
)
from recur.output import Printer
from recur.progress import Advance, progress

OLDER: Final = (
    "check whether this `recur` is older than the app that wrote it; docs/operations.md says what "
    "to do about a damaged blob"
)
"""The next step where a record cannot be read."""

_AT_ONCE: Final = 8
"""Calls at a time: no more than the clients keep connections for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRuns:
    """
    The work list.

    Attributes:
        runs: Those that ticks work on.
        unlisted: The others, which ticks leave alone, and why: their metadata do not tell them.
    """

    runs: tuple[OpenRun, ...]
    unlisted: Mapping[RunId, str]

    def ids(self, schedule: ScheduleId) -> list[RunId]:
        """Return the ids of all open runs of a schedule."""
        listed = [run.run_id for run in self.runs if run.schedule == schedule]
        return listed + [run for run in self.unlisted if is_of(run, schedule)]


class History:
    """
    The records of a ledger, final and open.

    Attributes:
        unreadable: Why records that were found cannot be read, by blob.
    """

    def __init__(self, ledger: ContainerClient, output: Printer) -> None:
        self._ledger = ledger
        self._output = output
        self.unreadable: dict[str, str] = {}
        self._listed: dict[str, list[RecordBlob]] = {}
        self._months: dict[ScheduleId, list[Month]] = {}
        self._read: dict[str, Record | None] = {}
        self._advance: Advance | None = None

    def schedules(self) -> list[ScheduleId]:
        """Return the schedules that have final records, also those that are removed."""
        return [ScheduleId(one.split("/")[1]) for one in self._folders(ids.FINAL_PREFIX)]

    def months(self, schedule: ScheduleId) -> list[Month]:
        """Return the months of which a schedule has final records, newest first; listed once."""
        if schedule not in self._months:
            found: list[Month] = []
            for year in self._folders(f"{ids.FINAL_PREFIX}{schedule}/"):
                if not year.endswith(f"/{TRIGGERED}/"):
                    found += [one for one in map(month_of, self._folders(year)) if one]
            self._months[schedule] = sorted(found, reverse=True)
        return self._months[schedule]

    def _folders(self, prefix: str) -> list[str]:
        found = self._ledger.walk_blobs(name_starts_with=prefix, delimiter="/")
        return [str(one.name) for one in found if isinstance(one, BlobPrefix)]

    def open_list(self) -> OpenRuns:
        """Return the work list; what is no open record by its name is left out."""
        found: list[OpenRun] = []
        unlisted: dict[RunId, str] = {}
        for blob in self._ledger.list_blobs(name_starts_with=ids.OPEN_PREFIX, include=["metadata"]):
            id_ = ids.open_run_id(blob.name)
            if id_ is None:
                continue
            try:
                run = read_open_run(blob.name, blob.metadata or {})
            except RecordUnreadable as error:
                unlisted[id_] = str(error)
            else:
                found += [run] if run else []
                if run is None:
                    unlisted[id_] = "it has no metadata"
        return OpenRuns(runs=tuple(found), unlisted=unlisted)

    def entries(self, prefixes: Sequence[str]) -> list[RecordBlob]:
        """Return the final records whose names begin with one of ``prefixes``."""

        def listed(prefix: str) -> list[RecordBlob]:
            names = (str(name) for name in self._ledger.list_blob_names(name_starts_with=prefix))
            return [one for one in map(record_blob, names) if one]

        return [one for some in self.each(prefixes, listed, "listing records") for one in some]

    def triggered(self, schedules: Sequence[ScheduleId]) -> list[RecordBlob]:
        """Return the final records of triggers, with the times at which they were written."""
        prefixes = [f"{ids.FINAL_PREFIX}{schedule}/{TRIGGERED}/" for schedule in schedules]
        return self._written(prefixes, "listing triggers")

    def written(self, schedules: Sequence[ScheduleId]) -> list[RecordBlob]:
        """Return all final records, with the times at which they were written."""
        prefixes = [f"{ids.FINAL_PREFIX}{schedule}/" for schedule in schedules]
        return self._written(prefixes, "listing records")

    def _written(self, prefixes: Sequence[str], text: str) -> list[RecordBlob]:
        def listed(prefix: str) -> list[RecordBlob]:
            blobs = self._ledger.list_blobs(name_starts_with=prefix)
            return [one for blob in blobs if (one := record_blob(blob.name, blob.last_modified))]

        return [one for some in self.each(prefixes, listed, text) for one in some]

    def results(self, prefixes: Sequence[str]) -> list[Result]:
        """Return what the final records come to whose names begin with one of ``prefixes``."""

        def listed(prefix: str) -> list[Result]:
            blobs = self._ledger.list_blobs(name_starts_with=prefix, include=["metadata"])
            return [one for blob in blobs if (one := self._result(blob.name, blob.metadata or {}))]

        return [one for some in self.each(prefixes, listed, "listing records") for one in some]

    def _result(self, blob: str, metadata: Mapping[str, str]) -> Result | None:
        try:
            return read_result(blob, metadata)
        except RecordUnreadable as error:
            self.unreadable[blob] = first_line(error)
            return None

    def record(self, blob: str) -> Record | None:
        """
        Read one record; None if there is none.

        Raises:
            CliError: It is none that this version knows.
        """
        found = self._readable(blob)
        if found is None and blob in self.unreadable:
            raise CliError(Exit.FOUND, _unreadable_line(blob, self.unreadable[blob]), OLDER)
        return found

    def records(self, blobs: Sequence[str]) -> list[Record | None]:
        """
        Read records at once, in the order of ``blobs``.

        Returns:
            None for each that is gone, or that cannot be read: ``unreadable`` has those.
        """
        return self.each(blobs, self._readable, "reading records")

    def _readable(self, blob: str) -> Record | None:
        try:
            return load(self._ledger.download_blob(blob).readall())
        except ResourceNotFoundError:
            return None
        except RecordUnreadable as error:
            self.unreadable[blob] = first_line(error)
            return None

    @property
    def complaints(self) -> list[str]:
        """Say of each record that cannot be read why."""
        return [_unreadable_line(blob, why) for blob, why in self.unreadable.items()]

    def range_with(self, schedule: ScheduleId, nominal: datetime) -> tuple[Record, str] | None:
        """
        Return the range record that stands for an occurrence, and the name of its blob.

        Returns:
            None if there is none, or none that can be read: ``unreadable`` has those that begin
            before the occurrence.
        """
        for year, number in self.months(schedule):
            if (year, number) > (nominal.year, nominal.month):
                continue
            for one in self._ranges(month_folder(schedule, year, number)):
                if one.nominal is None or one.nominal > nominal:
                    continue
                if one.blob not in self._read:
                    self._read[one.blob] = self._readable(one.blob)
                record = self._read[one.blob]
                if record and record.range and nominal <= record.range.last:
                    return record, one.blob
        return None

    def check_read(self, about: str) -> None:
        """
        Make sure that everything could be read so far.

        Args:
            about: What cannot be told otherwise.

        Raises:
            CliError: A record could not.
        """
        for complaint in self.complaints:
            raise CliError(Exit.FOUND, f"{about} is not known: {complaint}", OLDER)

    def _ranges(self, folder: str) -> list[RecordBlob]:
        """Return the names of the range records of a month, newest first; listed once."""
        if folder not in self._listed:
            found = [one for one in self.entries([folder]) if one.count > 1]
            self._listed[folder] = sorted(found, key=lambda one: one.blob, reverse=True)
        return self._listed[folder]

    @contextmanager
    def as_one(self, text: str) -> Iterator[None]:
        """Show one progress bar for all that is read within, however much it turns out to be."""
        with progress(self._output, text) as advance:
            self._advance = advance
            try:
                yield
            finally:
                self._advance = None

    def each[T, R](self, items: Sequence[T], work: Callable[[T], R], text: str) -> list[R]:
        """Do ``work`` for each item, several at once, with a progress bar where it takes long."""
        if len(items) == 1:
            return [work(items[0])]
        done: list[R] = []
        shown = nullcontext(self._advance) if self._advance else None
        with (
            shown or progress(self._output, text, len(items)) as advance,
            ThreadPoolExecutor(_AT_ONCE) as pool,
        ):
            try:
                for result in pool.map(work, items):
                    done.append(result)
                    advance(1)
            finally:
                pool.shutdown(cancel_futures=True)
        return done


def _unreadable_line(blob: str, why: str) -> str:
    return f"{blob} cannot be read: {why}"

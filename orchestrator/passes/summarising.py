"""The summaries in one tick: read at most once, and written by If-Match."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final

from orchestrator import ids
from orchestrator.adapters.blobs import Ledger
from orchestrator.adapters.telemetry import trouble
from orchestrator.errors import BlobRefused, LedgerConflict, RecordUnreadable
from orchestrator.ids import ScheduleId
from orchestrator.ledger.result import Result
from orchestrator.ledger.summaries import (
    Day,
    DayNumbers,
    Recent,
    counted,
    day_blob,
    day_of,
    dump_day,
    dump_recent,
    load_day,
    load_recent,
    merged,
    usual_seconds,
    with_day,
    with_results,
)

_TRIES: Final = 3
"""Both passes write the last occurrences; a conflict means that the other one was first."""


REBUILT: Final = timedelta(days=35)
"""The numbers of so many days are made anew where they are lost."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The last occurrences as they were read; not intact: missing or unreadable, so empty."""

    recent: Recent
    etag: str | None
    intact: bool


class Summaries:
    """
    The summaries of a ledger.

    Attributes:
        lost: What was missing or unreadable, in a sentence; empty: nothing.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.lost = ""
        self._ledger = ledger
        self._usual: dict[ScheduleId, float | None] | None = None

    async def usual(self, schedule: ScheduleId) -> float | None:
        """Return how long runs of a schedule usually take at most; None where nobody can say."""
        if self._usual is None:
            try:
                recent = (await self._read()).recent
            except BlobRefused as error:  # derived: it holds up no run
                trouble("the usual durations of runs are not known", error)
                recent = Recent()
            self._usual = {id_: usual_seconds(one) for id_, one in recent.schedules.items()}
        return self._usual.get(schedule)

    async def add_not_run(self, results: Sequence[Result]) -> None:
        """Add what was skipped or missed; where the blob is lost, the collector makes it anew."""
        if results:
            await self._change(lambda recent: with_results(recent, results), create=False)

    async def add_runs(self, results: Sequence[Result], still_open: Collection[str]) -> None:
        """
        Add runs that have ended, to the numbers of their days and to the last occurrences.

        Args:
            results: Of the runs.
            still_open: The jobs of the open records that were there when this tick began.

        Raises:
            LedgerConflict: Somebody else wrote at the same time, again and again.
            LedgerUnavailable: Storage did not answer.
        """
        days = [
            (day, list(of_day)) for day, of_day in groupby(sorted(results, key=day_of), key=day_of)
        ]
        for day, of_day in days:
            await self._add_to_day(day, of_day, still_open)
        ended_on = [day for day, _ in days]
        await self._change(lambda recent: with_results(recent, results, ended_on), create=True)

    async def put_days(
        self, numbers: Mapping[date, Mapping[ScheduleId, tuple[DayNumbers, Sequence[Result]]]]
    ) -> None:
        """
        Put numbers that were made anew in the place of those of their days.

        Args:
            numbers: By day and schedule: the numbers, and the results of runs that are still open.
                These count only if the day has counted them already.
        """
        for day, by_schedule in sorted(numbers.items()):
            before, etag = await self._read_day(day)
            after = with_day(before, by_schedule)
            if after != before:
                await self._ledger.write_summary(day_blob(day), dump_day(after), etag)

    async def add_anew(self, recent: Recent, days: Collection[date]) -> None:
        """Add what listings brought, and the days of which there are numbers."""
        await self._change(lambda before: merged(before, recent, days), create=True)

    async def recent(self) -> Recent | None:
        """Return the last occurrences; None if they are missing or unreadable."""
        found = await self._read()
        return found.recent if found.intact else None

    async def _add_to_day(
        self, day: date, results: Sequence[Result], still_open: Collection[str]
    ) -> None:
        before, etag = await self._read_day(day)
        after = counted(before, results, still_open)
        if after == before:
            return
        if etag is None:
            await self._miss_days(day)
        await self._ledger.write_summary(day_blob(day), dump_day(after), etag)

    async def _miss_days(self, new: date) -> None:
        """Look for lost days, when the first run of a new one has ended."""
        recent = (await self._read()).recent
        there = await self._ledger.summary_days()
        since = new - REBUILT
        for day in recent.days:
            if day >= since and day_blob(day) not in there:
                self.lost = self.lost or f"{day_blob(day)} was missing"

    async def _read_day(self, day: date) -> tuple[Day, str | None]:
        name = day_blob(day)
        text = await self._ledger.read(name)
        if text.data is None:
            return Day(), None
        try:
            return load_day(text.data), text.etag
        except RecordUnreadable as error:
            self._lose(name, error)
            return Day(), text.etag

    async def _change(self, change: Callable[[Recent], Recent], *, create: bool) -> None:
        for left in reversed(range(_TRIES)):
            found = await self._read()
            if not create and not found.intact:
                return
            after = change(found.recent)
            if found.intact and after == found.recent:
                return
            try:
                await self._ledger.write_summary(ids.RECENT, dump_recent(after), found.etag)
            except LedgerConflict:
                if not left:
                    raise
            else:
                self._usual = None
                return

    async def _read(self) -> _Found:
        text = await self._ledger.read(ids.RECENT)
        if text.data is None:
            self.lost = self.lost or f"{ids.RECENT} was missing"
            return _Found(Recent(), None, intact=False)
        try:
            return _Found(_recent_of(text.data), text.etag, intact=True)
        except RecordUnreadable as error:
            self._lose(ids.RECENT, error)
            return _Found(Recent(), text.etag, intact=False)

    def _lose(self, name: str, error: RecordUnreadable) -> None:
        trouble(f"{name} is rebuilt", error)
        self.lost = self.lost or f"{name} was unreadable"


@lru_cache(maxsize=1)
def _recent_of(data: bytes) -> Recent:
    return load_recent(data)

"""Records found by as few calls as it takes, newest first."""

import heapq
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from orchestrator import ids
from orchestrator.enums import Outcome
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Action, Kind, Record
from recur.ledger_reader.record_blobs import KEPT, RecordBlob, Slice, is_of, slices_back
from recur.ledger_reader.records import History
from recur.ledger_reader.run_lookup import past_schedule
from recur.ledger_reader.snapshot import Snapshot, zone_of
from recur.times import parse_time

_AT_FIRST: Final = 32
_AT_MOST: Final = 512
"""Records that are read before it is known whether more are needed."""

_RANGED: Final = frozenset({Action.SKIPPED, Action.MISSED})
"""What range records say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """
    Which records to show; what is empty or None leaves nothing out.

    Attributes:
        since: Nominal times from here on.
        until: Nominal times up to here.
        tags: One of these.
        open_only: Runs that have not ended.
        count: So many at most.
    """

    schedule: str | None = None
    since: str | None = None
    until: str | None = None
    outcomes: tuple[Outcome, ...] = ()
    decisions: tuple[Action, ...] = ()
    kinds: tuple[Kind, ...] = ()
    tags: frozenset[str] = frozenset()
    open_only: bool = False
    count: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRecord:
    """A record, and whether it is open."""

    record: Record
    is_open: bool


class RecordSearch:
    """
    Finds the records that are wanted.

    Attributes:
        since: The nominal time from which on they are.
    """

    def __init__(self, history: History, snapshot: Snapshot, record_filter: RecordFilter) -> None:
        self._history = history
        self._snapshot = snapshot
        self._filter = record_filter
        self._schedule: ScheduleId | None = None
        if record_filter.schedule is not None:
            self._schedule = past_schedule(history, snapshot, record_filter.schedule)
        zone = zone_of(snapshot, self._schedule) if self._schedule else UTC
        self.since = (
            _parse_bound(record_filter.since, zone, "--since", snapshot.now) or snapshot.now - KEPT
        )
        self._until = (
            _parse_bound(record_filter.until, zone, "--until", snapshot.now) or snapshot.now
        )

    def newest(self) -> Iterator[FoundRecord]:
        """Yield what is wanted, newest first; no more is read than is asked for."""
        listed = self._history.open_list()
        runs = [*(run.run_id for run in listed.runs), *listed.unlisted]
        opened = [one for one in runs if self._schedule is None or is_of(one, self._schedule)]
        records = [one for one in self._history.records([*map(ids.open_blob, opened)]) if one]
        for run in listed.unlisted.keys() & opened:
            self._history.unreadable[ids.open_blob(run)] = listed.unlisted[run]
        lines = [FoundRecord(record=one, is_open=True) for one in records if self._is_wanted(one)]
        lines.sort(key=_record_time, reverse=True)
        found: list[Iterator[FoundRecord]] = [iter(lines)]
        if not self._filter.open_only:
            found.append(self._final({one.run_id for one in records}))
        yield from _merged_lines(*found)

    def _final(self, opened: AbstractSet[RunId]) -> Iterator[FoundRecord]:
        """
        Yield the final records, one slice of time after the other.

        The open record of a run that a backfill runs again is the newer truth. A trigger's name
        does not tell its nominal time; it is no later than when its record was written.
        """
        schedules = [self._schedule] if self._schedule else self._history.schedules()
        triggers = [one for one in self._history.triggered(schedules) if one.run_id not in opened]
        lines: list[FoundRecord] = []
        for part in slices_back(min(self._until, self._snapshot.now), self._oldest(schedules)):
            younger = [one.blob for one in triggers if one.modified and one.modified >= part.begin]
            triggers = [one for one in triggers if one.modified and one.modified < part.begin]
            lines += self._read(younger)
            lines.sort(key=_record_time, reverse=True)
            yield from _merged_lines(
                self._read(self._names(part, schedules, opened)),
                (line for line in lines if line.record.nominal >= part.begin),
            )
            lines = [line for line in lines if line.record.nominal < part.begin]
        lines += self._read([one.blob for one in triggers if self._is_new(one)])
        yield from sorted([*lines, *self._reaching_in(schedules)], key=_record_time, reverse=True)

    def _oldest(self, schedules: Sequence[ScheduleId]) -> datetime:
        """Return how far back to list: to ``since``, and not beyond the first record there is."""
        if self.since >= self._snapshot.now - KEPT:
            return self.since
        listed = self._history.each(schedules, self._history.months, "listing months")
        oldest = [datetime(*some[-1], 1, tzinfo=UTC) for some in listed if some]
        return max(self.since, min(oldest)) if oldest else self._snapshot.now

    def _is_new(self, trigger: RecordBlob) -> bool:
        return trigger.modified is not None and trigger.modified >= self.since

    def _reaching_in(self, schedules: Sequence[ScheduleId]) -> list[FoundRecord]:
        """Return the ranges that began in a month before ``since`` and last beyond it."""
        record_filter = self._filter
        if (
            self.since > self._snapshot.now
            or record_filter.outcomes
            or not _RANGED.intersection(record_filter.decisions or Action)
            or Kind.SCHEDULED not in (record_filter.kinds or Kind)
        ):
            return []

        def reaching(schedule: ScheduleId) -> tuple[Record, str] | None:
            return self._history.range_with(schedule, self.since)

        found = self._history.each(schedules, reaching, "looking for ranges")
        begin = self.since.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        records = [one[0] for one in found if one and one[0].nominal < begin]
        return [FoundRecord(record=one, is_open=False) for one in records if self._is_wanted(one)]

    def _names(
        self, part: Slice, schedules: Sequence[ScheduleId], opened: AbstractSet[RunId]
    ) -> list[str]:
        """Return the names of a slice's records, newest first."""
        found = [
            (one.nominal, one.count, one.blob)
            for one in self._history.entries([part.prefix(schedule) for schedule in schedules])
            if one.nominal
            and part.begin <= one.nominal < part.end
            and (one.count > 1 or one.run_id not in opened)
            and self._may_be(one)
        ]
        return [blob for _, _, blob in sorted(found, reverse=True)]

    def _may_be(self, entry: RecordBlob) -> bool:
        """Whether the record behind a name may be wanted; a range may reach into the time."""
        assert entry.nominal is not None, "triggers have their own folder"  # noqa: S101
        return entry.nominal <= self._until and (entry.nominal >= self.since or entry.count > 1)

    def _read(self, blobs: Sequence[str]) -> Iterator[FoundRecord]:
        """Yield those that are wanted, a few at first, ever more at once where few are wanted."""
        begin, length = 0, _AT_FIRST
        while begin < len(blobs):
            for record in self._history.records(blobs[begin : begin + length]):
                if record and self._is_wanted(record):
                    yield FoundRecord(record=record, is_open=False)
            begin, length = begin + length, min(2 * length, _AT_MOST)

    def _is_wanted(self, record: Record) -> bool:
        record_filter = self._filter
        last = record.range.last if record.range else record.nominal
        return (
            last >= self.since
            and record.nominal <= self._until
            and (not record_filter.outcomes or record.outcome in record_filter.outcomes)
            and (not record_filter.decisions or record.decision.action in record_filter.decisions)
            and (not record_filter.kinds or record.kind in record_filter.kinds)
            and (not record_filter.tags or not record_filter.tags.isdisjoint(_tags(record)))
        )


def _tags(record: Record) -> tuple[str, ...]:
    return record.about.tags if record.about else ()


def _record_time(line: FoundRecord) -> datetime:
    return line.record.nominal


def _merged_lines(*lines: Iterator[FoundRecord]) -> Iterator[FoundRecord]:
    return heapq.merge(*lines, key=_record_time, reverse=True)


def _parse_bound(
    text: str | None, zone: tzinfo | None, name: str, now: datetime
) -> datetime | None:
    return None if text is None else parse_time(text, zone, name=name, now=now)

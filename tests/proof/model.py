"""
What the schedules should have done: a model of some thirty lines, by arithmetic alone.

It is told of each document that was written and of each one that a tick took over. From that it
says which occurrences there are up to a watermark. Periods divide the hour, so that an occurrence
is a multiple of its period, from a first to a last instant: where a schedule ends, or where all its
occurrences of one day move to another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

INVALID: Final = 0
"""Stands for the period of a table that is not valid."""


class Period(NamedTuple):
    """
    When a table is due.

    Attributes:
        minutes: From one occurrence to the next.
        paused: Whether the table says so.
        begin: Nothing is due before it; None: there is no such time.
        end: Nothing is due from it on; None likewise.
    """

    minutes: int
    paused: bool = False
    begin: datetime | None = None
    end: datetime | None = None

    def has(self, nominal: datetime) -> bool:
        """Whether a time is not before its begin, and before its end."""
        return (not self.begin or nominal >= self.begin) and (not self.end or nominal < self.end)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From here on a schedule has this period; None: it has none."""

    since: datetime
    period: Period | None


@dataclass(slots=True)
class Model:
    """
    The schedules as documents have made them.

    Attributes:
        documents: By ETag: when each was written, and the period of each of its tables; None if
            it could not be parsed.
        waiting: The ETags of those that no tick has taken over, oldest first.
        stretches: Of each schedule that there ever was.
    """

    documents: dict[str, tuple[datetime, Mapping[str, Period] | None]] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    stretches: dict[str, list[Stretch]] = field(default_factory=dict)

    def take_over(self, tag: str, decided: Mapping[str, datetime]) -> None:
        """Put documents in force, up to one of them: never for what has been decided."""
        while tag in self.waiting:
            self._take_over(self.waiting.pop(0), decided)

    def _take_over(self, tag: str, decided: Mapping[str, datetime]) -> None:
        written, tables = self.documents[tag]
        if tables is None:
            return
        for name in self.stretches.keys() | tables.keys():
            period = tables.get(name)
            old = self.stretches.setdefault(name, [])
            since = max(written, decided.get(name, written))
            now = old[-1] if old else Stretch(since, None)
            # A clock that was put back may leave a change in the future, until the next document.
            there = now.period == period and (period is None or now.since <= since)
            if (period and period.minutes == INVALID) or there:
                continue
            self.stretches[name] = [one for one in old if one.since < since]
            self.stretches[name].append(Stretch(since, period))

    def occurrences(self, name: str, until: datetime) -> Iterator[datetime]:
        """Yield the occurrences of a schedule up to a watermark, oldest first."""
        stretches = self.stretches.get(name, [])
        for one, end in zip(stretches, [*(s.since for s in stretches[1:]), until], strict=True):
            if one.period:
                seconds = one.period.minutes * 60
                first = int(one.since.timestamp()) // seconds + 1
                for n in range(first, int(min(end, until).timestamp()) // seconds + 1):
                    nominal = datetime.fromtimestamp(n * seconds, UTC)
                    if one.period.has(nominal):
                        yield nominal

    def is_paused(self, name: str, nominal: datetime) -> bool:
        """Tell whether the table that brought an occurrence about says ``paused``."""
        last = [one.period for one in self.stretches[name] if one.since < nominal][-1]
        return last is not None and last.paused

"""How long rehearsed runs take: as given, or as the runs of a schedule took of late."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from orchestrator.document.durations import duration_hint, parse_duration
from orchestrator.ids import ScheduleId
from recur.errors import CliError, Exit
from recur.ledger_reader.record_blobs import month_folder
from recur.ledger_reader.records import History

_MOST: Final = 100
"""Runs of a schedule whose durations are used: the newest."""

_MONTH: Final = timedelta(days=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """
    How long the runs of each schedule take.

    Attributes:
        of: By schedule: seconds, used in turn.
        every: Of schedules that have none; None where each needs its own.
    """

    of: Mapping[ScheduleId, Sequence[float]] = field(default_factory=dict[ScheduleId, list[float]])
    every: float | None = None

    def missing(self, schedules: Iterable[ScheduleId]) -> list[ScheduleId]:
        """Return the schedules of which no duration is known."""
        return [one for one in schedules if not self.of.get(one) and self.every is None]

    def seconds(self, schedule: ScheduleId, number: int) -> float:
        """
        Return how long a run takes, the first of its schedule being 0.

        Raises:
            KeyError: Nothing is known of the schedule.
        """
        if known := self.of.get(schedule):
            return known[number % len(known)]
        if self.every is None:
            raise KeyError(schedule)
        return self.every

    def over(self, others: "Durations") -> "Durations":
        """Return these durations, and others where these have none."""
        every = self.every if self.every is not None else others.every
        return Durations(of={**others.of, **self.of}, every=every)


def parse_durations(texts: Iterable[str], known: Iterable[ScheduleId]) -> Durations:
    """
    Return the durations of the command line: ``30m`` for every schedule, ``nightly=2h`` for one.

    Raises:
        CliError: One is no duration, or names a schedule that the document does not have.
    """
    there, of, every = set(known), dict[ScheduleId, list[float]](), None
    for text in texts:
        name, sign, length = text.rpartition("=")
        if (duration := parse_duration(length)) is None or duration <= timedelta():
            hint = (
                duration_hint(length)
                or "write 90s, 30m, 2h or PT2H; for one schedule, write nightly=2h"
            )
            raise CliError(Exit.USAGE, f"--duration {text!r}: {length!r} is not a duration", hint)
        if not sign:
            every = duration.total_seconds()
        elif name in there:
            of[ScheduleId(name)] = [duration.total_seconds()]
        else:
            raise CliError(
                Exit.USAGE,
                f"--duration {text!r}: the document does not have the schedule {name!r}",
                f"there are: {', '.join(sorted(there)[:10])}",
            )
    return Durations(of=of, every=every)


def recorded_durations(
    history: History, schedules: Sequence[ScheduleId], now: datetime
) -> Durations:
    """Return how long the newest runs of schedules took, of this month and the one before."""
    months = dict.fromkeys((one.year, one.month) for one in (now - _MONTH, now))
    folders = [month_folder(id_, *month) for id_ in schedules for month in months]
    found: dict[ScheduleId, list[float]] = {}
    for result in sorted(history.results(folders), key=lambda one: one.nominal):
        if result.seconds:
            found.setdefault(result.schedule, []).append(result.seconds)
    return Durations(of={id_: seconds[-_MOST:] for id_, seconds in found.items()})

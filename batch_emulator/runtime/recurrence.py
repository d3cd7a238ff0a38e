"""When a job schedule makes its next job; all times are UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from batch_emulator.wire import UNLIMITED, Json, parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """
    The instants at which jobs are due, and how late each job may be.

    Source: azure-batch 15.1, ``BatchJobScheduleConfiguration``.

    Attributes:
        start: The first instant.
        interval: From one instant to the next; without it there is only the first.
        window: How late a job may be; never later than the next instant.
        end: After it no job is made.
    """

    start: datetime
    interval: timedelta | None = None
    window: timedelta = UNLIMITED
    end: datetime | None = None

    @classmethod
    def read(cls, schedule: Json, created: datetime) -> Self:
        """
        Return the recurrence of a job schedule.

        Args:
            schedule: The property ``schedule``, with all values checked.
            created: When the job schedule was created, where nothing else says when it starts.
        """
        interval = schedule.get("recurrenceInterval")
        return cls(
            start=_read_time(schedule.get("doNotRunUntil")) or created,
            interval=None if interval is None else parse_duration(interval),
            window=parse_duration(schedule["startWindow"])
            if "startWindow" in schedule
            else UNLIMITED,
            end=_read_time(schedule.get("doNotRunAfter")),
        )

    def after(self, moment: datetime) -> datetime | None:
        """Return the first instant later than ``moment``, if there is one."""
        if moment < self.start:
            return self._within(self.start)
        if self.interval is None:
            return None
        try:
            steps = (moment - self.start) // self.interval + 1
            return self._within(self.start + steps * self.interval)
        except OverflowError:  # beyond the year 9999
            return None

    def pending(self, due: datetime | None, moment: datetime) -> datetime | None:
        """
        Return the instant whose job is made next, at ``moment``; ``due`` is the last such answer.

        It is in the past while its job can still be made. An instant is lost when its window is
        over, or when the next instant has come.
        """
        if due is None or (self.end is not None and moment > self.end):
            return None
        if due > moment:
            return self._within(due)
        if self.interval is not None:
            due += (moment - due) // self.interval * self.interval
        return self._within(due) if moment - due < self.window else self.after(due)

    def closes(self, due: datetime) -> datetime | None:
        """Return when the job of the instant ``due`` can no longer be made, if ever."""
        waits = self.window if self.interval is None else min(self.window, self.interval)
        last = None if self.end is None else self.end + timedelta.resolution
        try:
            closing = due + waits
        except OverflowError:  # beyond the year 9999
            return last
        return closing if last is None else min(closing, last)

    def _within(self, instant: datetime) -> datetime | None:
        return None if self.end is not None and instant > self.end else instant


def _read_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)

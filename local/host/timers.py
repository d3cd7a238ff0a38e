"""
When a timer function is due: the rules of the Functions host, without its clock or its storage.

The rules are those of ``TimerListener``, ``ScheduleMonitor`` and ``TimerSchedule`` of
azure-webjobs-sdk-extensions, in UTC, which is the only zone of the plan that the app runs on.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from cronsim import CronSim, CronSimError

from local.errors import LocalError

_NEVER = "0001-01-01T00:00:00"
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Ncrontab:
    """
    An NCRONTAB expression: five fields, or six with the seconds first.

    Attributes:
        expression: As written, known to be valid.
    """

    expression: str

    def __post_init__(self) -> None:
        """Refuse what NCRONTAB does not know, or reads differently than the library used here."""
        fields = self.expression.upper().split()
        days, weekdays = (fields[-3], fields[-1]) if len(fields) in {5, 6} else ("*", "*")
        try:
            next(self._from(datetime.now(UTC)))
        except (CronSimError, StopIteration) as error:
            raise LocalError(
                f"{self.expression!r} is not an NCRONTAB expression: {error}"
            ) from None
        if "L" in days or "W" in days or "L" in weekdays or "#" in weekdays:
            raise LocalError(f"{self.expression!r}: NCRONTAB does not support L, W or #")
        if not (days.startswith("*") or weekdays.startswith("*")):
            # NCRONTAB wants both to match, Debian's cron one of them
            raise LocalError(
                f"{self.expression!r} restricts both the day and the weekday, which this host does not support"
            )

    def after(self, instant: datetime) -> datetime:
        """Return the first occurrence later than ``instant``."""
        return next(self._from(instant))

    @property
    def more_than_once_a_minute(self) -> bool:
        """Whether it fires more than once in each minute; the host then keeps no status."""
        *seconds, minute, hour, day, month, weekday = self.expression.split()
        if not seconds or {minute, hour, day, month, weekday} != {"*"}:
            return False
        first = self.after(datetime.now(UTC))
        return self.after(first) - first < _MINUTE

    def _from(self, instant: datetime) -> CronSim:
        return CronSim(self.expression, instant.astimezone(UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStatus:
    """
    What the host remembers of one timer.

    Attributes:
        last: Start of its last run; None before the first.
        next: When it is due.
        last_updated: The instant from which ``next`` was computed.
    """

    last: datetime | None
    next: datetime
    last_updated: datetime

    @classmethod
    def from_json(cls, text: str) -> Self:
        """
        Read what the host wrote.

        Raises:
            ValueError: It is something else.
        """
        document = json.loads(text)
        try:
            last, following, updated = (document[key] for key in ("Last", "Next", "LastUpdated"))
            return cls(
                last=None if last.startswith("0001-") else _parse_utc(last),
                next=_parse_utc(following),
                last_updated=_parse_utc(updated),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"not a schedule status: {text!r}") from error

    def to_json(self) -> str:
        """Return it as the host writes it."""
        return json.dumps(self.to_input())

    def to_input(self) -> dict[str, str]:
        """Return it as the function gets it."""
        return {
            "Last": self.last.isoformat() if self.last else _NEVER,
            "Next": self.next.isoformat(),
            "LastUpdated": self.last_updated.isoformat(),
        }


def status_at_start(
    schedule: Ncrontab, stored: ScheduleStatus | None, now: datetime
) -> ScheduleStatus:
    """
    Return the status with which a listener starts; the timer is past due if its ``next`` is past.

    A changed expression never makes a timer past due: that can swallow an occurrence, here as
    there.
    """
    if stored is None:
        return ScheduleStatus(last=None, next=schedule.after(now), last_updated=now)
    basis = stored.last or stored.last_updated
    expected = schedule.after(basis)
    if stored.next == expected:
        return stored
    return ScheduleStatus(
        last=None, next=expected if expected >= now else schedule.after(now), last_updated=basis
    )


def status_after_run(schedule: Ncrontab, started: datetime) -> ScheduleStatus:
    """Return the status after a run: the next one counts from its start, so it may be due."""
    return ScheduleStatus(last=started, next=schedule.after(started), last_updated=started)


def timer_input(*, past_due: bool, status: ScheduleStatus | None) -> str:
    """Return the JSON that a timer function gets as its trigger's value."""
    return json.dumps(
        {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status.to_input() if status else None,
            "IsPastDue": past_due,
        }
    )


def _parse_utc(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)

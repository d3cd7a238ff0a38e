"""
The values that the rest of the orchestrator speaks in.

Times are aware UTC ``datetime``, durations ``timedelta``. Words that reach JSON are ``StrEnum``.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import Field

from orchestrator.enums import (
    CatchUpMode,
    Fold,
    Gap,
    IntervalUnit,
    OnHoliday,
    Outcome,
    Overlap,
    Weekday,
)
from orchestrator.ids import ScheduleId
from orchestrator.stored import Stored


def _empty(value: object) -> bool:
    return not value


_UNLESS_EMPTY = Field(exclude_if=_empty)  # most schedules have none: submit.json stays small


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Stored):
    """
    Which wall dates count: every n-th day, week or month, before the anchor as after it.

    Attributes:
        every: How many units lie between two that count.
        unit: Weeks begin on Monday.
        anchor: A date in a unit that counts.
    """

    every: int
    unit: IntervalUnit
    anchor: date


WEEKEND = (Weekday.SAT, Weekday.SUN)
"""What is no working day where the document does not say otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holidays(Stored):
    """
    The holidays of a recurrence, and what happens to its occurrences on them.

    Attributes:
        calendars: The names that they have in the document.
        days: All of them, in the short form that ``timing.holidays`` reads.
        weekdays: Days of the week that are holidays as well.
        policy: What happens on them.
        weekend: Days of the week to which no occurrence moves.
    """

    calendars: tuple[str, ...]
    days: tuple[str, ...]
    weekdays: Annotated[tuple[Weekday, ...], _UNLESS_EMPTY] = ()
    policy: OnHoliday = OnHoliday.SKIP
    weekend: tuple[Weekday, ...] = WEEKEND


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence(Stored):
    """
    When the occurrences of a schedule fall: the union of ``cron`` and ``at``, or every so often.

    Attributes:
        cron: Expressions of five fields, on the wall time of the zone; empty with ``every``.
        at: Single wall times of the zone, naive; empty with ``every``.
        interval: Which dates of ``cron`` count; None: all.
        every: Elapsed time from one occurrence to the next, whatever the clock does.
        anchor: With ``every``: an instant on which an occurrence falls.
        time_zone: IANA name.
        gap: What becomes of wall times that do not exist where a clock is put forward.
        fold: Which of two equal wall times runs where a clock is put back.
        except_: Wall dates (``2026-12-25``) and expressions that leave occurrences out.
        holidays: None where the schedule names none, or has ``every``.
        end: Nothing is due at this instant or later; None: it has no end.
    """

    cron: tuple[str, ...] = ()
    at: Annotated[tuple[datetime, ...], _UNLESS_EMPTY] = ()
    interval: Annotated[Interval | None, _UNLESS_EMPTY] = None
    every: timedelta | None = None
    anchor: datetime | None = None
    time_zone: str = "UTC"
    gap: Gap = Gap.AUTO
    fold: Annotated[Fold, Field(alias="overlap")] = Fold.AUTO
    except_: tuple[str, ...] = ()
    holidays: Annotated[Holidays | None, _UNLESS_EMPTY] = None
    end: Annotated[datetime | None, _UNLESS_EMPTY] = None

    @property
    def finite(self) -> bool:
        """Whether it has a last occurrence."""
        return self.end is not None or bool(self.at and not self.cron)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """
    How far back a schedule makes up for occurrences that came due while nothing ticked.

    Attributes:
        mode: ``latest``: only the newest of them is submitted; ``all``: the newest ``max``;
            ``none``: none.
        window: An occurrence older than this is missed; also how long a blocked attempt is tried.
        max: So many missed, and skipped, occurrences get a record each; older ones share range
            records. With ``all``, so many are submitted at once.
    """

    mode: CatchUpMode = CatchUpMode.LATEST
    window: timedelta = timedelta(days=1)
    max: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries(Stored):
    """
    Which ended attempts are followed by another one.

    Attributes:
        max: So many attempts after the first.
        on: The outcomes that are tried again.
        exit_codes: Where not empty, ``failed`` is tried again only with one of these, in whatever
            spelling Batch tells a signal.
        backoff: Before the second attempt; doubled for each one after it, an hour at most.
    """

    max: int = 0
    on: tuple[Outcome, ...] = (Outcome.LOST, Outcome.NEVER_STARTED)
    exit_codes: tuple[int, ...] = ()
    backoff: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePrice(Stored):
    """
    What one node of a pool costs for one hour.

    Attributes:
        dedicated: None where the document does not give it.
        spot: Likewise.
    """

    dedicated: float | None = None
    spot: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices(Stored):
    """
    The table ``[prices]`` of the document.

    Attributes:
        currency: Three capital letters.
        every: For the nodes of every pool without prices of its own.
        pools: By pool id.
    """

    currency: str
    every: NodePrice = field(default_factory=NodePrice)
    pools: dict[str, NodePrice] = field(default_factory=dict[str, NodePrice])


@dataclass(frozen=True, slots=True, kw_only=True)
class About(Stored):
    """
    What people say of a schedule; nothing is decided by it.

    Attributes:
        description: What it is for, in one line.
        owner: Who answers for it.
        runbook: URL of the page that says what to do when it fails.
        tags: Words to find its runs by.
    """

    description: str | None = None
    owner: str | None = None
    runbook: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """
    One valid table of the document.

    Attributes:
        max_queued: With ``queue``: so many runs wait at most.
        max_parallel: With ``allow``: so many runs are open at once at most.
        jitter: Submission is put off by up to this, each occurrence by its own amount.
        outputs: Patterns of files to store, relative to the task's working directory.
        last_words: Whether the record of a run that fails holds the ends of stderr and stdout.
        pause_after_failures: So many failed runs in a row pause the schedule; None: never.
        start: Nothing is due before it; None: from the document that first held the schedule.
        prices: Those of the document, which hold for all its schedules; None: it has none.
        about: What its table says for people; None: nothing.
    """

    id: ScheduleId
    recurrence: Recurrence
    command: str
    environment: dict[str, str]
    overlap: Overlap
    max_queued: int
    max_parallel: int
    catch_up: CatchUp
    jitter: timedelta
    start_timeout: timedelta
    run_timeout: timedelta
    retries: Retries
    outputs: tuple[str, ...]
    pause_after_failures: int | None
    start: datetime | None
    paused: bool
    last_words: bool = True
    prices: Prices | None = None
    about: About | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing(Stored):
    """
    The recurrence of a schedule, in force from one change of the document to the next.

    Attributes:
        since: Occurrences later than this follow this timing; up to it, the one before.
        recurrence: ``None`` where nothing is due.
        paused: Whether the document says that occurrences in this time are skipped.
        removed: Whether the document holds no such schedule from here on.
        version: Number of the version of the document that brought it; None if it has none.
    """

    since: datetime
    recurrence: Annotated[Recurrence | None, Field(alias="calendar")]
    paused: bool = False
    removed: bool = False
    version: Annotated[int | None, _UNLESS_EMPTY] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Stored):
    """
    A time in which occurrences are skipped, by an operator's word or after failures.

    It holds for ``since < nominal < until``.

    Attributes:
        since: Its begin.
        until: Its end; None as long as nobody resumes.
        by: Who paused; ``recur`` after failures.
        note: Why.
        request: Id of the request; None after failures.
        resumed_by: Id of the request that ended it.
    """

    since: datetime
    until: datetime | None = None
    by: str
    note: str | None = None
    request: str | None = None
    resumed_by: str | None = None

    def holds(self, nominal: datetime) -> bool:
        """Whether an occurrence at this time is skipped."""
        return self.since < nominal and (self.until is None or nominal < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """
    One nominal instant of one schedule.

    Attributes:
        nominal: When it should start.
        merged: How many wall times fell on this instant; more than 1 only where clocks change, or
            where others moved here.
        exists: False for wall times that a zone left out for good, such as Apia's 2011-12-30.
        excluded: Whether ``except`` leaves it out.
        holiday: Whether it is skipped since it falls on a holiday.
        moved_from: When it would have been on the holidays from which it was moved.
        paused: Whether the schedule was paused at this instant.
        removed: Whether the schedule was removed from the document after it, and has not returned.
    """

    nominal: datetime
    merged: int = 1
    exists: bool = True
    excluded: bool = False
    holiday: bool = False
    moved_from: tuple[datetime, ...] = ()
    paused: bool = False
    removed: bool = False

    @property
    def can_run(self) -> bool:
        """Whether nothing about the occurrence itself keeps it from running."""
        return self.exists and not (self.excluded or self.holiday or self.paused or self.removed)

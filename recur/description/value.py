"""What a schedule is, does and did, as one value: what commands and pages show."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Kind
from orchestrator.model import About
from recur.causes.trouble import Trouble
from recur.description.policy_text import Policy
from recur.schedules.upcoming import Upcoming
from recur.status.value import ScheduleStatus, State


class Presence(StrEnum):
    """What the document in force has of a schedule."""

    IN_FORCE = "in_force"
    INVALID = "invalid"
    REMOVED = "removed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedVersion:
    """
    A version of the document.

    Attributes:
        number: None: somebody uploaded it by hand, and no tick has made it a version.
        at: When it was applied; None: that is not known.
        by: Who applied it; None: nobody, it was uploaded by hand, or that is not known.
        note: Why.
    """

    number: int | None
    at: datetime | None = None
    by: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """
    The table of a schedule.

    Attributes:
        timing: When it is due, in words; None: nothing tells it.
        time_zone: Of its wall times; None likewise.
        toml: Its table as it stands in the document; None: it is not there, or is written so that
            it cannot be cut out.
        inherited: The keys that it takes from ``[defaults]``.
        policies: In words.
        about: What it says for people.
        version: The version of the document that it is of: the one in force, or of a schedule that
            was removed the one that removed it.
    """

    timing: str | None = None
    time_zone: str | None = None
    toml: str | None = None
    inherited: tuple[str, ...] = ()
    policies: tuple[Policy, ...] = ()
    about: About | None = None
    version: AppliedVersion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOccurrence:
    """
    One occurrence that has an end, or several neighbours that were skipped or missed for one cause.

    Attributes:
        nominal: When it was due; of several, the first.
        last: Of several, the last; else the same.
        occurrences: How many they are.
        run_id: None: it got no run.
        outcome: Of its run; else skipped or missed.
        reason: Why; None: it succeeded.
        exit_code: Where the record was read, and holds one.
        seconds: How long its task took; None: it did not begin, or that is not known.
        lateness: Seconds from the nominal time to the submission; None for a backfill.
        notes: What changes of the clock and holidays made of it.
    """

    nominal: datetime
    last: datetime
    occurrences: int = 1
    run_id: RunId | None = None
    outcome: str
    reason: str | None = None
    exit_code: int | None = None
    seconds: float | None = None
    lateness: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """
    How some lengths of time are spread, to two digits.

    Attributes:
        count: How many there are.
        median_seconds: Half of them are at most this; None: there are none.
        p95_seconds: 95 of 100 are at most this; None likewise.
    """

    count: int
    median_seconds: float | None
    p95_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """
    How runs ended in the last 30 days, by the day of their end in UTC.

    Attributes:
        since: The first of these days.
        runs: How many ended, triggered and backfilled ones too.
        outcomes: How many with each outcome.
        success_rate: The part that succeeded, 0 to 1; None: none ended.
        duration: Of the tasks that began.
        lateness: Of scheduled runs; what was triggered or backfilled is never late.
    """

    since: date
    runs: int
    outcomes: dict[str, int]
    success_rate: float | None
    duration: Lengths
    lateness: Lengths


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRunStatus:
    """
    One run that has not ended.

    Attributes:
        state: What it does at present.
        kind: Who asked for it.
        nominal: When it was due.
        since: When the state began; None: that is not known.
        reason: Why it is blocked; None: it is not.
    """

    run_id: RunId
    state: State
    kind: Kind
    nominal: datetime
    since: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """
    What a schedule is, does and did.

    Attributes:
        schedule: Its id.
        at: When it was looked at, by the clock of the storage.
        presence: What the document in force has of it.
        definition: Its table.
        status: How it stands, as in the overview; None: it was removed.
        troubles: What somebody should know of it.
        coming: The next ten occurrences, with lines for wall times that do not exist.
        past: The last ten that have an end, the newest first.
        figures: None: they cannot be read.
        open_runs: Oldest first.
        doubts: What could not be read, and is not taken into account.
    """

    schedule: ScheduleId
    at: datetime
    presence: Presence
    definition: Definition
    status: ScheduleStatus | None
    troubles: tuple[Trouble, ...] = ()
    coming: tuple[Upcoming, ...] = ()
    past: tuple[PastOccurrence, ...] = ()
    figures: Figures | None = None
    open_runs: tuple[OpenRunStatus, ...] = ()
    doubts: tuple[str, ...] = ()
